import test, { type ExecutionContext } from 'ava';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { rootTest } from '../support/root-test.ts';
import { isRoot, output, quickstart, root, run, runTool, start, temporary, tool } from '../support/tools.ts';

const shell = ['-d', quickstart, '-p', 'mksh', 'sbase'];
const withpkgs = (...args: string[]) => runTool('withpkgs', args);
const script = (text: string, ...options: string[]) => withpkgs(...shell, ...options, '--', 'sh', '-c', text);

/** What a script prints, one line an entry; it must say nothing on stderr and end with 0. */
function lines(t: ExecutionContext, text: string, ...options: string[]): string[] {
  const { status, stdout, stderr } = script(text, ...options);
  t.is(stderr, '');
  t.is(status, 0);
  return stdout.trimEnd().split('\n');
}

/** 125, nothing on stdout, and on stderr one line and one hint of the tool's. */
function refused(t: ExecutionContext, args: readonly string[], message: RegExp, name = 'withpkgs'): string {
  const { status, stdout, stderr } = runTool(name, args);
  t.is(stdout, '');
  const [line = '', hint = '', ...rest] = stderr.split('\n');
  t.regex(line, message);
  t.true(line.startsWith(`${name}: `) && hint.startsWith(`${name}: `), stderr);
  t.deepEqual(rest, [''], stderr);
  t.is(status, 125, stderr);
  return hint;
}

test('the example, exactly as it is typed', (t) => {
  const base = temporary(t);
  const work = join(base, 'DIR');
  mkdirSync(work);
  if (isRoot) chownSync(work, 1234, 1235);
  const { status, stdout, stderr } = run(
    'sh',
    [
      '-c',
      `"$1" -d bootstrap/quickstart_packages -p mksh -p sbase -w "$2" /bin/sh -c 'ls /packages; echo hello > /work/x'`,
      'sh',
      tool('withpkgs'),
      work,
    ],
    { cwd: root },
  );
  t.is(stderr, '');
  t.is(status, 0);
  t.is(stdout, 'mksh\nsbase\n');
  t.is(readFileSync(join(work, 'x'), 'utf8'), 'hello\n');
  const { uid, gid } = statSync(join(work, 'x'));
  t.deepEqual([uid, gid], isRoot ? [1234, 1235] : [process.getuid?.(), process.getgid?.()]);
});

test('a C program compiles and runs inside', (t) => {
  const work = temporary(t);
  if (isRoot) chmodSync(work, 0o755);
  writeFileSync(
    join(work, 'hello.c'),
    '#include <stdio.h>\nint main(void) { return puts("hello from inside") < 0; }\n',
  );
  const command = ['-w', work, '--', 'sh', '-c', 'cc -static -o hello hello.c && ./hello'];
  const { status, stdout, stderr } = withpkgs(...shell, '-p', 'tcc', 'musl', ...command);
  t.is(stderr, '');
  t.is(stdout, 'hello from inside\n');
  t.is(status, 0);
});

test('nothing of the machine can be seen: no file, no process, no other package', (t) => {
  t.deepEqual(lines(t, 'ls /'), [
    'bin',
    'dev',
    'etc',
    'include',
    'lib',
    'mnt',
    'packages',
    'proc',
    'root',
    'run',
    'sbin',
    'sys',
    'tmp',
    'usr',
    'var',
    'work',
  ]);
  t.deepEqual(lines(t, 'ls -d /packages/*/*'), [
    '/packages/mksh/59c',
    `/packages/sbase/${readdirSync(join(quickstart, 'sbase'))[0]}`,
  ]);
  t.deepEqual(lines(t, 'cut -d: -f1,3 /etc/passwd'), ['root:0', 'user:1000', 'nobody:65534']);
  t.deepEqual(lines(t, 'ls /work /mnt /sys'), ['/mnt:', '', '/sys:', '', '/work:']);
  t.deepEqual(
    lines(t, 'ls /proc | grep "^[0-9]" | while read p; do [ -d /proc/$p ] && echo $p; done | head -2'),
    ['1', '2'],
  );
  t.deepEqual(lines(t, 'id -u; id -g; id -un; hostname'), ['1000', '1000', 'user', 'localhost']);
  t.not(hostname(), 'localhost');
  t.deepEqual(lines(t, 'cat /proc/net/dev | sed -n "s/^ *\\([a-z0-9]*\\):.*/\\1/p"'), ['lo']);
});

test('the environment is cleared; what is set and kept is there, and kept values are in no command line', (t) => {
  const env = { SECRET: 'a secret value', OTHER: 'x', TERM: 'xterm' };
  const inside = (...options: string[]) =>
    output(tool('withpkgs'), [...shell, ...options, '--', '/bin/env'], { env })
      .trimEnd()
      .split('\n')
      .sort();
  const constants = ['HOME=/tmp', 'LANG=C.UTF-8', 'PATH=/bin', 'USER=user'];
  t.deepEqual(inside(), constants);
  t.deepEqual(
    inside('--setenv', 'A=1 2', '--keepenv', 'SECRET', '--keepenv', 'NONE', '--setenv=HOME=/'),
    ['A=1 2', 'HOME=/', ...constants.slice(1), 'SECRET=a secret value'].sort(),
  );
  const show = 'tr "\\0" " " < /proc/1/cmdline; tr "\\0" " " < /proc/1/environ';
  const { stdout } = runTool('withpkgs', [...shell, '--keepenv', 'SECRET', '--', 'sh', '-c', show], { env });
  t.false(stdout.includes('a secret'));
  const dry = output(tool('withpkgs'), [...shell, '--keepenv', 'SECRET', '--dry-run', '--json'], { env });
  t.false(dry.includes('a secret'));
});

test('directories: where the command starts, what it may write', (t) => {
  const base = temporary(t);
  for (const name of ['work/sub', 'in', 'out']) mkdirSync(join(base, name), { recursive: true });
  writeFileSync(join(base, 'in/file'), 'read me\n');
  const options = ['-w', join(base, 'work'), '-m', `in:${base}/in`, '-m', `out:${base}/out:rw`];
  t.deepEqual(lines(t, 'pwd'), ['/']);
  t.deepEqual(lines(t, 'pwd; echo $HOME', ...options), ['/work', '/work']);
  t.deepEqual(lines(t, 'pwd', ...options, '-c', 'sub'), ['/work/sub']);
  t.deepEqual(lines(t, 'pwd', ...options, '-c', '/mnt/out'), ['/mnt/out']);
  t.deepEqual(lines(t, 'pwd', '-c', 'packages/mksh'), ['/packages/mksh']);
  t.deepEqual(lines(t, 'ls /mnt; cat /mnt/in/file; echo x > /mnt/out/x; echo x > x', ...options), [
    'in',
    'out',
    'read me',
  ]);
  t.true(existsSync(join(base, 'out/x')) && existsSync(join(base, 'work/x')));
  for (const place of ['/mnt/in/x', '/mnt/x', '/x', '/bin/x', '/packages/mksh/59c/x', '/etc/passwd']) {
    const { status, stderr } = script(`: > ${place}`, ...options);
    t.is(status, 1, stderr);
    t.regex(stderr, /Read-only file system|Permission denied/);
  }
  const missing = script('true', '-c', '/nowhere');
  t.is(missing.status, 125);
  t.regex(missing.stderr, /^withpkgs: .*\/nowhere/);
});

test('names that need quoting are taken as they are', (t) => {
  const work = join(temporary(t), "it's a dir: ü\n$x");
  mkdirSync(work);
  writeFileSync(join(work, 'f'), 'content\n');
  t.deepEqual(lines(t, 'cat /work/f', '-w', work), ['content']);
  t.deepEqual(lines(t, 'cat /mnt/m/f', '-m', `m:${work}`), ['content']);
  const { stdout } = withpkgs(...shell, '--', 'printf', '[%s]', 'a b', '', '$x', '*', "'", '--', '-p', '\n');
  t.is(stdout, "[a b][][$x][*]['][--][-p][\n]");
});

test('the status is the command’s own', (t) => {
  t.is(script('exit 0').status, 0);
  t.is(script('exit 7').status, 7);
  t.is(script('exit 125').status, 125);
  t.is(script('kill -KILL $$').status, 137);
  t.is(script('kill -TERM $$').status, 143);
  const missing = withpkgs(...shell, '--', 'nonesuch');
  t.is(missing.status, 127);
  t.regex(missing.stderr, /^withpkgs: .*nonesuch/);
  const work = temporary(t);
  writeFileSync(join(work, 'plain'), 'x');
  t.is(withpkgs(...shell, '-w', work, './plain').status, 126);
});

test('without a command it is a shell that reads its input', (t) => {
  const { status, stdout } = runTool('withpkgs', shell, { input: 'echo hello from $0\nexit 3\n' });
  t.is(stdout, 'hello from /bin/sh\n');
  t.is(status, 3);
});

test('output of any size passes whole, and a reader that goes away ends the command', (t) => {
  for (const to of ['>&1', '>&2']) {
    const { stdout } = run('sh', [
      '-c',
      `"$@" 2>&1 | (sleep 0.5; wc -c)`,
      'sh',
      tool('withpkgs'),
      ...shell,
      '--',
      'sh',
      '-c',
      `head -c 3000000 /dev/zero ${to}`,
    ]);
    t.is(stdout.trim(), '3000000', to);
  }
  const { stdout } = run('bash', [
    '-c',
    '"$@" | head -n 1; echo ${PIPESTATUS[0]}',
    'bash',
    tool('withpkgs'),
    ...shell,
    '--',
    'yes',
  ]);
  t.is(stdout, 'y\n141\n');
});

test('the process is the helper’s: no Node stays behind', async (t) => {
  const child = start(t, tool('withpkgs'), [...shell, '--', 'sh', '-c', 'echo ready; read x']);
  await once(child.stdout, 'data');
  t.true(
    readlinkSync(`/proc/${child.pid}/exe`).startsWith(realpathSync(join(root, 'native/build')) + '/withenv'),
  );
  child.stdin.end('x\n');
  t.deepEqual(await once(child, 'exit'), [0, null]);
});

test('the cache of profiles is bounded, and a running command keeps its own', async (t) => {
  const home = { STATIC_DISTRO_HOME: temporary(t) };
  const profiles = join(home.STATIC_DISTRO_HOME, 'cache/profiles');
  const made = () => readdirSync(profiles).filter((name) => !name.startsWith('.'));
  const inside = (...names: string[]) => ['-d', quickstart, '-p', ...names, '--', 'sh', '-c'];
  output(tool('withpkgs'), [...inside('mksh', 'lua'), ':'], { env: home });
  const [unused = ''] = made();
  const child = start(t, tool('withpkgs'), [...inside('mksh'), 'echo; read x; ls() { echo /bin/*; }; ls'], {
    env: home,
  });
  await once(child.stdout, 'data');
  const running = made().find((name) => name !== unused) ?? '';
  for (const name of made()) {
    utimesSync(join(profiles, '../used', name), 1, 1);
  }
  rmSync(join(profiles, '../used/profiles'));
  output(tool('withpkgs'), [...inside('mksh', 'sbase'), ':'], { env: home });
  t.false(made().includes(unused));
  t.true(made().includes(running));
  t.is(made().length, 2);
  child.stdin.end('x\n');
  const [shown] = (await once(child.stdout, 'data')) as [Buffer];
  t.regex(shown.toString(), /\/bin\/sh/);
});

test('several repositories are united; the first has the package that both have', (t) => {
  const base = temporary(t);
  for (const [repository, text] of [
    ['one', 'first'],
    ['two', 'second'],
  ] as const) {
    for (const name of repository === 'one' ? ['both'] : ['both', 'extra']) {
      mkdirSync(join(base, repository, name, '1/share'), { recursive: true });
      writeFileSync(join(base, repository, name, '1/share/text'), `${text} ${name}\n`);
      writeFileSync(join(base, repository, name, '1/control'), `Package: ${name}\nVersion: 1\n`);
    }
  }
  const options = ['-d', join(base, 'one'), '-d', join(base, 'two'), ...shell, 'both', 'extra'];
  t.is(
    withpkgs(...options, '/bin/cat', '/packages/both/1/share/text', '/packages/extra/1/share/text').stdout,
    'first both\nsecond extra\n',
  );
  const { stdout } = runTool('withpkgs', ['-p', 'mksh', 'sbase', '/bin/sh', '-c', 'echo hi'], {
    env: { STATIC_DISTRO_REPOSITORY: quickstart },
  });
  t.is(stdout, 'hi\n');
});

test('a package that is put there by hand is there for the next call', (t) => {
  const repository = join(temporary(t), 'repository');
  cpSync(quickstart, repository, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  t.is(withpkgs('-d', repository, '-p', 'mksh', 'sbase', 'new', '--', 'true').status, 125);
  mkdirSync(join(repository, 'new/2.0/bin'), { recursive: true });
  writeFileSync(join(repository, 'new/2.0/control'), 'Package: new\nVersion: 2.0\nDepends-Run: mksh\n');
  writeFileSync(join(repository, 'new/2.0/bin/new'), '#!/bin/sh\necho I am new\n', { mode: 0o755 });
  t.is(withpkgs('-d', repository, '-p', 'new', '--', 'new').stdout, 'I am new\n');
  writeFileSync(join(repository, 'new/2.0/bin/newer'), '#!/bin/sh\necho I am newer\n', { mode: 0o755 });
  t.is(withpkgs('-d', repository, '-p', 'new', '--', 'newer').stdout, 'I am newer\n');
});

test('two packages that bring one name are refused with both their files, and nothing is made', (t) => {
  const base = temporary(t);
  for (const name of ['a', 'b']) {
    mkdirSync(join(base, 'r', name, '1/bin'), { recursive: true });
    writeFileSync(join(base, 'r', name, '1/bin/tool'), '');
    writeFileSync(join(base, 'r', name, '1/control'), `Package: ${name}\nVersion: 1\n`);
  }
  const home = join(base, 'home');
  const { status, stderr } = runTool('withpkgs', ['-d', join(base, 'r'), '-p', 'a', 'b', '--', 'tool'], {
    env: { STATIC_DISTRO_HOME: home },
  });
  t.is(status, 125);
  t.regex(
    stderr,
    /^withpkgs: two packages bring \/bin\/tool: "packages\/a\/1\/bin\/tool" and "packages\/b\/1\/bin\/tool"\n/,
  );
  t.deepEqual(existsSync(join(home, 'cache/profiles')) ? readdirSync(join(home, 'cache/profiles')) : [], []);
});

test('what cannot be done is told in a line and a hint, with status 125', (t) => {
  const base = temporary(t);
  const there = ['-d', quickstart];
  refused(t, ['-d', join(base, 'none'), '-p', 'x'], /there is no repository ".*none"/);
  refused(t, [...there, '-p', 'nonesuch', '--', 'true'], /there is no package "nonesuch"/);
  const unmet = withpkgs(...there, '-p', 'mksh >= 1000', '--', 'true');
  t.is(unmet.status, 125);
  t.is(unmet.stderr, 'withpkgs: nothing meets "mksh >= 1000" (-p mksh >= 1000): only mksh 59c exists\n');
  refused(t, [...there, '-p', 'mksh >> ', '--', 'true'], /-p "mksh >> "/);
  refused(t, [...there, '-p', 'MKSH', '--', 'true'], /"MKSH" is no package name/);
  refused(t, [...there], /no package/);
  refused(t, [...shell, '--nonesuch'], /unknown option "--nonesuch"/);
  refused(t, [...shell, '--json'], /--json/);
  refused(t, [...shell, '--doctor'], /--doctor/);
  const home = join(base, 'home');
  const env = { STATIC_DISTRO_HOME: home };
  const missing = runTool('withpkgs', [...shell, '-w', join(base, 'none'), '--', 'true'], { env });
  t.is(missing.status, 125);
  t.regex(
    missing.stderr,
    /^withpkgs: -w ".*none": there is no such directory\nwithpkgs: make it first: mkdir -p ".*none"\n$/,
  );
  t.false(existsSync(home), 'nothing is left behind');
});

test('a command that reads as a package gets the hint to write --', (t) => {
  for (const command of [['ls'], ['ls', 'x'], ['ls', '/etc']]) {
    t.regex(
      refused(t, [...shell, ...command], /there is no package "ls"/),
      /if "ls" is the command, write -- before it/,
    );
  }
  t.regex(refused(t, [...shell, 'ls', '-l'], /unknown option "-l"/), /write -- before the command/);
});

test('neither the machine nor our own packages are given away', (t) => {
  const alias = join(temporary(t), 'alias');
  symlinkSync('/', alias);
  for (const directory of ['/', '/proc', '/proc/self', alias]) {
    refused(t, [...shell, '-w', directory, '--', 'true'], /would show the whole machine$/);
    refused(t, [...shell, '-m', `x:${directory}`, '--', 'true'], /would show the whole machine$/);
  }
  refused(t, [...shell, '-w', quickstart, '--', 'true'], /would let the command change packages/);
  refused(
    t,
    [...shell, '-m', `x:${quickstart}/mksh:rw`, '--', 'true'],
    /would let the command change packages/,
  );
  t.deepEqual(lines(t, 'ls /mnt/x', '-m', `x:${quickstart}/mksh`), ['59c']);
  if (isRoot) return;
  refused(t, [...shell, '-w', '/usr', '--', 'true'], /-w "\/usr" cannot be written to by you$/);
});

test('--dry-run tells what would be run and from where, and makes nothing', (t) => {
  const home = join(temporary(t), 'home');
  const env = { STATIC_DISTRO_HOME: home };
  const plain = output(tool('withpkgs'), [...shell, '--dry-run', '--', 'ls', '-l'], { env });
  t.regex(plain, /^package +mksh 59c \(Origin: host\) +"/m);
  t.regex(plain, /^command +"ls" "-l"$/m);
  const work = temporary(t);
  const json = output(
    tool('withpkgs'),
    [...shell, '--dry-run', '--json', '-w', work, '-m', `m:${work}`, '--net'],
    { env },
  );
  const described = JSON.parse(json) as Record<string, unknown> & {
    mounts: { target: string; writable: boolean }[];
    profile: string;
  };
  t.like(described, {
    packages: [
      { name: 'mksh', version: '59c', origin: 'host', tree: join(quickstart, 'mksh/59c') },
      { name: 'sbase', origin: 'host' },
    ],
    directory: '/work',
    network: true,
    command: ['/bin/sh'],
    kept: [],
  });
  const writable = described.mounts.filter((mount) => mount.writable).map(({ target }) => target);
  t.deepEqual(writable, ['work']);
  t.false(existsSync(home));
  t.is(
    runTool('withpkgs', [...shell, '-v', '--', 'true'], { env }).stderr.split('\n')[0],
    'withpkgs: mksh 59c (Origin: host)',
  );
  t.true(existsSync(described.profile));
});

test('--tmp-size limits what is written beside the work directory', (t) => {
  const { status, stderr } = script('dd if=/dev/zero of=/tmp/x bs=1024 count=2048', '--tmp-size', '1M');
  t.is(status, 1);
  t.regex(stderr, /No space left on device/);
  t.is(script('dd if=/dev/zero of=/tmp/x bs=1024 count=2048', '--tmp-size=4M').status, 0);
});

test('--net shares the network and its resolver', (t) => {
  const names = (text: string) => [...text.matchAll(/^ *([^ :]+):/gm)].map(([, name]) => name).sort();
  const { status, stdout } = script('cat /proc/net/dev; echo; cat /etc/resolv.conf', '--net');
  t.is(status, 0);
  const [devices = '', ...resolver] = stdout.split('\n\n');
  t.deepEqual(names(devices), names(readFileSync('/proc/net/dev', 'utf8')));
  if (existsSync('/etc/resolv.conf')) t.is(resolver.join('\n\n'), readFileSync('/etc/resolv.conf', 'utf8'));
});

test('withenv runs exact versions and resolves nothing', (t) => {
  const version = readdirSync(join(quickstart, 'sbase'))[0] ?? '';
  const base = ['-d', quickstart, '-p', 'mksh,59c'];
  t.is(runTool('withenv', [...base, `sbase,${version}`, '--', 'ls', '/packages']).stdout, 'mksh\nsbase\n');
  t.is(runTool('withenv', [...base, '/bin/sh', '-c', 'exit 9']).status, 9);
  const repository = join(temporary(t), 'repository');
  for (const [name, more] of [
    ['needs', 'Depends-Run: needed'],
    ['needed', ''],
  ] as const) {
    mkdirSync(join(repository, name, '1'), { recursive: true });
    writeFileSync(
      join(repository, name, '1/control'),
      `Package: ${name}\nVersion: 1\n${more}\n`.trimEnd() + '\n',
    );
  }
  const both = [...base, `sbase,${version}`, '-d', repository, '-p', 'needs,1', '--', 'ls', '/packages'];
  t.is(runTool('withenv', both).stdout, 'mksh\nneeds\nsbase\n');
  refused(t, ['-d', quickstart, '-p', 'mksh'], /-p "mksh" is no package with its version/, 'withenv');
  refused(t, ['-d', quickstart, '-p', 'mksh,1'], /there is no package mksh 1/, 'withenv');
  refused(t, ['-d', quickstart, '-p', 'none,1'], /there is no package none 1/, 'withenv');
  refused(t, ['-d', quickstart, '-p', 'mksh,59c', 'mksh,59c'], /mksh twice/, 'withenv');
  refused(t, ['-d', quickstart, '-p', '..,1'], /".." is no package name/, 'withenv');
});

test('what pkgsolve prints is what withenv takes', (t) => {
  const text = '"$1" -d "$3" -p $("$2" -d "$3" tcc mksh sbase) -- ls /packages';
  const { status, stdout } = run('sh', ['-c', text, 'sh', tool('withenv'), tool('pkgsolve'), quickstart]);
  t.is(status, 0);
  t.true(stdout.startsWith('mksh\n') && stdout.includes('tcc\n'));
});

test('withenv --doctor finds nothing missing on this machine', (t) => {
  t.is(runTool('withenv', ['--doctor']).status, 0);
  const { status, stdout } = runTool('withenv', ['--doctor', '--json']);
  t.is(status, 0);
  t.notThrows(() => JSON.parse(stdout));
});

test('help has an example, and both tools tell their version', (t) => {
  for (const name of ['withpkgs', 'withenv']) {
    const { status, stdout, stderr } = runTool(name, ['--help']);
    t.is(status, 0);
    t.is(stderr, '');
    t.regex(stdout, new RegExp(`^usage: ${name} `));
    t.regex(stdout, new RegExp(`^  ${name} -d bootstrap/`, 'm'));
    for (const option of [
      '-d DIR',
      '-w DIR',
      '-c DIR',
      '-m NAME:DIR',
      '--net',
      '--setenv',
      '--keepenv',
      '--tmp-size',
      '--unsafe-root',
    ]) {
      t.true(stdout.includes(option), option);
    }
    t.regex(
      output(tool(name), ['--version']),
      new RegExp(`^${name} \\(static-distro\\) \\d+\\.\\d+\\.\\d+\n$`),
    );
  }
});

test('cached profiles that others can write to are not used', (t) => {
  const home = join(temporary(t), 'home');
  const env = { STATIC_DISTRO_HOME: home };
  t.is(runTool('withpkgs', [...shell, '--', 'true'], { env }).status, 0);
  chmodSync(join(home, 'cache/profiles'), 0o777);
  const open = runTool('withpkgs', [...shell, '--', 'true'], { env });
  t.is(open.status, 125);
  t.regex(open.stderr, /^withpkgs: other users can write to ".*profiles"/);
});

rootTest('cached profiles of another user are not used', (t) => {
  const home = join(temporary(t), 'home');
  const env = { STATIC_DISTRO_HOME: home };
  t.is(runTool('withpkgs', [...shell, '--', 'true'], { env }).status, 0);
  chownSync(join(home, 'cache'), 1234, 1234);
  const foreign = runTool('withpkgs', [...shell, '--', 'true'], { env });
  t.is(foreign.status, 125);
  t.regex(foreign.stderr, /belongs to user 1234, not to user 0/);
});

type Session = { readonly shown: string; readonly missed: string | null; readonly status: number | null };

type Step = readonly [expected: string, answer: string, mode: 'raw' | 'cooked'];

/** Talks to withpkgs on a terminal; see test/support/terminal.py. */
function terminal(steps: readonly Step[], ...args: string[]): Session {
  const talk = [join(root, 'test/support/terminal.py'), JSON.stringify(steps), tool('withpkgs'), ...shell];
  return JSON.parse(output('python3', [...talk, '--setenv', 'PS1=> ', ...args])) as Session;
}

// With /bin in front: mksh has a cat and a sleep of its own, which are no jobs.
test('on a terminal there is a shell with job control: ^C, ^Z, fg, exit', (t) => {
  const { shown, missed, status } = terminal([
    ['> ', 'sh -c "echo st""arted; exec /bin/sleep 100"\n', 'raw'],
    ['started', '\u0003', 'cooked'],
    ['> ', 'echo al""ive $?\n', 'raw'],
    ['alive 130', '', 'raw'],
    ['> ', '/bin/cat\n', 'raw'],
    ['cat', 'one\n', 'cooked'],
    ['one\r\none', '\u001a', 'cooked'],
    ['Stopped', '', 'raw'],
    ['> ', 'fg\n', 'raw'],
    ['cat', 'two\n', 'cooked'],
    ['two\r\ntwo', '\u0004', 'cooked'],
    ['> ', 'exit 7\n', 'raw'],
  ]);
  t.is(missed, null, shown);
  t.is(status, 7, shown);
});

test('^C ends a command that is no shell, as a signal', (t) => {
  // What cat says once more tells that it runs: a shell on its way to another program may take the signal for itself.
  const steps: Step[] = [
    ['', 'word\n', 'cooked'],
    ['word\r\nword', '\u0003', 'cooked'],
  ];
  const { shown, missed, status } = terminal(steps, '--', 'cat');
  t.is(missed, null, shown);
  t.is(status, 130, shown);
});
