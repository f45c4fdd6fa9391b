/**
 * What it costs to make an image of packages that have records, with profile and groups seen before: 100 generated
 * packages by default, and the same of one package, to tell what the start of the tool is. Prints medians of fresh
 * processes beside a tool that does next to nothing.
 *
 * usage: node bench/image.ts [PACKAGES]        needs the quick start (npm start)
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = new URL('..', import.meta.url).pathname.replace(/\/$/, '');
const count = Number(process.argv[2] ?? 100);
const runs = 25;
const work = mkdtempSync(join(tmpdir(), 'bench-image-'));
const repository = join(work, 'packages');
const env = { ...process.env, STATIC_DISTRO_HOME: join(work, 'home') };
const names = Array.from({ length: count }, (_, at) => `p${String(at).padStart(4, '0')}`);

function run(tool: string, ...args: readonly string[]): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(join(root, 'bin', tool), args, { encoding: 'utf8', env });
  if (status !== 0) throw new Error(stderr);
  return performance.now() - start;
}

/** One source of all packages, each with a program, a library and three headers. */
function build(): void {
  const recipe = join(work, 'recipe');
  mkdirSync(recipe);
  const needs = 'Depends-Unpack: mksh, sbase\nDepends-Build: mksh, sbase\n';
  const paragraphs = names.map((name) => `\nPackage: ${name}\n`).join('');
  const head = `Source: bench\nVersion: 1\nDescription: packages\nLicense: MIT\n${needs}`;
  writeFileSync(join(recipe, 'control'), `${head}${paragraphs}`);
  writeFileSync(join(recipe, 'unpack.sh'), ':\n');
  const script = `set -e
for p in ${names.join(' ')}; do
	d=$PKG_INSTDIR/packages/$p/1
	mkdir -p $d/bin $d/lib $d/include/$p
	for f in bin/$p lib/lib$p.a include/$p/a.h include/$p/b.h include/$p/c.h; do echo $f >$d/$f; done
done
`;
  writeFileSync(join(recipe, 'build.sh'), script);
  run('pkgbuild', '-q', '-r', repository, '-p', join(root, 'bootstrap/quickstart_packages'), recipe);
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
const show = (what: string, milliseconds: number) =>
  console.log(`${milliseconds.toFixed(1).padStart(8)} ms  ${what}`);
const many = (tool: string, ...args: readonly string[]) =>
  median(Array.from({ length: runs }, () => run(tool, ...args)));

try {
  build();
  const request = (packages: readonly string[], ...more: readonly string[]) =>
    ['build', '-d', repository, '-p', ...packages, ...more] as const;
  for (const budget of ['32', '125']) {
    const all = request(names, '--budget', budget, '-t', `all:${budget}`);
    show(`${count} packages, ${budget} layers, the first time`, run('pkgimage', ...all));
    show(`${count} packages, ${budget} layers, seen before`, many('pkgimage', ...all));
  }
  const one = request(names.slice(0, 1), '-t', 'one');
  run('pkgimage', ...one);
  show('one package, seen before', many('pkgimage', ...one));
  show('pkgimage --version, to compare with', many('pkgimage', '--version'));
  console.log(`medians of ${runs} fresh processes`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
