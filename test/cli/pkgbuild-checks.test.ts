import test, { type ExecutionContext } from 'ava';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Demo, makeDemo, namesIn, processesWith } from '../support/demo.ts';
import { rootTest } from '../support/root-test.ts';
import { isRoot, output, quickstart, run, start, tool } from '../support/tools.ts';

const sources = {
  control: `Source: demo
Version: 1.0
Description: A small thing
Homepage: https://example.org/demo
License: MIT
Depends-Unpack: mksh, sbase
Depends-Build: mksh, sbase, gcc | tcc, musl
Depends-Test: mksh, sbase

Package: demo
`,
  'unpack.sh': 'set -e\nmkdir demo\ncp demo.c demo/\n',
  'build.sh':
    'set -e\nmkdir -p "$PKG_INSTDIR$PKG_DIR/bin"\n$CC -static -o "$PKG_INSTDIR$PKG_DIR/bin/demo" demo/demo.c\n',
  'test.sh': 'set -e\ntest "$(demo)" = hello\n',
  'demo.c': '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n',
} as const;

/** Of a recipe that is built in the view of this machine, without a musl of ours. */
const hostControl = sources.control.replace(/Depends-Build.*\n/, '');

type Files = { readonly [file in keyof typeof sources]?: string };

/** In roots of the quick start's packages, or in the view of this machine. */
function demo(t: ExecutionContext, files: Files = {}): Demo & Record<'onHost', Demo['pkgbuild']> {
  const made = makeDemo(t, { ...sources, ...files }, () => ['-p', quickstart]);
  const { repository, env, place } = made;
  return {
    ...made,
    onHost: (...args) => run(tool('pkgbuild'), ['-r', repository, '--no-apt', ...args], { env, cwd: place }),
  };
}

/** What a failure always tells: one line of it, and one with its traces. */
function failed(t: ExecutionContext, { status, stdout, stderr }: ReturnType<typeof run>, says: RegExp): void {
  t.is(status, 1, stderr);
  t.is(stdout, '');
  const lines = stderr.trimEnd().split('\n');
  t.regex(lines.at(-2) ?? '', says);
  t.regex(lines.at(-1) ?? '', /log: "[^"]+demo\/1\.0(?:\.test)?\.log"/);
}

test('a recipe to start from lints clean, builds, passes its test, and comes out again', (t) => {
  const { place, repository, pkgbuild } = demo(t);
  const { status, stdout, stderr } = pkgbuild('--new', 'fresh=2.1');
  t.is(status, 0, stderr);
  t.is(stdout, 'fresh/2.1\n');
  const fresh = join(place, 'fresh/2.1');
  t.deepEqual(namesIn(fresh), ['LICENSE', 'build.sh', 'control', 'hello.c', 'test.sh', 'unpack.sh']);
  const lint = run(tool('pkgcontrol'), ['--lint', fresh]);
  t.deepEqual([lint.status, lint.stdout, lint.stderr], [0, '', '']);
  const built = pkgbuild(fresh);
  t.is(built.status, 0, built.stderr);
  t.regex(built.stderr, /fresh 2\.1: testing\n/);
  t.is(output(join(repository, 'fresh/2.1/bin/fresh'), []), 'hello from fresh\n');
  const checked = pkgbuild('--check', fresh);
  t.is(checked.status, 0, checked.stderr);
  t.regex(checked.stdout, /^fresh 2\.1: the same bytes, sha256:[0-9a-f]{64}\n$/);

  t.regex(pkgbuild('--new', 'fresh=2.1').stderr, /fresh\/2\.1" is there already/);
  t.is(pkgbuild('--new', 'Bad_Name').status, 2);
  t.is(pkgbuild('--new').status, 2);
  mkdirSync(join(place, 'packages'));
  t.is(pkgbuild('--new', 'other').stdout, 'packages/other/1.0\n');
});

const install = 'set -e\nout=$PKG_INSTDIR$PKG_DIR\nmkdir -p "$out/bin" "$out/lib" "$out/share/info"\n';

const refusals: Record<string, readonly [script: string, says: RegExp, todo: RegExp, allow?: string]> = {
  'a dynamic program': [
    'cc -o "$out/bin/demo" demo/demo.c',
    /demo 1\.0: "bin\/demo" is no static program: it needs "[^"]*ld-linux[^"]*"/,
    /link with -static/,
    'dynamic',
  ],
  'a dynamic program that may be anywhere': [
    'cc -fPIE -pie -o "$out/bin/demo" demo/demo.c',
    /"bin\/demo" is no static program/,
    /Allow: dynamic/,
    'dynamic',
  ],
  'a path of the work directory': [
    'cc -g -c -o "$out/lib/demo.o" "$PWD/demo/demo.c"',
    /demo 1\.0: "lib\/demo\.o" has a path of the work directory in it: "\/work[^"]*"/,
    /-ffile-prefix-map/,
    'build-path',
  ],
  'a set-id program': [
    'cp demo/demo.c "$out/bin/su"; chmod 2755 "$out/bin/su" || chmod 1755 "$out/bin/su"; mkfifo "$out/p"',
    /demo 1\.0: "p" is a fifo/,
    /do not install it/,
  ],
};

for (const [what, [script, says, todo, allow]] of Object.entries(refusals)) {
  test(`${what} is refused, with its package, its path, and what to do`, (t) => {
    const { repository, recipe, write, onHost } = demo(t, {
      control: hostControl,
      'build.sh': `${install}${script}\n`,
    });
    const result = onHost('--no-test', recipe);
    failed(t, result, says);
    t.regex(result.stderr, todo);
    t.deepEqual(namesIn(repository), [], 'not even a directory is left');
    if (allow === undefined) return;
    write('control', hostControl.replace('Depends-Unpack', `Allow: ${allow}\nDepends-Unpack`));
    t.is(onHost('--no-test', recipe).status, 0, 'it may be if the recipe says so');
  });
}

test('what serves nobody is reported, and refused nothing', (t) => {
  const { recipe, onHost } = demo(t, {
    control: hostControl,
    'build.sh': `${install}echo >"$out/lib/libdemo.la"; echo >"$out/share/info/dir"\n`,
  });
  const { status, stderr } = onHost('--no-test', recipe);
  t.is(status, 0, stderr);
  t.regex(stderr, /warning: demo 1\.0: "lib\/libdemo\.la" is of libtool[^\n]*remove it in build\.sh/);
  t.regex(stderr, /warning: demo 1\.0: "share\/info\/dir" is an index/);
});

test('Allow and Timeout are checked where they are written', (t) => {
  const { recipe, write, onHost } = demo(t);
  const cases = [
    [
      'Allow: everything',
      /control"?:2:\d+: Allow: "everything" is nothing that can be allowed[^]*build-path, dynamic/,
    ],
    ['Timeout: 5', /control"?:2:\d+: Timeout: "5" is no duration[^]*30m/],
  ] as const;
  for (const [field, says] of cases) {
    write('control', sources.control.replace('Version', `${field}\nVersion`));
    const { status, stderr } = onHost(recipe);
    t.is(status, 2);
    t.regex(stderr, says);
  }
  write('control', sources.control.replace('Version', 'Timeout: 90m\nAllow: dynamic\nVersion'));
  t.is(output(tool('pkgcontrol'), ['-f', 'Timeout', recipe]), '90m\n');
});

test('test.sh runs in a fresh root: what was built, what it needs, Depends-Test, and a network of its own', (t) => {
  const seen = `set -e
ls /packages
{ [ ! -e /work/demo ] && [ ! -e /work/out ]; } || exit 9
mkdir www; echo page >www/index.html
mini_httpd -p 80 -h 127.0.0.1 -d www -u user
test "$(wget -q -O - http://127.0.0.1/)" = page
(sleep 1000 &)
`;
  const { recipe, repository, write, pkgbuild } = demo(t, {
    control: sources.control.replace('Depends-Test: mksh', 'Depends-Test: mini-httpd, mksh'),
    'test.sh': seen,
  });
  const { status, stderr } = pkgbuild('--verbose', recipe);
  t.is(status, 0, stderr);
  t.regex(stderr, /demo 1\.0: testing\ndemo\nmini-httpd\nmksh\nsbase\n/);

  write('control', sources.control.replace('Package: demo\n', 'Package: demo\nDepends-Run: lua\n'));
  write('test.sh', 'set -e\nls /packages\ntest "$(lua -e "print(1 + 1)")" = 2\n');
  const needing = pkgbuild('--verbose', recipe);
  t.is(needing.status, 0, needing.stderr);
  t.regex(needing.stderr, /testing\ndemo\nlua\nmksh\nsbase\n/);

  rmSync(repository, { recursive: true });
  write('control', sources.control.replace('Depends-Test: mksh, sbase', 'Depends-Test: nosuch'));
  write('test.sh', 'true\n');
  const without = pkgbuild(recipe);
  t.is(without.status, 1);
  t.regex(without.stderr, /no package "nosuch" \(Depends-Test of demo\)/);
  t.deepEqual(namesIn(repository), []);
});

test('what fails its test is not published, unless it is not tested, and can be looked into', (t) => {
  const { recipe, repository, write, env, work, pkgbuild } = demo(t, {
    'test.sh': 'touch seen\ndemo nonsense\nexit 3\n',
  });
  const result = pkgbuild(recipe);
  failed(t, result, /demo 1\.0: test\.sh ended with status 3$/);
  t.regex(result.stderr, /\n {2}hello\n/, 'the log has what the test said');
  t.deepEqual(namesIn(repository), []);
  const shell = run(tool('pkgbuild'), ['--shell', 'demo'], {
    env,
    input:
      'ls; demo; ls /packages; echo "$PKG_DIR"; touch /packages/demo/1.0/x 2>/dev/null || echo read-only\n',
  });
  t.is(shell.status, 0, shell.stderr);
  t.is(
    shell.stdout,
    'build.sh\ncontrol\ndemo.c\nseen\ntest.sh\nunpack.sh\nhello\ndemo\nmksh\nsbase\n/packages/demo/1.0\nread-only\n',
  );
  t.deepEqual(namesIn(work), ['demo-1.0.failed', 'demo-1.0.failed.json', 'demo-1.0.failed.packages']);

  t.is(pkgbuild('--no-test', recipe).status, 0);
  t.true(existsSync(join(repository, 'demo/1.0/bin/demo')));
  t.deepEqual(namesIn(work), [], 'a success takes the traces of failures away');
  write('test.sh', 'exit 4\n');
  failed(t, pkgbuild(recipe), /test\.sh ended with status 4$/);
  t.true(existsSync(join(repository, 'demo/1.0/bin/demo')), 'and the old one stays');
});

test('on the view of this machine test.sh runs, too', (t) => {
  const { recipe, write, onHost } = demo(t, {
    'build.sh': sources['build.sh'].replace('$CC', 'cc'),
    control: hostControl,
  });
  const good = onHost(recipe);
  t.is(good.status, 0, good.stderr);
  t.regex(good.stderr, /demo 1\.0: testing/);
  write('test.sh', 'test "$(demo)" = other\n');
  failed(t, onHost(recipe), /test\.sh ended with status 1$/);
});

test('a script that takes too long, or says nothing for too long, is ended, with all that it started', (t) => {
  const word = `hangs-${process.pid}`;
  const hang = `(setsid sh -c 'sleep 1000; : ${word}' &)\ntrap "" TERM\nsh -c 'sleep 1000; : ${word}'\n`;
  const { recipe, repository, write, pkgbuild } = demo(t, { 'build.sh': hang });
  const idle = pkgbuild('--idle-timeout', '1s', recipe);
  failed(t, idle, /demo 1\.0: build\.sh said nothing for 1s and was ended$/);
  t.regex(idle.stderr, /--idle-timeout/);
  t.deepEqual(processesWith(word), []);

  write('build.sh', `while :; do echo x; sleep 0.1; done # ${word}\n`);
  failed(
    t,
    pkgbuild('--timeout', '2s', '--idle-timeout', '1m', recipe),
    /build\.sh took longer than 2s and was ended$/,
  );

  write('control', sources.control.replace('Version', 'Timeout: 2s\nVersion'));
  failed(t, pkgbuild(recipe), /build\.sh took longer than 2s and was ended$/);

  write('build.sh', sources['build.sh']);
  write('test.sh', 'while :; do echo x; sleep 0.1; done\n');
  failed(t, pkgbuild(recipe), /test\.sh took longer than 2s and was ended$/);
  write('test.sh', 'sleep 3\n');
  t.is(pkgbuild('--timeout', 'none', recipe).status, 0, 'the option counts before the field');
  t.true(existsSync(join(repository, 'demo/1.0')));
  for (const [option, word] of [
    ['--timeout', 'long'],
    ['--idle-timeout', '5'],
  ] as const) {
    const bad = pkgbuild(option, word, recipe);
    t.is(bad.status, 2);
    t.regex(bad.stderr, new RegExp(`${option} "${word}" is no duration`));
  }
});

rootTest('a script that fills the disk: which one, and what to do; nothing stays to fill it on', (t) => {
  const { place, recipe, write, repository } = demo(t, { 'build.sh': 'set -e\ncat /dev/zero >big\n' });
  const small = smallDisk(t, place);
  const options = ['-r', repository, '--no-apt', '-p', quickstart];
  const env = { STATIC_DISTRO_HOME: small };
  const result = run(tool('pkgbuild'), [...options, recipe], { env });
  failed(
    t,
    result,
    /build\.sh ended with status 1: the disk with the work directory ".*small\/cache\/work.*" is full$/,
  );
  t.regex(result.stderr, /make room there, or build elsewhere: -w DIR/);
  t.deepEqual(namesIn(join(small, 'cache/work')), []);
  const kept = run(tool('pkgbuild'), [...options, '--keep-failed', '--no-test', recipe], { env });
  t.regex(kept.stderr, /is full\n/);

  rmSync(join(small, 'cache/work'), { recursive: true });
  write('build.sh', sources['build.sh']);
  const next = run(tool('pkgbuild'), [...options, recipe], { env });
  t.is(next.status, 0, next.stderr);
});

rootTest('a script that says the same without end is ended, and its log fills no disk for long', (t) => {
  const { place, recipe, repository } = demo(t, { 'build.sh': 'printf begun\nexec yes\n' });
  const env = { STATIC_DISTRO_HOME: smallDisk(t, place) };
  const result = run(tool('pkgbuild'), ['-r', repository, '--no-apt', '-p', quickstart, recipe], { env });
  failed(t, result, /build\.sh said more than 256 MiB and was ended$/);
});

test('what a script shuts is opened again to whom it belongs', (t) => {
  const shut = `${sources['build.sh']}cd "$PKG_INSTDIR$PKG_DIR"\necho x >data\nchmod 0 data . "$PKG_INSTDIR" /work && exit 0\n`;
  const { place, recipe, repository, write, options, env, work } = demo(t, { 'build.sh': shut });
  const builder = another(t);
  if (builder.length > 1) for (const path of [join(place, '..'), place]) chownSync(path, 12345, 12345);
  const [program = '', ...words] = [...builder, tool('pkgbuild'), ...options, recipe];
  const build = () => run(program, words, { env });
  const result = build();
  t.is(result.status, 0, result.stderr);
  t.deepEqual(namesIn(work), []);
  t.is(readFileSync(join(repository, 'demo/1.0/data'), 'utf8'), 'x\n');

  write('build.sh', shut.replace('exit 0', 'printf "no line" && exit 3'));
  failed(t, build(), /build\.sh ended with status 3$/);
  const log = readFileSync(join(place, 'home/cache/builds/logs/demo/1.0.log'), 'utf8');
  t.true(log.endsWith('\nno line\n== build.sh ended with status 3\n'), log);
});

/** Somebody else than root, to whom nothing that is shut is open; but root, where nobody else may look into the checkout. */
function another(t: ExecutionContext): readonly string[] {
  const user = ['setpriv', '--reuid', '12345', '--regid', '12345', '--clear-groups'];
  if (!isRoot) return ['env'];
  if (run(user[0] ?? '', [...user.slice(1), 'test', '-x', tool('pkgbuild')]).status === 0) return user;
  t.log('as root: nobody else may look into this checkout');
  return ['env'];
}

/** A disk of 8 MiB. */
function smallDisk(t: ExecutionContext, place: string): string {
  const small = join(place, 'small');
  mkdirSync(small);
  output('mount', ['-t', 'tmpfs', '-o', 'size=8m,mode=755', 'small', small]);
  t.teardown(() => void run('umount', ['-l', small]));
  return small;
}

rootTest('a repository, and a store, on a disk that is full', (t) => {
  const large = `${sources['build.sh']}head -c 7000000 /dev/urandom >"$PKG_INSTDIR$PKG_DIR/data"\n`;
  const { place, recipe, write, env, repository } = demo(t, { 'build.sh': large });
  const small = smallDisk(t, place);
  const build = (to: string, home: string) =>
    run(tool('pkgbuild'), ['-r', to, '--no-apt', '-p', quickstart, recipe], {
      env: { STATIC_DISTRO_HOME: home },
    });
  writeFileSync(join(small, 'other'), Buffer.alloc(3 << 20));
  const noRoom = build(join(small, 'repository'), env['STATIC_DISTRO_HOME'] ?? '');
  failed(t, noRoom, /demo 1\.0: writing "data": no space left on device$/);
  t.regex(noRoom.stderr, /make room on the disk with ".*small/);
  t.deepEqual(namesIn(small), ['other']);

  // The work directory has room for what is built, the store has none for its layer.
  rmSync(join(small, 'other'));
  write('build.sh', large.replace('7000000', '3000000'));
  for (let round = 0; round < 4; round += 1) {
    const noStore = build(repository, small);
    failed(t, noStore, /no space left on device/);
    t.regex(noStore.stderr, /make room/);
    t.deepEqual(namesIn(join(small, 'cache/work')), []);
  }
  t.deepEqual(namesIn(repository), []);
  write('build.sh', sources['build.sh']);
  const next = build(repository, small);
  t.is(next.status, 0, next.stderr);
});

test('a script that writes outside of its directories fails, and the machine and the packages are as before', (t) => {
  const { recipe, onHost, pkgbuild, write } = demo(t);
  for (const place of [
    '/usr/x',
    '/etc/x',
    '/packages/x',
    '/packages/mksh/59c/bin/x',
    '/x',
    '/proc/sys/kernel/x',
  ]) {
    write('build.sh', `set -e\necho x >${place}\n`);
    failed(t, pkgbuild('-q', recipe), /build\.sh ended with status [12]$/);
  }
  write('control', hostControl);
  write('build.sh', 'set -e\nrm -rf /usr/bin/env /bin/sh /packages/*\n');
  failed(t, onHost(recipe), /build\.sh ended with status 1$/);
  t.true(existsSync('/usr/bin/env') && existsSync(join(quickstart, 'mksh/59c/bin/mksh')));
});

test('the command that a failure names opens a shell in its root, as the script left it', (t) => {
  const { recipe, env, place, work, write, pkgbuild } = demo(t, {
    'build.sh': 'set -e\necho "$$" >left\ncd demo\nfalse\n',
  });
  const result = pkgbuild('-V', '-~~x', recipe);
  t.is(result.status, 1);
  const [, command = ''] = /a shell in its root: (pkgbuild --shell .*)\n$/.exec(result.stderr) ?? [];
  t.is(command, 'pkgbuild --shell demo=1.0-~~x');
  const ask = 'ls; env | sort; id -u; ls /packages; exit 7\n';
  const shell = (words: string) =>
    run('sh', ['-c', words.replace('pkgbuild', `'${tool('pkgbuild')}'`)], { env, cwd: place, input: ask });
  const { status, stdout, stderr } = shell(command);
  t.is(status, 7, stderr);
  t.regex(stdout, /^build\.sh\ncontrol\ndemo\ndemo\.c\nleft\nout\n/);
  for (const line of ['HOME=/work', 'PKG_VERSION=1.0-~~x', 'LC_ALL=C', '1000', 'mksh\nmusl\nsbase\ntcc'])
    t.true(stdout.includes(`\n${line}\n`), `${line}: ${stdout}`);
  t.false(stdout.includes(place));

  t.is(shell('pkgbuild --shell demo').status, 7, 'the last one of a name');
  t.is(shell(`pkgbuild -V -~~x --shell '${recipe}'`).status, 7, 'by its recipe');
  const none = shell('pkgbuild --shell lua');
  t.is(none.status, 125);
  t.regex(none.stderr, /no failed build of "lua" is kept\n.*kept are demo=1\.0-~~x\n/);

  rmSync(join(place, 'home/cache/profiles'), { recursive: true });
  const gone = shell(command);
  t.is(gone.status, 125);
  t.regex(gone.stderr, /cannot be made again: ".*profiles.*" is gone/);

  write('build.sh', 'exit 5\n');
  const own = join(place, 'own');
  mkdirSync(own);
  t.regex(pkgbuild('-w', own, recipe).stderr, /a shell in its root: pkgbuild --shell demo=1\.0\n/);
  const inOwn = run(tool('pkgbuild'), ['--shell', 'demo=1.0'], { env, input: 'touch /work/here\n' });
  t.is(inOwn.status, 0, inOwn.stderr);
  t.true(existsSync(join(own, 'here')), 'it is the work directory of the user');
  t.deepEqual(namesIn(work), ['demo-1.0-~~x.failed', 'demo-1.0-~~x.failed.json', 'demo-1.0.failed.json']);
});

test('of failures one is kept of each version, for a week, or none', (t) => {
  const { recipe, work, write, pkgbuild } = demo(t, { 'build.sh': 'exit 5\n' });
  const none = pkgbuild('--no-keep-failed', recipe);
  failed(t, none, /ended with status 5$/);
  t.false(/work directory|--shell/.test(none.stderr));
  t.deepEqual(namesIn(work), []);
  for (const version of ['1', '2', '3']) pkgbuild('-q', '-v', version, recipe);
  t.is(namesIn(work).length, 6);
  const old = new Date(Date.now() - 8 * 24 * 3600 * 1000);
  utimesSync(join(work, 'demo-2.failed.json'), old, old);
  write('build.sh', sources['build.sh']);
  t.is(pkgbuild(recipe).status, 0);
  t.deepEqual(namesIn(work), ['demo-1.failed', 'demo-1.failed.json', 'demo-3.failed', 'demo-3.failed.json']);
});

test('a work directory in the recipe is refused', (t) => {
  const { recipe, onHost } = demo(t, { control: hostControl });
  mkdirSync(join(recipe, 'work'));
  for (const directory of [recipe, join(recipe, 'work')]) {
    const { status, stderr } = onHost('-w', directory, recipe);
    t.is(status, 1);
    t.regex(stderr, /-w ".*" would let the command change/);
  }
  t.deepEqual(namesIn(recipe), ['build.sh', 'control', 'demo.c', 'test.sh', 'unpack.sh', 'work']);
});

const leaks: Record<string, readonly [line: string, says: RegExp]> = {
  'the release of the kernel': [
    'uname -r >"$out/leak"',
    /"leak" is other from byte \d+ on: [0-9a-f]+, and was [0-9a-f]+/,
  ],
  'the number of processors, of which there are several': [
    'nproc >"$out/leak"',
    /"leak" is other from byte 0 on: 310a, and was 3\d0a/,
  ],
  'the order of directories, with another file system at "/dev/shm" or "/tmp"': [
    'mkdir d; for n in 1 2 3 4 5 6 7 8 9 a b c d e f; do echo >d/$n; done; find d -type f >"$out/leak"',
    /"leak" is other from byte/,
  ],
  'the time': ['date +%s%N >"$out/leak"', /"leak" is other from byte/],
  'a random name': ['mktemp -p "$out" file.XXXXXX', /"file\.\w+" is (?:new|missing)\n/],
  addresses: ['cat /proc/self/maps >"$out/leak"', /"leak" is other from byte/],
};

for (const [what, [line, says]] of Object.entries(leaks)) {
  test(`--check finds what depends on ${what}`, (t) => {
    const { recipe, repository, work, pkgbuild } = demo(t, {
      'build.sh': `${sources['build.sh']}out=$PKG_INSTDIR$PKG_DIR\n${line}\n`,
    });
    t.is(pkgbuild('--no-test', recipe).status, 0);
    const before = readFileSync(join(repository, '.records/demo/1.0.json'), 'utf8');
    const { status, stdout, stderr } = pkgbuild('--check', recipe);
    t.is(status, 1, stderr);
    t.regex(stdout, /^demo 1\.0: differs\n {2}/);
    t.regex(stdout, says);
    t.false(stdout.includes('bin/demo'), 'what is the same is not told');
    t.regex(stderr, /other than usual: jobs, .*\n.*as usual: the clock/);
    t.is(readFileSync(join(repository, '.records/demo/1.0.json'), 'utf8'), before, 'nothing is published');
    t.deepEqual(namesIn(work), ['demo-1.0.check']);
    t.true(existsSync(join(work, 'demo-1.0.check/demo/bin/demo')), 'what came out is there to be looked at');
  });
}

test('--check of what was not built, of several, and as JSON', (t) => {
  const { recipe, place, work, pkgbuild } = demo(t);
  const missing = pkgbuild('--check', recipe);
  t.is(missing.status, 1);
  t.regex(missing.stderr, /^pkgbuild: demo 1\.0 is not in .*: there is nothing to check/);
  t.is(pkgbuild('--check').status, 2);
  t.is(pkgbuild('--check', '--shell', recipe).status, 2);
  pkgbuild('--new', 'fresh');
  t.is(pkgbuild(recipe, join(place, 'fresh/1.0')).status, 0);
  const both = pkgbuild('--check', '--json', recipe, join(place, 'fresh/1.0'));
  t.is(both.status, 0, both.stderr);
  const results = both.stdout
    .trim()
    .split('\n')
    .map(
      (line) =>
        JSON.parse(line) as {
          same: boolean;
          varied: string[];
          packages: { recorded: string; built: string }[];
        },
    );
  t.deepEqual(
    results.map(({ same }) => same),
    [true, true],
  );
  for (const { packages, varied } of results) {
    t.is(packages[0]?.recorded, packages[0]?.built);
    t.true(varied.length >= 5, varied.join());
  }
  t.deepEqual(namesIn(work), []);
});

const flaws: Record<string, readonly [file: string, text: string, says: RegExp]> = {
  'a field that nobody knows': [
    'control',
    sources.control.replace('Depends-Test', 'Depend-Test'),
    /control"?:8:1: warning: Depend-Test: .* did you mean Depends-Test\?.*\[control\]/,
  ],
  'no licence': [
    'control',
    sources.control.replace('License: MIT\n', ''),
    /control"?:1:1: License: the field is missing.*\[license\]/,
  ],
  'no home page': [
    'control',
    sources.control.replace(/Homepage.*\n/, ''),
    /warning: Homepage: the field is missing/,
  ],
  'an unknown distfile': [
    'control',
    sources.control.replace('License', 'Sources: nosuch-1.tar.gz\nLicense'),
    /control"?:5:1: Sources: no distfile is called "nosuch-1\.tar\.gz".*pkgfetch --add.*\[distfile\]/,
  ],
  'a triplet that names a CPU': [
    'build.sh',
    'set -e\n# not x86_64-linux-gnu\n./configure --build="$ARCH_BUILD" \\\n  --host=x86_64-linux-musl\n',
    /build\.sh"?:3:1: x86_64-linux-musl; write "\$ARCH".*\[cpu\]/,
  ],
  'a configure without its machines': [
    'build.sh',
    'set -e\n../demo/configure --prefix="$PKG_DIR"\n',
    /build\.sh"?:2:1: warning: \.\.\/demo\/configure without --build and --host.*\[configure\]/,
  ],
  'the network': [
    'unpack.sh',
    'set -e\nif true; then curl -O https://example.org/x; fi\n',
    /unpack\.sh"?:2:1: curl;.*\[network\]/,
  ],
  'git clone': ['unpack.sh', 'set -e\ngit clone https://example.org/x\n', /\[network\]/],
  'a processor of its own': ['build.sh', 'set -e\n$CC -O2 -march=native x.c\n', /-march=native.*\[native\]/],
  'the date': ['build.sh', 'set -e\necho "built on $(date)" >x\n', /date; .*SOURCE_DATE_EPOCH.*\[machine\]/],
  'no stop at errors': [
    'build.sh',
    'make\nmake install\n',
    /build\.sh"?:1:1: build\.sh does not stop at errors.*\[set-e\]/,
  ],
  'a patch that nobody applies': [
    'mend.patch',
    'Mends it.\n--- a/x\n',
    /mend\.patch"?:1:1: no script applies it.*\[patch-unused\]/,
  ],
  'a patch that says nothing': [
    'mend.patch',
    '--- a/x\n',
    /mend\.patch"?:1:1: warning: it does not say what it is for/,
  ],
};

for (const [what, [file, text, says]] of Object.entries(flaws)) {
  test(`--lint finds ${what}`, (t) => {
    const { recipe, write } = demo(t);
    write(file, text);
    const { status, stdout, stderr } = run(tool('pkgcontrol'), ['--lint', recipe]);
    t.regex(stderr, says);
    t.is(status, stderr.includes(': 0 errors') ? 0 : 1);
    t.is(stdout, '');
    const json = run(tool('pkgcontrol'), ['--lint', '--json', recipe]);
    const { findings } = JSON.parse(json.stdout) as {
      findings: { rule: string; line: number; hint: string }[];
    };
    t.true(
      findings.length > 0 && findings.every(({ rule, line, hint }) => rule !== '' && line > 0 && hint !== ''),
    );
  });
}

test('--lint says nothing of what is as it should be, and of what is allowed on purpose', (t) => {
  const { recipe, write } = demo(t);
  const lint = (...args: string[]) => run(tool('pkgcontrol'), ['--lint', ...args, recipe]);
  t.deepEqual([lint().status, lint().stderr], [0, '']);
  write('mend.patch', 'Mends it.\n--- a/x\n');
  write('unpack.sh', 'set -e\nfor p in ../*.patch; do\n\tpatch -p1 <"$p"\ndone\n');
  write(
    'build.sh',
    'set -e\n# the output of uname -r and curl\n# lint: allow machine, cpu\nuname -r aarch64-linux-musl\ncp updated date.c "$x"\n',
  );
  t.is(lint().stderr, '');
  rmSync(join(recipe, 'test.sh'));
  t.is(lint().status, 0, 'a warning alone is no error');
  t.regex(lint().stderr, /warning: the recipe has no test\.sh.*\[test\]\npkgcontrol: 0 errors, 1 warnings\n/);
});

test('all recipes lint without errors', (t) => {
  const names = output('sh', ['-c', 'ls -d packages/*/*/'], {}).trim().split('\n');
  const { status, stderr } = run(tool('pkgcontrol'), ['--lint', ...names]);
  t.is(status, 0, stderr);
});

test('what a linker put into a program is in the record, and is found by library and member', (t) => {
  const { repository, recipe, write, onHost } = demo(t, {
    'build.sh': `${install}
cd demo
echo "> $PWD/demo" >>"$PKG_LINKLOG"
$CC -static -Wl,-t,-t -o "$out/bin/demo" demo.c >>"$PKG_LINKLOG"
ln "$out/bin/demo" "$out/bin/also"
$CC -static -o "$out/bin/quiet" demo.c
`,
  });
  mkdirSync(repository, { recursive: true });
  output('cp', ['-a', join(quickstart, 'musl'), join(quickstart, '.records'), repository]);
  const { status, stderr } = onHost(recipe);
  t.is(status, 0, stderr);
  const { linked } = JSON.parse(readFileSync(join(repository, '.records/demo/1.0.json'), 'utf8')) as {
    linked: Record<string, Record<string, string[]>>;
  };
  t.deepEqual(Object.keys(linked).sort(), ['bin/also', 'bin/quiet']);
  const members = linked['bin/also']?.['musl/lib/libc.a'] ?? [];
  t.true(members.includes('puts.lo') && !members.includes('iconv.lo'), members.join());
  t.deepEqual(linked['bin/quiet'], {});
  const affected = (...args: string[]) => run(tool('pkgcontrol'), ['--affected', ...args, '-d', repository]);
  for (const word of ['puts.lo', 'puts.o', 'puts']) {
    const found = affected('musl', word);
    t.is(found.status, 0, found.stderr);
    t.is(found.stdout, 'demo 1.0 bin/also: musl/lib/libc.a(puts.lo)\n');
    t.regex(found.stderr, /nothing is known of programs of demo 1\.0/);
  }
  t.is(affected('musl', 'iconv.lo').status, 1);
  t.is(affected('musl', 'iconv.lo').stdout, '');
  t.is(affected('Musl').status, 2);
  const json = JSON.parse(affected('musl', 'puts', '--json').stdout) as { affected: unknown[] };
  t.deepEqual(json.affected, [
    { name: 'demo', version: '1.0', program: 'bin/also', archive: 'musl/lib/libc.a', members: ['puts.lo'] },
  ]);
  write('build.sh', `${install}rm -f "$PKG_LINKLOG"; ln -s /etc/passwd "$PKG_LINKLOG"; mkdir -p "$out"\n`);
  t.is(onHost('--no-test', recipe).status, 0, 'a log that leads elsewhere is none');
});

test.serial('killed in its test, nothing is published, and the next run goes on', async (t) => {
  const word = `tested-${process.pid}`;
  const { repository, recipe, work, options, env, write, pkgbuild } = demo(t, {
    'test.sh': `sh -c 'sleep 1000; : ${word}'\n`,
  });
  const child = start(t, tool('pkgbuild'), [...options, recipe], { env });
  for (let tries = 0; processesWith(word).length === 0; tries += 1) {
    t.true(tries < 1200, 'the test runs');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill('SIGKILL');
  await once(child, 'exit');
  t.deepEqual(
    namesIn(repository).filter((name) => !name.startsWith('.')),
    [],
  );
  write('test.sh', sources['test.sh']);
  const { status, stderr } = pkgbuild(recipe);
  t.is(status, 0, stderr);
  t.deepEqual(namesIn(work), []);
  t.is(lstatSync(join(repository, 'demo/1.0/bin/demo')).uid, process.getuid?.() ?? -1);
  chmodSync(repository, 0o755);
});
