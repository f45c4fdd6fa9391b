import test, { type ExecutionContext } from 'ava';
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Fault } from '../../builder/fault.ts';
import { makeIndex, offerIndex, writeIndex } from '../../src/package/indexing.ts';
import { mayIndex, worthIndexing } from '../../src/package/worth-indexing.ts';
import { scanLinks } from '../../src/package/links.ts';
import { publish, withStaging } from '../../src/package/publish.ts';
import { readRecord, recordBytes } from '../../src/package/record-file.ts';
import type { PackageRecord } from '../../src/package/record.ts';
import { openRepository, type Repository } from '../../src/package/repository.ts';
import { isRoot, root, run, start, temporary } from '../support/tools.ts';

const lock = join(root, 'native/build/lock');

type Files = Readonly<Record<string, string>>;

const controlOf = (name: string, version: string, more = '') =>
  `Package: ${name}\nVersion: ${version}\n${more}`;

function writeTree(tree: string, files: Files): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
  }
  return tree;
}

/** A package put there by hand: a tree, and nothing beside it. */
const put = (directory: string, name: string, version: string, more = '', files: Files = {}) =>
  writeTree(join(directory, name, version.replaceAll(':', '_')), {
    control: controlOf(name, version, more),
    ...files,
  });

type Plan = {
  readonly name: string;
  readonly version: string;
  readonly more?: string;
  readonly files?: Files;
};

/** The one time of everything in a finished tree. */
const finished = 315_532_800;

/** What a build does with what it made. */
const publishAll = (directory: string, plans: readonly Plan[]) =>
  withStaging(directory, (staging) =>
    publish(
      directory,
      plans.map(({ name, version, more = '', files = {} }, at) => {
        const control = controlOf(name, version, more);
        const tree = writeTree(join(staging, `${at}`), { control, ...files });
        for (const path of ['', ...readdirSync(tree, { recursive: true, encoding: 'utf8' })]) {
          utimesSync(join(tree, path), finished, finished);
        }
        const links = scanLinks(tree, control);
        return { name, version, tree, record: { format: 1, control, origin: 'host', builtFrom: [], links } };
      }),
      lock,
    ),
  );

/** Whoever is first after a change by hand sees it; its tick must not be the one of what is tested. */
const names = (repository: Repository) =>
  repository
    .names()
    .flatMap((name) => repository.versions(name).map((version) => `${name} ${version}`))
    .sort();

const fault = (t: ExecutionContext, fn: () => unknown): Fault => {
  const error = t.throws(fn, { instanceOf: Fault });
  if (!error) throw new Error('nothing was thrown');
  return error;
};

const digest = (digit: number) => `sha256:${String(digit).repeat(64)}` as const;

test('a record is canonical JSON, whatever the order of its fields', (t) => {
  const record: PackageRecord = {
    format: 1,
    control: 'Package: a\n',
    links: [{ path: 'bin/a', type: 'file' }],
    origin: 'host',
    builtFrom: [{ version: '1', name: 'musl' }],
    source: { version: '1', name: 'a' },
    buildKey: 'k',
    layer: {
      size: 3,
      diffID: digest(1),
      blobs: { 'zstd-1': { size: 1, digest: digest(3) }, 'gzip-1': { size: 2, digest: digest(2) } },
    },
  };
  const blobs = `{"gzip-1":{"digest":"${digest(2)}","size":2},"zstd-1":{"digest":"${digest(3)}","size":1}}`;
  t.is(
    recordBytes(record).toString(),
    '{"buildKey":"k","builtFrom":[{"name":"musl","version":"1"}],"control":"Package: a\\n","format":1,' +
      `"layer":{"blobs":${blobs},"diffID":"${digest(1)}","size":3},` +
      '"links":[{"path":"bin/a","type":"file"}],"origin":"host","source":{"name":"a","version":"1"}}',
  );
  const file = join(temporary(t), '1.json');
  writeFileSync(file, recordBytes(record));
  t.deepEqual(readRecord(file), record);
  t.is(readRecord(`${file}.none`), undefined);
});

test('a damaged record is an error that names the file and the field', (t) => {
  const file = join(temporary(t), '1.json');
  const good = '{"builtFrom":[],"control":"","format":1,"links":[]}';
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['{', /no JSON/],
    ['[]', /expected an object/],
    [good.replace('1', '2'), /format "2" is not known/],
    [good.replace('""', '7'), /control: expected a string/],
    [good.replace('{', '{"origin":"moon",'), /origin: unknown: "moon"/],
    [good.replace('"builtFrom":[]', '"builtFrom":[{"name":"../x","version":"1"}]'), /builtFrom/],
    [good.replace('"links":[]', '"links":[{"path":"bin/x","type":"socket"}]'), /links/],
    [
      good.replace('{', '{"layer":{"diffID":"sha256:1","size":1,"blobs":{}},'),
      /layer: expected digests and sizes/,
    ],
    [good.replace('[]', '[{"name":"a","version":"1","diffID":"sha256:1"}]'), /builtFrom/],
  ];
  for (const [text, expected] of wrong) {
    writeFileSync(file, text);
    const { code, message, hint } = fault(t, () => readRecord(file));
    t.is(code, 'INPUT');
    t.true(message.startsWith(file), message);
    t.regex(message, expected);
    t.truthy(hint);
  }
});

test('links: all below bin sbin lib include, what Link names, sorted by bytes, nothing hidden', (t) => {
  const tree = join(temporary(t), 'tree');
  const control = controlOf('a', '1', 'Link: share/terminfo etc/.profile\n');
  writeTree(tree, {
    control,
    'bin/sh': '',
    'bin/.hidden': '',
    'lib/a/b': '',
    'lib/a-b': '',
    'lib/\u{1f600}': '',
    'lib/\uffee': '',
    'sbin/init': '',
    'share/terminfo/x/xterm': '',
    'share/man/a.1': '',
    'etc/.profile': '',
    'include/.git/x': '',
  });
  symlinkSync('sh', join(tree, 'bin/ash'));
  symlinkSync('bin', join(tree, 'lib64'));
  t.deepEqual(
    scanLinks(tree, control).map(({ path, type }) => `${type} ${path}`),
    [
      'symlink bin/ash',
      'file bin/sh',
      'file etc/.profile',
      'directory lib/a',
      'file lib/a-b',
      'file lib/a/b',
      'file lib/\uffee',
      'file lib/\u{1f600}',
      'file sbin/init',
      'directory share/terminfo',
      'directory share/terminfo/x',
      'file share/terminfo/x/xterm',
    ],
  );
  t.regex(
    fault(t, () => scanLinks(tree, controlOf('a', '1', 'Link: etc/none\n'))).message,
    /Link names "etc\/none"/,
  );
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/bin/`), Buffer.of(0x61, 0xff)]), '');
  t.regex(fault(t, () => scanLinks(tree, control)).message, /the name "bin\/a.*" is no UTF-8/);
});

test('what is published is there, with its record, and nothing else', async (t) => {
  const directory = join(temporary(t), 'new/packages');
  const [published] = await publishAll(directory, [
    { name: 'openssh', version: '1:9.2p1-2', files: { 'bin/ssh': 'ssh' } },
    { name: 'mksh', version: '59c' },
  ]);
  t.is(published?.tree, join(directory, 'openssh/1_9.2p1-2'));
  const repository = openRepository(directory);
  t.deepEqual(names(repository), ['mksh 59c', 'openssh 1:9.2p1-2']);
  t.deepEqual(repository.record('openssh', '1:9.2p1-2'), published?.record);
  t.deepEqual(published?.record.links, [{ path: 'bin/ssh', type: 'file' }]);
  t.is(readFileSync(join(repository.tree('openssh', '1:9.2p1-2'), 'bin/ssh'), 'utf8'), 'ssh');
  t.deepEqual(readdirSync(directory).sort(), ['.records', 'mksh', 'openssh']);
  t.deepEqual(readdirSync(join(directory, '.records/openssh')).sort(), ['1_9.2p1-2.json', '1_9.2p1-2.local']);
  t.deepEqual(
    readdirSync(join(directory, '.records')).filter((name) => !['mksh', 'openssh', '.lock'].includes(name)),
    ['.staging', '.tmp'].filter((name) => existsSync(join(directory, '.records', name))),
  );
});

test('a version that is there is replaced', async (t) => {
  const directory = temporary(t);
  await publishAll(directory, [{ name: 'a', version: '1', files: { 'bin/old': '' } }]);
  await publishAll(directory, [{ name: 'a', version: '1', files: { 'bin/new': '' } }]);
  const { links, origin } = openRepository(directory).record('a', '1');
  t.deepEqual([links, origin], [[{ path: 'bin/new', type: 'file' }], 'host']);
  t.deepEqual(readdirSync(join(directory, 'a/1/bin')), ['new']);
  t.false(existsSync(join(directory, '.records/.incoming')));
});

test('what is not what it says is not published, and nothing of the same call', async (t) => {
  const directory = temporary(t);
  const tree = writeTree(join(directory, '.records/x'), { control: controlOf('a', '1') });
  const record: PackageRecord = { format: 1, control: controlOf('a', '1'), builtFrom: [], links: [] };
  const attempt = async (name: string, wrong: Partial<PackageRecord> = {}) => {
    const packages = [{ name, version: '1', tree, record: { ...record, ...wrong } }];
    return await t.throwsAsync(publish(directory, packages, lock), { instanceOf: Fault });
  };
  t.regex((await attempt('b'))?.message ?? '', /control is of a 1, not of b 1/);
  t.regex((await attempt('a', { control: '' }))?.message ?? '', /is not the control in its record/);
  t.regex((await attempt('../a'))?.message ?? '', /is no package name/);
  writeFileSync(join(directory, 'b'), 'in the way');
  const control = controlOf('b', '1');
  const other = writeTree(join(directory, '.records/y'), { control });
  const packages = [
    { name: 'a', version: '1', tree, record },
    { name: 'b', version: '1', tree: other, record: { ...record, control } },
  ];
  const error = await t.throwsAsync(publish(directory, packages, lock), { instanceOf: Fault });
  t.regex(error?.message ?? '', /cannot publish in the repository/);
  t.deepEqual(names(openRepository(directory)), []);
});

test('names that come or go, or another control: the record no longer counts, and what is there does', async (t) => {
  const directory = temporary(t);
  const bring = () => publishAll(directory, [{ name: 'a', version: '1', files: { 'lib/x/y': '' } }]);
  const tree = join(directory, 'a/1');
  const changes: readonly (() => void)[] = [
    () => writeFileSync(join(tree, 'lib/x/z'), ''),
    () => rmSync(join(tree, 'lib/x/y')),
    () => mkdirSync(join(tree, 'bin')),
    () => {
      writeFileSync(join(tree, 'lib/new'), '');
      utimesSync(join(tree, 'lib'), finished, finished);
    },
    () => appendFileSync(join(tree, 'control'), 'Description: edited\n'),
    () => rmSync(join(directory, '.records/a/1.local')),
    () => rmSync(join(directory, '.records/a/1.json')),
    () => {
      renameSync(tree, `${tree}.old`);
      run('cp', ['-a', `${tree}.old`, tree]);
      rmSync(`${tree}.old`, { recursive: true });
    },
  ];
  for (const change of changes) {
    await bring();
    t.is(openRepository(directory).record('a', '1').origin, 'host');
    change();
    const record = openRepository(directory).record('a', '1');
    const control = readFileSync(join(tree, 'control'), 'utf8');
    t.deepEqual(
      record,
      { format: 1, control, origin: 'unknown', builtFrom: [], links: scanLinks(tree, control) },
      String(change),
    );
  }
});

test('a package put there by hand is taken as it is', (t) => {
  const directory = temporary(t);
  put(directory, 'a', '1', 'Depends-Run: b\nProvides: v = 2\n', { 'bin/a': '' });
  const repository = openRepository(directory);
  t.like(repository.candidate('a', '1'), { name: 'a', version: '1', depends: [{ text: 'b' }] });
  t.deepEqual(repository.providers('v'), [{ name: 'a', version: '1', as: '2' }]);
  t.like(repository.record('a', '1'), { origin: 'unknown', links: [{ path: 'bin/a', type: 'file' }] });
});

test('what is damaged is an error to who names it, and to nobody else', (t) => {
  const directory = temporary(t);
  put(directory, 'good', '1');
  mkdirSync(join(directory, 'empty/1'), { recursive: true });
  put(directory, 'wrong', '1', 'Depends-Run: => 2\n');
  writeTree(join(directory, 'other/2'), { control: controlOf('other', '1', 'Provides: v\n') });
  mkdirSync(join(directory, 'linked/1'), { recursive: true });
  symlinkSync('/etc/passwd', join(directory, 'linked/1/control'));
  mkdirSync(join(directory, 'fifo/1'), { recursive: true });
  run('mkfifo', [join(directory, 'fifo/1/control')]);
  mkdirSync(join(directory, 'none'));
  symlinkSync('1', join(directory, 'good/2'));
  mkdirSync(join(directory, 'good/.part'));
  mkdirSync(join(directory, 'good/not a version'));
  writeFileSync(join(directory, 'good/3'), '');
  writeFileSync(join(directory, 'README'), '');
  const repository = openRepository(directory);
  t.deepEqual(repository.versions('good'), ['1']);
  t.deepEqual(
    [repository.versions('none'), repository.versions('README'), repository.versions('..')],
    [[], [], []],
  );
  t.is(repository.candidate('good', '1').name, 'good');
  t.deepEqual(repository.providers('v'), [], 'it lies in the wrong place');
  const empty = fault(t, () => repository.candidate('empty', '1'));
  t.is(empty.code, 'NOT_FOUND');
  t.regex(empty.message, /^empty 1 is incomplete: there is no .*\/empty\/1\/control$/);
  t.regex(fault(t, () => repository.record('empty', '1')).message, /^empty 1 is incomplete/);
  t.regex(fault(t, () => repository.candidate('wrong', '1')).message, /wrong\/1\/control/);
  t.regex(
    fault(t, () => repository.candidate('other', '2')).message,
    /says other 1, but lies where other 2 belongs/,
  );
  t.regex(fault(t, () => repository.candidate('linked', '1')).message, /linked\/1\/control/);
  t.regex(fault(t, () => repository.candidate('fifo', '1')).message, /no control file/);
});

test('a repository that is none', (t) => {
  const directory = temporary(t);
  writeFileSync(join(directory, 'file'), '');
  const missing = fault(t, () => openRepository(join(directory, 'none')));
  t.is(missing.code, 'NOT_FOUND');
  t.regex(missing.hint ?? '', /NAME\/VERSION\/control/);
  t.is(fault(t, () => openRepository(join(directory, 'file'))).code, 'INPUT');
});

/** A repository that is big enough for an index; every fifth package provides something. */
function makeBig(directory: string): void {
  for (let at = 0; at < worthIndexing + 10; at += 1) {
    put(directory, `p${at}`, '1', at % 5 === 0 ? `Provides: v${at % 7}, w = ${at}\n` : '');
  }
}

const sorted = (repository: Repository, virtual: string) =>
  repository
    .providers(virtual)
    .map(({ name, version, as = '' }) => `${name} ${version} ${as}`)
    .sort();

test('an index knows who provides what, and what has changed since', async (t) => {
  const directory = temporary(t);
  makeBig(directory);
  const virtuals = ['v0', 'v1', 'v6', 'v7', 'w', 'p1'];
  const everything = () => virtuals.map((virtual) => sorted(openRepository(directory), virtual));
  const walked = everything();
  t.is(walked[4]?.length, 402);
  t.false(openRepository(directory).indexed());

  await offerIndex(directory, lock);
  t.true(openRepository(directory).indexed());
  t.deepEqual(everything(), walked);

  put(directory, 'brand-new', '1', 'Provides: v7\n');
  t.false(openRepository(directory).indexed());
  t.deepEqual(sorted(openRepository(directory), 'v7'), ['brand-new 1 ']);

  put(directory, 'p5', '2', 'Provides: v5 = 2\n');
  t.true(sorted(openRepository(directory), 'v5').includes('p5 2 2'), 'a new version of one that provides it');

  rmSync(join(directory, 'p10'), { recursive: true });
  t.false(sorted(openRepository(directory), 'w').some((line) => line.startsWith('p10 ')));
  t.deepEqual(openRepository(directory).versions('p10'), []);

  await offerIndex(directory, lock);
  t.true(openRepository(directory).indexed());
  put(directory, 'p1', '2', 'Provides: out-of-nowhere\n');
  const repository = openRepository(directory);
  t.true(repository.indexed());
  t.deepEqual(repository.providers('out-of-nowhere'), [], 'nothing leads to it');
  t.true(repository.recheck());
  t.deepEqual(sorted(repository, 'out-of-nowhere'), ['p1 2 ']);
  t.false(repository.recheck());

  await publishAll(directory, [{ name: 'published', version: '1', more: 'Provides: v7\n' }]);
  t.true(openRepository(directory).indexed(), 'who publishes leaves an index that fits');
  t.deepEqual(sorted(openRepository(directory), 'v7'), ['brand-new 1 ', 'published 1 ']);
  t.deepEqual(sorted(openRepository(directory), 'out-of-nowhere'), ['p1 2 ']);

  const index = join(directory, '.records/.index');
  truncateSync(index, 100);
  t.false(openRepository(directory).indexed());
  t.is(sorted(openRepository(directory), 'w').length, 402 - 1);
});

test('a change that comes right after the index was made is seen', async (t) => {
  const directory = temporary(t);
  for (let at = 0; at < 20; at += 1) {
    await writeIndex(directory);
    put(directory, `n${at}`, '1', `Provides: v${at}\n`);
    t.deepEqual(sorted(openRepository(directory), `v${at}`), [`n${at} 1 `]);
    await writeIndex(directory);
    put(directory, `n${at}`, '2', `Provides: v${at}\n`);
    t.is(sorted(openRepository(directory), `v${at}`).length, 2);
  }
});

test('a time that a change may still come at is not relied on', (t) => {
  const directory = temporary(t);
  put(directory, 'a', '1', 'Provides: v\n');
  const times = (now: bigint) => {
    const { time, names } = makeIndex(directory, now);
    return [time, ...names.map((each) => each.time)];
  };
  const [time = 0n, ofName = 0n] = times(1n << 62n);
  t.true(time > 0n && ofName > 0n);
  t.deepEqual(times(0n), [0n, 0n]);
  t.deepEqual(times(time < ofName ? time : ofName), [0n, 0n]);
});

test('reading leaves no index in a repository of another user, or one that is being written to', async (t) => {
  const directory = temporary(t);
  put(directory, 'a', '1');
  t.true(mayIndex(directory));
  if (isRoot) chownSync(directory, 12_345, 12_345);
  t.false(mayIndex(isRoot ? directory : '/usr'));
  mkdirSync(join(directory, '.records'), { recursive: true });
  const holder = start(t, lock, [join(directory, '.records/.lock')]);
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  await offerIndex(directory, lock);
  t.deepEqual(readdirSync(join(directory, '.records')), ['.lock']);
});

/** A program that publishes a new `app 1` and a `lib 1` in a repository, for what happens to it meanwhile. */
const publisher = `
import { mkdirSync, writeFileSync } from 'node:fs';
import { publish, withStaging } from ${JSON.stringify(join(root, 'src/package/publish.ts'))};
const [, , directory, lock, ...names] = process.argv;
await withStaging(directory, async (staging) => {
  const packages = names.map((name) => {
    const control = \`Package: \${name}\\nVersion: 1\\n\`;
    const tree = \`\${staging}/\${name}\`;
    mkdirSync(\`\${tree}/bin\`, { recursive: true });
    writeFileSync(\`\${tree}/control\`, control);
    writeFileSync(\`\${tree}/bin/new\`, '');
    const links = [{ path: 'bin/new', type: 'file' }];
    return { name, version: '1', tree, record: { format: 1, control, origin: 'host', builtFrom: [], links } };
  });
  await publish(directory, packages, lock);
});
`;

/** What is seen of a package: none, or its one link, if everything about it fits together. */
function look(t: ExecutionContext, directory: string, name: string, origins: readonly string[]): string {
  const repository = openRepository(directory);
  if (!repository.versions(name).includes('1')) return 'none';
  t.is(repository.candidate(name, '1').name, name);
  const { links, origin = '' } = repository.record(name, '1');
  t.true(origins.includes(origin), `${name} is of origin ${origin}`);
  t.deepEqual(
    links.map(({ path }) => path),
    readdirSync(join(directory, name, '1/bin')).map((file) => `bin/${file}`),
  );
  return links.map(({ path }) => path).join();
}

test('killed at any point, publishing shows nothing half done, and the next writer ends it', async (t) => {
  t.timeout(300_000);
  const place = temporary(t);
  const script = join(place, 'publisher.mts');
  writeFileSync(script, publisher);
  const seen = new Set<string>();
  for (const call of ['mkdir', 'rename', 'fsync', 'unlink', 'rmdir', 'unlinkat']) {
    for (let at = 1; ; at += 1) {
      const directory = join(place, `${call}-${at}`);
      await publishAll(directory, [{ name: 'app', version: '1', files: { 'bin/old': '' } }]);
      const inject = [
        '-f',
        '-o',
        '/dev/null',
        '-e',
        `trace=${call}`,
        '-e',
        `inject=${call}:signal=KILL:when=${at}`,
      ];
      const command = [process.execPath, script, directory, lock, 'app', 'lib'];
      const { signal, error } = spawnSync('strace', [...inject, ...command], { stdio: 'ignore' });
      if (error) throw error;
      const between = look(t, directory, 'app', ['host', 'unknown']);
      look(t, directory, 'lib', ['host', 'unknown']);
      await publishAll(directory, [{ name: 'next', version: '1', files: { 'bin/x': '' } }]);
      const after = `${look(t, directory, 'app', ['host'])} ${look(t, directory, 'lib', ['host'])}`;
      t.true(['bin/old none', 'bin/new bin/new'].includes(after), `${call} ${at}: ${after}`);
      seen.add(`${between}, then ${after}`);
      t.deepEqual(
        readdirSync(join(directory, '.records'))
          .filter((name) => name.startsWith('.'))
          .sort(),
        ['.lock', '.tmp'],
        `${call} ${at}`,
      );
      t.deepEqual(readdirSync(join(directory, '.records/.tmp')), []);
      rmSync(directory, { recursive: true });
      if (signal !== 'SIGKILL') break;
      t.true(at < 60, `${call} was never over`);
    }
  }
  t.true(seen.has('bin/old, then bin/old none'));
  t.true(seen.has('bin/old, then bin/new bin/new'), [...seen].join('; '));
  t.true(seen.has('none, then bin/new bin/new'), [...seen].join('; '));
});

test('many publish at once', async (t) => {
  const directory = temporary(t);
  const script = join(directory, 'publisher.mts');
  writeFileSync(script, publisher);
  const repository = join(directory, 'packages');
  const publishers = Array.from({ length: 6 }, (_, at) =>
    start(t, process.execPath, [script, repository, lock, `p${at}`, 'shared']),
  );
  const ends = await Promise.all(
    publishers.map((child) => new Promise((resolve) => child.once('close', resolve))),
  );
  t.deepEqual(ends, [0, 0, 0, 0, 0, 0]);
  t.is(names(openRepository(repository)).length, 7);
  for (const name of ['p0', 'p5', 'shared']) t.is(look(t, repository, name, ['host']), 'bin/new');
});
