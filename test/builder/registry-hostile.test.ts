import ava, { type ExecutionContext } from 'ava';
import { array, assert, asyncProperty, nat } from 'fast-check';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { type Descriptor, describe, mediaTypes } from '../../builder/descriptor.ts';
import { digestOf } from '../../builder/digest.ts';
import { Fault } from '../../builder/fault.ts';
import { encodeConfig, encodeManifest } from '../../builder/manifest.ts';
import { push } from '../../builder/registry/push.ts';
import { listReferrers } from '../../builder/registry/referrers.ts';
import { Registry } from '../../builder/registry/registry.ts';
import { openRepository, type Repository } from '../../builder/registry/repository.ts';
import type { RegistryEvent, RegistrySettings } from '../../builder/registry/settings.ts';
import { putDocument, readBlob } from '../../builder/store/blob.ts';
import { copy, type CopyOptions } from '../../builder/store/copy.ts';
import { memoryStore } from '../../builder/store/memory-store.ts';
import type { BlobStore } from '../../builder/store/store.ts';
import {
  type HostileRegistry,
  type Manners,
  type Move,
  type Seen,
  startHostile,
} from '../support/registry-hostile.ts';

/** One after the other: silence is told from work by a short time. */
const test = ava.serial;

type Scene = {
  readonly server: HostileRegistry;
  readonly registry: Registry;
  readonly events: RegistryEvent[];
  readonly repository: Repository;
};

const secret = 'hunter2-is-a-secret';

/** A hostile registry and a client that does not wait long. */
async function scene(
  t: ExecutionContext,
  manners: Manners,
  settings: Partial<RegistrySettings> = {},
): Promise<Scene> {
  const server = await startHostile(t, manners);
  const events: RegistryEvent[] = [];
  const registry = new Registry(server.host, {
    environment: {},
    credential: async () => ({ kind: 'password', username: 'user', password: secret }),
    retry: { base: 2, longest: 20, patience: 3000 },
    patience: { connect: 2000, ping: 500, answer: 500, idle: 500, commit: 0 },
    report: (event) => {
      if (JSON.stringify(event).includes(secret)) throw new Error('a secret in an event');
      events.push(event);
    },
    ...settings,
  });
  t.teardown(() => registry.close());
  return { server, registry, events, repository: openRepository(registry, 'app', { access: 'push' }) };
}

/** Bytes that differ everywhere, so that a shift or a lost piece is seen. */
const bytes = (size: number, seed = 1): Buffer => {
  const buffer = Buffer.alloc(size);
  const block = createHash('shake256', { outputLength: 65536 }).update(String(seed)).digest();
  for (let at = 0; at < size; at += block.length) {
    block.writeUInt32LE(at, 0);
    block.copy(buffer, at);
  }
  return buffer;
};

async function imageOf(store: BlobStore, blobs: readonly Buffer[]): Promise<Descriptor> {
  const layers = await Promise.all(
    blobs.map((blob) => putDocument(store, describe(mediaTypes.layerGzip, blob))),
  );
  const rootfs = { type: 'layers', diff_ids: layers.map(({ digest }) => digest) } as const;
  const config = encodeConfig({ architecture: 'amd64', os: 'linux', rootfs });
  return putDocument(store, encodeManifest({ config: await putDocument(store, config), layers }));
}

/** Pushes an image with such a layer and reads it back out of the server's memory. */
async function pushes(
  t: ExecutionContext,
  scene: Scene,
  size: number,
  options: CopyOptions = {},
): Promise<void> {
  const store = memoryStore();
  const layer = bytes(size);
  const image = await imageOf(store, [layer]);
  await push(store, image, scene.repository, ['1'], options);
  t.is(digestOf(scene.server.manifests.get('1')?.bytes ?? ''), image.digest);
  t.true(scene.server.blobs.get(digestOf(layer))?.equals(layer));
}

/** What a client gets that pulls an image with such a layer. */
async function pulls(scene: Scene, size: number): Promise<{ readonly layer: Buffer | undefined }> {
  const { server, registry } = scene;
  const store = memoryStore();
  const layer = bytes(size);
  const image = await imageOf(store, [layer]);
  await copyInto(server, store, image);
  const back = memoryStore();
  const repository = openRepository(registry, 'app');
  const found = await repository.resolve('1');
  if (!found) return { layer: undefined };
  await copy(repository, back, found);
  return { layer: await readBlob(back, describe(mediaTypes.layerGzip, layer).descriptor) };
}

async function copyInto(server: HostileRegistry, store: BlobStore, image: Descriptor): Promise<void> {
  const document = await readBlob(store, image);
  const { config, layers } = JSON.parse(document.toString()) as { config: Descriptor; layers: Descriptor[] };
  for (const one of [config, ...layers]) server.blobs.set(one.digest, await readBlob(store, one));
  server.manifests.set('1', { type: image.mediaType, bytes: document });
  server.manifests.set(image.digest, { type: image.mediaType, bytes: document });
}

const fault = async (t: ExecutionContext, promise: Promise<unknown>): Promise<Fault> => {
  const thrown = (await t.throwsAsync(promise, { instanceOf: Fault })) as Fault;
  const text = `${thrown.message}\n${thrown.hint}`;
  t.false(text.includes(secret));
  t.false(thrown.message.includes('\n'));
  return thrown;
};

/** Only the first request of that kind. */
const first =
  (pattern: RegExp, move: Move, times = 1) =>
  (): ((request: Seen) => Move | undefined) => {
    let left = times;
    return ({ method, path }) => (pattern.test(`${method} ${path}`) && left-- > 0 ? move : undefined);
  };

const MiB = 1 << 20;

// ---- where an upload goes

for (const location of ['absolute', 'path', 'host'] as const) {
  test(`a Location may be ${location}, and its query comes back byte for byte`, async (t) => {
    await pushes(t, await scene(t, { location }), 5000);
    await pushes(t, await scene(t, { location }, { chunk: 1000 }), 5000);
  });
}

test('a chunk may be answered with 201, 202 or 204', async (t) => {
  for (const patched of [201, 202, 204]) await pushes(t, await scene(t, { patched }, { chunk: 1000 }), 5000);
});

test('a Location into the network of the user is refused', async (t) => {
  for (const Location of [
    'http://169.254.169.254/latest/',
    'http://10.0.0.1/x',
    'http://[fe80::1]/x',
    'ftp://a.example/x',
  ]) {
    const move = first(/^POST .*uploads/, { status: 202, headers: { Location } })();
    const { repository } = await scene(t, { move });
    const refused = await fault(t, putDocument(repository, describe(mediaTypes.layer, bytes(10))));
    t.is(refused.code, 'UNSAFE');
  }
});

// ---- too big

test('413: smaller pieces, until they pass, and no bigger ones afterwards', async (t) => {
  const largest = 2 * MiB;
  const move = ({ headers }: Seen) =>
    Number(headers['content-length'] ?? 0) > largest ? { status: 413, body: '<html>' } : undefined;
  const played = await scene(t, { move });
  await pushes(t, played, 5 * MiB);
  const before = played.server.requests.length;
  await pushes(t, played, 3 * MiB);
  const sizes = played.server.requests
    .slice(before)
    .map(({ headers }) => Number(headers['content-length'] ?? 0));
  t.true(sizes.every((size) => size <= largest));
});

test('416 because of a chunk that is too big, as ghcr.io says it', async (t) => {
  const move = ({ method, headers }: Seen) => {
    const size = Number(headers['content-length'] ?? 0);
    if (method === 'PUT' && size > 4 * MiB) return { status: 413 };
    const text = JSON.stringify({
      errors: [{ code: 'SIZE_INVALID', message: 'chunk exceeds the limit of 4.00MiB' }],
    });
    return method === 'PATCH' && size > 4 * MiB ? { status: 416, body: text } : undefined;
  };
  await pushes(t, await scene(t, { move }, { chunk: 8 * MiB }), 10 * MiB);
});

test('a proxy that lets nothing through is told of', async (t) => {
  const move = ({ method }: Seen) => (method === 'PUT' || method === 'PATCH' ? { status: 413 } : undefined);
  const { repository } = await scene(t, { move });
  const refused = await fault(t, putDocument(repository, describe(mediaTypes.layer, bytes(5 * MiB))));
  t.regex(refused.message, /127\.0\.0\.1:\d+\/app: sending sha256:.*413/);
  t.regex(refused.hint ?? '', /proxy/);
});

test('chunks that are dropped without a word: in one piece then', async (t) => {
  const played = await scene(t, { dropsChunks: true }, { chunk: 1000 });
  await pushes(t, played, 5000);
});

test('a registry that drops chunks behind a proxy that takes no more than one', async (t) => {
  const move = ({ headers }: Seen) =>
    Number(headers['content-length'] ?? 0) > MiB ? { status: 413 } : undefined;
  const { repository } = await scene(t, { dropsChunks: true, move });
  await fault(t, putDocument(repository, describe(mediaTypes.layer, bytes(5 * MiB))));
});

// ---- trouble

const kinds = [
  /^GET \/v2\/$/,
  /^HEAD .*manifests/,
  /^HEAD .*blobs/,
  /^POST .*uploads/,
  /^PUT .*uploads/,
  /^PUT .*manifests/,
];

for (const [name, move] of [
  ['429 with Retry-After in seconds', { status: 429, headers: { 'Retry-After': '0' } }],
  ['429 with a date', { status: 429, headers: { 'Retry-After': new Date().toUTCString() } }],
  ['429 with nonsense', { status: 429, headers: { 'Retry-After': 'soon' } }],
  ['429', { status: 429 }],
  ['500', { status: 500 }],
  [
    '502 with a page of a proxy',
    { status: 502, headers: { 'Content-Type': 'text/html' }, body: '<html>bad</html>' },
  ],
  ['503', { status: 503 }],
  ['504', { status: 504 }],
  ['408', { status: 408 }],
  ['a broken connection', { cutRequest: 0, after: true }],
  ['silence', { hang: true }],
] as const satisfies readonly (readonly [string, Move])[]) {
  test(`trouble at any request of a push ends well: ${name}`, async (t) => {
    for (const kind of kinds) await pushes(t, await scene(t, { move: first(kind, move)() }), 3000);
  });

  test(`trouble at any request of a pull ends well: ${name}`, async (t) => {
    for (const kind of [/^GET \/v2\/$/, /^HEAD .*manifests/, /^GET .*manifests/, /^GET .*blobs/]) {
      const { layer } = await pulls(await scene(t, { move: first(kind, move)() }), 3000);
      t.deepEqual(layer, bytes(3000));
    }
  });
}

test('trouble that does not end: an error that says what and where, after a bounded number of requests', async (t) => {
  for (const move of [{ status: 503 }, { status: 429 }, { hang: true }, { cutRequest: 0, after: true }]) {
    const { repository, server } = await scene(
      t,
      { move: ({ path }) => (path === '/v2/' ? undefined : move) },
      { patience: { connect: 500, answer: 200, idle: 200 } },
    );
    const thrown = await fault(t, repository.resolve('1'));
    t.is(thrown.code, 'NETWORK');
    t.true(thrown.message.includes(server.host));
    t.true(server.requests.length <= 7, `${JSON.stringify(move)}: ${server.told().join(', ')}`);
  }
});

/** Milliseconds; the order of the real ones. */
const short = { connect: 400, ping: 200, answer: 300, idle: 500, notice: 60 } as const;

/** What there is to tell of a host that is never heard of, and how long it took. */
async function hush(t: ExecutionContext, host: string): Promise<readonly [Fault, RegistryEvent[], number]> {
  const events: RegistryEvent[] = [];
  const settings = { environment: {}, patience: short, retry: { base: 2 } };
  const registry = new Registry(host, { ...settings, report: (event) => events.push(event) });
  t.teardown(() => registry.close());
  const began = performance.now();
  const thrown = await fault(t, openRepository(registry, 'app').resolve('1'));
  return [thrown, events, performance.now() - began];
}

test('a host that takes connections and says nothing is given up after the second silence', async (t) => {
  let connections = 0;
  const silent = createTcpServer(() => (connections += 1)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.teardown(() => silent.close());
  const host = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const [{ message, hint }, events, took] = await hush(t, host);
  t.is(message, `${host}/app: reaching the registry: GET: no byte of an answer for 0.2 s`);
  t.regex(hint ?? '', /check host and port.* try again later/);
  t.is(connections, 2);
  t.true(took >= 2 * short.ping && took < 2 * short.ping + 1500, String(took));
  t.deepEqual(
    events.map(({ type }) => type),
    ['silence', 'wait'],
    'that we wait is told once',
  );
  t.deepEqual(events[0], { type: 'silence', host, milliseconds: short.notice });
});

test('a host whose packets are lost is given up when no connection comes about', async (t) => {
  // The system of a listener that takes nobody in drops what comes once its queue is full.
  const script = `const server = require('node:net').createServer();
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port));`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(line.toString());
  child.kill('SIGSTOP');
  const filling = Array.from({ length: 4 }, () =>
    connect({ port, host: '127.0.0.1' }).on('error', () => undefined),
  );
  t.teardown(() => filling.forEach((socket) => socket.destroy()));
  await setTimeout(100);
  const host = `127.0.0.1:${port}`;
  const [{ message, hint }, events, took] = await hush(t, host);
  t.is(message, `${host}/app: reaching the registry: GET: no connection within 0.4 s`);
  t.regex(hint ?? '', /check host and port.* firewall/);
  t.true(took >= short.connect && took < short.connect + 1500, String(took));
  t.deepEqual(
    events.map(({ type }) => type),
    ['silence'],
  );
});

test('a registry that falls silent is asked twice, in whatever it is doing', async (t) => {
  for (const kind of [/^HEAD .*manifests/, /^POST /, /^PUT .*uploads/, /^PUT .*manifests/]) {
    const move = ({ method, path }: Seen) => (kind.test(`${method} ${path}`) ? { hang: true } : undefined);
    const played = await scene(t, { move }, { patience: { ...short, commit: 0 } });
    const began = performance.now();
    const thrown = await fault(t, pushes(t, played, 3000));
    t.regex(thrown.message, /^127\.0\.0\.1:\d+\/app: .*: [A-Z]+: no byte of an answer for 0\.\d s$/);
    const asked = played.server.requests.filter(({ method, path }) => kind.test(`${method} ${path}`)).length;
    // The layer and the config go at the same time.
    t.true(asked >= 2 && asked <= 4, String(asked));
    t.true(performance.now() - began < 2 * short.idle + 1500);
  }
});

test('an upload that never succeeds ends too', async (t) => {
  for (const move of [{ status: 503 }, { status: 404 }, { status: 416 }, { cutRequest: 0 }]) {
    const { repository, server } = await scene(t, {
      move: ({ method }) => (method === 'PUT' || method === 'PATCH' ? move : undefined),
    });
    await fault(t, putDocument(repository, describe(mediaTypes.layer, bytes(3000))));
    t.true(server.requests.length < 60, String(server.requests.length));
  }
});

test('a registry that wants more patience than we have is told of at once', async (t) => {
  const move = ({ path }: Seen) =>
    path === '/v2/' ? undefined : { status: 429, headers: { 'Retry-After': '3600' } };
  const { repository, server } = await scene(t, { move });
  const thrown = await fault(t, repository.tags());
  t.regex(thrown.message, /429/);
  t.regex(thrown.hint ?? '', /wait 3600 s/);
  t.is(server.requests.length, 2);
});

test('one that is told to wait makes all the others wait', async (t) => {
  let asked = 0;
  const { repository, server, events } = await scene(t, {
    move: ({ path }) =>
      path !== '/v2/' && asked++ === 0 ? { status: 429, headers: { 'Retry-After': '1' } } : undefined,
  });
  await repository.resolve('1');
  await Promise.all(['2', '3', '4'].map((tag) => repository.resolve(tag)));
  t.is(server.requests.length, 1 + 2 + 3);
  t.true(events.some((event) => event.type === 'wait' && event.milliseconds >= 1000));
});

// ---- broken connections

test('an upload that breaks at any byte goes on where it was', async (t) => {
  const size = 300_000;
  await assert(
    asyncProperty(array(nat(size), { minLength: 1, maxLength: 3 }), async (cuts) => {
      const left = [...cuts];
      const played = await scene(t, {
        move: ({ method, path, headers }) =>
          ['PUT', 'PATCH'].includes(method) &&
          path.includes('uploads') &&
          Number(headers['content-length']) > 1000 &&
          left.length > 0
            ? { cutRequest: Math.min(left.pop() ?? 0, Number(headers['content-length']) - 1) }
            : undefined,
      });
      await pushes(t, played, size);
      const received = played.server.requests
        .filter(({ path }) => path.includes('uploads'))
        .reduce((sum, request) => sum + request.received, 0);
      // The layer once, and the config; a break at byte 0 or 1 begins anew.
      t.true(received <= size + 500, String(received));
    }),
    { numRuns: 25 },
  );
});

test('where connections break sooner than a blob is through, and nothing of it is kept: in parts', async (t) => {
  const limit = 10 * MiB;
  const played = await scene(t, {
    forgets: true,
    move: ({ headers }) =>
      Number(headers['content-length'] ?? 0) > limit ? { cutRequest: limit } : undefined,
  });
  await pushes(t, played, 30 * MiB);
  const sizes = played.server.requests
    .filter(({ method }) => method === 'PATCH')
    .map(({ received }) => received);
  t.deepEqual(
    sizes,
    [8, 8, 8, 6].map((size) => size * MiB),
  );
});

test('a registry that cannot tell how far an upload is gets it again', async (t) => {
  const move = first(/^PUT .*uploads/, { cutRequest: 100_000 })();
  await pushes(t, await scene(t, { status: false, move }), 300_000);
  const patch = first(/^PATCH .*uploads/, { cutRequest: 30_000 }, 2)();
  await pushes(t, await scene(t, { status: false, move: patch }, { chunk: 50_000 }), 300_000);
});

test('a download that breaks at any byte goes on where it was', async (t) => {
  const size = 300_000;
  await assert(
    asyncProperty(array(nat(size - 1), { minLength: 1, maxLength: 4 }), async (cuts) => {
      const left = [...cuts];
      const played = await scene(t, {
        move: ({ method, path, headers }) => {
          if (method !== 'GET' || !path.includes('blobs')) return undefined;
          const begin = Number(/\d+/.exec(headers.range ?? '0')?.[0]);
          const cut = left.pop();
          return cut === undefined ? undefined : { cutAnswer: Math.max(0, Math.min(cut, size - begin - 1)) };
        },
      });
      t.deepEqual((await pulls(played, size)).layer, bytes(size));
    }),
    { numRuns: 25 },
  );
});

test('a server that does not know ranges sends all again, and what was had is skipped', async (t) => {
  let broken = false;
  const move = ({ method, path, headers }: Seen): Move | undefined => {
    if (method !== 'GET' || !path.includes('blobs') || headers.range === undefined) {
      if (method === 'GET' && path.includes('blobs') && !broken) {
        broken = true;
        return { cutAnswer: 1234 };
      }
      return undefined;
    }
    Object.defineProperty(headers, 'range', { value: undefined });
    return undefined;
  };
  t.deepEqual((await pulls(await scene(t, { move }), 5000)).layer, bytes(5000));
});

test('slow is not dead, but silence is', async (t) => {
  const stall = first(/^GET .*blobs/, { stallAnswer: 700 }, 2)();
  t.deepEqual((await pulls(await scene(t, { move: stall }), 3000)).layer, bytes(3000));
});

// ---- lies

test('wrong bytes, wrong lengths, wrong ranges: never stored', async (t) => {
  const flip = (body: Buffer) => Buffer.from(body.map((byte, at) => (at === 7 ? byte ^ 1 : byte)));
  for (const [name, move] of Object.entries<Move>({
    flipped: { change: flip },
    longer: { change: (body) => Buffer.concat([body, body]) },
    shorter: { change: (body) => body.subarray(1) },
    'longer, length untold': {
      change: (body) => Buffer.concat([body, body]),
      replace: { 'Content-Length': undefined },
    },
    encoded: { headers: { 'Content-Encoding': 'gzip' } },
    'a part that nobody asked for': {
      status: 206,
      headers: { 'Content-Range': 'bytes 5-9/3000' },
      body: 'abcde',
    },
    'a part without saying which': { status: 206, body: 'abcde' },
  })) {
    const always = ({ method, path }: Seen) =>
      method === 'GET' && path.includes('/blobs/') ? move : undefined;
    const { server, registry } = await scene(t, { move: always });
    const store = memoryStore();
    const layer = describe(mediaTypes.layerGzip, bytes(3000));
    server.blobs.set(layer.descriptor.digest, Buffer.from(layer.bytes));
    const thrown = await fault(t, copy(openRepository(registry, 'app'), store, layer.descriptor));
    t.is(thrown.code, 'INTEGRITY', name);
    t.false(await store.exists(layer.descriptor), name);
  }
});

test('a manifest that is not what it is called', async (t) => {
  for (const [name, move, code, hint] of [
    [
      'other bytes',
      { change: (body: Buffer) => Buffer.concat([body, Buffer.from(' ')]) },
      'INTEGRITY',
      undefined,
    ],
    ['another type', { replace: { 'Content-Type': mediaTypes.index } }, 'INTEGRITY', undefined],
    [
      'announced as something else',
      { replace: { 'Docker-Content-Digest': digestOf('other') } },
      'INTEGRITY',
      /by its digest/,
    ],
    [
      'schema 1',
      {
        change: () => Buffer.from('{"schemaVersion":1}'),
        replace: { 'Content-Type': 'application/vnd.docker.distribution.manifest.v1+prettyjws' },
      },
      'INPUT',
      /schema 1/,
    ],
    [
      'schema 1 as any JSON',
      {
        change: () => Buffer.from('{"schemaVersion":1}'),
        replace: { 'Content-Type': 'application/json' },
      },
      'INPUT',
      /schema 1/,
    ],
    [
      'a web page',
      {
        change: () => Buffer.from('<html>log in</html>'),
        replace: { 'Content-Type': 'text/html; charset=utf-8' },
      },
      'INPUT',
      /is no registry/,
    ],
    [
      'a web page that is called otherwise',
      {
        change: () => Buffer.from('\n<!DOCTYPE html><p>log in'),
        replace: { 'Content-Type': 'application/octet-stream' },
      },
      'INPUT',
      /is no registry/,
    ],
    [
      'something else',
      { change: () => Buffer.from('{}'), replace: { 'Content-Type': 'application/json' } },
      'INPUT',
      /only images and artifacts/,
    ],
  ] as const) {
    const played = await scene(t, {
      move: ({ method, path }) => (method === 'GET' && path.includes('/manifests/') ? move : undefined),
    });
    const found = await fault(t, pulls(played, 10));
    t.is(found.code, code, name);
    if (hint) t.regex(found.hint ?? '', hint, name);
  }
});

test('a registry that makes something else of what it is given', async (t) => {
  const played = await scene(t, {
    move: ({ method, path }) =>
      method === 'PUT' && path.includes('/manifests/')
        ? { replace: { 'Docker-Content-Digest': digestOf('other') } }
        : undefined,
  });
  t.is((await fault(t, pushes(t, played, 10))).code, 'INTEGRITY');
});

test('our own bytes are checked before a registry is', async (t) => {
  const { repository, server } = await scene(t, {});
  const { descriptor } = describe(mediaTypes.layer, bytes(3000));
  for (const wrong of [bytes(3000, 2), bytes(2999), bytes(3001)]) {
    const chunks = async function* () {
      yield wrong;
    };
    t.is((await fault(t, repository.put(descriptor, chunks))).code, 'INTEGRITY');
  }
  t.is(server.blobs.size, 0);
});

// ---- ambiguity

for (const [name, move] of Object.entries<Move>({
  '504': { status: 504, after: true },
  '404': { status: 404, body: '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}', after: true },
  silence: { hang: true, after: true },
  'a broken connection': { cutRequest: 0, after: true },
})) {
  test(`the registry has the blob but answers with ${name}: it is asked, and nothing is sent twice`, async (t) => {
    const played = await scene(t, { move: first(/^PUT .*uploads/, move)() });
    await pushes(t, played, 50_000);
    t.is(played.server.told().filter((line) => line.startsWith('PUT /v2/app/blobs/uploads')).length, 2);
  });
}

test('a manifest whose blobs the registry does not see yet', async (t) => {
  const body = '{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}';
  const played = await scene(t, { move: first(/^PUT .*manifests/, { status: 400, body })() });
  await pushes(t, played, 100);
});

test('a document whose right bytes are called wrong is sent again, by digest and by tag, but not for ever', async (t) => {
  const body = '{"errors":[{"code":"DIGEST_INVALID","message":"provided digest did not match"}]}';
  const puts = (scene: Scene) =>
    scene.server.told().filter((line) => line.startsWith('PUT /v2/app/manifests'));
  await t.notThrowsAsync(async () => {
    await pushes(t, await scene(t, { move: first(/^PUT .*manifests/, { status: 400, body }, 5)() }), 100);
  });
  const store = memoryStore();
  const image = await imageOf(store, [bytes(10)]);
  const patient = await scene(t, { move: first(/^PUT .*manifests/, { status: 400, body }, 5)() });
  await push(store, image, patient.repository, []);
  t.deepEqual(
    puts(patient),
    Array.from({ length: 6 }, () => 'PUT /v2/app/manifests/DIGEST'),
  );
  const never = await scene(t, { move: first(/^PUT .*manifests/, { status: 400, body }, 99)() });
  const { code, message } = await fault(t, push(store, image, never.repository, []));
  t.is(code, 'INTEGRITY');
  t.regex(message, /storing sha256:[0-9a-f]{64}: PUT: status 400 DIGEST_INVALID/);
  t.is(puts(never).length, 6);
});

test('what an earlier image had was collected meanwhile: it is sent after all', async (t) => {
  const played = await scene(t, {});
  const store = memoryStore();
  const before = await imageOf(store, [bytes(10), bytes(20)]);
  await push(store, before, played.repository, ['1']);
  played.server.blobs.delete(digestOf(bytes(20)));
  const after = await imageOf(store, [bytes(20), bytes(30)]);
  await push(store, after, openRepository(played.registry, 'app', { access: 'push' }), ['1']);
  t.true(played.server.blobs.has(digestOf(bytes(20))));
});

// ---- HEAD

test('registries without HEAD, or with an empty one, or one that hides', async (t) => {
  for (const move of [
    { status: 405 },
    { status: 501 },
    { replace: { 'Docker-Content-Digest': undefined } },
    { replace: { 'Content-Type': undefined } },
  ]) {
    const heads = ({ method, path }: Seen) =>
      method === 'HEAD' && path.includes('manifests') ? move : undefined;
    t.deepEqual((await pulls(await scene(t, { move: heads }), 3000)).layer, bytes(3000));
    await pushes(t, await scene(t, { move: heads }), 3000);
  }
  const hiding = ({ method, path }: Seen) =>
    method === 'HEAD' && path.includes('manifests') ? { status: 403 } : undefined;
  await pushes(t, await scene(t, { move: hiding }), 3000);
});

test('mounting that does not work is no reason to fail', async (t) => {
  for (const move of [
    { status: 404 },
    { status: 405 },
    { status: 500 },
    { status: 403 },
    { cutRequest: 0, after: true },
    undefined,
  ]) {
    const { server, registry } = await scene(t, {
      move: ({ path }) => (path.includes('mount=') ? move : undefined),
    });
    const store = memoryStore();
    const image = await imageOf(store, [bytes(100), bytes(200)]);
    const repository = openRepository(registry, 'app', { access: 'push', sources: () => ['other/place'] });
    await push(store, image, repository, ['1']);
    t.true(server.blobs.has(digestOf(bytes(200))));
  }
  const { server, registry } = await scene(t, { mounts: true });
  const store = memoryStore();
  const image = await imageOf(store, [bytes(100)]);
  server.blobs.set(digestOf(bytes(100)), bytes(100));
  await push(store, image, openRepository(registry, 'app', { access: 'push', sources: () => ['other'] }), [
    '1',
  ]);
  t.true(server.told().includes('POST /v2/app/blobs/uploads/'));
  t.is(server.requests.filter(({ received }) => received === 100).length, 0);
});

// ---- tags

test('a registry that mounts is asked one question less a blob; one that lies about it is not believed again', async (t) => {
  const blobs = Array.from({ length: 12 }, (_, at) => bytes(100 + at));
  const scenes = { honest: await scene(t, { mounts: true }), without: await scene(t, { mounts: false }) };
  for (const { server, repository } of Object.values(scenes)) {
    const store = memoryStore();
    await push(store, await imageOf(store, blobs), repository, ['1'], { parallel: 1 });
    t.is(server.blobs.size, blobs.length + 1);
  }
  const asked = ({ server }: Scene, line: string) => server.told().filter((each) => each === line).length;
  t.is(asked(scenes.honest, 'HEAD /v2/app/blobs/DIGEST'), 4);
  t.is(asked(scenes.honest, 'POST /v2/app/blobs/uploads/'), 13 + 1);
  t.is(asked(scenes.without, 'HEAD /v2/app/blobs/DIGEST'), 13);
  t.is(asked(scenes.without, 'DELETE /v2/app/blobs/uploads/ID'), 1);

  let lies = 0;
  const lying = await scene(t, {
    mounts: true,
    move: ({ path }) =>
      path.includes('mount=') ? (lies++, { status: 201, headers: { Location: 'x' } }) : undefined,
  });
  const store = memoryStore();
  await push(store, await imageOf(store, blobs), lying.repository, ['1'], { parallel: 1 });
  t.is(lying.server.blobs.size, blobs.length + 1);
  t.is(lies, 1 + 9);
});

test('tags that may not be moved: clear if they would be, and no fault if they lead there already', async (t) => {
  const body = JSON.stringify({ errors: [{ code: 'TAG_INVALID', message: 'The tag is immutable' }] });
  const move = ({ method, path }: Seen) =>
    method === 'PUT' && path.endsWith('/manifests/1') ? { status: 400, body } : undefined;
  const { repository, server } = await scene(t, { move });
  const store = memoryStore();
  const image = await imageOf(store, [bytes(10)]);
  const thrown = await fault(t, push(store, image, repository, ['1']));
  t.regex(thrown.message, /storing 1: PUT: status 400 TAG_INVALID: The tag is immutable/);
  t.regex(thrown.hint ?? '', /choose another/);
  const document = { descriptor: image, bytes: await readBlob(store, image) };
  server.manifests.set('1', { type: mediaTypes.manifest, bytes: document.bytes });
  await t.notThrowsAsync(repository.tagAll(['1'], document));
});

test('several tags in one request, where the registry knows how', async (t) => {
  const knows = ({ method, path }: Seen) =>
    method === 'PUT' && path.includes('?tag=') ? { headers: { 'OCI-Tag': '1, 1.2' } } : undefined;
  const { repository, server } = await scene(t, { move: knows });
  const store = memoryStore();
  await push(store, await imageOf(store, [bytes(10)]), repository, ['1', '1.2', '1.2.3']);
  const puts = server.requests.filter(({ method, path }) => method === 'PUT' && path.includes('manifests'));
  t.deepEqual(
    puts.map(({ path }) => path.replace(/^.*manifests\/(sha256:[^?]*)?/, '')),
    ['?tag=1&tag=1.2&tag=1.2.3', '1.2.3'],
  );
});

test('lists of tags that go on elsewhere, or for ever', async (t) => {
  const json = { 'Content-Type': 'application/json' };
  const page = (Link: string) => (request: Seen) =>
    request.path.includes('tags/list')
      ? { status: 200, headers: { ...json, Link }, body: '{"tags":["a","b","bad tag"]}' }
      : undefined;
  const elsewhere = await scene(t, { move: page('<http://evil.example/v2/app/tags/list>; rel="next"') });
  t.is((await fault(t, elsewhere.repository.tags())).code, 'UNSAFE');
  const forever = await scene(t, { move: page('</v2/app/tags/list?last=b>; rel="next"') });
  t.deepEqual(await forever.repository.tags(), ['a', 'b']);
  const empty = await scene(t, {
    move: ({ path }) =>
      path.includes('tags') ? { status: 200, headers: json, body: '{"tags":null}' } : undefined,
  });
  t.deepEqual(await empty.repository.tags(), []);
  const huge = await scene(t, {
    move: ({ path }) =>
      path.includes('tags') ? { status: 200, headers: json, body: Buffer.alloc(5 * MiB, 32) } : undefined,
  });
  t.is((await fault(t, huge.repository.tags())).code, 'NETWORK');
});

test('no referrers API, however it is said: the tag', async (t) => {
  for (const move of [
    undefined,
    { status: 200, headers: { 'Content-Type': 'text/html' }, body: '<html>' },
    { status: 406 },
    { status: 400 },
  ]) {
    const { repository } = await scene(t, {
      move: ({ path }) => (path.includes('/referrers/') ? move : undefined),
    });
    const store = memoryStore();
    const image = await imageOf(store, [bytes(10)]);
    await push(store, image, repository, ['1']);
    const empty = await putDocument(store, describe(mediaTypes.empty, Buffer.from('{}')));
    const referrer = encodeManifest({
      artifactType: 'application/x.y',
      config: empty,
      layers: [empty],
      subject: image,
    });
    await push(store, await putDocument(store, referrer), repository, []);
    const found = await listReferrers(repository.place, image.digest, 'application/x.y');
    t.deepEqual(
      found.map(({ digest }) => digest),
      [referrer.descriptor.digest],
    );
  }
});

// ---- authentication

/** A server of tokens that says what it is told to. */
async function tokenServer(
  t: ExecutionContext,
  answer: (count: number) => { status?: number; body: string },
) {
  const asked: { url: URL; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    asked.push({ url: new URL(request.url ?? '', 'http://x'), authorization: request.headers.authorization });
    const { status = 200, body } = answer(asked.length);
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token?own=1%2F2`, asked };
}

test('a token that ends in the middle of an upload is renewed', async (t) => {
  const tokens = await tokenServer(t, (count) => ({
    body: JSON.stringify({ token: `token-${count}`, expires_in: 300 }),
  }));
  let valid = 1;
  let uses = 0;
  const move = ({ headers }: Seen): Move | undefined => {
    if (headers.authorization === `Bearer token-${valid}`) {
      if (++uses % 4 === 0) valid += 1;
      return undefined;
    }
    return {
      status: 401,
      headers: { 'WWW-Authenticate': `Bearer realm="${tokens.url}",service="s",error="invalid_token"` },
    };
  };
  await pushes(t, await scene(t, { move }, { chunk: 10_000 }), 100_000, { parallel: 1 });
  t.true(tokens.asked.length > 3);
  t.is(tokens.asked[0]?.url.search, '?own=1%2F2&service=s&scope=repository%3Aapp%3Apull%2Cpush&account=user');
});

test('the way to authenticate may stand anywhere among others', async (t) => {
  const expected = `Basic ${Buffer.from(`user:${secret}`).toString('base64')}`;
  for (const offered of [
    ['Negotiate', 'Basic realm="x"'],
    ['NTLM, Negotiate abc==, bAsIc realm="a, \\"b\\"", Digest realm="y"'],
    ['Basic'],
  ]) {
    const move = ({ headers }: Seen) =>
      headers.authorization === expected
        ? undefined
        : { status: 401, headers: { 'WWW-Authenticate': offered } };
    await pushes(t, await scene(t, { move }), 100);
  }
  const { repository } = await scene(t, {
    move: () => ({ status: 401, headers: { 'WWW-Authenticate': 'Negotiate' } }),
  });
  t.regex(
    (await fault(t, repository.tags())).message,
    /logging in: the registry offers no way that we know \(negotiate\)/,
  );
});

test('401 without a word on a repository: what the ping said', async (t) => {
  const tokens = await tokenServer(t, () => ({ body: '{"token":"","access_token":"good"}' }));
  const move = ({ path, headers }: Seen): Move | undefined => {
    if (headers.authorization === 'Bearer good') return undefined;
    return {
      status: 401,
      headers: path === '/v2/' ? { 'WWW-Authenticate': `Bearer realm="${tokens.url}"` } : {},
    };
  };
  await pushes(t, await scene(t, { move }), 100);
});

test('the scope that a registry asks for comes first', async (t) => {
  const tokens = await tokenServer(t, (count) => ({ body: `{"token":"t${count}"}` }));
  const move = ({ path, headers }: Seen): Move | undefined => {
    if (headers.authorization === 'Bearer t2') return undefined;
    const scope =
      path === '/v2/' ? '' : ',scope="registry:catalog:* repository:app:delete",error="insufficient_scope"';
    return { status: 401, headers: { 'WWW-Authenticate': `Bearer realm="${tokens.url}"${scope}` } };
  };
  const { repository } = await scene(t, { move });
  await repository.tags();
  t.deepEqual(tokens.asked[1]?.url.searchParams.getAll('scope'), [
    'registry:catalog:*',
    'repository:app:delete,pull,push',
  ]);
});

test('a registry that is never satisfied is asked twice, not for ever', async (t) => {
  const tokens = await tokenServer(t, (count) => ({ body: `{"token":"t${count}"}` }));
  const headers = { 'WWW-Authenticate': `Bearer realm="${tokens.url}"` };
  const { repository, server } = await scene(t, { move: () => ({ status: 401, headers }) });
  const thrown = await fault(t, repository.tags());
  t.regex(thrown.hint ?? '', /log in/);
  t.is(server.requests.length, 3);
});

test('servers of tokens that lie, rave, or are where they should not be', async (t) => {
  for (const [body, message] of [
    ['no json', /no JSON/],
    ['{}', /no token/],
    ['{"token":"with blank \\n"}', /no token/],
    [`{"token":"${'x'.repeat(70_000)}"}`, /longer than/],
  ] as const) {
    const tokens = await tokenServer(t, () => ({ body }));
    const headers = { 'WWW-Authenticate': `Bearer realm="${tokens.url}"` };
    const { repository } = await scene(t, { move: () => ({ status: 401, headers }) });
    t.regex((await fault(t, repository.tags())).message, message);
  }
  for (const realm of [
    'http://169.254.169.254/latest',
    'http://10.1.2.3/token',
    'http://0.0.0.0/',
    'file:///etc/passwd',
    '/relative',
    '',
  ]) {
    const { repository } = await scene(t, {
      move: () => ({ status: 401, headers: { 'WWW-Authenticate': `Bearer realm="${realm}"` } }),
    });
    await fault(t, repository.tags());
  }
});

test('no Authorization goes to another host, nor comes back with its 401', async (t) => {
  const seen: (string | undefined)[] = [];
  const layer = bytes(3000);
  const elsewhere = createServer((request, response) => {
    seen.push(request.headers.authorization);
    if (request.url?.includes('closed'))
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="give it to me"' }).end();
    else response.end(layer);
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  t.teardown(() => elsewhere.close());
  const { port } = elsewhere.address() as AddressInfo;
  const expected = `Basic ${Buffer.from(`user:${secret}`).toString('base64')}`;
  for (const path of ['open?X-Signature=abc', 'closed']) {
    const Location = `http://127.0.0.1:${port}/${path}`;
    const move = ({ method, path, headers }: Seen): Move | undefined => {
      if (headers.authorization !== expected)
        return { status: 401, headers: { 'WWW-Authenticate': 'Basic realm="x"' } };
      return method === 'GET' && path.includes(digestOf(layer))
        ? { status: 307, headers: { Location } }
        : undefined;
    };
    const played = await scene(t, { move });
    if (path === 'closed') await fault(t, pulls(played, 3000));
    else t.deepEqual((await pulls(played, 3000)).layer, layer);
    t.false(JSON.stringify(played.events).includes('X-Signature'));
  }
  t.true(seen.length >= 2);
  t.true(seen.every((authorization) => authorization === undefined));
});

test('redirects in circles, to nowhere, and into the network of the user', async (t) => {
  for (const [Location, told] of [
    ['/v2/app/blobs/again', /status 307 leads on after 8 redirects$/],
    ['http://169.254.169.254/x', /status 307 leads to http:\/\/169\.254\.169\.254\/x; refused$/],
    ['http://192.168.0.1/', /status 307 leads to http:\/\/192\.168\.0\.1\/; refused$/],
    ['http://[::]/x', /status 307 leads to http:\/\/\[::\]\/x; refused$/],
    ['', /status 307 leads to nowhere$/],
  ] as const) {
    const move = ({ method, path }: Seen) =>
      method === 'GET' && path.includes('/blobs/') ? { status: 307, headers: { Location } } : undefined;
    const thrown = await fault(t, pulls(await scene(t, { move }), 10));
    t.true(['NETWORK', 'UNSAFE'].includes(thrown.code));
    t.regex(thrown.message, /^127\.0\.0\.1:\d+\/app: reading sha256:\w{64}: GET: /);
    t.regex(thrown.message, told);
    t.truthy(thrown.hint);
  }
});

test('what goes wrong where a registry leads to names both hosts, and when it is tried again neither twice', async (t) => {
  const elsewhere = createServer((_, response) => response.destroy()).listen(0, '127.0.0.1');
  await once(elsewhere, 'listening');
  t.teardown(() => elsewhere.close());
  const { port } = elsewhere.address() as AddressInfo;
  const Location = `http://127.0.0.1:${port}/blob?signature=${secret}`;
  const move = ({ method, path }: Seen) =>
    method === 'GET' && path.includes('/blobs/') ? { status: 307, headers: { Location } } : undefined;
  const played = await scene(t, { move });
  const { message } = await fault(t, pulls(played, 10));
  t.regex(
    message,
    new RegExp(
      `^${played.server.host}/app: reading sha256:\\w{64}: GET at 127\\.0\\.0\\.1:${port}: the connection broke$`,
    ),
  );
  const waits = played.events.filter((event) => event.type === 'wait');
  t.true(waits.length > 0);
  for (const wait of waits)
    t.deepEqual([wait.host, wait.reason], [played.server.host, 'the connection broke']);
});

test('what a registry says is shown on one line, without what is secret and without what a terminal obeys', async (t) => {
  const message = `no \u001b[31m entry\nfor Bearer ${secret} at https://u:${secret}@x.example/a?X-Amz-Signature=${secret} ${'long '.repeat(5000)}`;
  const body = JSON.stringify({ errors: [{ code: 'DENIED', message }] });
  const move = ({ path }: Seen) =>
    path === '/v2/' ? undefined : { status: 403, body, headers: { 'X-Request-Id': 'abc-123' } };
  const { repository } = await scene(t, { move });
  const thrown = await fault(t, repository.tags());
  t.regex(
    thrown.message,
    /^127\.0\.0\.1:\d+\/app: listing the tags: GET: status 403 DENIED: no .*\(request abc-123\)$/,
  );
  t.true(thrown.message.length < 400);
  t.notRegex(thrown.message, /\p{Cc}/u);
});

test('warnings and limits are passed on, each once', async (t) => {
  const headers = {
    Warning: ['299 - "this is \\"old\\""', '199 - "not for people"'],
    'RateLimit-Remaining': '76;w=21600',
  };
  const { repository, events } = await scene(t, {
    move: ({ path }) => (path === '/v2/' ? undefined : { headers }),
  });
  await repository.tags();
  await repository.tags();
  const told = events
    .filter(({ type }) => type === 'warning' || type === 'limit')
    .map((event) => 'text' in event && event.text);
  t.deepEqual(told, ['this is "old"', '76;w=21600']);
});
