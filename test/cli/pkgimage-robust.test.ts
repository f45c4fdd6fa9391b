import test, { type ExecutionContext } from 'ava';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { digestOf } from '../../builder/digest.ts';
import { type Ended, ended } from '../support/ended.ts';
import { noise, writePackage } from '../support/generated-packages.ts';
import { accepts } from '../support/schemas.ts';
import { isRoot, output, root, run, runTool, temporary, tool } from '../support/tools.ts';

type Env = Readonly<Record<string, string | undefined>>;

const homeOf = (home: string): Env => ({ STATIC_DISTRO_HOME: home, SOURCE_DATE_EPOCH: undefined });
const storeOf = (env: Env): string => join(env['STATIC_DISTRO_HOME'] ?? '', 'data/store');

/** Standard output of a call that must succeed. */
function must(t: ExecutionContext, args: readonly string[], env: Env): string {
  const { status, stdout, stderr } = runTool('pkgimage', args, { env });
  t.is(status, 0, `${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** The images of a store, by name. */
const listed = (t: ExecutionContext, env: Env): ReadonlyMap<string, string> =>
  new Map(
    (
      JSON.parse(must(t, ['list', '--json'], env)) as { images: { name: string; digest: string }[] }
    ).images.map(({ name, digest }) => [name, digest]),
  );

function keeps(t: ExecutionContext, env: Env, promised: ReadonlyMap<string, string>): void {
  const found = listed(t, env);
  for (const [name, digest] of promised) t.is(found.get(name), digest, name);
}

/** Nothing unfinished is left beside blobs and index. */
const isTidy = (t: ExecutionContext, env: Env) =>
  t.deepEqual(readdirSync(storeOf(env)).toSorted(), ['blobs', 'index.json', 'oci-layout']);

/** Makes everything in the store old, so that the collector takes what no name leads to. */
function age(env: Env): void {
  const then = Date.now() / 1000 - 3 * 86_400;
  const store = storeOf(env);
  for (const name of readdirSync(store)) {
    const paths = name === 'blobs' ? readdirSync(join(store, 'blobs/sha256')) : undefined;
    for (const path of paths?.map((blob) => join(store, 'blobs/sha256', blob)) ?? [join(store, name)]) {
      try {
        utimesSync(path, then, then);
      } catch (error) {
        // Somebody who is still there has renamed it.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
  }
}

/** Starts the tool as the leader of a process group. */
const startTool = (args: readonly string[], env: Env) =>
  spawn(tool('pkgimage'), args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });

/** Waits for its end, which is at `ms` at the latest: by a kill of the process, or of its whole group. */
async function endedBy(child: ReturnType<typeof startTool>, ms: number, group = false): Promise<Ended> {
  const closed = ended(child);
  await Promise.race([setTimeout(ms), closed]);
  kill(child, group);
  return await closed;
}

function kill({ pid, exitCode, signalCode }: ChildProcess, group: boolean): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  process.kill(group ? -pid : pid, 'SIGKILL');
}

const kills = 200;

test.serial(
  `killed at ${kills} random moments of build, export, copy and gc, the store keeps what was reported`,
  async (t) => {
    const place = temporary(t);
    const env = homeOf(join(place, 'home'));
    const repository = join(place, 'packages');
    const names = ['a', 'b', 'c', 'd', 'e'];
    for (const [at, name] of names.entries()) {
      writePackage(repository, name, { files: { [`share/${name}`]: noise(300_000, at) } });
    }
    const base = ['build', '-d', repository, '-p', ...names, '--budget', '3'];
    const promised = new Map([['exported:latest', must(t, [...base, '-t', 'exported'], env).trim()]]);
    const archive = join(place, 'out.tar');
    const layout = join(place, 'layout');
    must(t, ['export', 'exported', `oci-archive:${archive}`], env);
    must(t, ['export', 'exported', `oci:${layout}:exported`], env);
    const expected = digestOf(readFileSync(archive));

    const killed = { build: 0, export: 0, copy: 0, gc: 0 };
    type Kind = keyof typeof killed;
    /** When the last of each may be killed, in ms: so that two of three are, however slow the machine is. */
    const latest = { build: 700, export: 400, copy: 400, gc: 300 };
    const done = (): number => Object.values(killed).reduce((sum, count) => sum + count, 0);
    const attempt = async (kind: Kind, args: readonly string[]): Promise<string | undefined> => {
      const moment = 40 + Math.random() * latest[kind];
      const { status, stdout, stderr } = await endedBy(startTool(args, env), moment, Math.random() < 0.5);
      latest[kind] *= status === null ? 1.15 : 0.75;
      if (status === null) killed[kind]++;
      else t.is(status, 0, `${args.join(' ')}: ${stderr}`);
      return /^sha256:[0-9a-f]{64}\n$/.test(stdout) ? stdout.trim() : undefined;
    };
    for (let round = 0; done() < kills; round++) {
      t.true(round < 4 * kills, 'most of them are killed');
      writePackage(repository, names[round % 5] ?? '', {
        files: { 'share/round': String(round), 'share/noise': noise(300_000, round) },
      });
      if (round % 4 === 0) age(env);
      const others: readonly (readonly [Kind, readonly string[]])[] = [
        ['export', ['export', 'exported', `oci-archive:${archive}`]],
        ['gc', ['gc']],
        ['export', ['export', 'exported', `oci:${layout}:exported`]],
        ['copy', ['copy', `oci-archive:${archive}`, `copied:${round}`]],
      ];
      const other = others[round % 4];
      const [digest] = await Promise.all([
        attempt('build', [...base, '-t', `round:${round}`]),
        other && attempt(...other),
      ]);
      if (digest !== undefined) promised.set(`round:${round}`, digest);
      if (round % 10 === 9) keeps(t, env, promised);
      t.is(digestOf(readFileSync(archive)), expected);
      if (round % 50 === 49) t.is(must(t, ['check'], env), '');
    }
    for (const [kind, count] of Object.entries(killed)) t.true(count > kills / 20, `${kind}: ${count}`);
    t.true(promised.size > kills / 20, `${promised.size} were reported`);
    keeps(t, env, promised);
    t.is(must(t, ['check'], env), '');

    // The next run goes on: all of it again, to its end.
    const again = must(t, [...base, '-t', 'again'], env).trim();
    promised.set('again:latest', again);
    must(t, ['export', 'exported', `oci-archive:${archive}`], env);
    must(t, ['export', 'exported', `oci:${layout}:exported`], env);
    t.is(digestOf(readFileSync(archive)), expected);
    t.is(must(t, ['copy', `oci:${layout}:exported`, 'back'], env), '');
    t.is(listed(t, env).get('back:latest'), promised.get('exported:latest'));
    age(env);
    must(t, ['gc'], env);
    isTidy(t, env);
    // Of an export that was killed, nothing but a hidden file can be left where it wrote.
    t.deepEqual(
      readdirSync(place)
        .filter((name) => !name.startsWith('.new-'))
        .toSorted(),
      ['home', 'layout', 'out.tar', 'packages'],
    );
    keeps(t, env, promised);
    t.is(must(t, ['check'], env), '');
    // It is what a store makes of it in which nothing was ever killed.
    t.is(must(t, [...base, '-t', 'again'], homeOf(join(place, 'other'))).trim(), again);
    t.log(`${promised.size} images reported, killed: ${JSON.stringify(killed)}`);
  },
);

test.serial('16 builds at once in one store, of different images and of the same, all succeed', async (t) => {
  const place = temporary(t);
  const env = homeOf(join(place, 'home'));
  const repository = join(place, 'packages');
  const names = Array.from({ length: 16 }, (_, at) => `p${at}`);
  for (const [at, name] of names.entries()) {
    writePackage(repository, name, { files: { [`share/${name}`]: noise(50_000, at) } });
  }
  writePackage(repository, 'base', { files: { 'share/base': noise(500_000, 99) } });
  const build = (name: string, ...more: readonly string[]) =>
    ended(startTool(['build', '-d', repository, '-p', 'base', ...more, '-t', name], env));
  const promised = new Map<string, string>();
  const keep = (results: readonly Ended[], name: (at: number) => string) => {
    for (const [at, { status, stdout, stderr }] of results.entries()) {
      t.is(status, 0, stderr);
      promised.set(name(at), stdout.trim());
    }
  };
  keep(
    await Promise.all(names.map((name, at) => build(`other:${at}`, name, '--budget', at % 2 ? '3' : '32'))),
    (at) => `other:${at}`,
  );
  keep(await Promise.all(names.map((_, at) => build(`same:${at}`, 'p1', 'p2'))), (at) => `same:${at}`);
  // All to one name: whoever is last, it is one of them.
  keep(await Promise.all(names.map(() => build('one', 'p3', 'p4'))), () => 'one:latest');
  t.is(
    new Set([...promised].filter(([name]) => name.startsWith('same:')).map(([, digest]) => digest)).size,
    1,
  );
  t.is(promised.size, 33);
  keeps(t, env, promised);
  t.is(must(t, ['check'], env), '');
  isTidy(t, env);
});

/** In a mount namespace of its own, whose end is the end of the small file system; a user needs one for that. */
const namespace = ['--mount', ...(isRoot ? [] : ['--map-root-user'])];

test.serial('a full file system: it is said, nothing is lost, and the next run goes on', (t) => {
  const place = temporary(t);
  const small = join(place, 'small');
  mkdirSync(small);
  const repository = join(place, 'packages');
  for (const [at, name] of ['a', 'b', 'c'].entries()) {
    writePackage(repository, name, {
      files: { [`share/${name}`]: noise([100_000, 1_500_000, 200_000][at] ?? 0, at) },
    });
  }
  // $0: the small file system; $1: packages; the rest: the tool.
  const script = `mount -t tmpfs -o size=5m none "$0"; export STATIC_DISTRO_HOME="$0/home"
    packages=$1; shift
    try() { name=$1; shift; echo "begin $name"; "$@" 2>"$0.stderr" || echo "status $?"; sed 's/^/error /' "$0.stderr"; }
    try first "$@" build -d "$packages" -p a -t first
    try big "$@" build -d "$packages" -p a b -t big
    head -c 1m /dev/zero >"$0/filler"
    head -c 9m /dev/zero >"$0/more" 2>/dev/null || :
    try full "$@" build -d "$packages" -p a b c -t full
    try export "$@" export big "oci-archive:$0/out.tar"
    try layout "$@" export big "oci:$0/out"
    try gc "$@" gc
    try check "$@" check
    ls -A "$0" "$0/home/data/store" | sed 's/^/file /'
    rm "$0/filler" "$0/more"; rm -rf "$0/out"
    try after "$@" build -d "$packages" -p a c -t after
    try list "$@" list
    try check "$@" check
    cp -r "$0/home" "$0-copy"`;
  const { status, stdout, stderr } = run('unshare', [
    ...namespace,
    'sh',
    '-ec',
    script,
    small,
    repository,
    tool('pkgimage'),
  ]);
  t.is(status, 0, stderr);
  const said = new Map<string, string[]>();
  let name = '';
  for (const line of stdout.trimEnd().split('\n')) {
    if (line.startsWith('begin ')) said.set((name = line.slice('begin '.length)), []);
    else said.get(name)?.push(line);
  }
  const digest = /^sha256:[0-9a-f]{64}$/;
  const promised = new Map<string, string>();
  for (const done of ['first', 'big', 'after']) {
    const [line = '', ...more] = said.get(done) ?? [];
    t.regex(line, digest, `${done}: ${line}`);
    t.deepEqual(
      more.filter((each) => !each.includes('warning: Origin: unknown')),
      [],
    );
    promised.set(`${done}:latest`, line);
  }
  for (const full of ['full', 'export', 'layout']) {
    const lines = said.get(full) ?? [];
    t.is(lines[0], 'status 1', `${full}: ${lines.join('\n')}`);
    t.true(
      lines.some((line) => /^error pkgimage.*no space left on device/.test(line)),
      lines.join('\n'),
    );
    t.false(
      lines.some((line) => digest.test(line)),
      lines.join('\n'),
    );
  }
  t.deepEqual(
    said.get('check')?.filter((line) => !line.startsWith('file ')),
    [],
  );
  t.false(stdout.includes('file out.tar'));
  t.notRegex(stdout, /file \.new-/);
  const copied = homeOf(`${small}-copy`);
  keeps(t, copied, promised);
  t.is(must(t, ['check'], copied), '');
  isTidy(t, copied);
});

/** A store with three images of three packages, made once; each test takes a copy. */
const made = mkdtempSync(join(tmpdir(), 'static-distro-damage-'));
const repository = join(made, 'packages');
test.after.always(() => rmSync(made, { recursive: true, force: true }));
const images = [
  ['one', ['a', 'b'], []],
  ['two', ['a', 'c'], []],
  [
    'shared',
    ['a', 'b', 'c'],
    ['--budget', '3', '--encoding', 'zstd-1', '--add', `/etc/made=${made}/packages/a/1/control`],
  ],
] as const;

const built = new Map<string, string>();

test.before(() => {
  for (const [at, name] of ['a', 'b', 'c'].entries()) {
    writePackage(repository, name, { files: { [`bin/${name}`]: noise(100_000, at) } });
  }
  const env = homeOf(join(made, 'home'));
  for (const image of images) built.set(image[0], build(image, env));
});

function build([name, packages, options]: (typeof images)[number], env: Env): string {
  const args = ['build', '-d', repository, '-p', ...packages, ...options, '-t', name];
  const { status, stdout, stderr } = runTool('pkgimage', args, { env });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
}

type Descriptor = { readonly mediaType: string; readonly digest: string; readonly size: number };
type Index = { manifests: (Descriptor & { annotations?: Record<string, string> })[] };
type Manifest = { config: Descriptor; layers: Descriptor[] };

const named = 'org.opencontainers.image.ref.name';
const tagged = (name: string): string => (name === 'packages' ? name : `${name}:latest`);

/** A store as anybody sees it who writes files. */
class Layout {
  readonly directory: string;
  constructor(directory: string) {
    this.directory = directory;
  }
  path = (digest: string): string => join(this.directory, 'blobs/sha256', digest.replace('sha256:', ''));
  read = <T>(digest: string): T => JSON.parse(readFileSync(this.path(digest), 'utf8')) as T;
  put(bytes: string | Buffer): { digest: string; size: number } {
    const digest = digestOf(bytes);
    writeFileSync(this.path(digest), bytes);
    return { digest, size: Buffer.byteLength(bytes) };
  }
  index = (): Index => JSON.parse(readFileSync(join(this.directory, 'index.json'), 'utf8')) as Index;
  root = (name: string): Descriptor => {
    const found = this.index().manifests.find(({ annotations }) => annotations?.[named] === tagged(name));
    if (!found) throw new Error(`${name} is not there`);
    return found;
  };
  manifest = (name: string): Manifest => this.read(this.root(name).digest);
  layer = (name: string, at: number): string => this.path(this.manifest(name).layers[at]?.digest ?? '');
  /** Entries of the index of packages, and its only shard. */
  shard = (): string => this.read<Index>(this.root('packages').digest).manifests[0]?.digest ?? '';
  setIndex(change: (index: Index) => void): void {
    const index = this.index();
    change(index);
    writeFileSync(join(this.directory, 'index.json'), JSON.stringify(index));
  }
  point(name: string, to: { digest: string; size: number }): void {
    this.setIndex(({ manifests }) => {
      for (const entry of manifests)
        if (entry.annotations?.[named] === tagged(name)) Object.assign(entry, to);
    });
  }
  /** Names an image that is as another but for what `change` does to its manifest and config. */
  rewrite(
    name: string,
    change: (manifest: Manifest, config: { rootfs: { diff_ids: string[] } }) => void,
  ): void {
    const manifest = this.manifest(name);
    const config = this.read<{ rootfs: { diff_ids: string[] } }>(manifest.config.digest);
    change(manifest, config);
    Object.assign(manifest.config, this.put(JSON.stringify(config)));
    this.point(name, this.put(JSON.stringify(manifest)));
  }
  /** Enters packages other than they were. */
  rewritePackages(change: (entries: Index['manifests']) => void): void {
    const collection = this.read<Index>(this.root('packages').digest);
    const shard = this.read<Index>(this.shard());
    change(shard.manifests);
    Object.assign(collection.manifests[0] ?? {}, this.put(JSON.stringify(shard)));
    this.point('packages', this.put(JSON.stringify(collection)));
  }
}

function edit(path: string, change: (bytes: Buffer) => Buffer): void {
  const bytes = readFileSync(path);
  rmSync(path);
  writeFileSync(path, change(bytes));
}

const flip = (bytes: Buffer): Buffer => {
  const at = bytes.length >> 1;
  bytes[at] = (bytes[at] ?? 0) ^ 4;
  return bytes;
};

const fixture = (name: string): Buffer => readFileSync(join(root, 'registry-fixtures/archives', name));

/** What a plant does, what the check must say of it, and whether --repair and building again put it right. */
type Plant = readonly [does: (layout: Layout) => void, says: RegExp, mends: 'mends' | 'stays' | 'alone'];

/** The layer of the package a. */
const inA = String.raw`it hurts one:latest, "packages a 1 [0-9a-f]{12}", two:latest$`;

const plants: Readonly<Record<string, Plant>> = {
  'a layer that is cut off': [
    (at) => edit(at.layer('one', 0), (bytes) => bytes.subarray(0, 5000)),
    new RegExp(`^sha256:.*its 5000 bytes have the digest sha256:.*; ${inA}`),
    'mends',
  ],
  'a layer with one bit flipped': [
    (at) => edit(at.layer('one', 0), flip),
    new RegExp(`^sha256:.* bytes have the digest sha256:.*; ${inA}`),
    'mends',
  ],
  'a layer that is gone': [
    (at) => rmSync(at.layer('one', 0)),
    new RegExp(`^sha256:.*it is needed, with \\d+ bytes, and not there; ${inA}`),
    'mends',
  ],
  'a layer that several packages share, flipped': [
    (at) => edit(at.layer('shared', 0), flip),
    /^sha256:.* bytes have the digest sha256:.*; it hurts shared:latest$/,
    'mends',
  ],
  'a profile that is flipped': [
    (at) => edit(at.layer('one', 2), flip),
    /^sha256:.* bytes have the digest sha256:.*; it hurts one:latest$/,
    'mends',
  ],
  'a layer of added files that is flipped': [
    (at) => edit(at.layer('shared', 2), flip),
    /^sha256:.* bytes have the digest sha256:.*; it hurts shared:latest$/,
    'mends',
  ],
  'a directory in the place of a layer': [
    (at) => {
      rmSync(at.layer('one', 0));
      mkdirSync(at.layer('one', 0));
    },
    new RegExp(`^sha256:.*it is no regular file; ${inA}`),
    'mends',
  ],
  'a config that is gone': [
    (at) => rmSync(at.path(at.manifest('one').config.digest)),
    /^sha256:.*it is needed, with \d+ bytes, and not there; it hurts one:latest$/,
    'mends',
  ],
  'a manifest that is another one': [
    (at) => edit(at.path(at.root('one').digest), flip),
    /^sha256:.* bytes have the digest sha256:.*; it hurts one:latest$/,
    'mends',
  ],
  'a manifest that is no JSON': [
    (at) => at.point('one', at.put('{"schemaVersion":2,')),
    /^sha256:.*JSON.*; it hurts one:latest$/,
    'mends',
  ],
  'a manifest of which a field has the wrong type': [
    (at) => at.point('one', at.put('{"schemaVersion":2,"config":{},"layers":"none"}')),
    /^sha256:.*(config|layers).*; it hurts one:latest$/,
    'mends',
  ],
  'an index that leads to nothing': [
    (at) =>
      at.setIndex(({ manifests }) => {
        const first = manifests.find(({ annotations }) => annotations?.[named] === 'one:latest');
        if (first)
          manifests.push({
            ...first,
            digest: `sha256:${'0'.repeat(64)}`,
            annotations: { [named]: 'none:1' },
          });
      }),
    /^sha256:0{64}: it is needed, with \d+ bytes, and not there; it hurts none:1$/,
    'stays',
  ],
  'an index that says the wrong size': [
    (at) => at.point('one', { digest: at.root('one').digest, size: 7 }),
    /^sha256:.*what needs it says 7 bytes, and it has \d+; it hurts one:latest$/,
    'mends',
  ],
  'a manifest that says the wrong size of a layer': [
    (at) => at.rewrite('one', ({ layers }) => Object.assign(layers[1] ?? {}, { size: 7 })),
    /^sha256:.*what needs it says 7 bytes, and it has \d+; it hurts one:latest/,
    'mends',
  ],
  'a config with the wrong diffID': [
    (at) => at.rewrite('one', (_, { rootfs }) => void (rootfs.diff_ids[0] = `sha256:${'1'.repeat(64)}`)),
    /^sha256:.*it unpacks to sha256:.*, and the config says sha256:1{64}; it hurts one:latest$/,
    'mends',
  ],
  'a config that has a layer less': [
    (at) => at.rewrite('one', (_, { rootfs }) => void rootfs.diff_ids.pop()),
    /^sha256:.*it has 3 layers, and its config 2; it hurts one:latest$/,
    'mends',
  ],
  'a layer that reaches out of the root': [
    (at) =>
      at.rewrite('one', ({ layers }, { rootfs }) => {
        const tar = fixture('archive-escape.tar');
        layers[0] = { mediaType: 'application/vnd.oci.image.layer.v1.tar', ...at.put(tar) };
        rootfs.diff_ids[0] = digestOf(tar);
      }),
    /^sha256:.*\.\..*; it hurts one:latest$/,
    'mends',
  ],
  'a layer with an entry twice': [
    (at) =>
      at.rewrite('one', ({ layers }, { rootfs }) => {
        const tar = fixture('archive-twice.tar');
        layers[0] = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', ...at.put(gzipSync(tar)) };
        rootfs.diff_ids[0] = digestOf(tar);
      }),
    /^sha256:.*is there twice; it hurts one:latest$/,
    'mends',
  ],
  'an index of packages that is flipped': [
    (at) => edit(at.path(at.root('packages').digest), flip),
    /^sha256:.* bytes have the digest sha256:.*; it hurts packages$/,
    'mends',
  ],
  'a part of the index of packages that is gone': [
    (at) => rmSync(at.path(at.shard())),
    /^sha256:.*it is needed, with \d+ bytes, and not there; it hurts packages$/,
    'mends',
  ],
  'a record of a package that is flipped': [
    (at) => {
      const [entry] = at.read<Index>(at.shard()).manifests;
      edit(at.path(at.read<Manifest>(entry?.digest ?? '').config.digest), flip);
    },
    /^sha256:.* bytes have the digest sha256:.*; it hurts "packages [abc] 1 [0-9a-f]{12}"$/,
    'mends',
  ],
  'a package that is entered as another': [
    (at) =>
      at.rewritePackages((entries) => {
        const [first, second] = entries;
        if (first && second) Object.assign(first, { digest: second.digest, size: second.size });
      }),
    /^"packages [abc] 1 [0-9a-f]{12}": its record is that of [abc] 1 [0-9a-f]{12}$/,
    'stays',
  ],
  'an index.json that is gone': [
    (at) => rmSync(join(at.directory, 'index.json')),
    /^index\.json: .*index\.json/,
    'alone',
  ],
  'an index.json that is cut off': [
    (at) => edit(join(at.directory, 'index.json'), (bytes) => bytes.subarray(0, 100)),
    /^index\.json: .*JSON/,
    'alone',
  ],
  'an oci-layout that is gone': [
    (at) => rmSync(join(at.directory, 'oci-layout')),
    /^oci-layout: .*; it hurts one:latest, packages, shared:latest, two:latest$/,
    'mends',
  ],
  'an oci-layout of another version': [
    (at) => writeFileSync(join(at.directory, 'oci-layout'), '{"imageLayoutVersion":"9.0.0"}'),
    /^oci-layout: .*; it hurts one:latest, packages, shared:latest, two:latest$/,
    'alone',
  ],
  'a file among the blobs that is none': [
    (at) => writeFileSync(join(at.directory, 'blobs/sha256/notes'), 'mine'),
    /^blobs\/sha256\/notes: its name is no digest$/,
    'stays',
  ],
  'a blob that nobody needs and is wrong': [
    (at) => writeFileSync(at.path('a'.repeat(64)), 'wrong'),
    /^sha256:a{64}: its 5 bytes have the digest sha256:[0-9a-f]{64}$/,
    'mends',
  ],
};

/** Where the blobs of nothing but this damage are said: one line. */
for (const [what, [does, says, mends]] of Object.entries(plants)) {
  test(`pkgimage check finds ${what}`, (t) => {
    const place = temporary(t);
    const env = homeOf(join(place, 'home'));
    cpSync(join(made, 'home'), join(place, 'home'), { recursive: true });
    const layout = new Layout(storeOf(env));
    does(layout);
    const found = runTool('pkgimage', ['check'], { env });
    t.is(found.status, 1, found.stderr);
    const lines = found.stdout.trimEnd().split('\n');
    t.true(
      lines.some((line) => says.test(line)),
      found.stdout,
    );
    const { problems } = JSON.parse(runTool('pkgimage', ['check', '--json'], { env }).stdout) as {
      problems: unknown[];
    };
    t.is(problems.length, lines.length);
    if (mends === 'alone') {
      const refused = runTool('pkgimage', ['check', '--repair'], { env });
      t.not(refused.status, 0);
      t.is(refused.stderr.split('\n').length, 3, refused.stderr);
      return;
    }

    // With another store that is whole, everything is had again.
    const other = homeOf(join(place, 'other'));
    cpSync(join(place, 'home'), join(place, 'other'), { recursive: true });
    runTool('pkgimage', ['check', '--repair', '--from', `oci:${made}/home/data/store`], { env: other });
    const repaired = runTool('pkgimage', ['check', '--repair'], { env });
    if (mends === 'stays') {
      t.is(repaired.status, 1);
      t.regex(repaired.stdout, new RegExp(says.source, 'm'));
      return;
    }
    t.true(repaired.status === 0 || repaired.stdout.includes('it hurts'), repaired.stdout);
    // What cannot be had elsewhere is made again, and is the same.
    for (const home of [env, other]) {
      for (const image of images) t.is(build(image, home), built.get(image[0]) ?? '', image[0]);
      t.is(must(t, ['check'], home), '');
    }
  });
}

/** Every document at and below an index, by what its media type says it is. */
function acceptsAll(t: ExecutionContext, directory: string): ReadonlySet<string> {
  const layout = new Layout(directory);
  const seen = new Set<string>();
  const kinds = new Set<string>();
  const visit = ({ mediaType, digest }: Descriptor): void => {
    if (seen.has(digest)) return;
    seen.add(digest);
    const schema = /\.image\.(config|index|manifest)\.v1\+json$/.exec(mediaType)?.[1];
    if (schema === undefined) return;
    kinds.add(schema);
    const bytes = readFileSync(layout.path(digest));
    accepts(t, schema === 'config' ? schema : `image-${schema as 'index' | 'manifest'}`, bytes);
    const { manifests = [], config, layers = [] } = JSON.parse(bytes.toString()) as Partial<Index & Manifest>;
    for (const below of [...manifests, ...layers]) visit(below);
    if (schema === 'manifest' && config) visit(config);
  };
  accepts(t, 'image-layout', readFileSync(join(directory, 'oci-layout')));
  accepts(t, 'image-index', readFileSync(join(directory, 'index.json')));
  for (const each of layout.index().manifests) visit(each);
  return kinds;
}

test('every document in a store and in what is exported is what the schemas of the specification accept', (t) => {
  const place = temporary(t);
  const env = homeOf(join(place, 'home'));
  const said = [
    ...[
      '--entrypoint',
      '["/bin/a", "é"]',
      '--cmd',
      '[""]',
      '--env',
      'A=b=c',
      '--user',
      'app:1',
      '--workdir',
      '/app',
    ],
    ...['--port', '80', '--port', '53/udp', '--volume', '/data', '--label', 'a.b=ü', '--annotation', 'c.d="'],
    ...['--stop-signal', 'SIGRTMIN+3', '--account', 'app:2000', '--created', '1700000000'],
  ];
  for (const encoding of ['gzip-1', 'zstd-1', 'none']) {
    for (const [budget, options] of [
      ['32', []],
      ['3', said],
    ] as const) {
      const args = ['build', '-d', repository, '-p', 'a', 'b', 'c', ...options, '--encoding', encoding];
      must(t, [...args, '--budget', budget, '-t', `${encoding}:${budget}`], env);
    }
  }
  must(t, ['build', '-d', repository, '-p', 'a', '-t', 'alone'], env);
  t.deepEqual([...acceptsAll(t, storeOf(env))].toSorted(), ['config', 'index', 'manifest']);
  for (const form of ['oci', 'oci-archive', 'docker-archive']) {
    const out = join(place, form);
    must(t, ['export', 'gzip-1:3', `${form}:${out}`], env);
    const layout = form === 'oci' ? out : join(place, `${form}-unpacked`);
    if (form !== 'oci') {
      mkdirSync(layout);
      output('tar', ['-xf', out, '-C', layout]);
    }
    t.deepEqual([...acceptsAll(t, layout)].toSorted(), ['config', 'manifest'], form);
  }
});

test('a damaged layer gets into no file and no other image', (t) => {
  const place = temporary(t);
  const env = homeOf(join(place, 'home'));
  cpSync(join(made, 'home'), join(place, 'home'), { recursive: true });
  const layout = new Layout(storeOf(env));
  edit(layout.layer('one', 0), flip);
  const before = listed(t, env);
  const fails = (args: readonly string[], status = 1) => {
    const result = runTool('pkgimage', args, { env });
    t.deepEqual([result.status, result.stdout], [status, ''], `${args.join(' ')}: ${result.stderr}`);
    t.regex(result.stderr, /sha256:[0-9a-f]{64}/);
    const lines = result.stderr.split('\n').filter((line) => !line.includes('warning:'));
    t.is(lines.length, 3, result.stderr);
    if (args[0] !== 'export') return;
    t.regex(result.stderr, /pkgimage check --repair/);
    t.false(result.stderr.includes(`${place}/out`), result.stderr);
  };
  for (const form of ['oci-archive', 'docker-archive', 'rootfs', 'oci']) {
    fails(['export', 'one', `${form}:${place}/out`]);
    t.false(existsSync(join(place, 'out')) && form !== 'oci', form);
  }
  if (existsSync(join(place, 'out'))) t.deepEqual(new Layout(join(place, 'out')).index().manifests, []);
  // A layer that packages share is put together from theirs.
  fails(['build', '-d', repository, '-p', 'a', 'b', '--budget', '3', '-t', 'group']);
  // The uncompressed one is made of the other encoding.
  const kept = layout
    .read<Index>(layout.shard())
    .manifests.map(({ digest }) => layout.read<Manifest>(digest).layers);
  const [, zstd] = kept.find(([gzip]) => gzip?.digest === layout.manifest('one').layers[0]?.digest) ?? [];
  edit(layout.path(zstd?.digest ?? ''), flip);
  fails(['build', '-d', repository, '-p', 'a', 'c', '--encoding', 'none', '-t', 'plain']);
  t.deepEqual(listed(t, env), before);
});

/** A pipe that is full, so that whoever writes to it waits until it is read. */
function fullPipe(t: ExecutionContext): { readonly writer: number; drain(): void } {
  const path = join(temporary(t), 'pipe');
  output('mkfifo', [path]);
  const both = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const chunk = Buffer.alloc(4096);
  const until = (act: () => number) => {
    try {
      while (act() > 0);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  };
  until(() => writeSync(both, chunk));
  const writer = openSync(path, constants.O_WRONLY);
  t.teardown(() => {
    closeSync(writer);
    closeSync(both);
  });
  return { writer, drain: () => until(() => readSync(both, chunk)) };
}

/** Whether a process waits for a pipe to have room, in the system call or between two tries. */
const waits = (pid: number): boolean => /pipe_write|futex/.test(readFileSync(`/proc/${pid}/wchan`, 'utf8'));

for (const [what, known] of [
  ['is not known yet', false],
  ['is in the store', true],
] as const) {
  test(`a package removed between resolving and building, whose layer ${what}`, async (t) => {
    const place = temporary(t);
    const env = homeOf(join(place, 'home'));
    const packages = join(place, 'packages');
    const tree = writePackage(packages, 'a', { files: { 'bin/a': 'a' } });
    writePackage(packages, 'b', { files: { 'bin/b': 'b' } });
    const args = ['build', '-d', packages, '-p', 'a', 'b', '-t', 'x'];
    const digest = known ? must(t, args, env).trim() : undefined;
    // It warns of what is not clean when it has resolved, and before it builds: there it is held.
    const { writer, drain } = fullPipe(t);
    const child = spawn(tool('pkgimage'), args, {
      stdio: ['ignore', 'pipe', writer],
      env: { ...process.env, ...env },
    });
    const stdout = text(child.stdout ?? process.stdin);
    const closed = once(child, 'close') as Promise<[number | null]>;
    for (let seen = 0; child.exitCode === null && seen < 20; await setTimeout(10))
      seen = waits(child.pid ?? 0) ? seen + 1 : 0;
    rmSync(tree, { recursive: true });
    drain();
    const draining = setInterval(drain, 20);
    const [status] = await closed;
    clearInterval(draining);
    t.is(status, 1);
    t.is(await stdout, '');
    t.deepEqual(listed(t, env).get('x:latest'), digest);
    t.is(must(t, ['check'], env), '');
    const later = runTool('pkgimage', args, { env });
    t.is(later.status, 1);
    t.regex(later.stderr, /there is no package "a"/);
  });
}
