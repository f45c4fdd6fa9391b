import test, { type ExecutionContext } from 'ava';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { worthIndexing } from '../../src/package/worth-indexing.ts';
import { runTool, temporary } from '../support/tools.ts';

/** A repository by hand: fields of controls by `NAME VERSION`. */
function makeRepository(t: ExecutionContext, packages: Readonly<Record<string, string>>): string {
  const directory = temporary(t);
  for (const [key, fields] of Object.entries(packages)) {
    const [name = '', version = ''] = key.split(' ');
    const tree = join(directory, name, version.replaceAll(':', '_'));
    mkdirSync(tree, { recursive: true });
    writeFileSync(join(tree, 'control'), `Package: ${name}\nVersion: ${version}\n${fields}`);
  }
  return directory;
}

const shells = {
  'mksh 59c': 'Depends-Run: musl\nProvides: sh\n',
  'mksh 60~rc1': 'Depends-Run: musl\nProvides: sh\n',
  'musl 1.1.24': '',
  'musl 1.2.3': '',
  'make 4.3': 'Depends-Run: sh, sbase | busybox\n',
  'busybox 1.35.0': '',
  'openssh 1:9.2p1-2': 'Depends-Run: musl < 1.2\n',
};

const solve = (directory: string, ...args: readonly string[]) =>
  runTool('pkgsolve', ['-d', directory, ...args]);

test('prints NAME,VERSION a line, what is asked for first, then what that needs; takes its output as input', (t) => {
  const directory = makeRepository(t, shells);
  const { status, stdout, stderr } = solve(directory, 'make', 'openssh');
  t.deepEqual([status, stderr], [0, '']);
  t.is(stdout, 'make,4.3\nopenssh,1:9.2p1-2\nmksh,59c\nbusybox,1.35.0\nmusl,1.1.24\n');
  const again = solve(directory, ...stdout.trim().split('\n'));
  t.deepEqual(again.stdout.split('\n').sort(), stdout.split('\n').sort());
  t.is(solve(directory, 'mksh,60~rc1').stdout, 'mksh,60~rc1\nmusl,1.2.3\n');
});

test('-s between name and version; --json; several repositories', (t) => {
  const directory = makeRepository(t, shells);
  t.is(solve(directory, '-s', ' ', 'busybox').stdout, 'busybox 1.35.0\n');
  t.is(solve(directory, 'busybox', '-s', ' = ').stdout, 'busybox = 1.35.0\n');
  const other = makeRepository(t, { 'musl 2': '' });
  const { packages } = JSON.parse(solve(directory, '-d', other, '--json', 'mksh').stdout) as {
    packages: unknown;
  };
  t.deepEqual(packages, [
    {
      name: 'mksh',
      version: '59c',
      origin: 'unknown',
      repository: directory,
      tree: join(directory, 'mksh/59c'),
    },
    { name: 'musl', version: '2', origin: 'unknown', repository: other, tree: join(other, 'musl/2') },
  ]);
});

test('no answer: one line that says what clashes and where it comes from, a hint, status 1', (t) => {
  const directory = makeRepository(t, shells);
  const clash = solve(directory, 'openssh', 'musl ^1.2');
  t.deepEqual([clash.status, clash.stdout], [1, '']);
  t.is(
    clash.stderr,
    'pkgsolve: no set of packages meets all of "openssh" (command line); "musl ^1.2" (command line); ' +
      '"musl < 1.2" (Depends-Run of openssh 1:9.2p1-2)\n' +
      'pkgsolve: leave out or relax one of "openssh" and "musl ^1.2"\n',
  );
  const wrong = solve(directory, 'msul');
  t.deepEqual(
    [wrong.status, wrong.stderr],
    [1, 'pkgsolve: there is no package "msul" (command line)\npkgsolve: did you mean "musl"?\n'],
  );
  t.is(
    solve(directory, 'musl >= 2').stderr,
    'pkgsolve: nothing meets "musl >= 2" (command line): only musl 1.1.24 and 1.2.3 exist\n',
  );
});

test('what is wrong on the command line, or is no repository, has status 2 or 1 and says so', (t) => {
  const directory = makeRepository(t, shells);
  const wrong: readonly (readonly [args: readonly string[], status: number, message: RegExp])[] = [
    [['-d', directory], 2, /constraint/],
    [['-d', directory, 'musl =>1'], 2, /"musl =>1", character/],
    [['-d', directory, '--nonsense', 'musl'], 2, /--nonsense/],
    [['-d', `${directory}/none`, 'musl'], 1, /there is no repository/],
    [['-d', `${directory}/musl/1.2.3/control`, 'musl'], 2, /is no directory/],
    [['-d', 'oci:dir', 'musl'], 1, /there is no OCI layout in ".*\/dir"/],
    [['-d', 'registry:packages', 'musl'], 2, /"registry:packages" names no registry/],
    [['-d', 'registry:localhost:1/packages', 'musl'], 1, /localhost:1: nobody answers there/],
    [['-d', 'localhost:1/packages', 'musl'], 1, /localhost:1: nobody answers there/],
  ];
  for (const [args, status, message] of wrong) {
    const result = runTool('pkgsolve', args);
    t.deepEqual([result.status, result.stdout], [status, ''], args.join(' '));
    t.regex(result.stderr, message);
    t.true(result.stderr.split('\n').length <= 3, result.stderr);
  }
});

test('the repository is what -d, the variable, or the user\u2019s own place says', (t) => {
  const directory = makeRepository(t, shells);
  const home = temporary(t);
  const own = join(home, 'data/packages/own/1');
  const run = (args: readonly string[], env: Readonly<Record<string, string>>) =>
    runTool('pkgsolve', args, {
      env: { STATIC_DISTRO_REPOSITORY: undefined, STATIC_DISTRO_HOME: home, ...env },
    });
  t.is(run(['busybox'], { STATIC_DISTRO_REPOSITORY: directory }).stdout, 'busybox,1.35.0\n');
  if (!existsSync('/packages')) {
    const { status, stderr } = run(['own'], {});
    t.is(status, 1);
    t.regex(stderr, /there is no repository: neither \/packages nor .*name one with -d DIR/s);
    mkdirSync(own, { recursive: true });
    writeFileSync(join(own, 'control'), 'Package: own\nVersion: 1\n');
    t.is(run(['own'], {}).stdout, 'own,1\n');
  }
});

test('a damaged package is an error for who needs it, with its file', (t) => {
  const directory = makeRepository(t, { ...shells, 'bad 1': 'Depends-Run: => 1\n' });
  mkdirSync(join(directory, 'half/1'), { recursive: true });
  t.is(solve(directory, 'busybox').status, 0);
  const half = solve(directory, 'half');
  t.is(half.status, 1);
  t.regex(half.stderr, /half 1 is incomplete: there is no .*\/half\/1\/control\n/);
  mkdirSync(join(directory, 'none'));
  t.regex(
    solve(directory, 'none').stderr,
    /there is no package "none".*\n.*name the repository that has "none"/,
  );
  const bad = solve(directory, 'bad');
  t.is(bad.status, 2);
  t.regex(bad.stderr, /bad\/1\/control:3:/);
});

test('a big repository gets its index from the first who reads, and says so once', (t) => {
  const packages = Array.from({ length: worthIndexing }, (_, at) => [
    `p${at} 1`,
    at === 7 ? 'Provides: v\n' : 'Depends-Run: v\n',
  ]);
  const directory = makeRepository(t, Object.fromEntries(packages) as Record<string, string>);
  const first = solve(directory, 'p1999');
  t.is(first.stdout, 'p1999,1\np7,1\n');
  t.regex(first.stderr, /^pkgsolve: making an index of ".*", 2000 names/);
  const second = solve(directory, 'p1999');
  t.deepEqual([second.stdout, second.stderr], [first.stdout, '']);
});

test('--help has an example, --version the version', (t) => {
  const { status, stdout } = runTool('pkgsolve', ['--help']);
  t.is(status, 0);
  t.regex(stdout, /Examples:\n {2}pkgsolve -d/);
  t.regex(stdout, /Exit status:/);
  t.regex(runTool('pkgsolve', ['--version']).stdout, /^pkgsolve \(static-distro\) \d/);
});
