/**
 * How long a layer takes to make, and how large it is: ours, umoci, buildah, skopeo, GNU tar with pigz and with zstd,
 * of the same two trees, in turns, so that a slow moment is slow for all. The trees are copies of what the machine
 * has in /usr: 20,000 files below 64 KiB, and 300 MB of everything. Prints the best of RUNS and ratios to umoci.
 *
 * usage: node bench/layers.ts [RUNS]        (buildah needs root, or a machine where an ordinary user may run it)
 */
import { spawnSync } from 'node:child_process';
import { cpSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { build } from 'esbuild';

const root = new URL('..', import.meta.url).pathname.replace(/\/$/, '');
const runs = Number(process.argv[2] ?? '3');
const work = mkdtempSync(join(tmpdir(), 'bench-layers-'));
const maker = join(work, 'maker.mjs');

function output(program: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (error || status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr}`);
  return stdout;
}

type Used = { readonly wall: number; readonly cpu: number; readonly memory: number };

/** `prepare` and `size` are not timed; `size` is of what was made in `out`, in bytes. */
type Way = {
  readonly name: string;
  prepare?(tree: string, out: string): unknown;
  command(tree: string, out: string): readonly string[];
};

const shell = (script: string, ...args: readonly string[]) => ['sh', '-euc', script, 'sh', ...args];
const node = [process.execPath, maker, join(root, 'native/build')];

/** As umoci's, our layout is there before the layer. */
const ours = (...encodings: readonly string[]): Pick<Way, 'prepare' | 'command'> => ({
  prepare: (_, out) => output(process.execPath, [...node.slice(1), join(out, 'image')]),
  command: (tree, out) => [...node, join(out, 'image'), tree, ...encodings],
});

/** Files in the same place as in our layer, and the same order, so that the compressors see the same. */
const gnuTar =
  'tar -c --sort=name --owner=0 --group=0 --numeric-owner --transform "s,^\\.,packages/x/1," -C "$1" .';

const buildah = (out: string) =>
  `b="buildah --root ${out}/root --runroot ${out}/run --storage-driver vfs"; c=$($b from scratch)
   $b copy -q "$c" "$1" /packages/x/1; $b commit -q --rm --disable-compression=false "$c" "oci:$2/image:x"`;

/** skopeo packs nothing: it gets the finished tar in a layout, and compresses and hashes it. */
const plainLayout = (tree: string, out: string) => {
  output('umoci', ['init', '--layout', join(out, 'plain')]);
  output('umoci', ['new', '--image', `${join(out, 'plain')}:x`]);
  output('sh', ['-euc', `${gnuTar} >"$2/layer.tar"`, 'sh', tree, out]);
  output('umoci', ['raw', 'add-layer', '--image', `${join(out, 'plain')}:x`, join(out, 'layer.tar')]);
  output('skopeo', [
    'copy',
    '-q',
    '--dest-decompress',
    `oci:${join(out, 'plain')}:x`,
    `dir:${join(out, 'dir')}`,
  ]);
  for (const name of ['plain', 'layer.tar']) rmSync(join(out, name), { recursive: true });
};

const skopeo = (format: string): Way => ({
  name: `skopeo copy, ${format} (of a ready tar)`,
  prepare: plainLayout,
  command: (_, out) =>
    shell(
      'skopeo copy -q --dest-compress --dest-compress-format "$1" "dir:$2/dir" "dir:$2/image"',
      format,
      out,
    ),
});

const ways: readonly Way[] = [
  { name: 'ours, gzip', ...ours('gzip-1') },
  { name: 'ours, zstd', ...ours('zstd-1') },
  { name: 'ours, both', ...ours('gzip-1', 'zstd-1') },
  {
    name: 'umoci insert, gzip',
    prepare: (_, out) => {
      output('umoci', ['init', '--layout', join(out, 'image')]);
      output('umoci', ['new', '--image', `${join(out, 'image')}:x`]);
    },
    command: (tree, out) => ['umoci', 'insert', '--image', `${join(out, 'image')}:x`, tree, '/packages/x/1'],
  },
  { name: 'buildah copy, commit, gzip', command: (tree, out) => shell(buildah(out), tree, out) },
  skopeo('gzip'),
  skopeo('zstd'),
  { name: 'tar | pigz', command: (tree, out) => shell(`${gnuTar} | pigz -n >"$2/image"`, tree, out) },
  {
    name: 'tar | zstd -3 -T0',
    command: (tree, out) => shell(`${gnuTar} | zstd -q -3 -T0 >"$2/image"`, tree, out),
  },
];

/** The largest file is the layer. */
function largest(path: string): number {
  const stats = lstatSync(path);
  if (!stats.isDirectory()) return stats.isFile() ? stats.size : 0;
  return Math.max(0, ...readdirSync(path).map((name) => largest(join(path, name))));
}

/** Copies files of the machine, in the order of their names, while `take` wants them. */
function copyOf(name: string, take: (size: number, total: number, count: number) => boolean): string {
  const tree = join(work, name);
  let total = 0;
  let count = 0;
  const visit = (directory: string): void => {
    for (const entry of readdirSync(directory).toSorted()) {
      const path = join(directory, entry);
      const stats = lstatSync(path);
      if (stats.isDirectory()) visit(path);
      if (!stats.isFile() || stats.nlink > 1 || !take(stats.size, total, count)) continue;
      const to = join(tree, relative('/usr', path));
      mkdirSync(dirname(to), { recursive: true });
      cpSync(path, to);
      total += stats.size;
      count += 1;
    }
  };
  for (const start of ['/usr/bin', '/usr/include', '/usr/lib', '/usr/share']) visit(start);
  console.log(`\n${name}: ${count} files, ${(total / 1e6).toFixed(0)} MB`);
  return tree;
}

function run(way: Way, tree: string): Used & { readonly size: number } {
  const out = mkdtempSync(join(work, 'out-'));
  try {
    way.prepare?.(tree, out);
    const used = JSON.parse(
      output('python3', [join(root, 'bench/measure.py'), ...way.command(tree, out)]),
    ) as Used;
    return { ...used, size: largest(join(out, 'image')) };
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

type Best = Used & { readonly size: number };

function compare(tree: string): Map<string, Best> {
  const best = new Map<string, Best>();
  for (let i = 0; i < runs; i++) {
    for (const way of ways) {
      const found = run(way, tree);
      const before = best.get(way.name) ?? found;
      best.set(way.name, {
        wall: Math.min(before.wall, found.wall),
        cpu: Math.min(before.cpu, found.cpu),
        memory: Math.max(before.memory, found.memory),
        size: found.size,
      });
    }
  }
  return best;
}

function print(best: ReadonlyMap<string, Best>): void {
  const reference = best.get('umoci insert, gzip');
  const columns = ['wall s', 'CPU s', 'MB', 'memory MB', 'wall', 'CPU', 'size'];
  console.log(`${''.padEnd(36)}${columns.map((column) => column.padStart(10)).join('')}   (ratios to umoci)`);
  for (const [name, { wall, cpu, size, memory }] of best) {
    const ratios = reference ? [wall / reference.wall, cpu / reference.cpu, size / reference.size] : [];
    const cells = [wall.toFixed(2), cpu.toFixed(2), (size / 1e6).toFixed(1), memory.toFixed(0)];
    const all = [...cells, ...ratios.map((ratio) => ratio.toFixed(3))];
    console.log(`${name.padEnd(36)}${all.map((cell) => cell.padStart(10)).join('')}`);
  }
}

const promises: readonly (readonly [string, (ours: Best, umoci: Best) => boolean, string])[] = [
  ['ours, gzip', (ours, umoci) => ours.wall <= umoci.wall, 'gzip takes no longer than umoci'],
  ['ours, gzip', (ours, umoci) => ours.cpu <= umoci.cpu, 'gzip takes no more CPU than umoci'],
  ['ours, gzip', (ours, umoci) => ours.size <= 0.97 * umoci.size, 'gzip is at least 3 % smaller than umoci'],
  ['ours, zstd', (ours, umoci) => ours.wall <= 0.5 * umoci.wall, 'zstd takes at most half the time of umoci'],
  ['ours, gzip', ({ memory }) => memory <= 134.3, 'gzip: memory of both processes below 128 MiB'],
  ['ours, zstd', ({ memory }) => memory <= 134.3, 'zstd: memory of both processes below 128 MiB'],
  ['ours, both', ({ memory }) => memory <= 134.3, 'both: memory of both processes below 128 MiB'],
];

try {
  await build({
    entryPoints: [join(root, 'bench/layer-maker.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: maker,
    logLevel: 'error',
  });
  for (const tree of [
    copyOf('20,000 small files', (size, _, count) => size < 65_536 && count < 20_000),
    copyOf('300 MB mixed', (size, total) => total + size <= 300e6),
  ]) {
    const best = compare(tree);
    print(best);
    const umoci = best.get('umoci insert, gzip');
    for (const [name, holds, promise] of promises) {
      const ours = best.get(name);
      if (ours && umoci) console.log(`  ${holds(ours, umoci) ? 'yes' : 'NO '}  ${promise}`);
    }
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
