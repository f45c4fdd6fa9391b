import test, { type ExecutionContext } from 'ava';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { digestOf } from '../../builder/digest.ts';
import { check } from '../../builder/store/check.ts';
import { collect } from '../../builder/store/collect.ts';
import { allEntries } from '../../builder/store/collection.ts';
import { ended } from '../support/ended.ts';
import { newStore, putImage } from '../support/images.ts';
import { rootTest } from '../support/root-test.ts';
import { isRoot, output, root, run, temporary } from '../support/tools.ts';

const worker = join(root, 'test/support/store-worker.ts');
const rounds = 60;

type Worked = { readonly lines: string[]; readonly stderr: string; readonly status: number | null };

/** Runs a worker, and kills it after `ms`, if it is given and the worker is still there. */
async function work(args: readonly string[], ms?: number): Promise<Worked> {
  const child = spawn(process.execPath, [worker, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = ended(child);
  if (ms !== undefined) {
    await Promise.race([setTimeout(ms), closed]);
    child.kill('SIGKILL');
  }
  const { status, stdout, stderr } = await closed;
  return { lines: stdout.split('\n').slice(0, -1), stderr, status };
}

/** Everything that the store has under a name, or in the collection under a key. */
async function contents(directory: string): Promise<ReadonlyMap<string, string>> {
  const store = await newStore(directory);
  try {
    const found = new Map(
      (await store.list()).map(({ name, descriptor }) => [name, descriptor.digest as string]),
    );
    const collection = await store.resolve('packages');
    if (collection)
      for await (const [key, { digest }] of allEntries(store, collection)) found.set(key, digest);
    return found;
  } finally {
    store.close();
  }
}

async function keeps(t: ExecutionContext, directory: string, promised: readonly string[]): Promise<void> {
  const found = await contents(directory);
  for (const line of promised) {
    const at = line.lastIndexOf(' ');
    t.is(found.get(line.slice(0, at)), line.slice(at + 1), line);
  }
}

/** Makes everything old, so that a collector takes what no name leads to. */
function age(directory: string): void {
  const then = Date.now() / 1000 - 3 * 86_400;
  const blobs = join(directory, 'blobs/sha256');
  for (const name of readdirSync(blobs)) utimesSync(join(blobs, name), then, then);
  for (const name of readdirSync(directory)) {
    if (name.startsWith('.new-')) utimesSync(join(directory, name), then, then);
  }
}

test.serial(
  `killed in ${rounds} rounds at random moments, a store keeps every promise and goes on`,
  async (t) => {
    const directory = join(temporary(t), 'store');
    const out = join(temporary(t), 'out');
    const first = await newStore(directory);
    const exported = await putImage(first, ['exported', 'x'.repeat(100_000)]);
    await first.tag('exported', exported);
    first.close();
    t.is((await work([directory, 'export', 'exported', out, '1'])).status, 0);
    const expected = digestOf(readFileSync(`${out}.tar`));
    rmSync(`${out}.tar`);
    rmSync(`${out}.layout`, { recursive: true });
    const promised = [`exported ${exported.digest}`];
    let killed = 0;
    for (let round = 0; round < rounds; round++) {
      const seed = `${round}`;
      if (existsSync(join(directory, 'index.json'))) age(directory);
      // The collector and an export run beside the writer, and are killed too.
      const [writer, collector, exporter] = await Promise.all([
        work([directory, 'write', seed, '100'], 60 + Math.random() * 500),
        round % 3 === 0 && existsSync(join(directory, 'index.json'))
          ? work([directory, 'collect', '100'], 60 + Math.random() * 500)
          : undefined,
        round % 3 === 1
          ? work([directory, 'export', 'exported', out, '100'], 60 + Math.random() * 500)
          : undefined,
      ]);
      for (const ended of [writer, collector, exporter]) {
        if (ended?.status === null) killed++;
        else if (ended) t.is(ended.status, 0, ended.stderr);
      }
      promised.push(...writer.lines);
      if (!existsSync(join(directory, 'index.json'))) continue;
      await keeps(t, directory, writer.lines);
      if (existsSync(`${out}.tar`)) t.is(digestOf(readFileSync(`${out}.tar`)), expected);
      if (round % 15 === 14) t.deepEqual(await check(directory), []);
    }
    t.true(killed > rounds / 2, `${killed} were killed`);
    t.true(promised.length > 0);
    await keeps(t, directory, promised);
    t.deepEqual(await check(directory), []);

    age(directory);
    const store = await newStore(directory);
    await collect(store, { now: Date.now() });
    t.deepEqual(readdirSync(directory).toSorted(), ['blobs', 'index.json', 'oci-layout']);
    await keeps(t, directory, promised);
    t.deepEqual(await check(directory), []);
    t.is((await work([directory, 'export', 'exported', out, '1'])).status, 0);
    t.is(digestOf(readFileSync(`${out}.tar`)), expected);
    t.deepEqual(await check(`${out}.layout`), []);
    await keeps(t, `${out}.layout`, [`latest ${exported.digest}`]);
    t.log(`${promised.length} promises, ${killed} processes killed`);
  },
);

test.serial('killed before each rename and each fsync of a build, a store keeps every promise', async (t) => {
  const directory = join(temporary(t), 'store');
  const promised: string[] = [];
  let killed = 0;
  for (const call of ['rename', 'fsync']) {
    for (let when = 1; when < 40; when++) {
      const seed = `${call}-${when}`;
      const { stdout, status, signal } = run(
        'strace',
        [
          '-f',
          '-o',
          '/dev/null',
          '-e',
          `trace=${call}`,
          '-e',
          `inject=${call}:signal=KILL:when=${when}`,
        ].concat([process.execPath, worker, directory, 'write', seed, '1']),
        { env: { UV_THREADPOOL_SIZE: '1' } },
      );
      promised.push(...stdout.split('\n').slice(0, -1));
      if (existsSync(join(directory, 'index.json'))) await keeps(t, directory, promised);
      if (status === 0) break;
      t.is(signal, 'SIGKILL');
      killed++;
    }
  }
  t.true(killed > 20, `${killed} were killed`);
  t.true(promised.length >= 4, 'it went to its end at last');
  t.deepEqual(await check(directory), []);
});

test('bytes are on disk before their name is, and blobs before the index that leads to them', (t) => {
  const directory = join(temporary(t), 'store');
  const log = join(temporary(t), 'log');
  output(
    'strace',
    ['-f', '-y', '-o', log, '-e', 'trace=rename,fsync', process.execPath, worker, directory].concat([
      'write',
      'order',
      '2',
    ]),
    { env: { UV_THREADPOOL_SIZE: '1' } },
  );
  const synced = new Set<string>();
  const unsynced = new Set<string>();
  let indexes = 0;
  for (const line of readFileSync(log, 'utf8').split('\n')) {
    const fsync = /fsync\(\d+<([^>]+)>\)/.exec(line)?.[1];
    if (fsync) {
      synced.add(fsync.split('/').at(-1) ?? '');
      if (fsync.endsWith('blobs/sha256')) unsynced.clear();
    }
    const [, from = '', to = ''] = /rename\("([^"]+)", "([^"]+)"\)/.exec(line) ?? [];
    if (to === '') continue;
    t.true(synced.has(from.split('/').at(-1) ?? ''), line);
    if (to.includes('/blobs/sha256/')) unsynced.add(to);
    if (to.endsWith('/index.json')) {
      indexes++;
      t.deepEqual([...unsynced], [], `${line}: blobs whose names are not on disk yet`);
    }
  }
  t.is(indexes, 5, 'the empty one, and four that name something');
});

test('16 processes at once lose nothing, whether they make different images or the same', async (t) => {
  const directory = join(temporary(t), 'store');
  const different = await Promise.all(
    Array.from({ length: 16 }, (_, at) => work([directory, 'write', `w${at}`, '3'])),
  );
  for (const { status, stderr } of different) t.is(status, 0, stderr);
  const promised = different.flatMap(({ lines }) => lines);
  t.is(promised.length, 16 * 3 * 2);
  const same = await Promise.all(Array.from({ length: 16 }, () => work([directory, 'same'])));
  for (const { status, stderr } of same) t.is(status, 0, stderr);
  t.is(new Set(same.flatMap(({ lines }) => lines)).size, 1);
  await keeps(t, directory, [...promised, ...same.flatMap(({ lines }) => lines)]);
  t.deepEqual(await check(directory), []);
  t.deepEqual(readdirSync(directory).toSorted(), ['blobs', 'index.json', 'oci-layout']);
});

/** In a mount namespace of its own, whose end is the end of the small file system; a user needs one for that. */
const namespace = ['unshare', '--mount', ...(isRoot ? [] : ['--map-root-user'])];

for (const [add, kind, mount] of [
  [test, 'tmpfs', 'mount -t tmpfs -o size=1m none "$1"'],
  [rootTest, 'ext4', 'truncate -s 4m "$1.img" && mkfs.ext4 -q "$1.img" && mount -o loop "$1.img" "$1"'],
] as const) {
  add(
    `a full file system (${kind}): the store says so, keeps every promise, and goes on when there is room`,
    async (t: ExecutionContext) => {
      const place = join(temporary(t), 'small');
      mkdirSync(place);
      // ext4 gives back what a failure frees some time later, so what is left is filled before the next try.
      const script = `${mount} && shift && head -c 100000 /dev/zero >"$0/filler" && set +e
      "$@" "$0/store" write full 1000; echo "status $?"
      sync; cat /dev/zero >"$0/rest" 2>/dev/null
      "$@" "$0/store" export image-full-0 "$0/out" 1; echo "status $?"
      ls -A "$0" "$0/store" | sed 's/^/file /'; rm "$0/filler" "$0/rest"
      "$@" "$0/store" write after 1; echo "status $?"
      cp -r "$0/store" "$0-copy"`;
      const [program = '', ...args] = namespace;
      const { stdout, stderr } = run(program, [
        ...args,
        'sh',
        '-ec',
        script,
        place,
        place,
        process.execPath,
        worker,
      ]);
      const lines = stdout.split('\n').slice(0, -1);
      t.deepEqual(
        lines.filter((line) => line.startsWith('status')),
        ['status 3', 'status 3', 'status 0'],
        stderr,
      );
      const faults = stderr.split('\n').filter((line) => line.startsWith('{'));
      t.is(faults.length, 2, stderr);
      for (const line of faults) {
        const fault = JSON.parse(line) as { code: string; message: string };
        t.is(fault.code, 'IO');
        t.regex(fault.message, /no space left on device \(ENOSPC\)/);
      }
      const files = lines.filter((line) => line.startsWith('file '));
      t.true(files.includes('file filler') && files.includes('file index.json'));
      t.deepEqual(
        files.filter((line) => line.includes('.new-')),
        [],
      );
      const promised = lines.filter((line) => !/^(status|file)/.test(line));
      t.true(promised.length > 4);
      await keeps(t, `${place}-copy`, promised);
      t.deepEqual(await check(`${place}-copy`), []);
      t.deepEqual(readdirSync(`${place}-copy`).toSorted(), ['blobs', 'index.json', 'oci-layout']);
    },
  );
}
