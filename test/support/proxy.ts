/** A relay of TCP, on loopback unless told otherwise, that counts bytes and delays them. */
import { connect, createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { Transform } from 'node:stream';

export type Proxy = {
  /** `ADDRESS:PORT`. */
  readonly host: string;
  /** Bytes to the server and back since the last `reset`. */
  readonly bytes: { up: number; down: number };
  /** Called with every byte count that changes. */
  watch: (() => void) | undefined;
  reset(): void;
  stop(): void;
};

/** `delay` in ms, of each direction. */
export async function startProxy(target: string, delay = 0, at = '127.0.0.1'): Promise<Proxy> {
  const [address = '', port = ''] = target.split(':');
  const sockets = new Set<Socket>();
  const proxy: Proxy = {
    host: '',
    bytes: { up: 0, down: 0 },
    watch: undefined,
    reset: () => Object.assign(proxy.bytes, { up: 0, down: 0 }),
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
  const relay = (from: Socket, to: Socket, way: 'up' | 'down') => {
    const counter = new Transform({
      highWaterMark: delay === 0 ? 1 << 16 : 1 << 22,
      transform(chunk: Buffer, _, done) {
        proxy.bytes[way] += chunk.length;
        proxy.watch?.();
        done(undefined, chunk);
      },
    });
    from.pipe(counter);
    if (delay === 0) counter.pipe(to);
    else {
      counter.on('data', (chunk: Buffer) => setTimeout(() => to.write(chunk), delay));
      counter.on('end', () => setTimeout(() => to.end(), delay));
    }
    // What has come is passed on, though its sender is gone.
    from.on('error', () => counter.end());
    from.on('close', () => counter.end());
    to.on('error', () => from.destroy());
  };
  const server = createServer((client) => {
    const upstream = connect({ host: address, port: Number(port), noDelay: true });
    client.setNoDelay(true);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
    relay(client, upstream, 'up');
    relay(upstream, client, 'down');
  });
  await new Promise<void>((resolve) => server.listen(0, at, resolve));
  return Object.assign(proxy, { host: `${at}:${(server.address() as AddressInfo).port}` });
}
