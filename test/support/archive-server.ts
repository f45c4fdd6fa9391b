import type { ExecutionContext } from 'ava';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';

/** How a server treats one path; a number of bytes counts from where the answer starts. */
export type Manner = {
  readonly body: Buffer;
  /** False: a Range is not understood, the whole file comes. */
  readonly ranges?: boolean;
  /** True: the length is not told beforehand. */
  readonly chunked?: boolean;
  /** The connection breaks after so many bytes of each answer. */
  readonly cut?: number;
  /** So many answers say 503 first. */
  readonly unavailable?: number;
  /** So many answers send half and then nothing more. */
  readonly stalls?: number;
  readonly redirect?: string;
  readonly status?: number;
  /** In ms between pieces of 1/20 of the body. */
  readonly slow?: number;
  readonly headers?: Readonly<Record<string, string>>;
};

export type ArchiveServer = {
  readonly url: string;
  /** Method, path and Range of each request, in order. */
  readonly requests: string[];
};

/** A server on loopback that misbehaves as told, closed at the end of the test. */
export async function serve(
  t: ExecutionContext,
  paths: Readonly<Record<string, Manner>>,
  tls?: ServerOptions,
): Promise<ArchiveServer> {
  const requests: string[] = [];
  const seen = new Map<string, number>();
  const listener: RequestListener = (request, response) => {
    const path = request.url ?? '';
    requests.push([request.method, path, request.headers.range].filter(Boolean).join(' '));
    const manner = paths[decodeURIComponent(path)];
    const count = seen.get(path) ?? 0;
    seen.set(path, count + 1);
    if (manner) answer(request, response, manner, count);
    else response.writeHead(404).end('nothing here');
  };
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`, requests };
}

function answer(request: IncomingMessage, response: ServerResponse, manner: Manner, count: number): void {
  const { body, ranges = true, cut, redirect, status, headers } = manner;
  if (redirect !== undefined) {
    response.writeHead(302, { Location: redirect }).end();
    return;
  }
  if (status !== undefined) {
    response.writeHead(status).end();
    return;
  }
  if (count < (manner.unavailable ?? 0)) {
    response.writeHead(503).end();
    return;
  }
  const start = ranges ? Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0) : 0;
  if (start > 0 && start >= body.length) {
    response.writeHead(416, { 'Content-Range': `bytes */${body.length}` }).end();
    return;
  }
  const rest = body.subarray(start);
  response.writeHead(start > 0 ? 206 : 200, {
    ...(!manner.chunked && { 'Content-Length': rest.length }),
    ...(start > 0 && { 'Content-Range': `bytes ${start}-${body.length - 1}/${body.length}` }),
    ...headers,
  });
  if (cut !== undefined && cut < rest.length) {
    // The other side has to get what was sent, so the end is an orderly one of TCP, but none of HTTP.
    response.write(rest.subarray(0, cut), () => response.socket?.end());
  } else if (count < (manner.stalls ?? 0)) {
    response.write(rest.subarray(0, rest.length >> 1));
  } else if (manner.slow !== undefined) {
    trickle(response, rest, Math.ceil(body.length / 20), manner.slow);
  } else {
    response.end(rest);
  }
}

function trickle(response: ServerResponse, rest: Buffer, size: number, pause: number): void {
  if (response.destroyed) return;
  if (rest.length === 0) {
    response.end();
    return;
  }
  response.write(rest.subarray(0, size));
  setTimeout(() => trickle(response, rest.subarray(size), size, pause), pause);
}
