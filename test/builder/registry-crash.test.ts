import ava, { type ExecutionContext } from 'ava';
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { build } from 'esbuild';
import { type Descriptor, describe, mediaTypes } from '../../builder/descriptor.ts';
import { hexOf } from '../../builder/digest.ts';
import { encodeConfig, encodeManifest } from '../../builder/manifest.ts';
import { resolveLocation } from '../../builder/registry/header.ts';
import { beginUpload } from '../../builder/registry/mount.ts';
import { ask, type Place } from '../../builder/registry/place.ts';
import { readProblem } from '../../builder/registry/problem.ts';
import { push } from '../../builder/registry/push.ts';
import { Registry } from '../../builder/registry/registry.ts';
import { openRepository } from '../../builder/registry/repository.ts';
import { discard } from '../../builder/registry/request.ts';
import { openSessions, type Session } from '../../builder/registry/session.ts';
import { bodyOf } from '../../builder/registry/token.ts';
import { putDocument, readBlob } from '../../builder/store/blob.ts';
import { copy } from '../../builder/store/copy.ts';
import { memoryStore } from '../../builder/store/memory-store.ts';
import type { BlobStore } from '../../builder/store/store.ts';
import { newStore } from '../support/images.ts';
import { type Proxy, startProxy } from '../support/proxy.ts';
import { type RegistryKind, startRegistry } from '../support/registries.ts';
import { root, temporary } from '../support/tools.ts';

/** 200 in all: pushes to three registries, the most to the one that keeps parts, and pulls. */
const kills = { distribution: 50, 'docker-registry': 25, crane: 25, pull: 100 } as const;

const test = ava.serial;

const MiB = 1 << 20;
const sizes = [4 * MiB, 2 * MiB, 100_000];
const total = sizes.reduce((sum, size) => sum + size, 0);

/** Headers and documents. */
const small = 20_000;

/** Blobs below 1 MiB go again as a whole; and there are headers and documents. */
const slack = MiB + 200_000;

async function imageOf(store: BlobStore): Promise<Descriptor> {
  const blobs = sizes.map((size) => describe(mediaTypes.layerGzip, randomBytes(size)));
  const layers = await Promise.all(blobs.map((blob) => putDocument(store, blob)));
  const rootfs = { type: 'layers', diff_ids: layers.map(({ digest }) => digest) } as const;
  const config = encodeConfig({ architecture: 'amd64', os: 'linux', rootfs });
  return putDocument(store, encodeManifest({ config: await putDocument(store, config), layers }));
}

async function layersOf(store: BlobStore, image: Descriptor): Promise<readonly Descriptor[]> {
  return (JSON.parse((await readBlob(store, image)).toString()) as { layers: Descriptor[] }).layers;
}

/** Bundled, as it starts hundreds of times. */
const worker = join(mkdtempSync(join(tmpdir(), 'static-distro-worker-')), 'worker.mjs');

test.before(async () => {
  await build({
    entryPoints: [join(root, 'test/support/registry-worker.ts')],
    outfile: worker,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  });
});
test.after.always(() => rmSync(dirname(worker), { recursive: true, force: true }));

type Run = { readonly status: number | null; readonly complaint: string; readonly bytes: number };

/** Runs a worker to its end, or kills it when `limit` bytes have passed. */
async function work(proxy: Proxy, way: 'up' | 'down', args: readonly string[], limit?: number): Promise<Run> {
  proxy.reset();
  const [verb = '', ...rest] = args;
  const child = spawn(process.execPath, [worker, verb, proxy.host, ...rest], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  proxy.watch = () => {
    if (limit !== undefined && proxy.bytes[way] >= limit) child.kill('SIGKILL');
  };
  const [complaint, [status]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  proxy.watch = undefined;
  return { status: status as number | null, complaint, bytes: proxy.bytes[way] };
}

/** Parts of big blobs; other files that a crash leaves behind are the collector's. */
const unfinished = (directory: string): readonly string[] =>
  readdirSync(directory).filter((name) => /^\.new-\d+-[0-9a-f]{64}-/.test(name));

/** Bytes in the files of a directory, at any depth; none if it is not there yet. */
const sizeBelow = (directory: string): number =>
  existsSync(directory)
    ? readdirSync(directory, { recursive: true, encoding: 'utf8' })
        .map((name) => statSync(join(directory, name)))
        .reduce((sum, entry) => sum + (entry.isFile() ? entry.size : 0), 0)
    : 0;

type Stage = {
  readonly proxy: Proxy;
  readonly registry: Registry;
  readonly directory: string;
  readonly sessions: string;
};

async function stage(t: ExecutionContext, kind: RegistryKind): Promise<Stage> {
  const running = await startRegistry(kind);
  const proxy = await startProxy(running.host);
  const registry = new Registry(running.host, { environment: {} });
  t.teardown(async () => {
    registry.close();
    proxy.stop();
    await running.stop();
  });
  const directory = temporary(t);
  return { proxy, registry, directory, sessions: join(directory, 'sessions') };
}

for (const kind of ['distribution', 'docker-registry', 'crane'] as const) {
  test(`${kind}: a push killed anywhere and begun again sends what is missing, and ends right`, async (t) => {
    const { proxy, registry, directory, sessions } = await stage(t, kind);
    const store = await newStore(join(directory, 'store'));
    const image = await imageOf(store);
    const layers = await layersOf(store, image);
    for (let at = 0; at < kills[kind]; at++) {
      const args = ['push', `app/n${at}`, store.directory, sessions, JSON.stringify(image)];
      const limit = randomInt(total + 5000);
      const killed = await work(proxy, 'up', args, limit);
      const left = openRepository(registry, `app/n${at}`);
      const there = await Promise.all(layers.map(async (one) => ((await left.exists(one)) ? one.size : 0)));
      const whole = there.reduce((sum, size) => sum + size, 0);
      const again = await work(proxy, 'up', args);
      t.is(again.status, 0, again.complaint);
      // The others lose what they had of a blob with the request that breaks off, as is shown below.
      t.true(
        again.bytes <= total - whole + small,
        `${limit}: ${whole} were there, ${again.bytes} sent again`,
      );
      const sent = killed.bytes + again.bytes;
      if (kind === 'distribution')
        t.true(sent <= total + slack, `${limit}: ${killed.bytes} + ${again.bytes}`);
      const back = memoryStore();
      await copy(openRepository(registry, `app/n${at}`), back, image);
      t.true(await back.exists(image));
    }
    t.deepEqual(existsSync(sessions) ? readdirSync(sessions) : [], []);
  });
}

/**
 * An upload of which the registry has confirmed a part, remembered by a process that is gone; `more` bytes came to it
 * in a request that broke off.
 */
async function leave(
  at: string,
  place: Place,
  layer: Buffer,
  sessions: string,
  part: number,
  more: number,
): Promise<Session> {
  const { descriptor } = describe(mediaTypes.layerGzip, layer);
  const { location } = await beginUpload(place, descriptor.digest);
  const answer = await ask(place, 'sending a part', 'PATCH', location, {
    body: bodyOf(layer.subarray(0, part)),
    headers: partHeaders(0, part),
  });
  await discard(answer);
  const session = {
    location: resolveLocation(answer.headers.location, answer.url) ?? location,
    offset: part,
  };
  await openSessions(sessions).save(place, descriptor, session);
  for (const name of readdirSync(sessions)) {
    const dead = spawnSync('true').pid;
    renameSync(join(sessions, name), join(sessions, name.replace(`.${process.pid}.`, `.${dead}.`)));
  }
  if (more === 0) return session;
  const { pathname, search } = session.location;
  const [address = '', port = ''] = at.split(':');
  const socket = connect({ host: address, port: Number(port), allowHalfOpen: true });
  const headers = {
    Host: place.registry.host,
    ...partHeaders(part, layer.length),
    'Content-Length': layer.length - part,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`PATCH ${pathname}${search} HTTP/1.1\r\n${lines.join('')}\r\n`);
  socket.end(layer.subarray(part, part + more));
  // The registry, asked directly, closes once it has seen the end of it.
  await once(socket.resume(), 'close');
  return session;
}

const partHeaders = (from: number, to: number): Readonly<Record<string, string>> => ({
  'Content-Type': 'application/octet-stream',
  'Content-Range': `${from}-${to - 1}`,
});

/** What the registry says of an upload, and what it says if it is gone on with where it was confirmed. */
async function asked(place: Place, { location, offset }: Session): Promise<readonly string[]> {
  const status = await ask(place, 'asking', 'GET', location, { again: false });
  await discard(status);
  const body = bodyOf(Buffer.from('x'));
  const more = { again: false, body, headers: partHeaders(offset, offset + 1) };
  const next = await ask(place, 'sending', 'PATCH', location, more);
  const { code } = await readProblem(next);
  return [`${status.status} ${status.headers.range ?? ''}`, `${next.status} ${code ?? ''}`];
}

/**
 * docker-registry 2 signs the offset into the place of an upload, and removes an upload whose file has another size,
 * which only it could tell. crane's registry adds what came to what it has, and does not tell how much that is.
 */
const broken: Readonly<Record<RegistryKind, readonly [status: string, next: string]>> = {
  distribution: [`204 0-${2 * MiB - 1}`, '416 RANGE_INVALID'],
  'docker-registry': ['404 ', '404 BLOB_UPLOAD_INVALID'],
  crane: ['400 ', '416 BLOB_UPLOAD_UNKNOWN'],
};

for (const kind of ['distribution', 'docker-registry', 'crane'] as const) {
  test(`${kind}: an upload goes on from what was confirmed; what a broken request costs`, async (t) => {
    const { proxy, registry: direct, directory, sessions } = await stage(t, kind);
    mkdirSync(sessions);
    const told: string[] = [];
    const registry = new Registry(proxy.host, {
      environment: {},
      sessions,
      retry: { base: 10 },
      report: (event) => told.push(event.type === 'answer' ? `${event.method} ${event.status}` : event.type),
    });
    t.teardown(() => registry.close());
    for (const [name, more, missing] of [
      ['between', 0, 3 * MiB],
      // crane's has to be tried, and says no while the rest is on its way; once.
      ['within', MiB, { distribution: 2, 'docker-registry': 4, crane: 4 + 3 }[kind] * MiB],
    ] as const) {
      const layer = randomBytes(4 * MiB);
      const store = await newStore(join(directory, name));
      const { config } = JSON.parse((await readBlob(store, await imageOf(store))).toString()) as {
        config: Descriptor;
      };
      const layers = [await putDocument(store, describe(mediaTypes.layerGzip, layer))];
      const image = await putDocument(store, encodeManifest({ config, layers }));
      const repository = openRepository(registry, `app/${name}`, { access: 'push' });
      await leave(direct.host, repository.place, layer, sessions, MiB, more);
      proxy.reset();
      await push(store, image, repository, ['1']);
      t.true(proxy.bytes.up <= missing + small, `${name}: ${proxy.bytes.up} sent: ${told.join(', ')}`);
      t.true(told.filter((event) => event === 'PATCH 416').length <= 1, told.join(', '));
      await copy(openRepository(registry, `app/${name}`), memoryStore(), image);
      t.deepEqual(readdirSync(sessions), []);
      store.close();
    }
    const { place } = openRepository(registry, 'app/asked', { access: 'push' });
    t.deepEqual(
      await asked(place, await leave(direct.host, place, randomBytes(4 * MiB), sessions, MiB, MiB)),
      broken[kind],
    );
  });
}

test('a pull killed anywhere and begun again fetches what is missing, and ends right', async (t) => {
  const { proxy, registry, directory, sessions } = await stage(t, 'docker-registry');
  const source = memoryStore();
  const image = await imageOf(source);
  await push(source, image, openRepository(registry, 'app', { access: 'push' }), ['1']);
  for (let at = 0; at < kills.pull; at++) {
    const place = join(directory, `store-${at}`);
    mkdirSync(place);
    const args = ['pull', 'app', join(place, 'store'), sessions];
    const limit = randomInt(total + 2000);
    await work(proxy, 'down', args, limit);
    const kept = sizeBelow(join(place, 'store'));
    const again = await work(proxy, 'down', args);
    t.is(again.status, 0, again.complaint);
    // What was between the registry and the process that is gone was not on disk.
    t.true(again.bytes <= total - kept + slack, `${limit}: ${kept} were there, ${again.bytes} came`);
    const store = await newStore(join(place, 'store'));
    await copy(store, memoryStore(), image);
    t.is((await store.resolve('pulled'))?.digest, image.digest);
    t.deepEqual(unfinished(store.directory), []);
    store.close();
  }
});

test('many who push and pull the same at once', async (t) => {
  const { proxy, registry, directory, sessions } = await stage(t, 'distribution');
  const store = await newStore(join(directory, 'store'));
  const image = await imageOf(store);
  const pushed = await Promise.all(
    Array.from({ length: 3 }, () =>
      work(proxy, 'up', ['push', 'app', store.directory, sessions, JSON.stringify(image)]),
    ),
  );
  for (const { status, complaint } of pushed) t.is(status, 0, complaint);
  t.is((await openRepository(registry, 'app').resolve('1'))?.digest, image.digest);
  const place = join(directory, 'pulled');
  const pulled = await Promise.all(
    Array.from({ length: 3 }, () => work(proxy, 'down', ['pull', 'app', place, sessions])),
  );
  for (const { status, complaint } of pulled) t.is(status, 0, complaint);
  await copy(await newStore(place), memoryStore(), image);
});

test('what was whole and only not named yet is not fetched again, unless it is wrong', async (t) => {
  const bytes = randomBytes(2 * MiB);
  const { descriptor } = describe(mediaTypes.layerGzip, bytes);
  for (const [there, asked] of [
    [bytes, []],
    [Buffer.alloc(bytes.length), [0]],
  ] as const) {
    const store = await newStore(join(temporary(t), 'store'));
    writeFileSync(join(store.directory, `.new-0-${hexOf(descriptor.digest)}-00000000`), there);
    const from: number[] = [];
    const put = store.put(descriptor, async function* (at) {
      from.push(at);
      yield bytes.subarray(at);
    });
    t.true(await put);
    t.deepEqual(from, asked);
    t.true((await readBlob(store, descriptor)).equals(bytes));
    t.deepEqual(unfinished(store.directory), []);
    store.close();
  }
});

test('a part that was damaged meanwhile is not believed', async (t) => {
  const { registry, proxy, directory, sessions } = await stage(t, 'docker-registry');
  const source = memoryStore();
  const image = await imageOf(source);
  await push(source, image, openRepository(registry, 'app', { access: 'push' }), ['1']);
  const place = join(directory, 'store');
  const parts: string[] = [];
  // What has passed the proxy need not have been written when the end came.
  for (let tries = 0; parts.length === 0 && tries < 10; tries++) {
    await work(proxy, 'down', ['pull', 'app', place, sessions], 3 * MiB);
    parts.push(...unfinished(place).filter((name) => statSync(join(place, name)).size > 0));
  }
  t.true(parts.length > 0);
  for (const part of parts) {
    const bytes = readFileSync(join(place, part));
    writeFileSync(join(place, part), bytes.fill(0, 0, 1));
  }
  const again = await work(proxy, 'down', ['pull', 'app', place, sessions]);
  t.is(again.status, 0, again.complaint);
  await copy(await newStore(place), memoryStore(), image);
});
