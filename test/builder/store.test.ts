import test, { type ExecutionContext } from 'ava';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { giveBack, hold, takeBlock } from '../../builder/block.ts';
import { type Descriptor, describe, mediaTypes } from '../../builder/descriptor.ts';
import { digestOf, hexOf } from '../../builder/digest.ts';
import { Fault, type FaultCode } from '../../builder/fault.ts';
import { canonicalJson } from '../../builder/json.ts';
import { withLock } from '../../builder/lock.ts';
import { encodeIndex, encodeManifest } from '../../builder/manifest.ts';
import { putDocument, readBlob } from '../../builder/store/blob.ts';
import { check, type Damage } from '../../builder/store/check.ts';
import { collect } from '../../builder/store/collect.ts';
import { allEntries, changeEntries, getEntry, updateCollection } from '../../builder/store/collection.ts';
import { copy, type CopyEvent } from '../../builder/store/copy.ts';
import type { FileStore } from '../../builder/store/file-store.ts';
import { writeOutput } from '../../builder/store/files.ts';
import { reach } from '../../builder/store/graph.ts';
import { memoryStore } from '../../builder/store/memory-store.ts';
import { openStore } from '../../builder/store/open-store.ts';
import { register, registered } from '../../builder/store/registered.ts';
import { fromStore, repair } from '../../builder/store/repair.ts';
import type { NamedStore } from '../../builder/store/store.ts';
import { lockProgram, newStore, putImage } from '../support/images.ts';
import { isRoot, output, run, temporary } from '../support/tools.ts';

const blob = (text: string) => describe('text/plain', Buffer.from(text));
const day = 86_400;

async function fails(t: ExecutionContext, code: FaultCode, act: () => Promise<unknown>, words?: RegExp) {
  const error = await t.throwsAsync(act, { instanceOf: Fault });
  t.is(error?.code, code, error?.message);
  if (words) t.regex(error?.message ?? '', words);
}

async function* stream(...chunks: readonly (string | Buffer)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

async function listOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

async function drain(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) text += Buffer.from(chunk).toString();
  return text;
}

/** Makes files look as if nobody had touched them for so many seconds. */
function age(directory: string, seconds: number): void {
  const then = Date.now() / 1000 - seconds;
  for (const name of readdirSync(directory)) utimesSync(join(directory, name), then, then);
}

/** For the text of a program that runs in a process of its own. */
const moduleUrl = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);

const blobsOf = (directory: string) => join(directory, 'blobs/sha256');
const unfinished = (directory: string) => readdirSync(directory).filter((name) => name.startsWith('.new-'));

// The contract, for every store that is not a registry.
for (const [kind, make] of [
  ['a directory', (t: ExecutionContext) => newStore(join(temporary(t), 'store'))],
  ['memory', async () => memoryStore()],
] as const satisfies [string, (t: ExecutionContext) => Promise<NamedStore>][]) {
  test(`${kind}: what is put can be opened, whole and from an offset`, async (t) => {
    const store = await make(t);
    const { descriptor, bytes } = blob('hello, world');
    t.false(await store.exists(descriptor));
    t.true(await store.put(descriptor, bytes));
    t.true(await store.exists(descriptor));
    t.is(await drain(store.open(descriptor)), 'hello, world');
    t.is(await drain(store.open(descriptor, { from: 7 })), 'world');
    t.is(await drain(store.open(descriptor, { from: 3, to: 9 })), 'lo, wo');
    t.is(await drain(store.open(descriptor, { from: 12 })), '');
    const empty = blob('');
    await store.put(empty.descriptor, empty.bytes);
    t.is(await drain(store.open(empty.descriptor)), '');
  });

  test(`${kind}: putting what is there reads nothing`, async (t) => {
    const store = await make(t);
    const { descriptor, bytes } = blob('x');
    await store.put(descriptor, bytes);
    const stored = await store.put(descriptor, () => {
      throw new Error('it was read');
    });
    t.false(stored);
  });

  test(`${kind}: nothing but the promised bytes is stored`, async (t) => {
    const store = await make(t);
    const { descriptor } = blob('right');
    for (const wrong of ['wrong', 'righ', 'right!', '']) {
      await fails(t, 'INTEGRITY', () => store.put(descriptor, Buffer.from(wrong)));
      await fails(t, 'INTEGRITY', () => store.put(descriptor, () => stream(...wrong)));
    }
    await t.throwsAsync(
      store.put(descriptor, async function* () {
        yield Buffer.from('ri');
        throw new Error('the line broke');
      }),
      { message: 'the line broke' },
    );
    t.false(await store.exists(descriptor));
    t.true(await store.put(descriptor, () => stream('ri', 'gh', 't')));
  });

  test(`${kind}: a blob of another size is not the blob, and a missing one is named`, async (t) => {
    const store = await make(t);
    const { descriptor, bytes } = blob('abc');
    await fails(t, 'NOT_FOUND', () => drain(store.open(descriptor)), new RegExp(descriptor.digest));
    await store.put(descriptor, bytes);
    t.false(await store.exists({ ...descriptor, size: 4 }));
    await fails(t, 'INTEGRITY', () => drain(store.open({ ...descriptor, size: 4 })));
    await fails(t, 'INTEGRITY', () => drain(store.open({ ...descriptor, size: 2 })));
    await fails(t, 'INTEGRITY', () => drain(store.open({ ...descriptor, size: 2 }, { from: 1 })));
  });

  test(`${kind}: names move, go, and never lead to half an image`, async (t) => {
    const store = await make(t);
    const one = await putImage(store, ['a', 'b']);
    const two = await putImage(store, ['a', 'c']);
    await store.tag('web:1', one);
    await store.tag('web:2', two);
    await store.tag('web:1', two);
    t.deepEqual(await store.resolve('web:1'), two);
    t.deepEqual((await store.list()).map(({ name }) => name).toSorted(), ['web:1', 'web:2']);
    t.true(await store.untag('web:1'));
    t.false(await store.untag('web:1'));
    t.is(await store.resolve('web:1'), undefined);

    const layer = blob('never put').descriptor;
    const config = await putDocument(store, describe(mediaTypes.config, Buffer.from('{}')));
    const half = await putDocument(store, encodeManifest({ config, layers: [layer] }));
    await fails(t, 'INTEGRITY', () => store.tag('half', half), new RegExp(layer.digest));
    t.is(await store.resolve('half'), undefined);
  });
}

test('a store of digests that are not known before', async (t) => {
  const store = await newStore(join(temporary(t), 'store'));
  const descriptor = await store.add('text/plain', stream('ab', 'c'));
  t.deepEqual(descriptor, blob('abc').descriptor);
  t.is(await drain(store.open(descriptor)), 'abc');
  t.deepEqual(await store.add('text/plain', stream('abc')), descriptor);
  t.deepEqual(unfinished(store.directory), []);
});

test('a blob that was changed on disk is noticed when it is read, whatever its size', async (t) => {
  const store = await newStore(join(temporary(t), 'store'));
  const { descriptor, bytes } = blob('some text');
  await store.put(descriptor, bytes);
  const path = join(blobsOf(store.directory), hexOf(descriptor.digest));
  for (const other of ['some tEXt', 'some', 'some text and more']) {
    chmodSync(path, 0o644);
    writeFileSync(path, other);
    await fails(t, 'INTEGRITY', () => readBlob(store, descriptor));
  }
  t.true(await store.put(descriptor, bytes, { replace: true }));
  t.is((await readBlob(store, descriptor)).toString(), 'some text');
});

test('a store that can be written by others, or is another user’s, is refused', async (t) => {
  const directory = join(temporary(t), 'store');
  (await newStore(directory)).close();
  for (const part of ['.', 'blobs', 'blobs/sha256', 'index.json', 'oci-layout']) {
    const path = join(directory, part);
    const { mode } = statSync(path);
    chmodSync(path, mode | 0o002);
    await fails(t, 'UNSAFE', () => openStore(directory, { private: true }), /others may write/);
    chmodSync(path, mode | 0o020);
    await fails(t, 'UNSAFE', () => openStore(directory, { private: true }), /others may write/);
    chmodSync(path, mode);
  }
  const moved = `${directory}-moved`;
  renameSync(join(directory, 'blobs'), moved);
  symlinkSync(moved, join(directory, 'blobs'));
  await t.throwsAsync(openStore(directory, { private: true }), { instanceOf: Fault });
  // As a source that is only read it may be anybody's: everything read is verified.
  (await openStore(directory)).close();
  const foreign = isRoot ? join(temporary(t), 'other') : '/proc/1';
  if (isRoot) {
    (await newStore(foreign)).close();
    output('chown', ['-R', '65534:65534', foreign]);
    await fails(t, 'UNSAFE', () => openStore(foreign, { private: true }), /belongs to user 65534/);
    await fails(t, 'UNSAFE', () => openStore(foreign, { private: true, create: true, lockProgram }));
  }
});

test('a new store has modes that nobody else can write with, whatever the umask', async (t) => {
  for (const [umask, mode] of [
    ['000', 0o755],
    ['077', 0o700],
  ] as const) {
    const directory = join(temporary(t), 'store');
    const script = `import { newStore } from ${moduleUrl('../support/images.ts')};
      await newStore(${JSON.stringify(directory)});`;
    output('sh', [
      '-c',
      `umask ${umask}; exec "$@"`,
      'sh',
      process.execPath,
      '--input-type=module',
      '-e',
      script,
    ]);
    t.is(lstatSync(directory).mode & 0o777, mode);
    for (const part of ['.', 'blobs', 'blobs/sha256', 'index.json', 'oci-layout']) {
      t.is(lstatSync(join(directory, part)).mode & 0o022, 0, part);
    }
  }
});

test('the opened store stays the same directory, whatever is put in its place', async (t) => {
  const directory = join(temporary(t), 'store');
  const store = await newStore(directory);
  renameSync(directory, `${directory}-old`);
  const victim = await newStore(directory);
  const image = await putImage(store, ['a']);
  await store.tag('a', image);
  t.deepEqual(await victim.list(), []);
  t.true(existsSync(join(blobsOf(`${directory}-old`), hexOf(image.digest))));
});

test('what is no layout, or has lost its index, is not opened', async (t) => {
  const directory = join(temporary(t), 'store');
  await fails(t, 'NOT_FOUND', () => openStore(directory));
  const store = await newStore(directory);
  await store.tag('a', await putImage(store, ['a']));
  rmSync(join(directory, 'index.json'));
  await fails(t, 'INTEGRITY', () => openStore(directory), /index\.json is gone/);
  // An empty index in its place would have the collector remove everything.
  await fails(t, 'INTEGRITY', () => newStore(directory));
  writeFileSync(join(directory, 'oci-layout'), '{"imageLayoutVersion":"2.0.0"}');
  await fails(t, 'INPUT', () => openStore(directory), /imageLayoutVersion: expected "1\.0\.0"/);
  rmSync(join(directory, 'oci-layout'));
  await fails(t, 'NOT_FOUND', () => openStore(directory));
});

test('no store is made where other things are', async (t) => {
  const directory = temporary(t);
  writeFileSync(join(directory, 'letter.txt'), '');
  await fails(t, 'INPUT', () => newStore(directory), /not empty, and no OCI image layout/);
  t.deepEqual(readdirSync(directory), ['letter.txt']);
  await t.throwsAsync(newStore(join(directory, 'letter.txt')), { instanceOf: Fault });
});

test('a store that was interrupted while it was made is completed', async (t) => {
  const directory = join(temporary(t), 'store');
  mkdirSync(blobsOf(directory), { recursive: true, mode: 0o755 });
  (await newStore(directory)).close();
  rmSync(join(directory, 'oci-layout'));
  const store = await newStore(directory);
  await store.tag('a', await putImage(store, ['a']));
  t.deepEqual(await check(directory), []);
});

test('index.json keeps what other tools wrote into it', async (t) => {
  const directory = join(temporary(t), 'store');
  const store = await newStore(directory);
  const mine = await putImage(store, ['mine']);
  const theirs = await putImage(store, ['theirs']);
  const odd = { mediaType: 'application/xml', size: 3, digest: `sha512:${'0'.repeat(128)}`, future: [1, {}] };
  const named = {
    ...theirs,
    annotations: { 'org.opencontainers.image.ref.name': 'theirs', 'a.b': 'c' },
    x: true,
  };
  const document = {
    schemaVersion: 2,
    manifests: [odd, named, { ...theirs, platform: { os: 'linux', architecture: 'mips' } }],
    annotations: { 'com.example': 'kept' },
    future: null,
  };
  writeFileSync(join(directory, 'index.json'), JSON.stringify(document, undefined, 2));
  await store.tag('mine', mine);
  await store.tag('other', mine);
  await store.untag('other');
  const after = JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8')) as typeof document;
  t.deepEqual(after, {
    ...document,
    manifests: [
      ...document.manifests,
      { ...mine, annotations: { 'org.opencontainers.image.ref.name': 'mine' } },
    ],
  } as unknown as typeof document);
  t.deepEqual(await store.resolve('theirs'), { ...theirs, annotations: { 'a.b': 'c' } });
});

test('index.json is read again while another tool rewrites it in place', async (t) => {
  const directory = join(temporary(t), 'store');
  const store = await newStore(directory);
  await store.tag('a', await putImage(store, ['a']));
  const whole = readFileSync(join(directory, 'index.json'));
  truncateSync(join(directory, 'index.json'), 20);
  const reading = store.list();
  await setTimeout(30);
  writeFileSync(join(directory, 'index.json'), whole);
  t.is((await reading).length, 1);
  truncateSync(join(directory, 'index.json'), 20);
  await fails(t, 'INPUT', () => store.list(), /index\.json: no JSON/);
});

test('the lock excludes, is shared, does not wait when told so, and goes with its holder', async (t) => {
  const path = join(temporary(t), 'lock');
  const order: string[] = [];
  const work = async (name: string) => {
    order.push(`${name} begins`);
    await setTimeout(50);
    order.push(`${name} ends`);
    return name;
  };
  const results = await Promise.all(
    ['a', 'b', 'c'].map((name) => withLock(lockProgram, path, {}, () => work(name))),
  );
  t.deepEqual(results, ['a', 'b', 'c']);
  for (let at = 0; at < order.length; at += 2) t.is(order[at]?.[0], order[at + 1]?.[0], order.join(', '));

  await withLock(lockProgram, path, { shared: true }, async () => {
    await withLock(lockProgram, path, { shared: true, wait: false }, async () => undefined);
    await fails(t, 'BUSY', () => withLock(lockProgram, path, { wait: false }, async () => undefined));
  });
  await t.throwsAsync(
    withLock(lockProgram, path, {}, async () => {
      throw new Error('mine');
    }),
    { message: 'mine' },
  );
  await withLock(lockProgram, path, { wait: false }, async () => undefined);
  await fails(t, 'NOT_FOUND', () => withLock('/nonexistent', path, {}, async () => undefined));
  await fails(t, 'IO', () => withLock(lockProgram, `${path}/none`, {}, async () => undefined));

  const script = `import { withLock } from ${moduleUrl('../../builder/lock.ts')};
    await withLock(${JSON.stringify(lockProgram)}, ${JSON.stringify(path)}, {}, () => {
      console.log('held'); setInterval(() => undefined, 1000); return new Promise(() => undefined); });`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  await fails(t, 'BUSY', () => withLock(lockProgram, path, { wait: false }, async () => undefined));
  holder.kill('SIGKILL');
  await withLock(lockProgram, path, {}, async () => undefined);
});

const outputScript = (out: string, after: string) =>
  `import { writeOutput } from ${moduleUrl('../../builder/store/files.ts')};
   await writeOutput(${JSON.stringify(out)}, async (file) => { await file.write('text'); ${after} });`;

test('memory is used again when every part of it that is in use has been given back', (t) => {
  const block = takeBlock();
  const [first, second] = [hold(block.subarray(0, 10)), hold(block.subarray(10, 20))];
  giveBack(block);
  giveBack(first);
  giveBack(first);
  giveBack(second.subarray(0, 10));
  t.not(takeBlock().buffer, block.buffer, 'the second part is in use');
  giveBack(second);
  t.is(takeBlock().buffer, block.buffer);
  const other = hold(Buffer.alloc(10));
  giveBack(other);
  t.not(takeBlock().buffer, other.buffer);
});

test('an output file is whole or not there, and a pipe is written as it is', async (t) => {
  const directory = temporary(t);
  const path = join(directory, 'out');
  await writeOutput(path, async (file) => void (await file.write('first')));
  t.is(readFileSync(path, 'utf8'), 'first');
  await t.throwsAsync(
    writeOutput(path, async (file) => {
      await file.write('half');
      throw new Error('broken');
    }),
    { message: 'broken' },
  );
  t.is(readFileSync(path, 'utf8'), 'first');
  t.deepEqual(readdirSync(directory), ['out']);
  await fails(t, 'INPUT', () => writeOutput(directory, async () => undefined), /a directory of that name/);
  await fails(t, 'NOT_FOUND', () => writeOutput(join(directory, 'none/out'), async () => undefined));
  symlinkSync('out', join(directory, 'link'));
  await writeOutput(join(directory, 'link'), async (file) => void (await file.write('second')));
  t.true(lstatSync(join(directory, 'link')).isSymbolicLink());
  t.is(readFileSync(path, 'utf8'), 'second');

  const piped = run('sh', [
    '-c',
    '"$1" --input-type=module -e "$2" | cat',
    'sh',
    process.execPath,
    outputScript('/dev/stdout', ''),
  ]);
  t.is(piped.stdout, 'text', piped.stderr);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const wait = 'console.log("writing"); await new Promise((end) => setTimeout(end, 100000));';
    const child = spawn(process.execPath, ['--input-type=module', '-e', outputScript(path, wait)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    t.is(unfinished(directory).length, 1);
    child.kill(signal);
    const [status, ended] = (await once(child, 'exit')) as [number | null, string | null];
    t.deepEqual([status, ended], [null, signal]);
    t.deepEqual(unfinished(directory), []);
  }
});

/** A large blob, and content that breaks off after so many bytes and remembers from where it was read. */
function breaking(bytes: Buffer) {
  const descriptor = describe('application/octet-stream', bytes).descriptor;
  const reads: number[] = [];
  const content = (most: number, source: Buffer = bytes) =>
    async function* (from: number) {
      reads.push(from);
      for (let at = from; at < source.length; at += 65_536) {
        if (at - from >= most) throw new Error('the line broke');
        yield source.subarray(at, at + 65_536);
      }
    };
  return { descriptor, reads, content };
}

test('a large blob that breaks off is continued, by this process or another', async (t) => {
  const store = await newStore(join(temporary(t), 'store'));
  const bytes = randomBytes(5 << 20);
  const { descriptor, reads, content } = breaking(bytes);
  for (let attempt = 0; attempt < 3; attempt++) {
    await t.throwsAsync(store.put(descriptor, content(1 << 20)), { message: 'the line broke' });
    t.false(await store.exists(descriptor));
    t.is(unfinished(store.directory).length, 1);
  }
  t.true(await store.put(descriptor, content(Infinity)));
  t.deepEqual(reads, [0, 1 << 20, 2 << 20, 3 << 20]);
  t.true((await readBlob(store, descriptor)).equals(bytes));
  t.deepEqual(unfinished(store.directory), []);
  t.is(statSync(store.blobPath(descriptor.digest)).mode & 0o777, 0o444);

  // What is left of it may be anything: only the right bytes are stored.
  const other = breaking(randomBytes(2 << 20));
  for (const spoil of [
    (path: string) => writeFileSync(path, randomBytes(1 << 20)),
    (path: string) => truncateSync(path, 1000),
    (path: string) => truncateSync(path, 3 << 20),
    (path: string) => truncateSync(path, 0),
  ]) {
    await t.throwsAsync(store.put(other.descriptor, other.content(1 << 20)));
    spoil(join(store.directory, unfinished(store.directory)[0] ?? ''));
    other.reads.length = 0;
    t.true(await store.put(other.descriptor, other.content(Infinity)));
    t.is(other.reads.at(-1) === 0 || other.reads[0] === 1000, true, other.reads.join(' '));
    t.deepEqual(await check(store.directory), []);
    t.deepEqual(unfinished(store.directory), []);
    rmSync(store.blobPath(other.descriptor.digest));
  }
  for (const wrong of [randomBytes(2 << 20), randomBytes(1 << 20), randomBytes(3 << 20)]) {
    await fails(
      t,
      'INTEGRITY',
      () => store.put(other.descriptor, other.content(Infinity, wrong)),
      /should have 2097152/,
    );
    t.deepEqual(unfinished(store.directory), []);
  }
  // Several at once do not disturb each other.
  await t.throwsAsync(store.put(other.descriptor, other.content(1 << 20)));
  await Promise.all(Array.from({ length: 4 }, () => store.put(other.descriptor, other.content(Infinity))));
  t.deepEqual(await check(store.directory), []);
  t.deepEqual(unfinished(store.directory), []);
  // One that nobody continues is garbage.
  const last = breaking(randomBytes(2 << 20));
  await t.throwsAsync(store.put(last.descriptor, last.content(1 << 20)));
  const left = join(store.directory, unfinished(store.directory)[0] ?? '');
  t.is((await collect(store, { now: Date.now() })).unfinished, 0);
  utimesSync(left, 1, 1);
  t.is((await collect(store, { now: Date.now() })).unfinished, 1);
  t.deepEqual(unfinished(store.directory), []);
});

test('a large blob whose process was killed is continued by the next', async (t) => {
  const directory = join(temporary(t), 'store');
  const script = `import { newStore } from ${moduleUrl('../support/images.ts')};
    import { describe } from ${moduleUrl('../../builder/descriptor.ts')};
    const bytes = Buffer.alloc(4 << 20, 'some text ');
    const store = await newStore(${JSON.stringify(directory)});
    await store.put(describe('x/y', bytes).descriptor, async function* (from) {
      console.log('from', from);
      const end = process.argv[1] ? from + (1 << 20) : bytes.length;
      for (let at = from; at < end; at += 65536) yield bytes.subarray(at, at + 65536);
      if (process.argv[1]) process.kill(process.pid, process.argv[1]);
      await new Promise((resolve) => setTimeout(resolve, 10000));
    });`;
  const put = (signal: string) =>
    run(process.execPath, [
      '--input-type=module',
      '-e',
      script.replace('10000', signal ? '10000' : '0'),
      signal,
    ]);
  for (const [signal, from] of [
    ['SIGKILL', 0],
    ['SIGINT', 1 << 20],
    ['SIGKILL', 2 << 20],
  ] as const) {
    const { signal: ended, stdout } = put(signal);
    t.deepEqual([ended, stdout], [signal, `from ${from}\n`]);
  }
  t.like(put(''), { status: 0, stdout: `from ${3 << 20}\n` });
  t.deepEqual(await check(directory), []);
  t.deepEqual(unfinished(directory), []);
});

test('copy sends what is missing, each blob once, and a document after what it needs', async (t) => {
  const source = memoryStore();
  const one = await putImage(source, ['base', 'one']);
  const two = await putImage(source, ['base', 'two', 'two']);
  const index = await putDocument(source, encodeIndex({ manifests: [one, two, one] }));
  const outer = await putDocument(source, encodeIndex({ manifests: [index] }));

  const order: string[] = [];
  const destination = memoryStore();
  const recording = {
    ...destination,
    put: async (...args: Parameters<typeof destination.put>) => {
      const done = await destination.put(...args);
      if (done) order.push(args[0].digest);
      return done;
    },
  };
  const events: CopyEvent[] = [];
  await copy(source, recording, outer, { parallel: 3, report: (event) => events.push(event) });
  const all: string[] = [];
  for await (const { digest } of reach(destination, [outer])) all.push(digest);
  t.deepEqual(order.toSorted(), all.toSorted());
  t.is(new Set(order).size, order.length);
  t.is(order.at(-1), outer.digest);
  t.is(order.at(-2), index.digest);
  for (const image of [one, two]) {
    for await (const { digest } of reach(source, [image])) {
      t.true(order.indexOf(digest) <= order.indexOf(image.digest));
    }
  }
  const leaves = events.filter((event) => event.type === 'begin').map(({ descriptor }) => descriptor);
  t.is(leaves.length, 5, 'three layers and two configs were read');
  for (const leaf of leaves) {
    const bytes = events.filter((event) => event.type === 'bytes' && event.descriptor.digest === leaf.digest);
    t.is(
      bytes.reduce((sum, event) => sum + (event.type === 'bytes' ? event.bytes : 0), 0),
      leaf.size,
    );
  }

  order.length = 0;
  await copy(source, recording, outer);
  t.deepEqual(order, []);
});

test('a copy that fails says why, begins nothing new, and goes on where it stopped', async (t) => {
  const source = memoryStore();
  const image = await putImage(source, ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']);
  for (let failing = 0; failing < 10; failing++) {
    const destination = memoryStore();
    let puts = 0;
    const broken: typeof destination = {
      ...destination,
      put: async (descriptor, content) => {
        if (puts++ === failing) throw new Fault('IO', `put number ${failing}`);
        await setTimeout(2);
        return destination.put(descriptor, content);
      },
    };
    await fails(
      t,
      'IO',
      () => copy(source, broken, image, { parallel: 2 }),
      new RegExp(`put number ${failing}$`),
    );
    t.true(puts <= failing + 2);
    t.false(await destination.exists(image));
    const sent: string[] = [];
    await copy(source, destination, image, {
      report: ({ type, descriptor }) => void (type === 'end' && sent.push(descriptor.digest)),
    });
    t.true(sent.length <= 10 - Math.max(0, failing - 1));
    await destination.tag('whole', image);
  }
});

test('a copy out of a damaged store stores nothing that is wrong', async (t) => {
  const source = await newStore(join(temporary(t), 'source'));
  const image = await putImage(source, ['a', 'b']);
  const [, layer] = await listOf(reach(source, [image]));
  if (!layer) return t.fail();
  const path = join(blobsOf(source.directory), hexOf(layer.digest));
  const bytes = readFileSync(path);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  chmodSync(path, 0o644);
  writeFileSync(path, bytes);
  const destination = await newStore(join(temporary(t), 'destination'));
  await fails(t, 'INTEGRITY', () => copy(source, destination, image), new RegExp(layer.digest));
  t.false(await destination.exists(layer));
  t.false(await destination.exists(image));
  t.deepEqual(await check(destination.directory), []);
});

test('copy looks no further where the destination promises whole documents', async (t) => {
  const source = memoryStore();
  const image = await putImage(source, ['a', 'b']);
  const destination = { ...memoryStore(), keepsWhole: true };
  await copy(source, destination, image);
  let questions = 0;
  const counting: typeof destination = {
    ...destination,
    exists: (descriptor) => (questions++, destination.exists(descriptor)),
    put: () => Promise.reject(new Error('nothing is to be sent')),
  };
  await copy(source, counting, image);
  t.is(questions, 1);
});

test('layers that may be kept elsewhere need not be there', async (t) => {
  const source = await newStore(join(temporary(t), 'source'));
  const elsewhere = {
    ...blob('windows').descriptor,
    mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
    urls: ['https://example.com/layer'],
  };
  const config = await putDocument(source, describe(mediaTypes.config, Buffer.from('{}')));
  const image = await putDocument(source, encodeManifest({ config, layers: [elsewhere] }));
  await source.tag('foreign', image);
  const destination = memoryStore();
  await copy(source, destination, image);
  await destination.tag('foreign', image);
  t.deepEqual(await check(source.directory), []);
  t.deepEqual((await collect(source, { now: Date.now() + 100 * day * 1000 })).blobs, []);
});

test('a collection is a function of its entries, and changing one rewrites one shard', async (t) => {
  const store = await newStore(join(temporary(t), 'store'));
  const config = await putDocument(store, describe(mediaTypes.config, Buffer.from('{}')));
  const entry = async (text: string) =>
    putDocument(store, encodeManifest({ config, layers: [], annotations: { text } }));
  const keys = Array.from({ length: 200 }, (_, at) => `päckage-${at} 1:2~3`);
  const entries = new Map<string, Descriptor>();
  for (const key of keys) entries.set(key, { ...(await entry(key)), annotations: { about: key } });

  await updateCollection(store, 'packages', entries);
  const whole = await store.resolve('packages');
  if (!whole) return t.fail();
  const read = new Map(await listOf(allEntries(store, whole)));
  t.deepEqual(Object.fromEntries(read), Object.fromEntries(entries));
  t.deepEqual(await getEntry(store, whole, keys[7] ?? ''), entries.get(keys[7] ?? ''));
  t.is(await getEntry(store, whole, 'nobody'), undefined);

  // The same by any other way, through every size, gives the same digest.
  const memory = memoryStore();
  let step: Descriptor | undefined;
  for (const [key, descriptor] of [...entries].toReversed()) {
    step = await changeEntries(memory, step, new Map([[key, descriptor]]));
  }
  t.deepEqual(step, whole);
  const more = new Map([...entries].map(([key, descriptor]) => [`${key} more`, descriptor] as const));
  const grown = await changeEntries(memory, step, more);
  t.not(grown.digest, whole.digest);
  t.deepEqual(
    await changeEntries(memory, grown, new Map([...more.keys()].map((key) => [key, undefined]))),
    whole,
  );
  t.is(await changeEntries(memory, whole, new Map([['nobody', undefined]])), whole);

  const puts: string[] = [];
  const recording = {
    ...memory,
    put: async (...args: Parameters<typeof memory.put>) => {
      const stored = await memory.put(...args);
      if (stored) puts.push(args[0].digest);
      return stored;
    },
  };
  await changeEntries(recording, whole, new Map([[keys[0] ?? '', entries.get(keys[1] ?? '')]]));
  t.is(puts.length, 2, 'one shard and the index of shards');

  await fails(t, 'INPUT', () => getEntry(store, [...entries.values()][0] ?? whole, 'x'));
  const absent = { ...whole, digest: digestOf('absent') };
  await fails(t, 'INTEGRITY', () => updateCollection(store, 'packages', new Map([['bad', absent]])));
  t.deepEqual(await store.resolve('packages'), whole);
});

const fake = (key: string): Descriptor => ({
  mediaType: mediaTypes.manifest,
  digest: digestOf(key),
  size: 1000,
  artifactType: 'application/vnd.example.package.v1',
});

test('60,000 entries: one change rewrites 300 KB, not 20 MB', async (t) => {
  const memory = memoryStore();
  const keys = Array.from({ length: 60_000 }, (_, at) => `package-${at} 1.${at}-1`);
  const collection = await changeEntries(memory, undefined, new Map(keys.map((key) => [key, fake(key)])));
  let bytes = 0;
  const counting = {
    ...memory,
    put: async (...args: Parameters<typeof memory.put>) => {
      bytes += args[0].size;
      return memory.put(...args);
    },
  };
  const changed = await changeEntries(counting, collection, new Map([['package-777 1.777-1', fake('new')]]));
  t.true(bytes < 300_000, String(bytes));
  t.deepEqual(await getEntry(memory, changed, 'package-777 1.777-1'), fake('new'));
  t.deepEqual(await getEntry(memory, changed, 'package-59999 1.59999-1'), fake('package-59999 1.59999-1'));
});

/** Ages every blob, so that a collector would take whatever no name leads to. */
const ageAll = (store: FileStore, seconds = 2 * day) => {
  age(blobsOf(store.directory), seconds);
};

const digests = async (store: FileStore, root: Descriptor) =>
  (await listOf(reach(store, [root]))).map(({ digest }) => digest);

test('garbage: what no name leads to goes, when it is old; a dry run tells and changes nothing', async (t) => {
  const store = await newStore(join(temporary(t), 'store'));
  const kept = await putImage(store, ['shared', 'kept']);
  const removed = await putImage(store, ['shared', 'removed']);
  const locked = await putImage(store, ['locked']);
  await store.tag('kept', kept);
  await store.tag('removed', removed);
  await store.untag('removed');
  writeFileSync(join(store.directory, '.new-1-left'), 'half a bl');
  const now = Date.now();
  t.deepEqual(await collect(store, { now }), { blobs: [], entries: [], unfinished: 0 });

  ageAll(store);
  const then = now / 1000 - 2 * day;
  utimesSync(join(store.directory, '.new-1-left'), then, then);
  const fresh = await putImage(store, ['about to be named']);
  const missing = blob('not in the store').descriptor;
  const options = { now, keep: [locked, missing] };
  const told = await collect(store, { ...options, dryRun: true });
  t.is(readdirSync(blobsOf(store.directory)).length, 13);
  const done = await collect(store, options);
  t.deepEqual(done, told);
  t.is(done.unfinished, 1);
  t.is(done.blobs.length, 3, 'a layer, a config and a manifest');
  t.true(done.blobs.every(({ size }) => size > 0));
  t.deepEqual(unfinished(store.directory), []);
  for (const image of [kept, locked, fresh]) {
    for (const digest of await digests(store, image)) t.true(existsSync(store.blobPath(digest)));
  }
  t.false(await store.exists(removed));
  await store.tag('fresh', fresh);
  t.deepEqual(await check(store.directory), []);
});

test('garbage: entries of a collection go when nobody has used them for long', async (t) => {
  const store = await newStore(join(temporary(t), 'store'));
  const names = ['old', 'used', 'locked', 'in an image'];
  const images = new Map<string, Descriptor>();
  for (const name of names) images.set(name, await putImage(store, [name]));
  await updateCollection(store, 'packages', images);
  await store.tag('image', images.get('in an image') ?? t.fail());
  const now = Date.now();
  ageAll(store, 29 * day);
  t.deepEqual((await collect(store, { now })).entries, []);
  ageAll(store, 31 * day);
  await store.touch(images.get('used') ?? t.fail());
  const keep = [images.get('locked') ?? t.fail()];
  const { entries, blobs } = await collect(store, { now, keep });
  t.deepEqual(entries, [{ collection: 'packages', key: 'old' }]);
  const collection = (await store.resolve('packages')) ?? t.fail();
  const left = (await listOf(allEntries(store, collection))).map(([key]) => key);
  t.deepEqual(left.toSorted(), ['in an image', 'locked', 'used']);
  t.false(await store.exists(images.get('old') ?? t.fail()));
  t.is(blobs.length, 3, 'the image of the entry; the index that led to it may still be being read');
  ageAll(store);
  t.is(
    (await collect(store, { now, unusedFor: 99 * day })).blobs.length,
    2,
    'a shard and the index above it',
  );
  t.deepEqual(await check(store.directory), []);
  // Reading the packages of a store, as the collector itself does, is no use of them.
  ageAll(store, 31 * day);
  t.is((await collect(store, { now, dryRun: true })).entries.length, 2);
});

test('garbage: an entry that is used while it goes is gone, and not only its name', async (t) => {
  const store = await newStore(join(temporary(t), 'store'));
  const image = await putImage(store, ['a']);
  await updateCollection(store, 'packages', new Map([['a', image]]));
  ageAll(store, 31 * day);
  const update = store.update.bind(store);
  store.update = (change) =>
    update(async (index) => {
      const changed = await change(index);
      t.true(await store.exists(image), 'somebody makes use of it after it was marked');
      return changed;
    });
  const { entries } = await collect(store, { now: Date.now() });
  t.deepEqual(entries, [{ collection: 'packages', key: 'a' }]);
  t.false(await store.exists(image), 'so the next user has to enter it again');
});

test('garbage: a blob found old and taken away before it is named is missed when it is named', async (t) => {
  const store = await newStore(join(temporary(t), 'store'));
  const image = await putImage(store, ['a']);
  ageAll(store);
  await collect(store, { now: Date.now() });
  await fails(t, 'INTEGRITY', () => store.tag('a', image));
  await store.tag('a', await putImage(store, ['a']));
  // And one that somebody asked for meanwhile stays, as that somebody will rely on it.
  const other = await putImage(store, ['b']);
  ageAll(store);
  for await (const descriptor of reach(store, [other])) t.true(await store.exists(descriptor));
  await collect(store, { now: Date.now() });
  await store.tag('b', other);
});

test('garbage: nothing goes where something is not understood or cannot be read', async (t) => {
  const store = await newStore(join(temporary(t), 'store'));
  const image = await putImage(store, ['a']);
  const garbage = await putImage(store, ['garbage']);
  await store.tag('a', image);
  ageAll(store);
  const index = readFileSync(join(store.directory, 'index.json'), 'utf8');
  writeFileSync(
    join(store.directory, 'index.json'),
    index.replace('"manifests":[', '"manifests":[{"size":1},'),
  );
  await fails(t, 'UNSAFE', () => collect(store, { now: Date.now() }), /not understood/);
  writeFileSync(join(store.directory, 'index.json'), index);
  rmSync(store.blobPath(image.digest));
  await fails(t, 'NOT_FOUND', () => collect(store, { now: Date.now() }), new RegExp(image.digest));
  t.true(existsSync(store.blobPath(garbage.digest)));
});

test('files of the user that keep blobs alive are known until they are gone', async (t) => {
  const directory = join(temporary(t), 'locks');
  t.deepEqual(await registered(directory), []);
  const files = ['a.lock', 'with a\nnewline.lock'].map((name) => join(temporary(t), name));
  for (const file of files) {
    writeFileSync(file, '{}');
    await register(directory, file);
    await register(directory, file);
  }
  t.deepEqual((await registered(directory)).toSorted(), files.toSorted());
  rmSync(files[0] ?? '');
  t.deepEqual(await registered(directory), [files[1]]);
  t.is(readdirSync(directory).length, 1);
});

/** Each plants one damage, and says what the check must find. */
type Plant = {
  readonly does: (context: {
    store: FileStore;
    layer: string;
    config: string;
    manifest: string;
  }) => void | Promise<void>;
  readonly kind: Damage['kind'];
  readonly about: 'layer' | 'config' | 'manifest' | RegExp;
  readonly hurts: readonly string[];
  readonly repaired: boolean;
};

const edit = (path: string, change: (bytes: Buffer) => Buffer) => {
  const bytes = readFileSync(path);
  rmSync(path);
  writeFileSync(path, change(bytes));
};

const editIndex = (store: FileStore, change: (text: string) => string) =>
  edit(join(store.directory, 'index.json'), (bytes) => Buffer.from(change(bytes.toString())));

const plants: Readonly<Record<string, Plant>> = {
  'a layer is gone': {
    does: ({ layer }) => rmSync(layer),
    kind: 'missing',
    about: 'layer',
    hurts: ['one', 'packages key', 'two'],
    repaired: true,
  },
  'a layer is cut off': {
    does: ({ layer }) => edit(layer, (bytes) => bytes.subarray(0, 20)),
    kind: 'digest',
    about: 'layer',
    hurts: ['one', 'packages key', 'two'],
    repaired: true,
  },
  'a layer has a byte more': {
    does: ({ layer }) => edit(layer, (bytes) => Buffer.concat([bytes, Buffer.from('x')])),
    kind: 'digest',
    about: 'layer',
    hurts: ['one', 'packages key', 'two'],
    repaired: true,
  },
  'a bit of a layer is flipped': {
    does: ({ layer }) =>
      edit(layer, (bytes) => bytes.with(bytes.length >> 1, (bytes[bytes.length >> 1] ?? 0) ^ 4) as Buffer),
    kind: 'digest',
    about: 'layer',
    hurts: ['one', 'packages key', 'two'],
    repaired: true,
  },
  'a config is empty': {
    does: ({ config }) => edit(config, () => Buffer.alloc(0)),
    kind: 'digest',
    about: 'config',
    hurts: ['one'],
    repaired: true,
  },
  'a manifest is another one': {
    does: ({ manifest }) =>
      edit(manifest, (bytes) => Buffer.from(bytes.toString().replace('amd64', 'arm64') + ' ')),
    kind: 'digest',
    about: 'manifest',
    hurts: ['one'],
    repaired: true,
  },
  'a manifest and a layer below it are gone': {
    does: ({ manifest, layer }) => {
      rmSync(manifest);
      rmSync(layer);
    },
    kind: 'missing',
    about: 'manifest',
    hurts: ['one'],
    repaired: true,
  },
  'a directory is in the place of a layer': {
    does: ({ layer }) => {
      rmSync(layer);
      mkdirSync(join(layer, 'deep'), { recursive: true });
    },
    kind: 'type',
    about: 'layer',
    hurts: ['one', 'packages key', 'two'],
    repaired: true,
  },
  'a link is in the place of a config, though to the right bytes': {
    does: ({ config, store }) => {
      renameSync(config, join(store.directory, 'elsewhere'));
      symlinkSync(join(store.directory, 'elsewhere'), config);
    },
    kind: 'type',
    about: 'config',
    hurts: ['one'],
    repaired: true,
  },
  'the index says another size': {
    does: ({ store }) => editIndex(store, (text) => text.replace(/("one"},"digest"[^}]*"size":)/, '$19')),
    kind: 'size',
    about: 'manifest',
    hurts: ['one'],
    repaired: false,
  },
  'the index is cut off': {
    does: ({ store }) => truncateSync(join(store.directory, 'index.json'), 100),
    kind: 'layout',
    about: /^index\.json$/,
    hurts: [],
    repaired: false,
  },
  'an entry of the index has no digest': {
    does: ({ store }) =>
      editIndex(store, (text) => text.replace('"manifests":[', '"manifests":[{"size":1},')),
    kind: 'layout',
    about: /^index\.json$/,
    hurts: ['one', 'packages', 'two'],
    repaired: false,
  },
  'oci-layout is gone': {
    does: ({ store }) => rmSync(join(store.directory, 'oci-layout')),
    kind: 'layout',
    about: /^oci-layout$/,
    hurts: ['one', 'packages', 'two'],
    repaired: false,
  },
  'oci-layout is of a version that does not exist': {
    does: ({ store }) =>
      edit(join(store.directory, 'oci-layout'), () => Buffer.from('{"imageLayoutVersion":"9"}')),
    kind: 'layout',
    about: /^oci-layout$/,
    hurts: ['one', 'packages', 'two'],
    repaired: false,
  },
  'a manifest has right bytes that are no manifest': {
    does: async ({ store }) => {
      const bytes = canonicalJson({ schemaVersion: 2, config: {}, layers: 'none' });
      const document = await putDocument(store, describe(mediaTypes.manifest, bytes));
      editIndex(store, (text) =>
        text.replace(
          '"manifests":[',
          `"manifests":[${JSON.stringify({ ...document, annotations: { 'org.opencontainers.image.ref.name': 'bad' } })},`,
        ),
      );
    },
    kind: 'document',
    about: /^sha256:/,
    hurts: ['bad'],
    repaired: false,
  },
  'a blob that nobody needs is wrong': {
    does: ({ store }) => writeFileSync(join(blobsOf(store.directory), 'a'.repeat(64)), 'wrong'),
    kind: 'digest',
    about: /^sha256:a{64}$/,
    hurts: [],
    repaired: true,
  },
  'a file among the blobs is none': {
    does: ({ store }) => writeFileSync(join(blobsOf(store.directory), 'README'), 'hello'),
    kind: 'name',
    about: /^blobs\/sha256\/README$/,
    hurts: [],
    repaired: false,
  },
  'every blob is gone': {
    does: ({ store }) => rmSync(blobsOf(store.directory), { recursive: true }),
    kind: 'missing',
    about: 'manifest',
    hurts: ['one'],
    repaired: false,
  },
};

for (const [what, { does, kind, about, hurts, repaired }] of Object.entries(plants)) {
  test(`damage: ${what}`, async (t) => {
    const store = await newStore(join(temporary(t), 'store'));
    const mirror = memoryStore();
    const one = await putImage(store, ['base', 'one']);
    const two = await putImage(store, ['base', 'two']);
    await store.tag('one', one);
    await store.tag('two', two);
    await updateCollection(store, 'packages', new Map([['key', await putImage(store, ['base'])]]));
    for (const { descriptor } of await store.list()) await copy(store, mirror, descriptor);
    const [, config, layer] = await digests(store, one);
    if (!config || !layer) return t.fail();
    t.deepEqual(await check(store.directory), []);

    const subjects = { manifest: one.digest, config, layer };
    const at = (digest: string) => store.blobPath(digest as typeof config);
    await does({ store, manifest: at(one.digest), config: at(config), layer: at(layer) });
    const damages = await check(store.directory);
    const subject = typeof about === 'string' ? subjects[about] : about;
    const found = damages.find((damage) =>
      typeof subject === 'string' ? damage.subject === subject : subject.test(damage.subject),
    );
    t.is(found?.kind, kind, JSON.stringify(damages));
    t.deepEqual(found?.hurts, hurts);
    t.true((found?.message ?? '').length > 10);
    if (!/^(the index|an entry|oci-layout|every|a file)|below it/.test(what)) t.is(damages.length, 1);

    if (what !== 'every blob is gone') {
      const result = await repair(store, fromStore(mirror));
      t.is(result.left.length === 0, repaired, JSON.stringify(result.left));
    }
    if (repaired) {
      t.deepEqual(await check(store.directory), []);
      t.deepEqual((await digests(store, one)).length, 4);
    }
  });
}

test('damage: what no source has is left, and a source that lies repairs nothing', async (t) => {
  const store = await newStore(join(temporary(t), 'store'));
  const image = await putImage(store, ['a']);
  await store.tag('a', image);
  rmSync(store.blobPath(image.digest));
  t.is((await repair(store, async () => undefined)).left.length, 1);
  t.is((await repair(store, async () => Buffer.from('a lie'))).left.length, 1);
  t.deepEqual(unfinished(store.directory), []);
});

test('a check without content sees sizes, and reads documents alone', async (t) => {
  const store = await newStore(join(temporary(t), 'store'));
  const image = await putImage(store, ['a']);
  await store.tag('a', image);
  const [, , layer] = await digests(store, image);
  if (!layer) return t.fail();
  edit(store.blobPath(layer), (bytes) => bytes.with(30, 1 ^ (bytes[30] ?? 0)) as Buffer);
  t.deepEqual(await check(store.directory, { content: false }), []);
  t.is((await check(store.directory)).length, 1);
  edit(store.blobPath(layer), (bytes) => bytes.subarray(1));
  t.like(await check(store.directory, { content: false }), [{ kind: 'size', subject: layer, hurts: ['a'] }]);
  await fails(t, 'NOT_FOUND', () => check(join(store.directory, 'none')));
});

test('skopeo and umoci read the store, write into it, and collect nothing of ours', async (t) => {
  const directory = temporary(t);
  const store = await newStore(join(directory, 'store'));
  const image = await putImage(store, ['base', 'one']);
  await store.tag('ours:1', image);
  await updateCollection(store, 'packages', new Map([['mksh 59c', await putImage(store, ['package'])]]));
  const layout = store.directory;
  const before = new Set(readdirSync(blobsOf(layout)));

  const raw = output('skopeo', ['inspect', '--raw', `oci:${layout}:ours:1`]);
  t.is(digestOf(raw), image.digest);
  output('skopeo', ['copy', '-q', `oci:${layout}:ours:1`, `oci:${join(directory, 'copy')}:x`]);
  const theirs = await openStore(join(directory, 'copy'));
  t.is((await theirs.resolve('x'))?.digest, image.digest);

  t.deepEqual(output('umoci', ['list', '--layout', layout]).split('\n').filter(Boolean).toSorted(), [
    'ours:1',
    'packages',
  ]);
  output('umoci', ['tag', '--image', `${layout}:ours:1`, 'umoci']);
  output('umoci', ['new', '--image', `${layout}:empty`]);
  const other = await newStore(join(directory, 'other'));
  await other.tag('x', await putImage(other, ['from another store']));
  output('skopeo', ['copy', '-q', `oci:${other.directory}:x`, `oci:${layout}:skopeo`]);
  await store.tag('ours:2', await putImage(store, ['two']));
  const names = ['empty', 'ours:1', 'ours:2', 'packages', 'skopeo', 'umoci'];
  t.deepEqual((await store.list()).map(({ name }) => name).toSorted(), names);
  t.deepEqual(await check(layout), []);

  output('umoci', ['gc', '--layout', layout]);
  for (const name of before) t.true(existsSync(join(blobsOf(layout), name)), name);
  t.deepEqual((await store.list()).map(({ name }) => name).toSorted(), names);
  ageAll(store);
  await collect(store, { now: Date.now() });
  t.deepEqual(await check(layout), []);
  output('skopeo', ['inspect', '--raw', `oci:${layout}:skopeo`]);
  output('umoci', ['stat', '--image', `${layout}:umoci`]);
});
