import test from 'ava';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { output, quickstart, root, run, temporary } from './support/tools.ts';

test('the packed package, installed elsewhere, runs every tool and a root', (t) => {
  const directory = temporary(t);
  const packed = JSON.parse(
    output('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', directory], { cwd: root }),
  ) as { filename: string; files: { path: string }[] }[];
  const [archive] = packed;
  t.truthy(archive);
  const paths = new Set(archive?.files.map(({ path }) => path));
  for (const needed of [
    'dist/main.js',
    'native/build/withenv',
    'native/build/lock',
    'native/build/collect',
    'native/build/vary',
    'native/build/compress',
    'distfiles/distfiles.json',
    'LICENSE',
  ]) {
    t.true(paths.has(needed), `${needed} is missing from the package`);
  }
  t.false(paths.has('test/install.test.ts'));

  // Node itself is an optional dependency of 120 MB: the one of the checkout stands in for its download.
  const elsewhere = join(directory, 'a place with blanks');
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, 'package.json'), '{"private":true}');
  output(
    'npm',
    [
      'install',
      '--offline',
      '--omit=optional',
      '--no-audit',
      '--no-fund',
      join(directory, archive?.filename ?? ''),
    ],
    { cwd: elsewhere },
  );
  t.false(existsSync(join(elsewhere, 'node_modules/commander')), 'libraries are bundled');
  const bin = (name: string) => join(elsewhere, 'node_modules/.bin', name);
  const lost = run(bin('pkgvercmp'), ['1', '2']);
  t.is(lost.status, 125);
  t.regex(lost.stderr, /its Node is missing/);

  const node = `node-linux-${process.arch}`;
  symlinkSync(join(root, 'node_modules', node), join(elsewhere, 'node_modules', node));
  t.is(output(bin('pkgvercmp'), ['1.0', '2.0']).trim(), 'less than');
  for (const name of [
    'pkgbuild',
    'pkgcontrol',
    'pkgfetch',
    'pkgimage',
    'pkgsolve',
    'pkgvercmp',
    'withenv',
    'withpkgs',
  ]) {
    t.regex(output(bin(name), ['--version']), new RegExp(`^${name} \\(static-distro\\) \\d`));
    t.regex(output(bin(name), ['--help']), /example/i, `${name} --help shows an example`);
  }
  const args = ['-d', quickstart, '-p', 'mksh', 'sbase', '--', 'sh', '-c', 'echo packages/*; ls /packages'];
  t.is(output(bin('withpkgs'), args).trim().split('\n').slice(1).join(' '), 'mksh sbase');
});

test('what V8 made of the tools is there, and V8 takes it; without it they run too', (t) => {
  const chunks = join(root, 'dist/chunk');
  const suffix = `-${process.arch}-${process.version}.cache`;
  const caches = readdirSync(chunks).filter((name) => name.endsWith(suffix));
  t.true(
    caches.some((name) => name.startsWith('pkgimage-')) &&
      caches.some((name) => name.startsWith('withpkgs-')),
  );
  for (const name of caches) {
    const program = readFileSync(join(chunks, name.replace(suffix, '.js')), 'latin1');
    const cachedData = readFileSync(join(chunks, name));
    t.false(new Script(program, { cachedData }).cachedDataRejected, name);
  }
  const alone = temporary(t);
  mkdirSync(join(alone, 'dist/chunk'), { recursive: true });
  for (const name of [
    'dist/pkgvercmp.cjs',
    ...caches.map((name) => `dist/chunk/${name.replace(suffix, '.js')}`),
  ])
    symlinkSync(join(root, name), join(alone, name));
  const args = ['--preserve-symlinks-main', join(alone, 'dist/pkgvercmp.cjs'), 'pkgvercmp', '1', '2'];
  t.is(output(process.execPath, args).trim(), 'less than');
});

test('the set-up names what is missing on lines to read and copy', (t) => {
  const few = temporary(t);
  for (const name of ['sh', 'dirname', 'id', 'sort', 'tr']) {
    symlinkSync(output('/bin/sh', ['-c', `command -v ${name}`]).trim(), join(few, name));
  }
  const missing = run(join(few, 'sh'), [join(root, 'scripts/setup.sh'), 'start'], { env: { PATH: few } });
  const [first = '', ...rest] = missing.stderr.trimEnd().split('\n');
  t.is(missing.status, 1, missing.stderr);
  t.regex(first, /^These are missing .*\bgcc\b.*\bmake\b/);
  t.true(rest.includes('    pacman -S base-devel'), missing.stderr);
});
