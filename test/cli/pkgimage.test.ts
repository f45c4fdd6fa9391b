import test, { type ExecutionContext } from 'ava';
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Engine, startEngine } from '../support/engines.ts';
import type { Digest } from '../../builder/digest.ts';
import type { Compressed } from '../../builder/tar/encoding.ts';
import { type RunningRegistry, startRegistry } from '../support/registries.ts';
import { noise, writePackage } from '../support/generated-packages.ts';
import { compressorBy } from '../support/compressors.ts';
import { install } from '../support/installation.ts';
import { compressProgram } from '../support/images.ts';
import { layerPy } from '../support/layers.ts';
import { finish } from '../support/peer-tools.ts';
import { nodeProgram } from '../support/node-versions.ts';
import { rootTest, serialRootTest } from '../support/root-test.ts';
import { isRoot, output, quickstart, root, run, runTool, temporary, tool } from '../support/tools.ts';

const home = mkdtempSync(join(tmpdir(), 'static-distro-pkgimage-'));
test.after.always(() => rmSync(home, { recursive: true, force: true }));

/** Without what engines make of their own, and `/var/tmp`, which withpkgs makes when it mounts something at `/var`. */
const script = `
cd /
prune='( -path /proc -o -path /sys -o -path /dev -o -path /etc/hosts -o -path /etc/hostname -o -path /etc/resolv.conf
  -o -path /.dockerenv -o -path /run/.containerenv -o -path /var/tmp ) -prune'
set -f
find / $prune -o ! -path / -exec stat -c '%n %f %N' {} + | sort
find / $prune -o -type f -exec sha256sum {} + | sort
`;
const greet = 'id -u; id -g; pwd; echo "$GREETING"; echo "$PATH"';

const some = ['-d', quickstart, '-p', 'mksh', 'sbase', 'lua'];
/** Every package of the quick start. */
const everything = readdirSync(quickstart).filter((name) => !name.startsWith('.'));
const described = [
  ...some,
  ...['--entrypoint', '["/bin/sh", "-c"]', '--cmd', greet, '--env', 'GREETING=hello', '--user', '1000:1000'],
  ...[
    '--workdir',
    '/work',
    '--label',
    'a=b',
    '--annotation',
    'c=d',
    '--port',
    '80',
    '--stop-signal',
    'SIGINT',
  ],
];

type Env = Readonly<Record<string, string | undefined>>;
const own: Env = { STATIC_DISTRO_HOME: home, SOURCE_DATE_EPOCH: undefined };

const call = (args: readonly string[], env: Env = own) => runTool('pkgimage', args, { env });

/** Standard output of a call that must succeed. */
function must(t: ExecutionContext, args: readonly string[], env: Env = own): string {
  const { status, stdout, stderr } = call(args, env);
  t.is(status, 0, stderr);
  return stdout;
}

const digestLine = /^sha256:[0-9a-f]{64}\n$/;
const homeOf = (t: ExecutionContext): Env => ({ ...own, STATIC_DISTRO_HOME: temporary(t) });
const blobs = (env: Env): string[] => {
  const directory = join(env['STATIC_DISTRO_HOME'] ?? '', 'data/store/blobs/sha256');
  return existsSync(directory) ? readdirSync(directory).sort() : [];
};

type Inspected = {
  readonly digest: string;
  readonly images: readonly {
    readonly id: string;
    readonly created: string;
    readonly platform: string;
    readonly settings: Readonly<Record<string, unknown>>;
    readonly annotations: Readonly<Record<string, string>>;
    readonly layers: readonly {
      readonly digest: string;
      readonly diffID: string;
      readonly history: string;
    }[];
  }[];
};

function inspected(t: ExecutionContext, name: string, env: Env = own) {
  const { images, digest } = JSON.parse(must(t, ['inspect', '--json', name], env)) as Inspected;
  const [image] = images;
  if (!image) throw new Error(`${name} is no image`);
  return { ...image, digest };
}

test('build prints the digest alone, digest the same and stores nothing, warm or cold', (t) => {
  const env = homeOf(t);
  const cold = must(t, ['digest', ...described], env);
  t.regex(cold, digestLine);
  t.deepEqual(blobs(env), []);
  const built = call(['build', ...described, '-t', 'web:1'], env);
  t.deepEqual([built.status, built.stdout], [0, cold]);
  t.regex(built.stderr, /^pkgimage build: warning: Origin: host: lua 5[^\n]*, mksh [^\n]*\n$/);
  const before = blobs(env);
  t.is(must(t, ['digest', ...described], env), cold);
  t.is(must(t, ['build', ...described, '-t', 'web:1'], env), cold);
  t.deepEqual(blobs(env), before);
  t.is(`${inspected(t, 'web:1', env).digest}\n`, cold);
});

/** Somebody else, who may look into root's directories, as the checkout may be below one of them. */
const another = [
  ...['setpriv', '--reuid', '12345', '--regid', '12345', '--clear-groups'],
  ...['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search'],
];

test('the digest depends on neither user, umask, zone, locale, home, directory nor the order of packages', (t) => {
  const first = must(t, ['digest', ...described], homeOf(t));
  const others: readonly (readonly [umask: string, env: Env, words: readonly string[]])[] = [
    ['000', { TZ: 'Asia/Tokyo', LC_ALL: 'C', LANG: 'de_DE.UTF-8' }, []],
    ['077', { TZ: 'America/New_York', LC_ALL: 'tr_TR.UTF-8', HOME: '/nonexistent' }, []],
    ...(isRoot ? [['022', {}, another] as const] : []),
  ];
  const shuffled = described.map((word) => ({ mksh: 'lua', lua: 'mksh' })[word] ?? word);
  for (const [umask, env, words] of others) {
    const place = temporary(t);
    if (words.length > 0) chownSync(place, 12345, 12345);
    const child = run(
      'sh',
      ['-c', `umask ${umask}; exec "$@"`, 'sh', ...words, tool('pkgimage'), 'build', ...shuffled],
      { cwd: place, env: { ...own, ...env, STATIC_DISTRO_HOME: join(place, 'home') } },
    );
    t.is(child.stdout, first, child.stderr);
  }
});

/** Packages with everything that is awkward in a tree; see registry-fixtures/README.md. */
const goldenTrees = ['plain', 'odd_names', 'hard_links', 'long_names', 'sizes'];
const goldenNames = [...goldenTrees.map((name) => name.replace('_', '-')), 'su'];

/** What `registry-fixtures/image.json` has of the golden image. */
type GoldenImage = {
  readonly id: Digest;
  /** With a budget of 3 layers. */
  readonly sharedID: Digest;
  readonly layers: readonly ({ readonly history: string; readonly diffID: Digest } & Readonly<
    Record<Compressed, Digest>
  >)[];
  /** By encoding, and by encoding and budget. */
  readonly manifests: Readonly<Record<string, Digest>>;
};

const fixtures = join(root, 'registry-fixtures');
const goldenImage = JSON.parse(readFileSync(join(fixtures, 'image.json'), 'utf8')) as GoldenImage;

/** Where the packages of the golden image are; never changed. */
const golden = join(home, 'golden');

function makeGolden(): void {
  mkdirSync(golden);
  const control = (name: string) =>
    `Package: ${name}\nVersion: 1\nArchitecture: x86_64\nLicense: MIT\nHomepage: https://example.org/${name}\n`;
  for (const tree of goldenTrees) {
    const name = tree.replace('_', '-');
    mkdirSync(join(golden, name));
    output('sh', [join(fixtures, 'trees/make.sh'), tree, join(golden, name, '1')]);
    writeFileSync(join(golden, name, '1/control'), control(name));
  }
  mkdirSync(join(golden, 'su/1/bin'), { recursive: true });
  writeFileSync(join(golden, 'su/1/bin/su'), 'I am root\n');
  writeFileSync(join(golden, 'su/1/control'), `${control('su')}Mode: bin/su 4755\nLayer-Rank: 900\n`);
}

test.before(makeGolden);

const goldenArgs = (repository = golden): string[] => [
  ...['build', '-d', repository, '-p', ...goldenNames.toReversed(), '-t', 'golden'],
  ...[
    '--entrypoint',
    '["/bin/su", "-c"]',
    '--cmd',
    'one two',
    '--env',
    'B=2',
    '--env',
    'A=ä b',
    '--user',
    'app',
  ],
  ...[
    '--account',
    'app:2000:2000:/app',
    '--add',
    `/app/data=${golden}/plain/1/control,mode=0600,owner=2000:2000`,
  ],
  ...['--label', 'l=m', '--port', '53/udp', '--volume', '/data', '--annotation', 'c=d'],
];

/** Everything in the store of who built it. */
let goldenBlobs: readonly string[] = [];

test.before(() => {
  const env = { ...own, STATIC_DISTRO_HOME: join(home, 'golden-home') };
  output(tool('pkgimage'), goldenArgs(), { env });
  goldenBlobs = blobs(env);
});

/** Runs what builds the golden image in a new home, and compares the digest, and what then is in the store. */
function buildsGolden(
  t: ExecutionContext,
  command: readonly string[],
  { env = {}, repository = golden, cwd = root, place = temporary(t) }: GoldenOptions = {},
): string {
  const [program = '', ...args] = [...command, ...goldenArgs(repository)];
  const all = { ...own, ...env, STATIC_DISTRO_HOME: join(place, 'home') };
  const { stdout, stderr } = run(program, args, { cwd, env: all, timeout: 300_000 });
  t.is(stdout.trim(), goldenImage.manifests['gzip-1'] ?? '', stderr);
  t.deepEqual(blobs(all), goldenBlobs);
  return place;
}

type GoldenOptions = {
  readonly env?: Env;
  readonly repository?: string;
  readonly cwd?: string;
  readonly place?: string;
};

const pkgimage = tool('pkgimage');
const underUmask = (umask: string): string[] => ['sh', '-c', `umask ${umask}; exec "$@"`, 'sh'];

test('golden image: ID, diffIDs, blobs, and manifests in every encoding are the recorded ones', (t) => {
  const env = { ...own, STATIC_DISTRO_HOME: temporary(t) };
  const [command = '', ...args] = goldenArgs();
  const build = (...more: readonly string[]) => must(t, [command, ...args, ...more], env).trim();
  const found: Record<string, string> = {};
  const layers = new Map<string, Record<string, string>>();
  for (const encoding of ['gzip-1', 'zstd-1', 'none'] as const) {
    found[`${encoding} in 3`] = build('--encoding', encoding, '--budget', '3');
    t.is(inspected(t, 'golden', env).id, goldenImage.sharedID, encoding);
    found[encoding] = build('--encoding', encoding);
    const image = inspected(t, 'golden', env);
    t.is(image.id, goldenImage.id, encoding);
    for (const { history, diffID, digest } of image.layers) {
      const layer = { history, diffID, ...layers.get(history) };
      t.is(layer.diffID, encoding === 'none' ? digest : diffID);
      layers.set(history, encoding === 'none' ? layer : { ...layer, [encoding]: digest });
    }
  }
  t.deepEqual(found, goldenImage.manifests);
  t.deepEqual([...layers.values()], goldenImage.layers);
  t.is(must(t, ['check'], env), '');
  // Names may be any bytes in a plain root, too.
  const out = temporary(t);
  must(t, ['export', 'golden', `rootfs:${out}/root.tar`], env);
  output('tar', ['-C', out, '--no-same-owner', '-xf', join(out, 'root.tar'), 'packages/odd-names']);
  const names = (tree: string) => readdirSync(tree, { recursive: true, encoding: 'latin1' }).sort();
  t.deepEqual(names(join(out, 'packages/odd-names/1')), names(join(golden, 'odd-names/1')));
  // The second implementation of the format says so too of those that need no mode.
  for (const { history, diffID } of goldenImage.layers) {
    const [name = '', version] = history.split(' ');
    if (version === undefined || name === 'su') continue;
    const python = ['python3', ...layerPy(join(golden, name, '1'), `packages/${name}/1`)];
    t.is(`sha256:${output('sh', ['-c', '"$@" | sha256sum', 'sh', ...python]).slice(0, 64)}`, diffID, name);
  }
});

test('golden image: with caches and store warm, gone, or one of them', (t) => {
  const place = buildsGolden(t, [pkgimage]);
  for (const gone of [[], ['cache'], ['data'], ['cache/layers'], ['cache', 'data']]) {
    for (const name of gone) rmSync(join(place, 'home', name), { recursive: true });
    buildsGolden(t, [pkgimage], { place });
  }
});

test('golden image: under other umasks, time zones, locales, and from other directories', (t) => {
  buildsGolden(t, [...underUmask('000'), pkgimage], {
    env: { TZ: 'Asia/Tokyo', LC_ALL: 'tr_TR.UTF-8', LANG: 'C' },
    cwd: '/',
  });
  buildsGolden(t, [...underUmask('077'), pkgimage], {
    env: { TZ: 'America/St_Johns', LC_ALL: 'C', HOME: '/nonexistent', COLUMNS: '20', NO_COLOR: '1' },
    cwd: temporary(t),
  });
});

test('golden image: with the clock in another century', (t) => {
  for (const date of ['1999-12-31 23:59:59', '2051-02-28 12:00:00'])
    buildsGolden(t, ['faketime', date, pkgimage]);
});

test('golden image: of directories that are read in another order', (t) => {
  // On tmpfs names come in the reverse order of their making, so the copy is made in the reverse of two orders.
  const place = temporary(t);
  mkdirSync(join(place, 'tmp'));
  const copied = `mount -t tmpfs none "$1"; mkdir "$1/golden"; cp -a "$2/." "$1/golden"; shift 2; exec "$@"`;
  const namespace = ['unshare', '--mount', ...(isRoot ? [] : ['--map-root-user'])];
  buildsGolden(t, [...namespace, 'sh', '-ec', copied, 'sh', join(place, 'tmp'), golden, pkgimage], {
    repository: join(place, 'tmp/golden'),
  });
});

rootTest(`golden image: of directories whose order changes at every look (disorderfs)`, (t) => {
  const place = temporary(t);
  const disorder = join(place, 'disorder');
  mkdirSync(disorder);
  output('disorderfs', ['--shuffle-dirents=yes', golden, disorder]);
  t.teardown(() => output('umount', [disorder]));
  const orders = new Set(Array.from({ length: 8 }, () => output('ls', ['-U', disorder])));
  t.true(orders.size > 1);
  buildsGolden(t, [pkgimage], { repository: disorder });
});

rootTest(`golden image: by an ordinary user`, (t) => {
  const place = temporary(t);
  chownSync(place, 12345, 12345);
  buildsGolden(t, [...underUmask('027'), ...another, pkgimage], { place, cwd: place });
});

for (const [how, compress] of [
  ['with one thread', () => [compressProgram, '--threads', '1']],
  ['with 16 threads', () => [compressProgram, '--threads', '16']],
  ['by a compressor that gcc -O0 made', () => [compressorBy('gcc', '-O0')]],
  ['by a compressor that clang -O3 made', () => [compressorBy('clang', '-O3')]],
  ['by a compressor for arm64', () => ['qemu-aarch64-static', compressorBy('aarch64-linux-gnu-gcc', '-O2')]],
] as const)
  test(`golden image: ${how}`, (t) => {
    const installed = install(join(temporary(t), 'other'), { compress: compress() });
    buildsGolden(t, [installed('pkgimage')], {
      env: { UV_THREADPOOL_SIZE: how.includes('one') ? '1' : '16' },
    });
  });

/** In bytes. */
const mostMemory = 128 << 20;

test('an image of a file that no compressor makes smaller is made in 128 MiB, also with 16 threads', (t) => {
  const place = temporary(t);
  const tree = writePackage(join(place, 'packages'), 'big');
  output('sh', ['-c', 'head -c 150000000 /dev/urandom >"$1/big"', 'sh', tree]);
  const installed = install(join(place, 'other'), { compress: [compressProgram, '--threads', '16'] });
  const env = { ...own, STATIC_DISTRO_HOME: join(place, 'home') };
  const measure = join(root, 'bench/measure.py');
  for (const args of [
    ['build', '-d', join(place, 'packages'), '-p', 'big', '-t', 'big'],
    ['check'],
    ['export', 'big', `rootfs:${place}/root.tar`],
    ['export', 'big', `docker-archive:${place}/docker.tar`],
    ['copy', `docker-archive:${place}/docker.tar`, 'back'],
  ]) {
    const measured = output('python3', [measure, installed('pkgimage'), ...args], { env, timeout: 300_000 });
    const { memory } = JSON.parse(measured) as { memory: number };
    t.true(memory * 1e6 < mostMemory, `${args.join(' ')}: ${memory} MB`);
    t.log(`${args[0] ?? ''}: ${memory.toFixed(0)} MB`);
  }
});

test('golden image: by the tools on Node 26', (t) => {
  const node = nodeProgram('26');
  t.regex(output(node, ['--version']), /^v26\./);
  const installed = install(join(temporary(t), 'other'), { node });
  const place = buildsGolden(t, [installed('pkgimage')]);
  const env = { ...own, STATIC_DISTRO_HOME: join(place, 'home') };
  const checked = run(installed('pkgimage'), ['check'], { env });
  t.deepEqual([checked.status, checked.stdout], [0, ''], checked.stderr);
});

test('one ID in every encoding, and with shared layers; created is what is said', (t) => {
  const digests = ['gzip-1', 'zstd-1', 'none'].map((encoding) =>
    must(t, ['build', ...described, '--encoding', encoding, '-t', `enc:${encoding}`]),
  );
  t.is(new Set(digests).size, 3);
  t.is(new Set(['gzip-1', 'zstd-1', 'none'].map((tag) => inspected(t, `enc:${tag}`).id)).size, 1);
  const shared = ['gzip-1', 'zstd-1', 'none'].map((encoding) => {
    const args = [...described, '--budget', '3', '--encoding', encoding];
    const cold = must(t, ['digest', ...args], homeOf(t));
    t.is(must(t, ['build', ...args, '-t', `shared:${encoding}`]), cold);
    return inspected(t, `shared:${encoding}`);
  });
  t.is(new Set(shared.map(({ id }) => id)).size, 1);
  t.deepEqual(
    shared[0]?.layers.map(({ history }) => history.replaceAll(/ \d[^ ,]*/g, '')),
    ['lua, mksh, sbase', 'profile'],
  );
  t.is(inspected(t, 'enc:none').created, '1970-01-01T00:00:00Z');
  const dated = must(t, ['build', ...described, '-t', 'dated'], { ...own, SOURCE_DATE_EPOCH: '86400' });
  t.is(inspected(t, 'dated').created, '1970-01-02T00:00:00Z');
  t.is(must(t, ['digest', ...described, '--created', '86400']), dated);
  t.is(must(t, ['check']), '');
});

test('config and annotations are what the options and the controls say', (t) => {
  must(t, ['build', ...described, '-t', 'said']);
  const { settings, annotations, layers, platform } = inspected(t, 'said');
  t.deepEqual(settings, {
    Entrypoint: ['/bin/sh', '-c'],
    Cmd: [greet],
    Env: ['GREETING=hello', 'PATH=/bin'],
    ExposedPorts: { '80/tcp': {} },
    Labels: { a: 'b' },
    StopSignal: 'SIGINT',
    User: '1000:1000',
    WorkingDir: '/work',
  });
  t.regex(platform, /^linux\/(amd64|arm64)$/);
  t.is(annotations['c'], 'd');
  t.is(annotations['org.opencontainers.image.licenses'], 'GPL-2.0-only AND MIT AND MirOS');
  t.regex(annotations['static-distro.origin.host'] ?? '', /^lua 5\S+, mksh \S+, sbase \S+$/);
  t.is(annotations['org.opencontainers.image.title'], undefined);
  t.deepEqual(
    layers.map(({ history }) => history.split(' ')[0]),
    ['mksh', 'sbase', 'lua', 'profile'],
  );
  const table = must(t, ['inspect', 'said']);
  t.regex(table, /^entrypoint {2}"\/bin\/sh" "-c"$/m);
  t.regex(table, /^layer {7}sha256:[0-9a-f]{64} .* "mksh 59c"$/m);
  must(t, ['build', '-d', quickstart, '-p', 'lua', '-t', 'lua']);
  const lua = inspected(t, 'lua');
  t.is(lua.annotations['org.opencontainers.image.title'], 'lua');
  t.regex(lua.annotations['org.opencontainers.image.url'] ?? '', /^https:\/\/www\.lua\.org/);
  t.deepEqual(lua.settings, { Env: ['PATH=/bin'], User: '0', WorkingDir: '/' });
});

test('a build of what is known opens no layer, and of packages nothing but their control', (t) => {
  for (const budget of ['32', '3'])
    must(t, ['build', ...described, '--budget', budget, '-t', `warm:${budget}`]);
  for (const budget of ['32', '3']) {
    const trace = join(temporary(t), 'trace');
    const args = [
      '-f',
      '-s',
      '500',
      '-e',
      'trace=open,openat,openat2',
      '-o',
      trace,
      tool('pkgimage'),
      'build',
    ];
    output('strace', [...args, ...described, '--budget', budget, '-t', `warm:${budget}`], { env: own });
    const opened = [...readFileSync(trace, 'utf8').matchAll(/open\w*\((?:[^",]*, )?"([^"]*)"/g)].map(
      ([, path = '']) => path,
    );
    t.true(opened.some((path) => path.includes('cache/layers/')));
    const trees = opened.filter((path) => path.startsWith(`${quickstart}/`) && !path.includes('/.records/'));
    t.deepEqual(
      trees.filter(
        (path) => path.split('/').length > quickstart.split('/').length + 2 && !path.endsWith('/control'),
      ),
      [],
    );
    const layers = inspected(t, `warm:${budget}`).layers.map(({ digest }) => digest.slice('sha256:'.length));
    t.deepEqual(
      opened.filter((path) => layers.some((digest) => path.includes(digest))),
      [],
    );
  }
});

test('a changed package changes one layer; an edit inside a file is told, and not shipped', (t) => {
  const env = homeOf(t);
  const repository = temporary(t);
  for (const name of ['mksh', 'sbase', 'lua']) {
    cpSync(join(quickstart, name), join(repository, name), { recursive: true, verbatimSymlinks: true });
  }
  const args = ['-d', repository, '-p', 'mksh', 'sbase', 'lua'];
  const build = (name: string) => must(t, ['build', ...args, '-t', name], env);
  const before = build('before');
  t.regex(call(['digest', ...args], env).stderr, /warning: Origin: unknown: lua/);
  t.regex(inspected(t, 'before', env).annotations['static-distro.origin.unknown'] ?? '', /^lua /);
  t.is(call(['build', ...args, '--require-clean'], env).status, 1);

  const lua = join(repository, 'lua', readdirSync(join(repository, 'lua'))[0] ?? '');
  const license = join(lua, 'share/licenses/lua/LICENSE');
  writeFileSync(license, 'edited');
  t.is(build('edited'), before);
  const found = call(['check', '--trees'], env);
  t.is(found.status, 1);
  t.regex(found.stdout, /lua\/5[^\n]*: files of lua 5\S+ were edited after its layer was made\n$/);

  writeFileSync(join(lua, 'share/new'), 'new');
  t.not(build('after'), before);
  const [old, now] = [inspected(t, 'before', env), inspected(t, 'after', env)];
  const differing = now.layers.filter(({ digest }, at) => digest !== old.layers[at]?.digest);
  t.deepEqual(
    differing.map(({ history }) => history.split(' ')[0]),
    ['lua'],
  );
  t.regex(
    must(t, ['diff', 'before', 'after'], env),
    /^~ lua 5[^]*\n- sha256:.*"lua .*\n\+ sha256:.*"lua .*\n3 layers are the same; /,
  );
  t.is(call(['check', '--trees'], env).status, 0);

  // A layer that went is made again, if it can be.
  const layer = differing[0]?.digest.slice('sha256:'.length) ?? '';
  const blob = join(env['STATIC_DISTRO_HOME'] ?? '', 'data/store/blobs/sha256', layer);
  const bytes = readFileSync(blob);
  rmSync(blob);
  const missing = call(['check'], env);
  t.is(missing.status, 1);
  t.regex(missing.stdout, new RegExp(`^sha256:${layer}: it is needed.*it hurts .*after:latest`));
  build('after');
  t.deepEqual(readFileSync(blob), bytes);
  rmSync(blob);
  writeFileSync(license, 'edited again');
  const refused = call(['build', ...args], env);
  t.is(refused.status, 1);
  t.regex(
    refused.stderr,
    /files in .* are no longer those that its layer was made of\npkgimage: build the package again/,
  );
  // A memory that is lost or damaged is only a loss of time.
  const cache = join(env['STATIC_DISTRO_HOME'] ?? '', 'cache/layers');
  for (const name of readdirSync(cache)) writeFileSync(join(cache, name), '{"format":');
  t.regex(build('fresh'), digestLine);
});

test('OCI forms keep the manifest digest through skopeo; umoci unpacks them', (t) => {
  const digest = must(t, ['build', ...described, '-t', 'form']).trim();
  const out = temporary(t);
  must(t, ['export', 'form', `oci:${out}/layout:form`]);
  must(t, ['export', 'form', `oci-archive:${out}/form.tar`]);
  must(t, ['export', 'form', `docker-archive:${out}/docker.tar`]);
  const rawDigest = (place: string) =>
    output('sh', ['-c', 'skopeo inspect --raw "$1" | sha256sum', 'sh', place]).slice(0, 64);
  const insecure = ['--insecure-policy', 'copy', '--quiet'];
  for (const place of [`oci:${out}/layout:form`, `oci-archive:${out}/form.tar`]) {
    t.is(`sha256:${rawDigest(place)}`, digest);
    const there = `oci:${out}/there-${place.length}:x`;
    output('skopeo', [...insecure, place, there]);
    t.is(`sha256:${rawDigest(there)}`, digest);
    must(t, ['copy', there, 'back']);
    t.is(inspected(t, 'back').digest, digest);
  }
  const { id, layers } = inspected(t, 'form');
  const config = JSON.parse(
    output('skopeo', ['inspect', '--config', '--raw', `docker-archive:${out}/docker.tar`]),
  );
  t.deepEqual(
    config.rootfs.diff_ids,
    layers.map(({ diffID }) => diffID),
  );
  must(t, ['copy', `docker-archive:${out}/docker.tar`, 'docker-form']);
  t.is(inspected(t, 'docker-form').id, id);
  output('umoci', [
    'unpack',
    ...(isRoot ? [] : ['--rootless']),
    '--image',
    `${out}/layout:form`,
    `${out}/bundle`,
  ]);
  t.true(existsSync(join(out, 'bundle/rootfs/packages/mksh')));
  must(t, ['copy', 'form', 'form:other']);
  t.regex(must(t, ['list']), /^form:other +sha256:\S+ +4 layers +[\d.]+ kB$/m);
});

test('list, remove, gc: what nothing needs goes, what packages and names need stays', (t) => {
  const env = homeOf(t);
  must(t, ['build', ...some, '-t', 'a', '-t', 'b:2'], env);
  must(t, ['build', '-d', quickstart, '-p', 'make', '--budget', '3', '-t', 'c'], env);
  const { images } = JSON.parse(must(t, ['list', '--json'], env)) as { images: { name: string }[] };
  t.deepEqual(
    images.map(({ name }) => name),
    ['a:latest', 'b:2', 'c:latest'],
  );
  must(t, ['remove', 'c', 'b:2'], env);
  t.is(must(t, ['list'], env).split('\n').length, 2);
  const gone = call(['remove', 'c'], env);
  t.deepEqual([gone.status, gone.stdout], [1, '']);
  t.regex(gone.stderr, /^pkgimage: there is no image "c:latest"\n/);
  const all = blobs(env);
  t.regex(must(t, ['gc'], env), /^removed 0 blobs/);
  // Two days later.
  const past = Date.now() / 1000 - 2 * 86_400;
  for (const name of all)
    utimesSync(join(env['STATIC_DISTRO_HOME'] ?? '', 'data/store/blobs/sha256', name), past, past);
  t.regex(must(t, ['gc', '--dry-run'], env), /^would remove \d+ blobs/);
  t.deepEqual(blobs(env), all);
  t.regex(must(t, ['gc'], env), /^removed [1-9]\d* blobs, .*; 0 packages, 0 unfinished files\n$/);
  t.true(blobs(env).length < all.length);
  t.is(must(t, ['check'], env), '');
  t.true(must(t, ['build', '-d', quickstart, '-p', 'make', '-t', 'c'], env).length > 0);
});

test('what is wrong is told in one line and a hint, with status 2 or 1, before anything is stored', (t) => {
  const env = homeOf(t);
  const wrong: readonly (readonly [args: readonly string[], status: number, message: RegExp])[] = [
    [[], 2, /no command/],
    [['buidl'], 2, /did you mean "build"/],
    [['build', '-d', quickstart], 2, /no package is asked for/],
    [['build', ...some, '--encoding', 'gzip'], 2, /--encoding "gzip" is not known/],
    [['build', ...some, '--budget', 'x'], 2, /--budget "x"/],
    [['build', ...some, '--created', '-1'], 2, /--created "-1"/],
    [['build', ...some, '-t', 'Foo'], 2, /"Foo" is no name of an image/],
    [['build', ...some, '--env', '=x'], 2, /--env "=x"/],
    [['build', ...some, '--entrypoint', '["a", 1]'], 2, /--entrypoint .* is no list of words/],
    [['load', 'none', 'docker', '--engine', ''], 2, /--engine names no program/],
    [['remove', 'x', 'x'], 1, /there is no image "x:latest"\n/],
    [['build', ...some, '--user', 'blah'], 2, /user: "blah" cannot be used: there is no user "blah"/],
    [['build', ...some, '--user', '0:0x'], 2, /there is no group "0x"/],
    [['build', ...some, '--user=-1'], 2, /user: "-1" cannot be used/],
    [['build', ...some, '--volume', '/'], 2, /volume: "\/" cannot be used/],
    [['build', ...some, '--nonsense'], 2, /--nonsense/],
    [['build', '-d', quickstart, '-p', 'msul'], 1, /there is no package "msul"/],
    [['export', 'none', 'oci:x'], 1, /there is no image "none"/],
    [['export', 'none', 'somewhere'], 2, /says no kind of place/],
    [['load', 'none', 'dokcer'], 2, /"dokcer" is no engine/],
    [['export', 'none', 'docker://example.org/x'], 2, /is in a registry/],
    [['copy', 'rootfs:x', 'y'], 2, /is no image/],
  ];
  for (const [args, status, message] of wrong) {
    const result = call(args, env);
    t.deepEqual([result.status, result.stdout], [status, ''], args.join(' '));
    t.regex(result.stderr, message);
    t.true(result.stderr.split('\n').length <= 3, result.stderr);
  }
  t.deepEqual(blobs(env), []);
  for (const name of [
    'build',
    'digest',
    'export',
    'load',
    'copy',
    'list',
    'inspect',
    'diff',
    'check',
    'remove',
    'gc',
  ]) {
    t.regex(must(t, [name, '--help'], env), /^Usage: pkgimage .*Examples:\n {2}pkgimage /s);
  }
});

test('an image for one platform is not taken for another one', (t) => {
  const env = homeOf(t);
  const place = temporary(t);
  must(t, ['build', '-d', quickstart, '-p', 'mksh', '-t', 'one'], env);
  const there = inspected(t, 'one', env).platform;
  const wrong = ['--platform', 'linux/s390x'];
  for (const args of [
    ['export', 'one', `rootfs:${place}/a.tar`],
    ['export', 'one', `docker-archive:${place}/b.tar`],
    ['export', 'one', `oci-archive:${place}/c.tar`],
    ['export', 'one', `oci:${place}/d`],
    ['load', 'one', 'docker'],
    ['copy', 'one', 'two'],
    ['diff', 'one', 'one'],
  ]) {
    const { status, stdout, stderr } = call([...args, ...wrong], env);
    t.deepEqual([status, stdout], [1, ''], args.join(' '));
    t.regex(stderr, /there is no image for linux\/s390x\n/);
    t.true(stderr.includes(`there are images for ${there}`));
  }
  t.deepEqual(readdirSync(place), []);
  must(t, ['export', 'one', `rootfs:${place}/a.tar`, '--platform', there], env);
});

test('a pipe in the place of a file is told, or made good, and nobody waits for it', (t) => {
  const env = homeOf(t);
  const place = temporary(t);
  const repository = join(place, 'packages');
  cpSync(join(quickstart, 'mksh'), join(repository, 'mksh'), { recursive: true, verbatimSymlinks: true });
  const digest = must(t, ['build', '-d', repository, '-p', 'mksh', '-t', 'one'], env);
  const data = join(env['STATIC_DISTRO_HOME'] ?? '', 'data/store');
  const cache = join(env['STATIC_DISTRO_HOME'] ?? '', 'cache/layers');
  const blob = ({ digest: of }: { readonly digest: string }) => `blobs/sha256/${of.slice('sha256:'.length)}`;
  const manifest = JSON.parse(readFileSync(join(data, blob({ digest: digest.trim() })), 'utf8'));
  const withPipe = (path: string, act: () => void) => {
    const bytes = readFileSync(path);
    rmSync(path);
    output('mkfifo', ['-m', '600', path]);
    act();
    rmSync(path);
    writeFileSync(path, bytes);
  };
  const waits = (args: readonly string[]) => run('timeout', ['60', tool('pkgimage'), ...args], { env });
  for (const name of [blob(manifest.layers[0]), blob(manifest.config), 'index.json', 'oci-layout']) {
    withPipe(join(data, name), () => {
      const { status, stderr } = waits(['export', 'one', `rootfs:${place}/a.tar`]);
      t.is(status, 1, name);
      t.regex(stderr, /it is no regular file/);
    });
  }
  const config = join(data, blob(manifest.config));
  rmSync(config);
  mkdirSync(config);
  const directory = waits(['build', '-d', repository, '-p', 'mksh', '-t', 'one']);
  t.is(directory.status, 1);
  t.regex(directory.stderr, /blobs\/sha256\/[0-9a-f]{64} is a directory\n.*remove the directory/);
  rmSync(config, { recursive: true });
  must(t, ['build', '-d', repository, '-p', 'mksh', '-t', 'one'], env);
  const trees = readdirSync(cache).filter((name) => name.startsWith('tree-'));
  t.true(trees.length > 0);
  for (const name of trees) {
    withPipe(join(cache, name), () => {
      t.is(waits(['build', '-d', repository, '-p', 'mksh']).stdout, digest);
    });
  }
  const [version = ''] = readdirSync(join(repository, 'mksh'));
  const record = join(repository, '.records/mksh', `${version}.json`);
  mkdirSync(join(repository, '.records/mksh'), { recursive: true });
  rmSync(record, { force: true });
  output('mkfifo', [record]);
  const { status, stderr } = waits(['build', '-d', repository, '-p', 'mksh']);
  t.not(status, 0);
  t.regex(stderr, /cannot read .*\.records\/mksh\/.*it is no regular file/);
});

test('a umask that takes from the owner too leaves a store that its owner can use', (t) => {
  const env = homeOf(t);
  const modes = (mask: string) => {
    const command = `umask ${mask}; exec "$@"`;
    const args = ['-c', command, 'sh', tool('pkgimage'), 'build', '-d', quickstart, '-p', 'mksh', '-t', 'b'];
    t.is(run('sh', args, { env }).status, 0);
    const found = output('find', [env['STATIC_DISTRO_HOME'] ?? '', '-printf', '%M %P\\n']);
    return found.trim().split('\n');
  };
  for (const mask of ['0400', '0777']) {
    for (const line of modes(mask)) t.regex(line, /^(drwx|-rw-|-r--|lrwx)/);
    rmSync(env['STATIC_DISTRO_HOME'] ?? '', { recursive: true });
  }
});

test('a lock is written by digest too, through a link, and over nothing but a lock', (t) => {
  const env = homeOf(t);
  const place = temporary(t);
  const [lock, link, other] = ['a.lock', 'link', 'd.yaml'].map((name) => join(place, name)) as [
    string,
    string,
    string,
  ];
  const words = ['-d', quickstart, '-p', 'mksh'];
  const digest = must(t, ['digest', ...words, '--lock', lock], env);
  const text = readFileSync(lock, 'utf8');
  t.is(`${JSON.parse(text).manifest.digest}\n`, digest);
  writeFileSync(lock, '');
  symlinkSync('a.lock', link);
  must(t, ['build', ...words, '--lock', link], env);
  t.is(readlinkSync(link), 'a.lock');
  t.is(readFileSync(lock, 'utf8'), text);
  must(t, ['build', ...words, '--lock', link, '--locked'], env);
  writeFileSync(other, 'packages: [mksh]\n');
  const before = blobs(env);
  const { status, stderr } = call(
    ['build', '-d', quickstart, '-p', 'lua', '-f', other, '--lock', other],
    env,
  );
  t.is(status, 1);
  t.regex(stderr, /d\.yaml" is there and is no lock/);
  t.is(readFileSync(other, 'utf8'), 'packages: [mksh]\n');
  t.deepEqual(blobs(env), before);
});

test('builds of the same image at once all succeed, and leave a store that is whole', async (t) => {
  const env = homeOf(t);
  const six = Array.from({ length: 6 }, (_, at) => `tag:${at}`);
  const command = `for name in ${six.join(' ')}; do "$@" -t $name & done; wait`;
  const lines = run('sh', ['-c', command, 'sh', tool('pkgimage'), 'build', ...some, '--budget', '3'], {
    env,
  }).stdout;
  t.is(new Set(lines.trim().split('\n')).size, 1);
  t.is(lines.trim().split('\n').length, six.length);
  t.is(must(t, ['check'], env), '');
  t.is(must(t, ['list'], env).trim().split('\n').length, six.length);
});

test('a lock says what the image is made of; --locked makes it again, or says what differs', (t) => {
  const env = homeOf(t);
  const place = temporary(t);
  const repository = join(place, 'packages');
  for (const name of ['mksh', 'sbase', 'lua']) {
    cpSync(join(quickstart, name), join(repository, name), { recursive: true, verbatimSymlinks: true });
  }
  const file = join(place, 'image.lock');
  const args = ['-d', repository, '-p', 'mksh', 'sbase', 'lua', '--budget', '3', '--lock', file];
  const digest = must(t, ['build', ...args], env);
  const text = readFileSync(file, 'utf8');
  const lock = JSON.parse(text);
  t.is(`${lock.manifest.digest}\n`, digest);
  t.deepEqual(
    lock.packages.map(({ name }: { name: string }) => name),
    ['lua', 'mksh', 'sbase'],
  );
  t.is(lock.plan.length, 1);
  t.is(text.split('\n').filter((line) => /^ {4}\{.*"control":"sha256:/.test(line)).length, 3);
  const { layers } = inspected(t, digest.trim(), env);
  const [group, ...more] = lock.groups;
  t.deepEqual([group.packages, more], [lock.plan[0], []]);
  t.deepEqual([group.diffID, group.blobs['gzip-1'].digest], [layers[0]?.diffID, layers[0]?.digest]);
  t.deepEqual([lock.repositories, lock.packages[0].published], [{}, undefined], 'no place of this machine');

  // A newer version changes what is chosen, not what is locked; another budget would be another plan.
  const [version = ''] = readdirSync(join(repository, 'lua'));
  cpSync(join(repository, 'lua', version), join(repository, 'lua/9'), {
    recursive: true,
    verbatimSymlinks: true,
  });
  const control = readFileSync(join(repository, 'lua', version, 'control'), 'utf8');
  writeFileSync(join(repository, 'lua/9/control'), control.replace(`Version: ${version}`, 'Version: 9'));
  const free = args.slice(0, -2);
  t.not(must(t, ['digest', ...free], env), digest);
  t.is(must(t, ['digest', ...args, '--locked'], env), digest);
  t.is(must(t, ['build', ...args, '--budget', '32', '--locked'], env), digest);
  t.is(readFileSync(file, 'utf8'), text);

  // Its image stays as long as the file does.
  const past = Date.now() / 1000 - 2 * 86_400;
  const age = () => {
    for (const name of blobs(env))
      utimesSync(join(env['STATIC_DISTRO_HOME'] ?? '', 'data/store/blobs/sha256', name), past, past);
  };
  age();
  must(t, ['gc'], env);
  t.true(blobs(env).includes(digest.trim().slice('sha256:'.length)));

  const fails = (extra: readonly string[], message: RegExp) => {
    const result = call(['build', ...args, '--locked', ...extra], env);
    t.deepEqual([result.status, result.stdout], [1, '']);
    t.regex(result.stderr, message);
  };
  fails(
    ['--env', 'A=b', '--user', '1'],
    /is not the one in .*image\.lock": its description is another: env, user$/m,
  );
  fails(['-p', 'make'], /what is asked for is not what is in .*image\.lock": "make" is not in it/);
  const fewer = call(['build', '-d', repository, '-p', 'mksh', 'sbase', '--lock', file, '--locked'], env);
  t.deepEqual([fewer.status, fewer.stdout], [1, '']);
  t.regex(fewer.stderr, /"lua" is not asked for any more/);
  writeFileSync(join(repository, 'lua', version, 'share/new'), '');
  fails([], /lua \S+ has other files/);
  rmSync(join(repository, 'lua', version), { recursive: true });
  fails([], /lua/);
  t.regex(call(['build', ...args.slice(0, -2), '--locked'], env).stderr, /--locked needs a lock/);
  writeFileSync(file, '{}');
  t.is(call(['build', ...args, '--locked'], env).status, 2);
  rmSync(file);
  age();
  must(t, ['gc'], env);
  t.false(blobs(env).includes(digest.trim().slice('sha256:'.length)));
});

const manyNames = Array.from({ length: 500 }, (_, at) => `p${String(at).padStart(3, '0')}`);
const manyPackages = join(home, 'many');
const many = (...more: readonly string[]): string[] => [
  ...['-d', manyPackages, '-d', quickstart, '-p', 'mksh', 'sbase', 'big', ...manyNames, ...more],
  ...['--entrypoint', '["/bin/sh", "-c"]'],
];

/** A package with a program, a library and a header, each of which is linked into the root. */
const writeMany = (name: string, extra: Readonly<Record<string, string>> = {}) =>
  writePackage(manyPackages, name, {
    files: {
      [`bin/${name}`]: `#!/bin/sh\necho ${name}\n`,
      [`lib/lib${name}.a`]: `!<arch>\n${name}`,
      [`include/${name}/${name}.h`]: `#define ${name} 1\n`,
      ...extra,
    },
  });

/** Serial, as the engines run afterwards what is built here. */
test.serial('500 packages under budgets of 8, 32 and 125: each is there, and the lock has the plan', (t) => {
  for (const name of manyNames) writeMany(name);
  writePackage(manyPackages, 'big', { files: { 'share/big': noise(5 << 20, 1) } });
  const titles = ['big 1', ...manyNames.map((name) => `${name} 1`)];
  for (const budget of ['8', '32', '125']) {
    const lock = join(temporary(t), 'lock');
    const args = [...many(), '--budget', budget, '--lock', lock];
    const digest = must(t, ['build', ...args, '-t', `many:${budget}`]);
    const { layers } = inspected(t, `many:${budget}`);
    t.true(layers.length <= Number(budget) && layers.length >= Number(budget) / 2, `${layers.length}`);
    const groups = layers.slice(0, -1).map(({ history }) => history.split(', '));
    t.deepEqual(
      groups
        .flat()
        .filter((title) => !/^(mksh|sbase|musl) /.test(title))
        .sort(),
      titles,
    );
    t.is(
      groups.some((group) => group.join() === 'big 1'),
      budget !== '8',
    );
    const { groups: shared } = JSON.parse(readFileSync(lock, 'utf8')) as { groups: { packages: string[] }[] };
    t.deepEqual(
      shared.map(({ packages }) => packages),
      groups.filter(({ length }) => length > 1),
    );
    // The plan is the lock's: with it, another budget changes nothing.
    t.deepEqual((JSON.parse(readFileSync(lock, 'utf8')) as { plan: unknown }).plan, groups);
    t.is(must(t, ['digest', ...many(), '--budget', budget, '--lock', lock, '--locked']), digest);
    t.is(must(t, ['digest', ...many(), '--budget', '20', '--lock', lock, '--locked']), digest);
    // So it is in another store, where each group has to be made again.
    if (budget === '32') t.is(must(t, ['digest', ...args, '--locked'], homeOf(t)), digest);
  }
  const archive = join(temporary(t), 'root.tar');
  must(t, ['export', 'many:8', `rootfs:${archive}`]);
  const listed = new Set(output('tar', ['-tf', archive]).split('\n'));
  for (const name of manyNames) {
    for (const path of [`bin/${name}`, `lib/lib${name}.a`, `include/${name}/${name}.h`])
      t.true(listed.has(`packages/${name}/1/${path}`), path);
    t.true(listed.has(`bin/${name}`) && listed.has(`include/${name}`), name);
  }
});

test.serial('one more of 500 packages, or a changed one, changes one layer of packages', (t) => {
  writeMany('p999');
  for (const budget of ['8', '32', '125']) {
    const before = inspected(t, `many:${budget}`).layers;
    const fresh = (name: string) => {
      const known = new Set(before.map(({ digest }) => digest));
      const { layers } = inspected(t, name);
      t.is(layers.length, before.length);
      return layers.filter(({ digest }) => !known.has(digest)).map(({ history }) => history.split(', '));
    };
    must(t, ['build', ...many('p999'), '--budget', budget, '-t', 'more']);
    const [added, profile, ...others] = fresh('more');
    t.true(added?.includes('p999 1'));
    t.deepEqual([profile, others], [['profile'], []]);

    writeMany('p007', { 'share/new': `for ${budget}` });
    must(t, ['build', ...many(), '--budget', budget, '-t', 'changed']);
    const [changed, ...rest] = fresh('changed');
    t.true(changed?.includes('p007 1'));
    t.deepEqual(rest, []);
    t.regex(
      must(t, ['diff', `many:${budget}`, 'changed']),
      new RegExp(`${before.length - 1} layers are the same`),
    );
    writeMany('p007');
    t.is(
      must(t, ['build', ...many(), '--budget', budget, '-t', 'changed']).trim(),
      inspected(t, `many:${budget}`).digest,
    );
  }
});

const yaml = `
# a comment
packages: [mksh, sbase]
entrypoint: [/app/hello]
cmd: ["-x"]
env: { A: b }
user: app
ports: ["80"]
labels: { l: m }
accounts:
  - { name: app, uid: 2000, home: /app }
files:
  - { path: /app, source: app, uid: 2000, gid: 2000 }
  - { path: /etc/app.conf, source: conf, mode: "0600" }
  - { path: /bin/mine, source: app/hello }
`;

/** A directory with a program of the user's, and a description beside it. */
function project(t: ExecutionContext, description = yaml): string {
  const place = temporary(t);
  mkdirSync(join(place, 'app/sub'), { recursive: true });
  writeFileSync(join(place, 'app/hello'), '#!/bin/sh\necho "I am $(id -un), given $1"\n', { mode: 0o755 });
  writeFileSync(join(place, 'app/sub/data'), 'data');
  writeFileSync(join(place, 'conf'), 'a=1\n');
  writeFileSync(join(place, 'image.yaml'), description);
  return place;
}

test('a program of the user\u2019s own, accounts and files, by a description or by options: one image', (t) => {
  const place = project(t);
  const described = ['-d', quickstart, '--file', join(place, 'image.yaml')];
  const digest = must(t, ['build', ...described, '-t', 'app']);
  t.is(must(t, ['digest', ...described]), digest);
  const options = [
    ...[
      '-d',
      quickstart,
      '-p',
      'mksh',
      'sbase',
      '--entrypoint',
      '/app/hello',
      '--cmd',
      '["-x"]',
      '--env',
      'A=b',
    ],
    ...['--user', 'app', '--port', '80', '--label', 'l=m', '--account', 'app:2000:2000:/app'],
    ...['--add', `/app=${place}/app,owner=2000:2000`, '--add', `/etc/app.conf=${place}/conf,mode=0600`],
    ...['--add', `/bin/mine=${place}/app/hello`],
  ];
  t.is(must(t, ['digest', ...options]), digest);
  t.is(inspected(t, 'app').layers.at(-1)?.history, 'settings');
  t.not(must(t, ['digest', ...described, '--workdir', '/app']), digest);
  must(t, ['export', 'app', `rootfs:${place}/root.tar`]);
  const listed = output('tar', ['--numeric-owner', '-tvf', join(place, 'root.tar')]);
  t.regex(listed, /^drwxr-xr-x 2000\/2000 .* app\/$/m);
  t.regex(listed, /^-rwxr-xr-x 2000\/2000 .* app\/hello$/m);
  t.regex(listed, /^-rw-r--r-- 2000\/2000 .* app\/sub\/data$/m);
  t.regex(listed, /^-rw------- 0\/0 .* etc\/app.conf$/m);
  t.regex(listed, /^drwxrwxrwt 0\/0 .* tmp\/$/m);
  const passwd = output('tar', ['-xOf', join(place, 'root.tar'), 'etc/passwd']);
  t.regex(passwd, /^root:x:0:0:.*\nuser:x:1000:.*\nnobody:.*\napp:x:2000:2000:app:\/app:\/bin\/sh\n$/s);
  symlinkSync('hello', join(place, 'app/link'));
  must(t, ['build', ...options, '--add', `/bin/link=${place}/app/link,owner=1:1`, '-t', 'linked']);
  must(t, ['export', 'linked', `rootfs:${place}/linked.tar`]);
  const links = output('tar', ['--numeric-owner', '-tvf', join(place, 'linked.tar'), 'bin/link']);
  t.regex(links, /^lrwxrwxrwx 1\/1 .* bin\/link -> hello$/m);
  const device = call(['build', ...options, '--add', '/null=/dev/null']);
  t.is(device.status, 1);
  t.regex(device.stderr, /adding "\/dev\/null": it is a device, which no image can hold/);
  rmSync(join(place, 'app/link'));
  writeFileSync(join(place, 'app/sub/data'), 'other');
  t.not(must(t, ['digest', ...described]), digest);
});

test('a description that is wrong is told with file, line and field; what cannot be added, with its path', (t) => {
  const wrong: readonly (readonly [line: string, replacement: string, message: RegExp])[] = [
    ['env: { A: b }', 'env: { A: 1 }', /image\.yaml:6: "env\.A" must be string/],
    ['env: { A: b }', 'enf: { A: b }', /image\.yaml:6: "enf" is not a field/],
    ['uid: 2000, home', 'uid: -1, home', /image\.yaml:11: "accounts\.0\.uid" must be >= 0/],
    ['mode: "0600"', 'mode: "rw"', /image\.yaml:14: "files\.1\.mode" must match/],
    ['env: { A: b }', 'env: { A: b', /image\.yaml:\d+: no YAML/],
    ['env: { A: b }', 'env: { "A=B": b }', /image\.yaml:6: "env\.A=B" must match/],
    ['user: app', 'user: ""', /image\.yaml:7: "user" must match/],
    ['env: { A: b }', 'created: 1e20', /image\.yaml:6: "created" must be <= /],
    ['env: { A: b }', '? [a]\n: b', /^pkgimage: [^\n]*image\.yaml:6: "\[ a \]" is not a field\n/],
    ['mode: "0600"', 'text: a', /image\.yaml:14: "files\.1" has both source and text/],
    ['path: /bin/mine', 'path: /etc/app.conf/', /image\.yaml:15: "files\.2\.path" is there twice/],
    ['name: app', 'name: root', /image\.yaml:11: "accounts\.0\.name": the account "root" exists already/],
    ['name: app', 'name: "a:b"', /image\.yaml:11: "accounts\.0\.name": the account "a:b" cannot be made/],
    ['home: /app', 'home: app', /image\.yaml:11: "accounts\.0\.home": the account "app" cannot be made/],
    [
      'path: /bin/mine',
      'path: /usr/bin/mine',
      /image\.yaml:15: "files\.2\.path": \/usr\/bin\/mine cannot be added: \/usr\/bin is a link to \.\.\/bin/,
    ],
    [
      'path: /bin/mine',
      'path: /packages/mine',
      /yaml:15: "files\.2\.path": \/packages\/mine cannot be added/,
    ],
    ['path: /bin/mine', 'path: /tmp', /yaml:15: "files\.2\.path": \/tmp cannot be added: it is a directory/],
    ['path: /bin/mine', 'path: /a/../b', /image\.yaml:15: "files\.2\.path": "\/a\/\.\.\/b" is no path in an/],
    ['path: /bin/mine', 'path: /app/sub/data', /yaml:15: "files\.2\.path": \/app\/sub\/data is added twice/],
    [
      'path: /bin/mine',
      'path: /etc/app.conf/a',
      /:15: "files\.2\.path": \/etc\/app\.conf\/a cannot be added: \/etc\/app\.conf, which is added too, is/,
    ],
    ['path: /bin/mine', 'path: /etc/passwd', /:15: "files\.2\.path": \/etc\/passwd is added twice/],
    ['source: conf', 'source: none', /image\.yaml:14: "files\.1\.source": adding ".*\/none": no such file/],
    [
      'source: conf',
      'source: /dev/null',
      /image\.yaml:14: "files\.1\.source": adding "\/dev\/null": it is a/,
    ],
    ['user: app', 'user: nobody2', /image\.yaml:7: "user": user: "nobody2" cannot be used: there is no user/],
    ['ports: ["80"]', 'ports: ["80", "x"]', /image\.yaml:8: "ports\.1": port: "x" cannot be used/],
    ['user: app', 'workdir: app', /image\.yaml:7: "workdir": workdir: "app" cannot be used/],
    ['user: app', 'volumes:\n  - /data\n  - data', /yaml:9: "volumes\.1": volume: "data" cannot be used/],
    ['user: app', 'stopSignal: term', /image\.yaml:7: "stopSignal": stop signal: "term" cannot be used/],
    ['labels: { l: m }', 'labels: { l: "\\0" }', /yaml:9: "labels\.l": label l: "\\u0000" cannot be used/],
    [
      'env: { A: b }',
      'env: { A: b, B: "\\0" }',
      /yaml:6: "env\.B": environment B: "B=\\u0000" cannot be used/,
    ],
    ['cmd: ["-x"]', 'cmd: ["-x",\n "\\0"]', /image\.yaml:6: "cmd\.1": command: "\\u0000" cannot be used/],
    ['[mksh, sbase]', '[mksh,\n nosuch]', /yaml:4: "packages\.1": there is no package "nosuch" \(.*yaml:4\)/],
    ['[mksh, sbase]', '[mksh, "sbase >"]', /yaml:3: "packages\.1": constraint "sbase >", character 7: /],
    ['[mksh, sbase]', '["mksh > 999"]', /yaml:3: "packages\.0": nothing meets "mksh > 999" \(.*yaml:3\)/],
    [
      '[mksh, sbase]',
      '[mksh]\nplatforms: [linux/amd64, linux/arm64]',
      /image\.yaml:4: "platforms\.1": no repository is named for linux\/arm64/,
    ],
  ];
  for (const [line, replacement, message] of wrong) {
    const place = project(t, yaml.replace(line, replacement));
    const result = call(['build', '-d', quickstart, '-f', join(place, 'image.yaml')]);
    t.true(result.status === 1 || result.status === 2);
    t.is(result.stdout, '');
    t.regex(result.stderr, message);
    t.notRegex(result.stderr, /bug/);
  }
  const file = join(project(t, yaml.replace('ports: ["80"]', 'ports: ["80"]\nworkdir: x')), 'image.yaml');
  // What an option says is not of the file.
  for (const [options, message] of [
    [['--workdir', 'y'], /^pkgimage: workdir: "y" cannot be used/],
    [['--workdir', '/', '--user', 'none'], /^pkgimage: user: "none" cannot be used/],
    [['--workdir', '/', '--port', 'x'], /^pkgimage: port: "x" cannot be used/],
    [['--workdir', '/', '--add', '/tmp=/dev/null'], /^pkgimage: adding "\/dev\/null": it is a device/],
    [['--workdir', '/', '-p', 'nosuch'], /^pkgimage: there is no package "nosuch" \(-p nosuch\)/],
  ] as const) {
    const result = call(['build', '-d', quickstart, '-f', file, ...options]);
    t.regex(result.stderr.replace(/^pkgimage build: warning: .*\n/m, ''), message);
  }
  writeFileSync(file, Buffer.from(yaml.replace('A: b', 'A: \xff'), 'latin1'));
  const { status, stderr } = call(['build', '-d', quickstart, '-f', file]);
  t.is(status, 2);
  t.regex(stderr, /image\.yaml:6: there are bytes that are no UTF-8/);
});

/** Names, types, modes, targets and contents, as a command sees them in a root of `withpkgs`. */
const listing = (): string =>
  output(tool('withpkgs'), [...some, '-p', ...everything, '--', '/bin/sh', '-c', script], { env: own });

function differences(a: string, b: string): readonly string[] {
  const [left, right] = [a.split('\n'), b.split('\n')];
  return [
    ...left.filter((line) => !right.includes(line)).map((line) => `- ${line}`),
    ...right.filter((line) => !left.includes(line)).map((line) => `+ ${line}`),
  ];
}

const nameIn = { docker: 'run', podman: 'localhost/run', containerd: 'docker.io/library/run' } as const;

/** How an image gets into each engine: by `load`, and as a file that `export` wrote. */
const forms = {
  docker: { loaded: 'a docker archive', exported: 'docker-archive', load: ['load', '-i'] },
  podman: { loaded: 'an OCI layout', exported: 'oci-archive', load: ['load', '-i'] },
  containerd: { loaded: 'an OCI archive', exported: 'oci-archive', load: ['images', 'import'] },
} as const;

for (const [name, form] of Object.entries(forms) as [Engine['name'], (typeof forms)[Engine['name']]][]) {
  const how = `loaded as ${form.loaded}, or exported as ${form.exported}`;
  serialRootTest(`${name} runs the quick start, ${how}, and shows what withpkgs shows`, async (t) => {
    const digest = must(t, ['build', ...described, '-p', ...everything, '-t', 'run:1']).trim();
    const engine: Engine = await startEngine(name);
    const load = (from: string, to: string) =>
      must(t, ['load', from, name, '--as', to, '--engine', engine.command.join(' ')]);
    try {
      load('run:1', `${nameIn[name]}:1`);
      const archive = join(temporary(t), 'archive.tar');
      must(t, ['export', 'run:1', `${form.exported}:${archive}:${nameIn[name]}:2`]);
      if (name === 'containerd') {
        t.true(engine.output('images', 'ls').includes(digest));
        engine.output('images', 'rm', `${nameIn[name]}:1`);
      } else engine.output('rmi', '--force', `${nameIn[name]}:1`);
      engine.output(...form.load, archive);
      load('run:1', `${nameIn[name]}:1`);
      for (const image of [`${nameIn[name]}:1`, `${nameIn[name]}:2`]) {
        const greeted = engine.run(image);
        const expected = ['1000\n1000\n/work\nhello\n/bin\n', 0];
        t.deepEqual([greeted.stdout, greeted.status], expected, greeted.stderr);
        const shown = engine.run(image, name === 'containerd' ? ['/bin/sh', '-c', script] : [script]);
        t.is(shown.status, 0, shown.stderr);
        t.deepEqual(differences(shown.stdout, listing()), []);
        for (const each of everything) t.true(shown.stdout.includes(`/packages/${each}/`), each);
      }

      const place = project(t);
      must(t, ['build', '-d', quickstart, '-f', join(place, 'image.yaml'), '-t', 'run:app']);
      load('run:app', `${nameIn[name]}:app`);
      const mine = engine.run(`${nameIn[name]}:app`);
      t.deepEqual([mine.stdout, mine.status], ['I am app, given -x\n', 0], mine.stderr);
    } finally {
      await engine.stop();
    }
  });
}

test('everything in layers is root\u2019s, and has the one time, but for what was said otherwise', (t) => {
  must(t, ['build', ...described, '-p', ...everything, '-t', 'owners']);
  const out = temporary(t);
  must(t, ['export', 'owners', `oci:${out}:owners`]);
  const { layers } = inspected(t, 'owners');
  t.is(layers.length, everything.length + 1);
  for (const { digest, history } of layers) {
    const blob = join(out, 'blobs', digest.replace(':', '/'));
    const lines = output('tar', ['--numeric-owner', '--utc', '--full-time', '-tvzf', blob])
      .trimEnd()
      .split('\n');
    t.true(lines.length > 3, history);
    const others = lines.filter((line) => !/^[-dlh][-rwxt]{9} 0\/0 +\d+ 1980-01-01 00:00:00 /.test(line));
    t.deepEqual(others, [], history);
  }
});

/** Starts every program through its link in the root, and counts packages. */
const runMany = 'cd /bin && for name in p[0-9]*; do "$name" || exit 1; done; ls /packages | wc -l';

for (const name of ['docker', 'podman', 'containerd'] as const) {
  serialRootTest(`${name} runs 500 packages in 8, 32 and 125 layers`, async (t) => {
    const engine = await startEngine(name);
    try {
      for (const budget of ['8', '32', '125']) {
        const image = `${nameIn[name]}:many-${budget}`;
        must(t, [...['load', `many:${budget}`, name, '--as', image, '--engine', engine.command.join(' ')]]);
        const ran = engine.run(image, name === 'containerd' ? ['/bin/sh', '-c', runMany] : [runMany]);
        t.is(ran.status, 0, ran.stderr);
        const lines = ran.stdout.trim().split(/\s+/);
        t.deepEqual(lines.slice(0, -1), manyNames);
        t.true(Number(lines.at(-1)) >= 503, lines.at(-1));
      }
    } finally {
      await engine.stop();
    }
  });
}

/** How many blobs a registry has sent, by its log. */
const sentBy = async ({ requests }: RunningRegistry): Promise<number> =>
  new Set((await requests()).filter((line) => /^GET \S*\/blobs\/\S+ 20[06]/.test(line))).size;

/** The blobs that an engine says it has; on a terminal it may say so of one again and again. */
const presentIn = (said: string): number =>
  new Set(
    [...said.matchAll(/([0-9a-f]{12})(?:: |[^\n]{0,80} skipped: )already exists/gi)].map(([, blob]) => blob),
  ).size;

for (const name of ['docker', 'podman'] as const) {
  const title = `${name} pulls what differs of two images that differ in one application`;
  serialRootTest(title, async (t) => {
    const place = temporary(t);
    const packages = ['mksh', 'sbase', 'big', ...manyNames.slice(0, 60)];
    const registry = await startRegistry('docker-registry');
    const engine = await startEngine(name);
    // Never synchronously, as this process reads the registry's log.
    const push = async (application: string) => {
      const text = `#!/bin/sh\necho application ${application}\n`;
      const files = { [`bin/${application}`]: text, 'share/data': noise(5 << 20, application.length) };
      writePackage(place, application, { fields: ['Layer-Rank: 900'], files });
      const image = `app:${application}`;
      const from = ['-d', place, '-d', manyPackages, '-d', quickstart, '-p', application, ...packages];
      must(t, ['build', ...from, '--entrypoint', `/bin/${application}`, '-t', image]);
      must(t, ['export', image, `oci:${place}/layout:${application}`]);
      const copied = [`oci:${place}/layout:${application}`, `docker://${registry.host}/${image}`];
      await finish('skopeo', ['--insecure-policy', 'copy', '-q', '--dest-tls-verify=false', ...copied]);
      return inspected(t, image).layers.length;
    };
    const pull = async (application: string) => {
      const image = `${registry.host}/app:${application}`;
      const insecure = name === 'podman' ? ['--tls-verify=false'] : [];
      await registry.requests();
      // podman tells only a terminal what it has.
      const command = [...engine.command, 'pull', ...insecure, image].join(' ');
      const present = presentIn(
        await finish('script', ['-qefc', `stty cols 200 rows 50; ${command}`, '/dev/null']),
      );
      t.is(engine.run(image).stdout, `application ${application}\n`);
      return { present, sent: await sentBy(registry) };
    };
    try {
      const layers = await push('one');
      t.is(await push('three'), layers);
      t.true(layers > 10);
      t.deepEqual(await pull('one'), { present: 0, sent: layers + 1 });
      // The application itself, the profile, which has the link to it, and the config.
      t.deepEqual(await pull('three'), { present: layers - 2, sent: 3 });
    } finally {
      await engine.stop();
      await registry.stop();
    }
  });
}

serialRootTest("the plain root file system is what withpkgs shows, all of it root's", (t) => {
  must(t, ['build', ...described, '-p', ...everything, '-t', 'plain']);
  const out = temporary(t);
  must(t, ['export', 'plain', `rootfs:${out}/root.tar`]);
  mkdirSync(join(out, 'root'));
  output('tar', ['-C', join(out, 'root'), '-xpf', join(out, 'root.tar')]);
  const shown = output('chroot', [join(out, 'root'), '/bin/sh', '-c', script], {
    env: { PATH: '/bin:/usr/sbin:/sbin' },
  });
  t.deepEqual(differences(shown, listing()), []);
  t.is(
    output('find', [join(out, 'root'), '-mindepth', '1', '(', '!', '-uid', '0', '-o', '!', '-gid', '0', ')']),
    '',
  );
});
