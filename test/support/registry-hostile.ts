/**
 * A registry that plays by distribution-spec, except where a test tells it not to. Everything is in memory, and
 * every request is written down.
 */
import type { ExecutionContext } from 'ava';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { digestOf } from '../../builder/digest.ts';

/** A request as it came; `received` counts the bytes of its body that were read. */
export type Seen = {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  received: number;
};

/** What is done instead of what should be; the members exclude each other, but for `after`. */
export type Move = {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Buffer;
  /** The connection breaks after so many bytes of the request's body, which are kept. */
  readonly cutRequest?: number;
  /** The connection breaks after so many bytes of the right answer's body. */
  readonly cutAnswer?: number;
  /** No answer comes. */
  readonly hang?: boolean;
  /** The right answer's body, and then, after so many bytes, nothing. */
  readonly stallAnswer?: number;
  /** The right answer with other bytes. */
  readonly change?: (body: Buffer) => Buffer;
  /** The right answer with other headers; undefined takes one away. */
  readonly replace?: Readonly<Record<string, string | undefined>>;
  /** The right thing is done, and then `status` or `hang` or the break comes in place of the answer. */
  readonly after?: boolean;
};

export type Manners = {
  /** Called once for each request; `count` is how many of that method and kind of path came before. */
  readonly move?: (request: Seen, count: number) => Move | undefined;
  /** Of an upload's place. */
  readonly location?: 'absolute' | 'path' | 'host';
  /** False: nobody can ask how far an upload has got. */
  readonly status?: boolean;
  /** Chunks after the first are answered with 202 and dropped, as one registry does. */
  readonly dropsChunks?: boolean;
  /** Registries answer a chunk by 202, 201 or 204. */
  readonly patched?: number;
  readonly mounts?: boolean;
  /** Nothing is kept of a request that broke off. */
  readonly forgets?: boolean;
};

export type HostileRegistry = {
  readonly host: string;
  readonly url: string;
  readonly requests: Seen[];
  readonly blobs: Map<string, Buffer>;
  readonly manifests: Map<string, { readonly type: string; readonly bytes: Buffer }>;
  /** `METHOD PATH` of the requests, digests and identifiers made short. */
  told(): string[];
};

type Reply = { status: number; headers: Record<string, string | readonly string[]>; body: Buffer };

/** What has to come back as it was given: escapes, a plus, and a repeated name. */
const state = '_state=a%2Fb%3D%3d+c&x=%7e&x=2';

export async function startHostile(t: ExecutionContext, manners: Manners = {}): Promise<HostileRegistry> {
  const requests: Seen[] = [];
  const blobs = new Map<string, Buffer>();
  const manifests: HostileRegistry['manifests'] = new Map();
  const uploads = new Map<string, Buffer[]>();
  const counts = new Map<string, number>();
  let serial = 0;
  let url = '';

  const reply = (status: number, headers: Reply['headers'] = {}, body: Buffer | string = ''): Reply => ({
    status,
    headers,
    body: Buffer.from(body as string),
  });
  const error = (status: number, code: string, message = code.toLowerCase()): Reply =>
    reply(status, { 'Content-Type': 'application/json' }, JSON.stringify({ errors: [{ code, message }] }));
  const place = (name: string, id: string): string => {
    const path = `/v2/${name}/blobs/uploads/${id}?${state}`;
    if (manners.location === 'path') return path;
    return manners.location === 'host' ? `//${new URL(url).host}${path}` : `${url}${path}`;
  };
  const sizeOf = (id: string): number => (uploads.get(id) ?? []).reduce((sum, { length }) => sum + length, 0);
  const progress = (name: string, id: string) => ({
    Location: place(name, id),
    Range: `0-${Math.max(0, sizeOf(id) - 1)}`,
  });

  const upload = (request: Seen, name: string, rest: string, body: Buffer): Reply => {
    const [id = '', query = ''] = rest.split('?');
    if (request.method === 'POST') {
      const asked = new URLSearchParams(query);
      const digest = asked.get('mount');
      if (digest !== null && manners.mounts && blobs.has(digest)) return reply(201, { Location: 'x' });
      const fresh = `u${++serial}`;
      uploads.set(fresh, []);
      return reply(202, progress(name, fresh));
    }
    const parts = uploads.get(id);
    if (!parts) return error(404, 'BLOB_UPLOAD_UNKNOWN');
    if (!query.startsWith(state)) return error(400, 'BLOB_UPLOAD_INVALID', `the query came back as ${query}`);
    if (request.method === 'GET') {
      return manners.status === false ? error(405, 'UNSUPPORTED') : reply(204, progress(name, id));
    }
    if (request.method === 'DELETE') {
      uploads.delete(id);
      return reply(204);
    }
    if (request.method === 'PATCH') {
      const range = /^(\d+)-(\d+)$/.exec(request.headers['content-range'] ?? '');
      if (!range) return error(400, 'BLOB_UPLOAD_INVALID', 'Content-Range must be START-END');
      if (manners.dropsChunks && Number(range[1]) > 0) return reply(201, progress(name, id));
      if (Number(range[1]) !== sizeOf(id)) return error(416, 'RANGE_INVALID');
      parts.push(body);
      return reply(manners.patched ?? 202, progress(name, id));
    }
    const digest = new URLSearchParams(query).get('digest') ?? '';
    const bytes = Buffer.concat([...parts, body]);
    uploads.delete(id);
    if (digestOf(bytes) !== digest) return error(400, 'DIGEST_INVALID');
    blobs.set(digest, bytes);
    return reply(201, { 'Docker-Content-Digest': digest, Location: `${url}/v2/${name}/blobs/${digest}` });
  };

  const blob = (request: Seen, digest: string): Reply => {
    const bytes = blobs.get(digest);
    if (!bytes) return error(404, 'BLOB_UNKNOWN');
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    if (!range) return reply(200, { 'Content-Length': String(bytes.length) }, bytes);
    const [from, to] = [Number(range[1]), Math.min(Number(range[2]), bytes.length - 1)];
    return reply(
      206,
      { 'Content-Range': `bytes ${from}-${to}/${bytes.length}` },
      bytes.subarray(from, to + 1),
    );
  };

  const manifest = (request: Seen, reference: string, body: Buffer): Reply => {
    const [plain = ''] = reference.split('?');
    if (request.method === 'PUT') {
      const needed = JSON.parse(body.toString()) as {
        config?: { digest: string };
        layers?: { digest: string }[];
      };
      const missing = [needed.config, ...(needed.layers ?? [])].filter(
        (one) => one && !blobs.has(one.digest),
      );
      if (missing.length > 0) return error(400, 'MANIFEST_BLOB_UNKNOWN');
      const entry = { type: request.headers['content-type'] ?? '', bytes: body };
      manifests.set(plain, entry);
      manifests.set(digestOf(body), entry);
      return reply(201, { 'Docker-Content-Digest': digestOf(body) });
    }
    if (request.method === 'DELETE') return reply(manifests.delete(plain) ? 202 : 404);
    const found = manifests.get(plain);
    if (!found) return error(404, 'MANIFEST_UNKNOWN');
    const headers = { 'Content-Type': found.type, 'Docker-Content-Digest': digestOf(found.bytes) };
    return reply(200, { ...headers, 'Content-Length': String(found.bytes.length) }, found.bytes);
  };

  const right = (request: Seen, body: Buffer): Reply => {
    const [, name = '', kind, rest = ''] =
      /^\/v2\/(.+?)\/(blobs\/uploads|blobs|manifests|tags|referrers)\/(.*)$/.exec(request.path) ?? [];
    if (request.path === '/v2/') return reply(200);
    if (kind === 'blobs/uploads') return upload(request, name, rest, body);
    if (kind === 'blobs') return blob(request, rest);
    if (kind === 'manifests') return manifest(request, rest, body);
    if (kind === 'tags') {
      const tags = [...manifests.keys()].filter((key) => !key.includes(':'));
      return reply(200, { 'Content-Type': 'application/json' }, JSON.stringify({ name, tags }));
    }
    return reply(404, { 'Content-Type': 'text/html' }, '<html>no such page</html>');
  };

  const server = createServer(async (incoming, response) => {
    const { socket } = incoming;
    const request: Seen = {
      method: incoming.method ?? '',
      path: incoming.url ?? '',
      headers: incoming.headers,
      received: 0,
    };
    requests.push(request);
    const kind = short(`${request.method} ${request.path}`);
    const count = counts.get(kind) ?? 0;
    counts.set(kind, count + 1);
    const move = manners.move?.(request, count);
    const early = move?.status !== undefined && !move.after;
    const body = await read(incoming, request, move, early);
    if (!body) return;
    if (move?.cutRequest !== undefined && !move.after) {
      const id = /uploads\/(u\d+)/.exec(request.path)?.[1] ?? '';
      if (!manners.forgets) uploads.get(id)?.push(body);
      socket.destroy();
      return;
    }
    if (move?.hang && !move.after) return;
    const answer = early ? undefined : right(request, body);
    if (move?.hang) return;
    if (move?.cutRequest !== undefined) socket.destroy();
    else write(response, request, answer ?? reply(500), move);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  url = `http://${host}`;
  return {
    host,
    url,
    requests,
    blobs,
    manifests,
    told: () => requests.map(({ method, path }) => short(`${method} ${path}`)),
  };
}

/** Requests of one kind are alike but for digests, identifiers and queries. */
const short = (text: string): string =>
  text
    .replace(/\?.*$/, '')
    .replace(/sha256:[0-9a-f]{64}/, 'DIGEST')
    .replace(/uploads\/u\d+/, 'uploads/ID');

async function read(
  incoming: IncomingMessage,
  request: Seen,
  move: Move | undefined,
  early: boolean,
): Promise<Buffer | undefined> {
  if (early) {
    incoming.resume();
    return Buffer.alloc(0);
  }
  const limit = move?.after ? Infinity : (move?.cutRequest ?? Infinity);
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      const part = chunk.subarray(0, limit - request.received);
      request.received += part.length;
      chunks.push(part);
      if (request.received >= limit) break;
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks);
}

function write(response: ServerResponse, request: Seen, answer: Reply, move: Move = {}): void {
  if (move.status !== undefined) {
    response.writeHead(move.status, (move.headers ?? {}) as Record<string, string | string[]>);
    response.end(move.body);
    return;
  }
  const body = move.change ? move.change(answer.body) : answer.body;
  const headers: Record<string, string | readonly string[] | undefined> = {
    ...answer.headers,
    ...(answer.status !== 204 &&
      answer.headers['Content-Length'] === undefined && { 'Content-Length': String(body.length) }),
    ...(move.change && { 'Content-Length': String(body.length) }),
    ...move.headers,
    ...move.replace,
  };
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) response.setHeader(name, value as string | string[]);
  }
  response.writeHead(answer.status);
  const stop = move.cutAnswer ?? move.stallAnswer;
  if (stop === undefined || request.method === 'HEAD') {
    response.end(request.method === 'HEAD' ? undefined : body);
    return;
  }
  response.write(body.subarray(0, stop), () => {
    if (move.cutAnswer !== undefined) response.destroy();
  });
  if (stop === 0) response.flushHeaders();
}
