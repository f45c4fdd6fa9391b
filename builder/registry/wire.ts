import type { Socket } from 'node:net';
import { giveBack, newMemory, takeBlock } from '../block.ts';
import type { Trust } from './trust.ts';

/** What a request hears of the connection that it has. */
export type Listener = {
  /** Whether more is wanted at once; if not, `Wire.resume` goes on. */
  readonly bytes: (chunk: Buffer) => boolean;
  readonly connected: () => void;
  readonly drained: () => void;
  readonly silent: () => void;
  /** Without an error it was ended by the other side, as it may be. */
  readonly closed: (error: Error | undefined) => void;
};

/** Bytes that are read at once, of what is not known to be long. */
const usual = 1 << 16;

/**
 * A connection to a server, for one request after the other. Bytes are read into memory of ours, as many at once
 * as the system has: Node's own client reads 64 KiB and copies them, which made a pull take twice as long.
 */
export class Wire {
  readonly origin: string;
  readonly trust: Trust;
  readonly socket: Socket;
  /** It had another request before. */
  used = false;
  /** When the server wants it to be dropped, in the time of `performance.now()`. */
  until = Number.POSITIVE_INFINITY;
  /** Bytes that are known to come. */
  expected = 0;
  #listener: Listener | undefined;
  #block: Buffer = Buffer.alloc(0);
  #filled = 0;

  constructor(url: URL, trust: Trust, session: Buffer | undefined) {
    this.origin = url.origin;
    this.trust = trust;
    const secure = url.protocol === 'https:';
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    const net = process.getBuiltinModule('node:net');
    const options = {
      host,
      port: Number(url.port || (secure ? 443 : 80)),
      noDelay: true,
      onread: { buffer: () => this.#room(), callback: (size: number) => this.#came(size) },
    };
    this.socket = secure
      ? process.getBuiltinModule('node:tls').connect({
          ...options,
          ...(trust as object),
          ALPNProtocols: ['http/1.1'],
          ...(net.isIP(host) === 0 && { servername: host }),
          ...(session && { session }),
        })
      : net.connect(options);
    let failure: Error | undefined;
    let ended = false;
    this.socket.on(secure ? 'secureConnect' : 'connect', () => this.#listener?.connected());
    this.socket.on('drain', () => this.#listener?.drained());
    this.socket.on('timeout', () => this.#listener?.silent());
    this.socket.on('error', (error) => (failure = error));
    this.socket.on('end', () => (ended = true));
    this.socket.on('close', () => this.#listener?.closed(failure ?? (ended ? undefined : broken())));
  }

  /** For the next request; undefined when it is through. */
  listen(listener: Listener | undefined): void {
    this.#listener = listener;
    this.expected = 0;
  }

  resume(): void {
    this.socket.resume();
  }

  #room(): Uint8Array {
    if (this.#block.length - this.#filled < usual / 4) {
      giveBack(this.#block);
      this.#block = this.expected > usual ? takeBlock() : newMemory(usual);
      this.#filled = 0;
    }
    return this.#block.subarray(this.#filled);
  }

  #came(size: number): boolean {
    const chunk = this.#block.subarray(this.#filled, this.#filled + size);
    this.#filled += size;
    if (this.#listener) return this.#listener.bytes(chunk);
    // Nobody has asked for anything.
    this.socket.destroy();
    return false;
  }
}

export const broken = (): Error => Object.assign(new Error('aborted'), { code: 'ECONNRESET' });

/** Connections of one process that are kept open between requests. */
export type Pool = {
  /** One to the address that nobody uses, or a new one. */
  readonly take: (url: URL, trust: Trust) => Wire;
  /** `keep`: how long the server says that it keeps it, in ms. */
  readonly give: (wire: Wire, keep: number | undefined) => void;
  readonly close: () => void;
};

export function openPool(): Pool {
  const all = new Set<Wire>();
  const idle: Wire[] = [];
  /** With which TLS is begun in fewer steps. */
  const sessions = new Map<string, Buffer>();

  const open = (url: URL, trust: Trust): Wire => {
    const wire = new Wire(url, trust, sessions.get(url.origin));
    all.add(wire);
    wire.socket.on('session', (session: Buffer) => sessions.set(url.origin, session));
    wire.socket.on('error', () => sessions.delete(url.origin));
    wire.socket.on('close', () => {
      all.delete(wire);
      const at = idle.indexOf(wire);
      if (at >= 0) idle.splice(at, 1);
    });
    return wire;
  };

  return {
    take(url, trust) {
      const now = performance.now();
      const at = idle.findLastIndex(
        (wire) => wire.origin === url.origin && wire.trust === trust && wire.until > now,
      );
      const [found] = at >= 0 ? idle.splice(at, 1) : [];
      return found ?? open(url, trust);
    },
    give(wire, keep) {
      wire.listen(undefined);
      wire.socket.setTimeout(0);
      wire.used = true;
      if (keep !== undefined) wire.until = performance.now() + keep - 1000;
      idle.push(wire);
    },
    close() {
      for (const wire of all) wire.socket.destroy();
    },
  };
}
