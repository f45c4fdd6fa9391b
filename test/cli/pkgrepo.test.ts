import ava, { type ExecutionContext } from 'ava';
import * as fc from 'fast-check';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { zstdCompressSync } from 'node:zlib';
import { describe, type Document, mediaTypes } from '../../builder/descriptor.ts';
import { digestOf, type Digest } from '../../builder/digest.ts';
import { encodeManifest } from '../../builder/manifest.ts';
import { Registry } from '../../builder/registry/registry.ts';
import { openRepository, type Repository } from '../../builder/registry/repository.ts';
import { putDocument } from '../../builder/store/blob.ts';
import { directory as directoryEntry, file, symlink } from '../../builder/tar/arrange.ts';
import { tail } from '../../builder/tar/encoding.ts';
import type { Entry as TarEntry } from '../../builder/tar/entry.ts';
import { writeTar } from '../../builder/tar/write.ts';
import { encodeArtifact } from '../../src/layer/package-artifact.ts';
import { packagePath } from '../../src/package/name.ts';
import type { PackageRecord } from '../../src/package/record.ts';
import { holdersOf } from '../../src/remote/holders.ts';
import { buildTag, packageTag, parseTag, type Subject } from '../../src/remote/tag.ts';
import { type Ended, ended } from '../support/ended.ts';
import { registryFor, type RunningRegistry } from '../support/registries.ts';
import { startHostile } from '../support/registry-hostile.ts';
import { user } from '../support/token-server.ts';
import { isRoot, quickstart, root, run, temporary, tool } from '../support/tools.ts';

/** One after the other: each starts real registries. */
const test = ava.serial;

type Env = Readonly<Record<string, string | undefined>>;

/** A user with nothing: no store, no cache, nothing trusted. */
const newcomer = (t: ExecutionContext): Env => ({
  STATIC_DISTRO_HOME: join(temporary(t), 'home'),
  SOURCE_DATE_EPOCH: undefined,
  STATIC_DISTRO_REPOSITORY: undefined,
  STATIC_DISTRO_REFRESH: undefined,
});

const homeOf = (env: Env): string => env['STATIC_DISTRO_HOME'] ?? '';
const cacheOf = (env: Env): string => join(homeOf(env), 'cache');

/** Runs a tool while this process goes on: a registry whose log nobody reads stops. */
async function runs(name: string, args: readonly string[], env: Env): Promise<Ended> {
  const child = spawn(tool(name), args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return await ended(child);
}

/** Standard output of a tool that must succeed. */
async function must(name: string, args: readonly string[], env: Env): Promise<string> {
  const { status, stdout, stderr } = await runs(name, args, env);
  if (status !== 0) throw new Error(`${name} ${args.join(' ')} ended with ${String(status)}: ${stderr}`);
  return stdout;
}

/** The complaint of a tool that must fail with this status: a line of what, and perhaps one of what to do. */
async function fails(
  t: ExecutionContext,
  status: number,
  name: string,
  args: readonly string[],
  env: Env,
): Promise<string> {
  const result = await runs(name, args, env);
  t.is(result.status, status, result.stderr);
  t.is(result.stdout, '');
  t.true(result.stderr.startsWith(name), result.stderr);
  t.notRegex(result.stderr, /this is a bug|\n {4}at /);
  return result.stderr;
}

type Files = Readonly<Record<string, string>>;

/** A package as a build leaves it in a directory: a tree, and nothing beside it. */
function put(repository: string, name: string, version: string, more = '', files: Files = {}): void {
  const tree = join(repository, packagePath(name, version).replace('packages/', ''));
  const control = `Package: ${name}\nVersion: ${version}\n${more}`;
  for (const [path, text] of Object.entries({
    control,
    [`share/${name}`]: `${name} ${version}\n`,
    ...files,
  })) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
  }
}

/** Our own client, to do what no tool of ours does. */
function client(t: ExecutionContext, { host }: Pick<RunningRegistry, 'host'>, name = 'packages'): Repository {
  const known = new Registry(host, { environment: {} });
  t.teardown(() => known.close());
  return openRepository(known, name, { access: 'delete' });
}

const count = (requests: readonly string[], pattern: RegExp): number =>
  requests.filter((request) => pattern.test(request)).length;

// --- Tags

const word = (characters: string, most: number) =>
  fc.string({ unit: fc.constantFrom(...characters), maxLength: most });
const lower = 'abcxyz0189';
const names = fc
  .tuple(fc.constantFrom(...lower), word(`${lower}+.-`, 63))
  .map(([first, rest]) => `${first}${rest}`);
const upstream = fc
  .tuple(fc.constantFrom(...'0189abZ'), word('0189abZ.+~-', 126))
  .map(([first, rest]) => `${first}${rest}`.replace(/-+$/, ''));
const versions = fc
  .tuple(fc.option(fc.nat(9), { nil: undefined }), upstream)
  .map(([epoch, rest]) => (epoch === undefined ? rest : `${epoch}:${rest}`).slice(0, 128).replace(/-+$/, ''));
const architectures = fc.constantFrom('x86_64', 'aarch64', 'all');
const subjects: fc.Arbitrary<Subject> = fc.record({
  name: names,
  version: versions,
  architecture: architectures,
});

/** Names and versions of the seed and of DESIGN section 4. */
const famous: readonly (readonly [string, string])[] = [
  ['gcc', '5.3.0-~~stage1'],
  ['gcc', '12.2.0'],
  ['openssh', '1:9.2p1-2'],
  ['openssh', '7.3p1'],
  ['mksh', 'R54'],
  ['mksh', '59c'],
  ['tcc', '0.9.27+git20200814'],
  ['tzdata', '2026f'],
  ['byacc', '20170329'],
  ['libstdc++', '5.3.0'],
  ['a', '1.0'],
  ['x', 'f'.repeat(64)],
  ['a'.repeat(64), '1'],
  ['a+'.repeat(32), `1${'~'.repeat(127)}`],
];
const diffID: Digest = digestOf('a layer');

function checkTag(t: ExecutionContext, subject: Subject): void {
  const tag = packageTag(subject);
  const build = buildTag(tag, diffID);
  for (const each of [tag, build]) t.regex(each, /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/);
  const parsed = parseTag(tag);
  t.deepEqual(parsed, { tag, build: undefined, subject: parsed?.subject });
  t.deepEqual(parseTag(build), { tag, build: diffID.slice(7, 19), subject: parsed?.subject });
  // Where the tag is a hash, the record says what it is.
  if (!/^x__[0-9a-f]{64}$/.test(tag)) t.deepEqual(parsed?.subject, subject);
  else t.true(`${subject.name}${subject.version}`.length > 60 && parsed?.subject === undefined);
}

test('every name and version has a tag that leads back to it, and no two have the same', (t) => {
  for (const [name, version] of famous) {
    for (const architecture of ['x86_64', 'aarch64', 'all'] as const)
      checkTag(t, { name, version, architecture });
  }
  fc.assert(
    fc.property(subjects, subjects, (a, b) => {
      checkTag(t, a);
      return packageTag(a) !== packageTag(b) || JSON.stringify(a) === JSON.stringify(b);
    }),
    { numRuns: 2000 },
  );
  for (const other of [
    'packages',
    'latest',
    'a__1',
    'a__1__amd64',
    'A__1__all',
    'a__1__all__',
    'a__1__all__xyz',
  ]) {
    t.is(parseTag(other), undefined, other);
  }
  // What escapes to the same text as something else was not written by us.
  t.is(parseTag('a__1_x__all'), undefined);
  t.is(parseTag('a__1___all'), undefined);
});

// --- From a registry to a command

for (const kind of ['docker-registry', 'distribution'] as const) {
  test(`${kind}: a command on a machine with nothing, and without the registry afterwards`, async (t) => {
    const running = await registryFor(t, kind);
    const place = `registry:localhost:${running.host.split(':')[1] ?? ''}/packages`;
    await must('pkgrepo', ['publish', quickstart, place], newcomer(t));
    const env = newcomer(t);
    await running.requests();

    const wanted = ['-d', place, '-p', 'mksh', '-p', 'sbase', '--', 'sh', '-c', 'echo hi'];
    const first = await runs('withpkgs', wanted, env);
    t.is(first.stdout, 'hi\n', first.stderr);
    t.regex(
      first.stderr,
      /used for the first time and taken on trust: 7 packages, index sha256:[0-9a-f]{64}\n$/,
    );
    const requests = await running.requests();
    // The ping twice, the index and its one shard, the tags; and one layer of each of the two packages.
    t.is(count(requests, /^GET .*\/manifests\/packages 200/), 1, requests.join('\n'));
    t.is(count(requests, /\/tags\/list/), 1);
    t.is(count(requests, /^GET .*\/blobs\/ ?/), 1 + 2, requests.join('\n'));
    t.true(requests.length <= 7, requests.join('\n'));
    t.is(readdirSync(join(cacheOf(env), 'trees')).length, 2);

    // Not long after it is not even asked.
    t.is(await must('withpkgs', wanted, env), 'hi\n');
    t.deepEqual(await running.requests(), []);
    await running.stop();

    t.is(await must('withpkgs', wanted, env), 'hi\n');
    t.is(
      await must('withpkgs', ['-d', place, '-p', 'sbase', 'mksh', '--', 'sh', '-c', 'echo hi'], env),
      'hi\n',
    );
    const asked = await runs('withpkgs', wanted, { ...env, STATIC_DISTRO_REFRESH: '0' });
    t.is(asked.stdout, 'hi\n');
    t.regex(asked.stderr, /nobody answers there .*what it held at .* is used/);
    t.is(asked.stderr.split('\n').length, 2);
    t.is(await must('withenv', ['-d', place, '-p', 'mksh,59c', '--', 'mksh', '-c', 'echo hi'], env), 'hi\n');
    // The images of what is here can be made, and their digests told; of what is not here, its digest.
    const digest = (where: string, name: string, more: Env = env) =>
      must('pkgimage', ['digest', '-d', where, '-p', name], more);
    for (const name of ['mksh', 'lua']) {
      t.is(await digest(place, name), await digest(quickstart, name, newcomer(t)));
    }
    t.is(await must('pkgimage', ['build', '-d', place, '-p', 'mksh'], env), await digest(place, 'mksh'));
    const missing = await fails(t, 125, 'withpkgs', ['-d', place, '-p', 'lua', '--', 'lua'], env);
    t.regex(
      missing,
      /^withpkgs: fetching lua 5\.4\.4: localhost:\d+\/packages: reaching the registry: GET: nobody answers there/,
    );
  });
}

test('what starts a command from a directory does not load what knows registries', (t) => {
  for (const name of ['withpkgs', 'withenv', 'pkgsolve']) {
    const entry = readFileSync(join(root, 'dist', `${name}.cjs`), 'utf8');
    const [, program = ''] = /'(\/chunk\/[^']+\.js)'/.exec(entry) ?? [];
    const text = readFileSync(join(root, 'dist', program), 'utf8');
    t.regex(
      text,
      /then\(\(\) => [^;]*require\("\.\/chunk\/remote-[0-9a-f]+\.cjs"\)/,
      'only when it is needed',
    );
    t.notRegex(text, /blobs\/uploads/);
  }
});

test('images and solutions are the same from wherever the packages come', async (t) => {
  const running = await registryFor(t);
  const place = `${running.host}/some/packages`;
  const layout = `oci:${join(temporary(t), 'layout')}`;
  const env = newcomer(t);
  await must('pkgrepo', ['publish', quickstart, layout], env);
  await must('pkgrepo', ['publish', layout, place], newcomer(t));
  const copy = join(temporary(t), 'copy');
  await must('pkgrepo', ['pull', place, copy], newcomer(t));
  const digests = new Set<string>();
  const solutions = new Set<string>();
  for (const where of [quickstart, layout, place, copy]) {
    const own = newcomer(t);
    const built = await must('pkgimage', ['build', '-d', where, '-p', 'mksh', 'lua', '-t', 'x'], own);
    digests.add(built);
    t.is(await must('pkgimage', ['digest', '-d', where, '-p', 'mksh', 'lua'], newcomer(t)), built);
    await must('pkgimage', ['check'], own);
    const store = `oci:${join(homeOf(own), 'data/store')}`;
    t.is(await must('pkgsolve', ['-d', store, 'lua'], newcomer(t)), 'lua,5.4.4\n');
    const command = ['-d', where, '-p', 'mksh', '--', 'mksh', '-c', 'echo hi'];
    t.is(await must('withpkgs', command, own), 'hi\n');
    solutions.add(await must('pkgsolve', ['-d', where, 'tcc', 'mini-httpd'], newcomer(t)));
  }
  t.is(digests.size, 1);
  t.is(solutions.size, 1);
  t.is(await must('pkgrepo', ['list', place], env), await must('pkgrepo', ['list', layout], env));
  // A tree that was unpacked is the tree that was packed.
  for (const name of readdirSync(copy).filter((each) => !each.startsWith('.'))) {
    t.is(run('diff', ['-r', '--no-dereference', join(quickstart, name), join(copy, name)]).stdout, '');
  }
});

test('one registry holds every architecture, and each machine sees its own', async (t) => {
  const running = await registryFor(t);
  const place = `registry:${running.host}/packages`;
  const machines = ['x86_64', 'aarch64'];
  const directories = machines.map((architecture) => {
    const repository = join(temporary(t), architecture);
    put(repository, 'a', '1', `Architecture: ${architecture}\n`, { 'bin/a': architecture });
    put(repository, 'data', '1', 'Architecture: all\n');
    return repository;
  });
  for (const each of directories) await must('pkgrepo', ['publish', each, place], newcomer(t));
  const sides = (where: (at: number) => string) =>
    machines.flatMap((name, at) => ['-d', `${name}=${where(at)}`]);
  const near = await must(
    'pkgimage',
    ['digest', ...sides((at) => directories[at] ?? ''), '-p', 'a', 'data'],
    newcomer(t),
  );
  const far = await must('pkgimage', ['build', ...sides(() => place), '-p', 'a', 'data'], newcomer(t));
  t.is(far, near);
  t.is((await must('pkgrepo', ['list', place], newcomer(t))).trim().split('\n').length, 3);
  for (const [at, name] of machines.entries()) {
    const copy = join(temporary(t), 'copy');
    await must('pkgrepo', ['pull', '--architecture', name, place, copy], newcomer(t));
    t.is(run('diff', ['-r', '--exclude=.records', directories[at] ?? '', copy]).stdout, '');
  }
});

// --- Publishing

test('eight publishers at once lose no package, and a second time nothing is sent', async (t) => {
  const running = await registryFor(t);
  const place = `registry:${running.host}/packages`;
  const publishers = Array.from({ length: 8 }, (_, at) => {
    const repository = join(temporary(t), 'repository');
    for (let n = 0; n < 3; n++) put(repository, `p${at}-${n}`, '1.0-~~stage1', 'Architecture: all\n');
    put(repository, 'common', '1', 'Architecture: all\n');
    return { repository, env: newcomer(t) };
  });
  const ends = await Promise.all(
    publishers.map(({ repository, env }) => runs('pkgrepo', ['publish', '-q', repository, place], env)),
  );
  for (const { status, stderr } of ends) t.is(status, 0, stderr);
  const listed = JSON.parse(await must('pkgrepo', ['list', '--json', place], newcomer(t))) as {
    packages: { name: string }[];
  };
  t.is(listed.packages.length, 8 * 3 + 1);
  // The index alone knows all of them: what it lacked would have to be read by its tag.
  await running.requests();
  const index = await must('pkgrepo', ['index', '--json', place], newcomer(t));
  t.like(JSON.parse(index), { packages: 25, complete: true });
  t.is(count(await running.requests(), /manifests\/[^p]/), 0);

  const [one] = publishers;
  t.is(await must('pkgrepo', ['publish', one?.repository ?? '', place], one?.env ?? {}), '');
  const again = await running.requests();
  t.is(count(again, /^(PUT|POST|PATCH)/), 0, again.join('\n'));
  t.true(again.length <= 4, again.join('\n'));
});

test('a lost index, and one that somebody overwrote with less, cost requests and no package', async (t) => {
  const running = await registryFor(t);
  const place = `registry:${running.host}/packages`;
  const repository = join(temporary(t), 'repository');
  for (const name of ['a', 'b', 'c']) put(repository, name, '1');
  await must('pkgrepo', ['publish', repository, place, 'a'], newcomer(t));
  const far = client(t, running);
  const old = await far.read('packages');
  await must('pkgrepo', ['publish', repository, place], newcomer(t));
  if (old) await far.tagAll(['packages'], old);
  t.is((await must('pkgrepo', ['list', place], newcomer(t))).split('\n').length, 4);
  t.like(JSON.parse(await must('pkgrepo', ['index', '--json', place], newcomer(t))), {
    packages: 3,
    complete: false,
  });
  t.is(await must('pkgsolve', ['-d', place, 'b'], newcomer(t)), 'b,1\n');
  await must('pkgrepo', ['index', '--update', place], newcomer(t));
  t.like(JSON.parse(await must('pkgrepo', ['index', '--json', place], newcomer(t))), {
    packages: 3,
    complete: true,
  });

  const current = await far.resolve('packages');
  if (current) await far.untag(current.digest);
  t.is((await must('pkgrepo', ['list', place], newcomer(t))).split('\n').length, 4);
  t.regex(await fails(t, 1, 'pkgrepo', ['index', place], newcomer(t)), /has no index\n.*--update/);
  put(repository, 'd', '1');
  t.is(await must('pkgrepo', ['publish', repository, place], newcomer(t)), 'd,1\n');
  t.like(JSON.parse(await must('pkgrepo', ['index', '--json', place], newcomer(t))), {
    packages: 4,
    complete: true,
  });
});

test('names and versions come back from a registry, and its own garbage collection leaves every encoding', async (t) => {
  const data = join(temporary(t), 'data');
  const first = await registryFor(t, 'docker-registry', { data });
  const repository = join(temporary(t), 'repository');
  for (const [name, version] of famous) put(repository, name, version, 'Architecture: all\n');
  // More of one name than one shard's worth of packages, so that there are several shards.
  for (let at = 0; at < 70; at++) put(repository, `n${at}`, '1', 'Architecture: all\n');
  const place = (running: RunningRegistry) => `registry:${running.host}/packages`;
  await must('pkgrepo', ['publish', '-q', repository, place(first)], newcomer(t));
  // Another build of one, so that an old one is there only by its own tag.
  put(repository, 'n1', '1', 'Architecture: all\n', { 'share/more': 'more' });
  rmSync(join(repository, '.records'), { recursive: true, force: true });
  await must('pkgrepo', ['publish', '--replace', repository, place(first), 'n1'], newcomer(t));
  const tags = await client(t, first).tags();
  await first.stop();

  const env = { REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: data, OTEL_TRACES_EXPORTER: 'none' };
  const configuration = join(root, 'registry-fixtures/registries/open.yml');
  const collected = run('docker-registry', ['garbage-collect', '--delete-untagged', configuration], { env });
  t.is(collected.status, 0, collected.stderr);

  const second = await registryFor(t, 'docker-registry', { data });
  const far = client(t, second);
  t.deepEqual([...(await far.tags())].sort(), [...tags].sort());
  t.is(tags.length, 2 * (famous.length + 70) + 1 + 1);
  for (const tag of tags) {
    const document = await far.read(tag);
    if (!document) return t.fail(tag);
    const { config, layers } = JSON.parse(Buffer.from(document.bytes).toString()) as {
      config: Document['descriptor'];
      layers: readonly Document['descriptor'][];
    };
    for (const blob of [config, ...layers])
      t.true(await openRepository(far.place.registry, 'packages').exists(blob), tag);
  }
  const copy = join(temporary(t), 'copy');
  const pulled = (await must('pkgrepo', ['pull', '-q', place(second), copy], newcomer(t)))
    .trim()
    .split('\n')
    .sort();
  const all = [...famous.map((pair) => pair.join(',')), ...Array.from({ length: 70 }, (_, at) => `n${at},1`)];
  t.deepEqual(pulled, all.sort());
  t.is(run('diff', ['-r', '--exclude=.records', repository, copy]).stdout, '');
  t.is(await must('pkgrepo', ['pull', '-q', place(second), copy], newcomer(t)), '');
});

test('packages are removed from a directory, a layout and a registry', async (t) => {
  const running = await registryFor(t);
  const place = `registry:${running.host}/packages`;
  const repository = join(temporary(t), 'repository');
  const layout = `oci:${join(temporary(t), 'layout')}`;
  for (const [name, version] of [
    ['a', '1'],
    ['a', '2'],
    ['b', '1:1'],
  ] as const)
    put(repository, name, version);
  const env = newcomer(t);
  for (const where of [layout, place]) await must('pkgrepo', ['publish', '-q', repository, where], env);
  for (const where of [repository, layout, place]) {
    t.is(await must('pkgrepo', ['remove', where, 'a,1', 'b'], env), 'a,1\nb,1:1\n');
    t.regex(await must('pkgrepo', ['list', where], newcomer(t)), /^a +2 +\S+ +\S+ ?\S*( +unknown)?\n$/);
    t.regex(await fails(t, 1, 'pkgrepo', ['remove', where, 'b'], env), /there is no package "b" there/);
  }
  t.deepEqual(readdirSync(repository).sort(), ['.records', 'a']);
  t.like(JSON.parse(await must('pkgrepo', ['index', '--json', place], newcomer(t))), {
    packages: 1,
    complete: true,
  });
});

// --- Trust

test('a copied tree is what its record says once it was read; an origin that was lost is mended by --replace', async (t) => {
  const running = await registryFor(t);
  const work = temporary(t);
  const far = `registry:${running.host}/packages`;
  const layout = `oci:${join(work, 'layout')}`;
  const env = newcomer(t);
  const bare = join(work, 'bare');
  put(bare, 'a', '1', 'Architecture: all\n');
  const originOf = async (place: string) => {
    const { packages } = JSON.parse(await must('pkgrepo', ['list', '--json', place], newcomer(t))) as {
      packages: readonly { readonly origin: string }[];
    };
    return packages.map(({ origin }) => origin);
  };

  // Built by hand, as far as the record says; its copy has other inodes, and times of its own.
  const built = join(work, 'built');
  await must('pkgrepo', ['publish', bare, layout], env);
  await must('pkgrepo', ['pull', layout, built], env);
  const record = join(built, '.records/a/1.json');
  writeFileSync(record, readFileSync(record, 'utf8').replace('"origin":"unknown"', '"origin":"host"'));
  const copied = join(work, 'copied');
  run('cp', ['-r', built, copied]);
  t.deepEqual(await originOf(copied), ['host']);
  const local = statSync(join(copied, '.records/a/1.local')).mtimeMs;
  t.deepEqual(await originOf(copied), ['host']);
  t.is(statSync(join(copied, '.records/a/1.local')).mtimeMs, local, 'read once');
  const edited = join(work, 'edited');
  run('cp', ['-a', built, edited]);
  writeFileSync(join(edited, 'a/1/share/a'), 'a 2\n');
  t.deepEqual(await originOf(edited), ['unknown'], 'a record vouches for its own bytes alone');

  await must('pkgrepo', ['publish', bare, far], env);
  for (const place of [far, layout]) {
    const kept = await runs('pkgrepo', ['publish', copied, place], env);
    t.deepEqual([kept.status, kept.stdout], [0, '']);
    t.regex(kept.stderr, /a 1 is there, the same bytes with another origin .*--replace/);
    t.deepEqual(await originOf(place), ['unknown']);
    t.is(await must('pkgrepo', ['publish', '--replace', copied, place], env), 'a,1\n');
    t.deepEqual(await originOf(place), ['host']);
    t.is(await must('pkgrepo', ['publish', '--replace', copied, place], env), '', 'nothing is left to do');
  }
  const [, pinned] = (await client(t, running).tags()).filter((tag) => parseTag(tag));
  t.regex(await must('pkgrepo', ['index', far], newcomer(t)), /^sha256:/);
  t.truthy(pinned, 'the tag of the build is there as well');
  const pulled = join(work, 'pulled');
  await must('pkgrepo', ['pull', far, pulled], env);
  t.deepEqual(await originOf(pulled), ['host']);
  // Its layer is known once it has been read.
  const mixed = join(work, 'mixed');
  await must('pkgrepo', ['publish', bare, mixed], env);
  const told = await runs('pkgrepo', ['pull', far, mixed], env);
  t.deepEqual([told.status, told.stdout], [0, '']);
  t.regex(told.stderr, /mixed: a 1 is there, the same bytes with another origin .*--replace/);
  t.deepEqual(await originOf(mixed), ['unknown']);
  await must('pkgrepo', ['pull', '--replace', far, mixed], env);
  t.deepEqual(await originOf(mixed), ['host']);
  await must('pkgrepo', ['pull', '--replace', far, bare], env);
  t.deepEqual(await originOf(bare), ['host']);
});

test('a version that is another package than it was is refused until somebody accepts it', async (t) => {
  const running = await registryFor(t);
  const place = `registry:${running.host}/packages`;
  const repository = join(temporary(t), 'repository');
  put(repository, 'a', '1');
  put(repository, 'b', '1');
  const publisher = newcomer(t);
  await must('pkgrepo', ['publish', repository, place], publisher);
  const env = { ...newcomer(t), STATIC_DISTRO_REFRESH: '0' };
  const solve = ['-d', place, 'a'];
  t.regex((await runs('pkgsolve', solve, env)).stderr, /taken on trust/);
  t.is((await runs('pkgsolve', solve, env)).stderr, '', 'told once');
  const pinned = `${place}@${(await must('pkgrepo', ['index', place], env)).trim()}`;
  const lock = join(temporary(t), 'image.lock');
  const image = ['build', '-d', place, '-p', 'a', '--lock', lock];
  const before = await must('pkgimage', image, env);
  const { packages, repositories } = JSON.parse(readFileSync(lock, 'utf8'));
  const manifest = (await client(t, running).read('a__1__all'))?.descriptor.digest;
  t.deepEqual(packages[0].published, { repository: place, manifest });
  t.deepEqual(repositories, { [place]: pinned.slice(place.length + 1) });

  put(repository, 'c', '1');
  put(repository, 'a', '1', 'Description: evil\n');
  rmSync(join(repository, '.records'), { recursive: true, force: true });
  const refused = await fails(t, 1, 'pkgrepo', ['publish', repository, place], publisher);
  t.regex(refused, /there is another build of a 1\n.*--replace/);
  t.is(await must('pkgrepo', ['publish', '--replace', repository, place], publisher), 'a,1\nc,1\n');
  t.is(await must('pkgsolve', solve, publisher), 'a,1\n', 'who published it knows');

  for (const [name, args, status] of [
    ['pkgsolve', ['-d', place, 'b'], 1],
    ['withpkgs', ['-d', place, '-p', 'a', '--', 'a'], 125],
    ['pkgrepo', ['list', place], 1],
  ] as const) {
    const complaint = await fails(t, status, name, args, env);
    t.regex(complaint, /registry:\S+: a 1 \(all\) is another package than it was before\n.*--accept/);
  }
  // Neither the cache, which may be deleted, nor asking less often changes that.
  rmSync(cacheOf(env), { recursive: true });
  await fails(t, 1, 'pkgsolve', solve, { ...env, STATIC_DISTRO_REFRESH: undefined });

  // One state, and what a lock names, is what it was.
  t.is(await must('pkgsolve', ['-d', pinned, 'a', 'b'], env), 'a,1\nb,1\n');
  t.regex(await fails(t, 1, 'pkgsolve', ['-d', pinned, 'c'], newcomer(t)), /no package "c"/);
  const other = newcomer(t);
  const locked = await runs('pkgimage', [...image, '--locked'], other);
  t.is(locked.stdout, before, locked.stderr);
  t.notRegex(locked.stderr, /trust/);

  await must('pkgrepo', ['index', '--accept', place], env);
  t.is((await runs('pkgsolve', solve, env)).stderr, '');
  t.not(await must('pkgimage', ['digest', '-d', place, '-p', 'a'], env), before);
});

test('a name that is in a local repository is never taken from a registry', async (t) => {
  const running = await registryFor(t);
  const place = `registry:${running.host}/packages`;
  const [near, far] = [join(temporary(t), 'near'), join(temporary(t), 'far')];
  put(near, 'a', '1');
  put(far, 'a', '2');
  put(far, 'b', '1');
  await must('pkgrepo', ['publish', far, place], newcomer(t));
  const layout = `oci:${join(temporary(t), 'layout')}`;
  await must('pkgrepo', ['publish', near, layout], newcomer(t));
  for (const local of [near, layout]) {
    for (const order of [
      [local, place],
      [place, local],
    ]) {
      const words = order.flatMap((where) => ['-d', where]);
      t.is(await must('pkgsolve', [...words, 'a', 'b'], newcomer(t)), 'a,1\nb,1\n');
      await fails(t, 1, 'pkgsolve', [...words, 'a >= 2'], newcomer(t));
    }
  }
});

test('caches and what was trusted are used only if nobody else can write to them', async (t) => {
  const running = await registryFor(t);
  const place = `registry:${running.host}/packages`;
  await must('pkgrepo', ['publish', quickstart, place, 'mksh'], newcomer(t));
  const env = newcomer(t);
  const args = ['-d', place, '-p', 'mksh', '--', 'mksh', '-c', 'echo hi'];
  t.is(await must('withpkgs', args, env), 'hi\n');
  const trees = join(cacheOf(env), 'trees');
  const [tree = ''] = readdirSync(trees);
  for (const path of [join(cacheOf(env), 'indexes'), trees, join(trees, tree)]) {
    const { mode } = statSync(path);
    chmodSync(path, 0o777);
    t.regex(await fails(t, 125, 'withpkgs', args, env), /other users can write to/);
    chmodSync(path, mode & 0o777);
    if (!isRoot) continue;
    chownSync(path, 12345, 12345);
    t.regex(await fails(t, 125, 'withpkgs', args, env), /belongs to user 12345/);
    chownSync(path, 0, 0);
  }
  const known = join(homeOf(env), 'data/known');
  chmodSync(known, 0o777);
  t.regex(
    await fails(t, 125, 'withpkgs', args, { ...env, STATIC_DISTRO_REFRESH: '0' }),
    /other users can write to/,
  );
  chmodSync(known, 0o700);
  t.is(await must('withpkgs', args, env), 'hi\n');
});

// --- Layers that lie

type Forgery = {
  readonly entries?: (path: string) => readonly TarEntry[];
  readonly record?: (record: PackageRecord) => PackageRecord;
  /** Bytes of the zstd blob. */
  readonly blob?: Buffer;
};

/** Publishes `evil` 1 with a layer of these entries, without anybody's help. */
async function forge(far: Repository, { entries, record = (same) => same, blob }: Forgery): Promise<void> {
  const control = 'Package: evil\nVersion: 1\nArchitecture: all\n';
  const own = [
    directoryEntry('packages'),
    directoryEntry('packages/evil'),
    directoryEntry('packages/evil/1'),
    file('packages/evil/1/control', control),
  ];
  const list = [...own, ...(entries?.('packages/evil/1') ?? [])];
  const tar = Buffer.concat([...Array.from(writeTar(list), (part) => Buffer.from(part)), tail.none]);
  const zstd = describe(mediaTypes.layerZstd, blob ?? zstdCompressSync(tar));
  const gzip = describe(mediaTypes.layerGzip, Buffer.from('nobody reads it'));
  const layer = {
    diffID: digestOf(tar),
    size: tar.length,
    blobs: { 'gzip-1': gzip.descriptor, 'zstd-1': zstd.descriptor },
  };
  const plain = record({ format: 1, control, builtFrom: [], links: [], layer });
  const { config, manifest } = encodeArtifact(plain, plain.layer ?? layer);
  for (const document of [zstd, gzip, config]) await putDocument(far, document);
  const tag = packageTag({ name: 'evil', version: '1', architecture: 'all' });
  await far.tagAll([buildTag(tag, plain.layer?.diffID ?? layer.diffID)], manifest);
  await far.tagAll([tag], manifest);
}

const withLayer =
  (change: (layer: NonNullable<PackageRecord['layer']>) => NonNullable<PackageRecord['layer']>) =>
  (record: PackageRecord): PackageRecord =>
    record.layer ? { ...record, layer: change(record.layer) } : record;

const forgeries: Readonly<Record<string, Forgery & { readonly says: RegExp }>> = {
  'a path in another package': {
    entries: () => [directoryEntry('packages/good'), file('packages/good/x', '')],
    says: /packages\/good" is not below packages\/evil\/1/,
  },
  'a path beside packages': {
    entries: () => [directoryEntry('zz'), file('zz/passwd', '')],
    says: /"zz" is not below packages\/evil\/1/,
  },
  'a set-id program': {
    entries: (at) => [file(`${at}/su`, '', { mode: 0o4755 })],
    says: /evil\/1\/su" has the mode 4755/,
  },
  "somebody else's file": {
    entries: (at) => [file(`${at}/x`, '', { uid: 5, gid: 5 })],
    says: /evil\/1\/x" belongs to 5:5/,
  },
  'a way out by a link': {
    entries: (at) => [symlink(`${at}/out`, '/tmp'), file(`${at}/out/x`, '')],
    says: /evil\/1\/out\/x" is in no directory of the layer|below/,
  },
  'other bytes than recorded': {
    record: withLayer((layer) => ({ ...layer, diffID: digestOf('something else') })),
    says: /the layer is sha256:\w+, not sha256:/,
  },
  'more bytes than recorded': {
    entries: (at) => [file(`${at}/big`, Buffer.alloc(1 << 20))],
    record: withLayer((layer) => ({ ...layer, size: 5000 })),
    says: /more than (the )?5000 bytes/,
  },
  'a name that is there twice': {
    entries: (at) => [file(`${at}/x`, 'one'), file(`${at}/x`, 'two')],
    says: /evil\/1\/x" is out of order, or there twice/,
  },
  'no compressed tar at all': { blob: Buffer.from('hello, world'), says: /the layer is no zstd/ },
};

test('a layer that is not what it should be leaves nothing behind', async (t) => {
  const running = await registryFor(t);
  for (const [at, [what, { says, ...forgery }]] of Object.entries(forgeries).entries()) {
    const name = `packages-${at}`;
    await forge(client(t, running, name), forgery);
    const env = newcomer(t);
    const place = `registry:${running.host}/${name}`;
    const complaint = await fails(t, 125, 'withpkgs', ['-d', place, '-p', 'evil', '--', '/x'], env);
    t.regex(complaint, says, what);
    t.regex(complaint, /withpkgs: evil 1: sha256:/, what);
    t.deepEqual(readdirSync(join(cacheOf(env), 'trees')), [], what);
    const copy = join(temporary(t), 'copy');
    await fails(t, 1, 'pkgrepo', ['pull', '-q', place, copy], newcomer(t));
    t.false(existsSync(join(copy, 'evil')));
  }
});

// --- Bad input

test('what cannot be: one line that says what, where and what to do', async (t) => {
  const running = await registryFor(t);
  const { host } = running;
  const env = newcomer(t);
  const repository = join(temporary(t), 'repository');
  put(repository, 'a', '1');
  await must('pkgrepo', ['publish', repository, `registry:${host}/packages`], env);
  const far = client(t, running);
  const image = encodeManifest({
    config: describe(mediaTypes.config, Buffer.from('{}')).descriptor,
    layers: [],
  });
  for (const [name, tag] of [
    ['image', 'packages'],
    ['others', '1.2.3'],
  ] as const) {
    const images = client(t, running, name);
    await putDocument(images, describe(mediaTypes.config, Buffer.from('{}')));
    await images.tagAll([tag], image);
  }
  const cases: readonly (readonly [readonly string[], RegExp, number?])[] = [
    [
      ['list', 'registry:localhost:1/packages'],
      /^pkgrepo: localhost:1\/packages: reaching the registry: GET: nobody answers there/,
    ],
    [
      ['list', `registry:${host}/nothing`],
      /nothing: there is no such repository, or nothing is in it\n.*publish/,
    ],
    [['list', `registry:${host}/others`], /others: there are no packages, only other tags\n.*pkgimage pull/],
    [['list', `registry:${host}/image`], /image: packages: is no index of packages/, 2],
    [['list', `registry:${host}/packages:latest`], /has a tag, but tags/, 2],
    [
      ['list', `registry:${host}/packages@sha256:${'0'.repeat(64)}`],
      /there is no index sha256:0{64}\n.*pkgrepo index/,
    ],
    [['list', `registry:${host}/packages@sha256:123`], /is no sha256 digest/, 2],
    [['list', 'registry:packages'], /names no registry\n.*registry:HOST\/NAME/, 2],
    [['list', 'oci:nowhere'], /there is no OCI layout in ".*nowhere"\n.*publish/],
    [['list', 'nowhere'], /there is no repository "nowhere"/],
    [
      ['publish', repository, `registry:${host}/packages@${digestOf('x')}`],
      /is one state of a repository/,
      2,
    ],
    [['publish', repository, `registry:${host}/packages`, 'b'], /there is no package "b" there/],
    [['publish', repository, `registry:${host}/packages`, 'a,2'], /there is no package "a,2" there/],
    [['nothing'], /there is no command "nothing"/, 2],
    [['lst'], /did you mean "list"/, 2],
  ];
  for (const [args, says, status = 1] of cases) {
    const complaint = await fails(t, status, 'pkgrepo', args, env);
    t.regex(complaint, says);
    t.true(complaint.trimEnd().split('\n').length <= 2, complaint);
  }
  // What has a tag of ours and is no package is told, and harms no other.
  await far.tagAll(['b__1__all'], image).catch(() => undefined);
  await putDocument(far, describe(mediaTypes.config, Buffer.from('{}')));
  await far.tagAll(['b__1__all'], image);
  const solved = await runs('pkgsolve', ['-d', `${host}/packages`, 'a'], newcomer(t));
  t.is(solved.stdout, 'a,1\n');
  t.regex(solved.stderr, /b__1__all: is no package/);
  t.true((await far.tags()).includes('b__1__all'));
  const layout = join(temporary(t), 'layout');
  put(repository, 'b', '1');
  const published = JSON.parse(
    await must('pkgrepo', ['publish', '-q', '--json', repository, `oci:${layout}`], env),
  ) as { packages: { name: string; manifest: Digest }[] };
  const lost = published.packages.find(({ name }) => name === 'b')?.manifest ?? '';
  rmSync(join(layout, 'blobs/sha256', lost.slice(7)));
  const other = await runs('pkgsolve', ['-d', `oci:${layout}`, 'a'], newcomer(t));
  t.is(other.stdout, 'a,1\n');
  t.regex(other.stderr, /layout: reading sha256:/);
});

test('a registry that is read-only, full, or says no: host, repository, operation, status and its own code', async (t) => {
  const repository = join(temporary(t), 'repository');
  put(repository, 'a', '1');
  const settings = { REGISTRY_STORAGE_MAINTENANCE_READONLY: '{"enabled":true}' };
  const readonly = await registryFor(t, 'docker-registry', { settings });
  const refused = await fails(
    t,
    1,
    'pkgrepo',
    ['publish', '-q', repository, `${readonly.host}/packages`],
    newcomer(t),
  );
  t.regex(
    refused,
    /^pkgrepo: 127\.0\.0\.1:\d+\/packages: beginning to send sha256:[0-9a-f]{64}: POST: status 405.*\n.*read-only/,
  );

  for (const [status, code, message, says] of [
    [
      507,
      'UNKNOWN',
      'no space left on device',
      /status 507 UNKNOWN: no space left on device\n.*the registry is full/,
    ],
    [403, 'DENIED', 'requested access to the resource is denied', /status 403 DENIED.*\n.*may not do that/],
    [401, 'UNAUTHORIZED', 'authentication required', /log in|offers no way/],
  ] as const) {
    const hostile = await startHostile(t, {
      move: ({ method }) =>
        method === 'POST'
          ? {
              status,
              headers: { 'Content-Type': 'application/json' },
              body: JSON.stringify({ errors: [{ code, message }] }),
            }
          : undefined,
    });
    const args = ['publish', '-q', repository, `registry:${hostile.host}/packages`];
    const complaint = await fails(t, 1, 'pkgrepo', args, newcomer(t));
    t.regex(complaint, says);
    t.regex(complaint, /^pkgrepo: /);
    t.is([...hostile.manifests.keys()].length, 0, 'nothing is tagged before all of it is there');
  }
});

test('a registry that wants a password gets that of docker, and nobody else does', async (t) => {
  const running = await registryFor(t, 'docker-registry', { auth: 'basic' });
  const place = `registry:${running.host}/packages`;
  const repository = join(temporary(t), 'repository');
  put(repository, 'a', '1');
  const config = temporary(t);
  const auth = Buffer.from(`${user.name}:${user.password}`).toString('base64');
  writeFileSync(join(config, 'config.json'), JSON.stringify({ auths: { [running.host]: { auth } } }));
  const nobody = {
    ...newcomer(t),
    HOME: temporary(t),
    DOCKER_CONFIG: temporary(t),
    XDG_RUNTIME_DIR: temporary(t),
  };
  const somebody = { ...nobody, DOCKER_CONFIG: config };
  await must('pkgrepo', ['publish', '-q', repository, place], somebody);
  const env = { ...newcomer(t), HOME: nobody.HOME, XDG_RUNTIME_DIR: nobody.XDG_RUNTIME_DIR };
  const refused = await fails(t, 1, 'pkgsolve', ['-d', place, 'a'], {
    ...env,
    DOCKER_CONFIG: nobody.DOCKER_CONFIG,
  });
  t.regex(refused, /^pkgsolve: 127\.0\.0\.1:\d+\/packages: .*status 401.*\n.*log in to 127\.0\.0\.1/);
  const solved = await runs('pkgsolve', ['-d', place, 'a'], { ...env, DOCKER_CONFIG: config });
  t.is(solved.stdout, 'a,1\n');
  t.false(solved.stderr.includes(user.password) || refused.includes(auth));
});

test('a publisher that is killed at any moment leaves nothing half published, and the next goes on', async (t) => {
  const running = await registryFor(t);
  const place = `registry:${running.host}/packages`;
  const repository = join(temporary(t), 'repository');
  const all = Array.from({ length: 6 }, (_, at) => `p${at}`);
  for (const name of all) put(repository, name, '1');
  const env = newcomer(t);
  const reader = newcomer(t);
  let before = 0;
  for (const milliseconds of [150, 250, 350, 450, 550, 650]) {
    const child = spawn(tool('pkgrepo'), ['publish', '-q', repository, place], {
      env: { ...process.env, ...env },
      stdio: 'ignore',
    });
    const ended = once(child, 'close');
    await Promise.race([sleep(milliseconds), ended]);
    child.kill('SIGKILL');
    await ended;
    const copy = join(temporary(t), 'copy');
    const pulled = await runs('pkgrepo', ['pull', '-q', place, copy], reader);
    if (pulled.status !== 0) t.regex(pulled.stderr, /no such repository, or nothing is in it/);
    const there = pulled.stdout.split('\n').length - 1;
    t.true(there >= before, 'what is published stays');
    before = there;
  }
  await must('pkgrepo', ['publish', '-q', repository, place], env);
  t.is((await must('pkgrepo', ['list', place], reader)).trim().split('\n').length, all.length);
  t.like(JSON.parse(await must('pkgrepo', ['index', '--json', place], reader)), {
    packages: 6,
    complete: true,
  });
});

test('every command has help with an example', async (t) => {
  const help = await must('pkgrepo', ['--help'], newcomer(t));
  for (const name of ['publish', 'pull', 'list', 'index', 'remove']) {
    t.regex(help, new RegExp(`^  ${name} `, 'm'));
    t.regex(
      await must('pkgrepo', [name, '--help'], newcomer(t)),
      new RegExp(`Examples:\n  (pkgrepo|withpkgs) .*${name}`),
    );
  }
  t.regex(await must('pkgrepo', ['--version'], newcomer(t)), /^pkgrepo \(static-distro\) \d/);
});

// --- What others use of it

test('where layers can be mounted from is known from what was read and published', async (t) => {
  const running = await registryFor(t);
  const repository = join(temporary(t), 'repository');
  put(repository, 'a', '1');
  const [publisher, reader, stranger] = [newcomer(t), newcomer(t), newcomer(t)];
  await must('pkgrepo', ['publish', repository, `registry:${running.host}/one/packages`], publisher);
  await must('pkgrepo', ['publish', repository, `registry:${running.host}/two`], publisher);
  await must('pkgsolve', ['-d', `registry:${running.host}/two`, 'a'], reader);
  const { packages } = JSON.parse(
    await must('pkgrepo', ['list', '--json', `registry:${running.host}/two`], newcomer(t)),
  ) as { packages: { blobs: Record<string, { digest: Digest; size: number }> }[] };
  const holders = (env: Env, host = running.host) =>
    Object.values(packages[0]?.blobs ?? {}).map((blob) =>
      [...holdersOf(join(cacheOf(env), 'indexes'), host)({ mediaType: '', ...blob })].sort(),
    );
  t.deepEqual(holders(publisher), [
    ['one/packages', 'two'],
    ['one/packages', 'two'],
  ]);
  t.deepEqual(holders(reader), [['two'], ['two']]);
  t.deepEqual(holders(stranger), [[], []]);
  t.deepEqual(holders(publisher, 'docker.io'), [[], []]);
  const indexes = join(cacheOf(publisher), 'indexes');
  for (const name of readdirSync(indexes)) writeFileSync(join(indexes, name), 'damaged');
  t.deepEqual(holders(publisher), [[], []]);
  // A damaged cache is made anew.
  await must('pkgsolve', ['-d', `registry:${running.host}/two`, 'a'], publisher);
  t.deepEqual(holders(publisher), [['two'], ['two']]);
});

test('a package that comes later is found, however little ago the registry was asked', async (t) => {
  const running = await registryFor(t);
  const place = `registry:${running.host}/packages`;
  const repository = join(temporary(t), 'repository');
  put(repository, 'a', '1');
  const publisher = newcomer(t);
  const env = newcomer(t);
  await must('pkgrepo', ['publish', repository, place], publisher);
  t.is(await must('pkgsolve', ['-d', place, 'a'], env), 'a,1\n');
  put(repository, 'a', '2');
  put(repository, 'b', '1');
  await must('pkgrepo', ['publish', repository, place], publisher);
  t.is(await must('pkgsolve', ['-d', place, 'a'], env), 'a,1\n', 'not asked again yet');
  t.is(await must('pkgsolve', ['-d', place, 'b'], env), 'b,1\n');
  t.is(await must('pkgsolve', ['-d', place, 'a'], env), 'a,2\n');
  put(repository, 'a', '3');
  await must('pkgrepo', ['publish', repository, place], publisher);
  const indexes = join(cacheOf(env), 'indexes');
  const past = new Date(Date.now() - 3600_000);
  for (const name of readdirSync(indexes)) utimesSync(join(indexes, name), past, past);
  t.is(await must('pkgsolve', ['-d', place, 'a'], env), 'a,3\n', 'what is known is old');
  t.regex(
    await fails(t, 2, 'pkgsolve', ['-d', place, 'a'], { ...env, STATIC_DISTRO_REFRESH: 'often' }),
    /STATIC_DISTRO_REFRESH is no number/,
  );
});

test('a registry that accepts and says nothing is waited for once', async (t) => {
  const running = await registryFor(t);
  const env = newcomer(t);
  const repository = join(temporary(t), 'repository');
  put(repository, 'a', '1');
  const place = `registry:${running.host}/packages`;
  await must('pkgrepo', ['publish', repository, place], newcomer(t));
  await must('pkgsolve', ['-d', place, 'a'], env);
  await running.stop();
  let connections = 0;
  const silent = createServer(() => (connections += 1));
  await new Promise<void>((resolve) =>
    silent.listen(Number(running.host.split(':')[1]), '127.0.0.1', resolve),
  );
  t.teardown(() => silent.close());
  const indexes = join(cacheOf(env), 'indexes');
  const past = new Date(Date.now() - 3600_000);
  for (const name of readdirSync(indexes)) utimesSync(join(indexes, name), past, past);
  const first = await runs('pkgsolve', ['-d', place, 'a'], env);
  t.is(first.stdout, 'a,1\n');
  t.regex(first.stderr, /no byte of an answer for 2 s; what it held at/);
  t.is(connections, 1);
  const second = await runs('pkgsolve', ['-d', place, 'a'], env);
  t.deepEqual(second, { status: 0, stdout: 'a,1\n', stderr: '' });
  t.is(connections, 1);
});
