import test, { type ExecutionContext } from 'ava';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../../builder/fault.ts';
import { mountedPackage } from '../../src/run/chosen.ts';
import { type Call, helperArguments } from '../../src/run/command.ts';
import { enter } from '../../src/run/enter.ts';
import { hostPath, hostView, readHost } from '../../src/run/host.ts';
import { type MountedPackage, packagesRoot, plannedRoot, type Root } from '../../src/run/root.ts';
import { checkShare } from '../../src/run/share.ts';
import { isRoot, output, root as checkout, run, temporary } from '../support/tools.ts';

const helper = join(checkout, 'native/build/withenv');

const call = (root: Root, command: readonly string[], more: Partial<Call> = {}): Call => ({
  name: 'test',
  root,
  directory: '/',
  environment: { PATH: '/bin' },
  command,
  ...more,
});

/** A package with one static program that prints its arguments and shows what it can write to. */
function writePackage(base: string): MountedPackage {
  const tree = join(base, 'repository/show/1.0');
  mkdirSync(join(tree, 'bin'), { recursive: true });
  const source = join(base, 'show.c');
  writeFileSync(
    source,
    `#include <errno.h>
     #include <fcntl.h>
     #include <stdio.h>
     #include <string.h>
     #include <unistd.h>
     int main(int argc, char **argv) {
       for (int at = 1; at < argc; at++) {
         int file = open(argv[at], O_WRONLY | O_CREAT | O_EXCL, 0644);
         printf("%s: %s\\n", argv[at], file < 0 ? strerror(errno) : "written");
         if (file >= 0) close(file);
       }
       return argc;
     }`,
  );
  output('cc', ['-static', '-o', join(tree, 'bin/show'), source]);
  return { name: 'show', version: '1.0', priority: 50, tree, links: [{ path: 'bin/show', type: 'file' }] };
}

function fault(t: ExecutionContext, doing: () => unknown): Fault {
  return t.throws(doing, { instanceOf: Fault }) as Fault;
}

test('a root runs its packages, and nothing in it can be written but what is temporary or shared', (t) => {
  const base = temporary(t);
  const packages = [writePackage(base)];
  const root = packagesRoot(join(base, 'cache/profiles'), packages);
  t.deepEqual(root.binds, [{ source: packages[0]?.tree, target: 'packages/show/1.0' }]);
  t.deepEqual(plannedRoot(join(base, 'cache/profiles'), packages), root);
  const [writable, readable] = ['writable', 'readable'].map((name) => join(base, name));
  mkdirSync(writable ?? '');
  mkdirSync(readable ?? '');
  const shares = [
    { source: writable ?? '', target: 'work', writable: true },
    { source: readable ?? '', target: 'mnt/in', writable: false },
  ];
  const places = [
    '/x',
    '/bin/x',
    '/etc/x',
    '/packages/x',
    '/packages/show/1.0/x',
    '/mnt/x',
    '/mnt/in/x',
    '/proc/x',
    '/dev/x',
  ];
  const open = ['/tmp/x', '/run/x', '/var/x', '/dev/shm/x', '/work/x'];
  const { status, stdout, stderr } = run(
    helper,
    helperArguments(call(root, ['show', ...places, ...open], { shares })),
    { env: {} },
  );
  t.is(stderr, '');
  const lines = stdout.trimEnd().split('\n');
  for (const place of places)
    t.regex(
      lines.find((line) => line.startsWith(`${place}: `)) ?? '',
      /: (Read-only file system|No such file or directory|Permission denied)$/,
    );
  t.deepEqual(
    lines.slice(places.length),
    open.map((place) => `${place}: written`),
  );
  t.is(status, places.length + open.length + 1);
  t.deepEqual(readdirSync(base).sort(), ['cache', 'readable', 'repository', 'show.c', 'writable']);
  t.deepEqual(readdirSync(writable ?? ''), ['x']);
  t.is(statSync(join(writable ?? '', 'x')).uid, statSync(writable ?? '').uid);
});

test('what the helper is told is all in its arguments', (t) => {
  const root: Root = { profile: '/p', binds: [{ source: '/repo/a/1', target: 'packages/a/1' }] };
  t.deepEqual(helperArguments(call(root, ['sh', '--net'])), [
    '--name',
    'test',
    '--profile',
    '/p',
    '--bind',
    '/repo/a/1',
    'packages/a/1',
    '--chdir',
    '/',
    '--setenv',
    'PATH=/bin',
    '--',
    'sh',
    '--net',
  ]);
  const everything: Partial<Call> = {
    shares: [
      { source: '/w', target: 'work', writable: true },
      { source: '/r', target: 'mnt/r', writable: false },
    ],
    directory: '/work',
    environment: {},
    kept: { SECRET: 'x' },
    network: true,
    temporarySize: 4096,
    unsafeRoot: true,
    dieWithParent: true,
  };
  t.deepEqual(helperArguments(call({ profile: '/p', binds: [] }, ['x'], everything)), [
    '--name',
    'test',
    '--profile',
    '/p',
    '--share-rw',
    '/w',
    'work',
    '--share',
    '/r',
    'mnt/r',
    '--chdir',
    '/work',
    '--keepenv',
    'SECRET',
    '--net',
    '--tmp-size',
    '4096',
    '--unsafe-root',
    '--die-with-parent',
    '--',
    'x',
  ]);
});

function ofControl(control: string): MountedPackage {
  const record = { format: 1, control, builtFrom: [], links: [] } as const;
  return mountedPackage({ name: 'a', version: '1', tree: '/r/a/1', record });
}

test('the priority of a package is in its control', (t) => {
  t.is(ofControl('Package: a\nVersion: 1\n').priority, 50);
  t.is(ofControl('Package: a\nVersion: 1\nLink-Priority: 10\n').priority, 10);
  t.is(fault(t, () => ofControl('Package: a\nLink-Priority: high\n')).code, 'INPUT');
});

test('what cannot be executed is refused before this process is given up', (t) => {
  const base = temporary(t);
  const missing = fault(t, () => enter(join(base, 'withenv'), []));
  t.is(missing.code, 'SANDBOX');
  t.regex(missing.message, /^the helper ".*\/withenv" is not there or cannot be run$/);
  writeFileSync(join(base, 'withenv'), '', { mode: 0o644 });
  t.is(fault(t, () => enter(join(base, 'withenv'), [])).code, 'SANDBOX');
  const word = 'x'.repeat(128 * 1024);
  t.is(fault(t, () => enter('/bin/true', [word])).code, 'USAGE');
  t.is(
    fault(t, () =>
      enter(
        '/bin/true',
        Array.from({ length: 100_000 }, () => 'x'.repeat(100)),
      ),
    ).code,
    'USAGE',
  );
});

const descriptors = (listing: string) =>
  [...listing.matchAll(/ (\d+) -> /g)].map(([, descriptor]) => descriptor);

test('entering keeps descriptors, environment and warnings to itself', (t) => {
  const script = `
    import { enter } from ${JSON.stringify(join(checkout, 'src/run/enter.ts'))};
    enter('/bin/sh', ['-c', 'env; ls -l /proc/self/fd']);
  `;
  const { status, stdout, stderr } = run(process.execPath, ['--input-type=module-typescript', '-e', script], {
    env: { SECRET: 'x' },
  });
  t.is(stderr, '');
  t.is(status, 0);
  t.false(stdout.includes('SECRET'));
  t.deepEqual(descriptors(stdout), descriptors(output('/bin/sh', ['-c', 'ls -l /proc/self/fd'])));
});

test('only a directory that the caller can use is shared', (t) => {
  const base = realpathSync(temporary(t));
  const share = (directory: string, writable = true, guarded: string[] = []) =>
    checkShare(directory, { from: base, option: '-w', writable, guarded });
  mkdirSync(join(base, 'a/b'), { recursive: true });
  symlinkSync('a', join(base, 'link'));
  writeFileSync(join(base, 'file'), '');
  t.is(share('a'), join(base, 'a'));
  t.is(share('link/b'), join(base, 'a/b'));
  t.is(share(join(base, 'a')), join(base, 'a'));
  const missing = fault(t, () => share('none'));
  t.is(missing.code, 'NOT_FOUND');
  t.is(missing.message, '-w "none": there is no such directory');
  t.is(fault(t, () => share('file')).message, '-w "file" is no directory');
  t.is(fault(t, () => share('file/x')).code, 'IO');
  if (isRoot) return;
  chmodSync(join(base, 'a'), 0o555);
  t.is(fault(t, () => share('a')).message, '-w "a" cannot be written to by you');
  t.is(share('a', false), join(base, 'a'));
  chmodSync(join(base, 'a'), 0o000);
  t.is(fault(t, () => share('a', false)).message, '-w "a" cannot be read by you');
  chmodSync(join(base, 'a'), 0o755);
});

test('neither the whole machine nor our own packages are shared', (t) => {
  const base = realpathSync(temporary(t));
  const rules = { from: base, option: '-m x:', guarded: [join(base, 'link'), join(base, 'missing')] };
  mkdirSync(join(base, 'packages/a'), { recursive: true });
  mkdirSync(join(base, 'packages2'));
  symlinkSync('packages', join(base, 'link'));
  for (const writable of [true, false]) {
    for (const directory of ['/', '/proc', '/proc/1', '/proc/self/cwd/../..', '/usr/..']) {
      t.is(fault(t, () => checkShare(directory, { ...rules, writable })).code, 'UNSAFE', directory);
    }
  }
  for (const directory of ['packages', 'packages/a', 'link', 'link/a']) {
    t.is(fault(t, () => checkShare(directory, { ...rules, writable: true })).code, 'UNSAFE', directory);
    t.is(checkShare(directory, { ...rules, writable: false }), realpathSync(join(base, directory)));
  }
  t.is(checkShare('packages2', { ...rules, writable: true }), join(base, 'packages2'));
  t.is(checkShare('.', { ...rules, writable: true }), base);
});

const program =
  '#include <math.h>\n#include <stdio.h>\nint main(int c, char **v) { printf("%.3f\\n", sqrt(c + 1)); return v[0] == 0; }\n';

function compile(t: ExecutionContext, root: Root): void {
  const work = temporary(t);
  writeFileSync(join(work, 'x.c'), program);
  const script =
    'for how in "" -static; do cc $how -o x x.c -lm && ./x; done; echo 1 | awk "{ print \\$1 + 1 }"';
  const shares = [{ source: work, target: 'work', writable: true }];
  const { status, stdout, stderr } = run(
    helper,
    helperArguments(
      call(root, ['sh', '-c', script], { shares, directory: '/work', environment: { PATH: hostPath } }),
    ),
    { env: {} },
  );
  t.is(stderr, '');
  t.is(stdout, '1.414\n1.414\n2\n');
  t.is(status, 0);
}

test('the host view compiles and runs C with the compiler of the machine, and shows nothing else of it', (t) => {
  const base = temporary(t);
  const shown = writePackage(base);
  const root = hostView(join(base, 'cache/profiles'), [shown]);
  compile(t, root);
  const script =
    'ls /; echo; ls /etc; echo; ls -d /packages/*/*; echo; cat /etc/passwd; /packages/show/1.0/bin/show; exit 0';
  const args = helperArguments(call(root, ['sh', '-c', script], { environment: { PATH: hostPath } }));
  const [top, etc, packages, passwd] = output(helper, args, { env: {} })
    .split('\n\n')
    .map((part) => part.trimEnd().split('\n'));
  const common = ['dev', 'etc', 'mnt', 'packages', 'proc', 'root', 'run', 'sys', 'tmp', 'usr', 'var', 'work'];
  const host = readdirSync('/').filter((name) => /^(s?bin|lib(32|64|x32)?)$/.test(name));
  t.deepEqual(top, [...common, ...host].sort());
  const constants = ['group', 'hostname', 'hosts', 'mtab', 'nsswitch.conf', 'passwd', 'resolv.conf'];
  const besides = readdirSync('/etc').filter((name) => name === 'alternatives' || name === 'ld.so.cache');
  t.deepEqual(etc, [...constants, ...besides].sort());
  t.deepEqual(packages, ['/packages/show/1.0']);
  t.is(passwd?.length, 3);
});

test('the host view takes directories of their own in the place of links into /usr', (t) => {
  const base = temporary(t);
  const machine = join(base, 'machine');
  mkdirSync(join(machine, 'bin'), { recursive: true });
  mkdirSync(join(machine, 'etc'));
  symlinkSync('/usr', join(machine, 'usr'));
  symlinkSync('bin', join(machine, 'sbin'));
  symlinkSync('nowhere', join(machine, 'libx32'));
  mkdirSync(join(machine, 'lib.usr-is-merged'));
  copyFileSync(realpathSync('/bin/sh'), join(machine, 'bin/sh'));
  for (const name of ['alternatives', 'ld.so.cache']) {
    if (statSync(`/etc/${name}`, { throwIfNoEntry: false }))
      symlinkSync(`/etc/${name}`, join(machine, 'etc', name));
  }
  for (const name of ['lib', 'lib64']) {
    mkdirSync(join(machine, name));
    for (const file of readdirSync(`/${name}`)) {
      const [from, to] = [realpathSync(`/${name}/${file}`), join(machine, name, file)];
      if (/^ld-(linux|musl)/.test(file)) copyFileSync(from, to);
      else symlinkSync(from, to);
    }
  }
  const host = readHost(machine);
  t.deepEqual(host.links, [{ name: 'sbin', target: 'bin' }]);
  t.deepEqual(host.binds.slice(0, 4), [
    { source: realpathSync('/usr'), target: 'usr', directory: true },
    ...['bin', 'lib', 'lib64'].map((name) => ({
      source: realpathSync(join(machine, name)),
      target: name,
      directory: true,
    })),
  ]);
  compile(t, hostView(join(base, 'cache/profiles'), [], host));
});
