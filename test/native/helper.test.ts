import test from 'ava';
import { spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import {
  answers,
  callers,
  give,
  helperWords,
  makePlace,
  owner,
  probeInside,
  runAs,
  writeProfile,
  type Caller,
} from '../support/sandbox.ts';
import { isRoot, root as checkout, run } from '../support/tools.ts';

const place = makePlace();
test.after.always(() => rmSync(place.base, { recursive: true, force: true }));

const share = ['--share-rw', place.work, 'work'];

for (const caller of callers) {
  const as = (title: string) => `${title} (${caller.name})`;
  const inside = (words: readonly string[], more: readonly string[] = [], options = {}) =>
    probeInside(place, caller, words, more, options);

  test(as('the command is user 1000, alone, with a clean start'), (t) => {
    const { stdout, stderr, status } = inside(['self']);
    t.deepEqual({ stderr, status }, { stderr: '', status: 0 });
    t.deepEqual(answers(stdout), {
      uid: '1000 1000',
      gid: '1000 1000',
      ...(isRoot ? {} : supplementary(stdout)),
      cwd: '/',
      host: 'localhost',
      domain: '(none)',
      umask: '022',
      files: '1024',
      core: '0',
      pid: '2',
      parent: '1',
      'group leader': 'yes',
    });
  });

  test(as('no capability, no new privileges, no signal ignored or blocked'), (t) => {
    const { stdout } = runAs(caller, [
      place.probe,
      'deaf',
      ...helperWords(place, [], ['probe', 'cat', '/proc/self/status']),
    ]);
    const status = Object.fromEntries(stdout.split('\n').map((line) => line.split(':\t')));
    const none = '0000000000000000';
    for (const name of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb', 'SigBlk', 'SigIgn'])
      t.is(status[name], none, name);
    t.is(status['NoNewPrivs'], '1');
    t.is(status['Seccomp'], '2');
    t.is(status['Uid'], '1000\t1000\t1000\t1000');
    t.is(status['Gid'], '1000\t1000\t1000\t1000');
  });

  test(as('the environment is what --setenv says and nothing else'), (t) => {
    const more = ['--setenv', 'A=1', '--setenv', 'EMPTY=', '--setenv', 'LINES=a\tb=c ü'];
    const { stdout } = inside(['env'], more, {
      env: { SECRET: 'x', LD_PRELOAD: '/x', GLIBC_TUNABLES: 'a=b' },
    });
    t.deepEqual(stdout.split('\n').filter(Boolean), [
      'PATH=/packages/probe/1',
      'A=1',
      'EMPTY=',
      'LINES=a\tb=c ü',
    ]);
    t.is(
      runAs(
        caller,
        helperWords(place, [], ['/packages/probe/1/probe', 'arguments', '', 'a b', '--net', '--']),
      ).stdout,
      '\na b\n--net\n--\n',
    );
    const kept = ['--keepenv', 'SECRET', '--keepenv', 'NONE', '--keepenv', 'SECRE'];
    const env = { SECRET: 'canary' };
    t.regex(inside(['env'], kept, { env }).stdout, /^PATH=[^\n]*\nSECRET=canary\n$/);
    t.notRegex(inside(['cat', '/proc/1/cmdline', '/proc/2/cmdline'], kept, { env }).stdout, /canary/);
  });

  test(as('only standard input, output and error are open, and they block'), (t) => {
    const words = helperWords(place, [], ['probe', 'descriptors']);
    // Node's pipes are sockets.
    t.is(runAs(caller, [place.probe, 'opened', '/', ...words]).stdout, '0s 1s 2s \n');
    t.is(runAs(caller, [place.probe, 'nonblocking', ...words]).stdout, '0s 1s 2s \n');
    // Control: the probe does see them.
    t.regex(
      runAs(caller, [place.probe, 'opened', '/', place.probe, 'descriptors']).stdout,
      / 3d 10d .*1000d/,
    );
    t.regex(runAs(caller, [place.probe, 'nonblocking', place.probe, 'descriptors']).stdout, /1sB/);
  });

  test(as('a standard file that is closed is empty; one that is a directory is refused'), (t) => {
    const words = helperWords(place, [], ['probe', 'descriptors']);
    t.is(runAs(caller, [place.probe, 'closed', '0', ...words]).stdout, '0c 1s 2s \n');
    t.is(runAs(caller, [place.probe, 'closed', '02', ...words]).stdout, '0c 1s 2c \n');
    t.is(
      runAs(caller, [place.probe, 'closed', '012', ...helperWords(place, [], ['probe', 'exit', '3'])]).status,
      3,
    );
    const directory = openSync('/', 'r');
    t.teardown(() => closeSync(directory));
    const { status, stderr } = runAs(caller, words, { stdio: [directory, 'pipe', 'pipe'] });
    t.is(status, 125);
    t.regex(stderr, /^withenv: a directory is standard input, output or error\n {2}[^\n]+\n$/);
  });

  test(as('the root holds what was mounted; all but shares and tmpfs is read-only, all nosuid'), (t) => {
    t.deepEqual(inside(['list', '/']).stdout.split('\n').filter(Boolean).toSorted(), [
      'dev',
      'etc',
      'mnt',
      'packages',
      'proc',
      'run',
      'sys',
      'tmp',
      'var',
      'work',
    ]);
    t.is(inside(['list', '/packages', '/sys', '/mnt', '/tmp', '/run', '/dev/shm']).stdout, 'probe\n');
    const more = [...share, '--share', place.base, 'mnt/base'];
    const lines = inside(['cat', '/proc/self/mountinfo'], more).stdout.split('\n').filter(Boolean);
    const mounts = new Map(
      lines.map((line) => line.split(' ')).map((fields) => [fields[4] ?? '', fields[5]?.split(',') ?? []]),
    );
    t.deepEqual([...mounts.keys()].toSorted(), [
      '/',
      '/dev/full',
      '/dev/null',
      '/dev/random',
      '/dev/shm',
      '/dev/tty',
      '/dev/urandom',
      '/dev/zero',
      '/mnt',
      '/mnt/base',
      '/packages/probe/1',
      '/proc',
      '/run',
      '/tmp',
      '/var',
      '/work',
    ]);
    for (const [point, flags] of mounts) {
      t.true(flags.includes('nosuid'), point);
      t.is(flags.includes('nodev'), !/^\/dev\/(?!shm)/.test(point), point);
      t.is(flags.includes('rw'), /^\/(work|tmp|run|var|proc|dev\/shm)$/.test(point), point);
      t.false(flags.includes('nosymfollow'), point);
    }
  });

  test(as('writing works where it is promised, and only there'), (t) => {
    const places = [
      '/work/x',
      '/tmp/x',
      '/run/x',
      '/var/x',
      '/var/tmp/x',
      '/dev/shm/x',
      '/dev/null',
      '/dev/full',
    ];
    const refused = [
      '/x',
      '/etc/x',
      '/mnt/x',
      '/packages/x',
      '/packages/probe/1/x',
      '/packages/probe/1/probe',
      '/sys/x',
      '/mnt/ro/x',
    ];
    const more = [...share, '--share', place.work, 'mnt/ro'];
    const { stdout } = inside(['put', ...[...places, ...refused].flatMap((path) => [path, 'text'])], more);
    const said = answers(stdout);
    for (const path of places) t.is(said[path], path === '/dev/full' ? 'ENOSPC' : 'ok', path);
    for (const path of refused)
      t.true(['EROFS', 'EACCES'].includes(said[path] ?? ''), `${path}: ${said[path]}`);
    const { uid, gid } = statSync(join(place.work, 'x'));
    t.deepEqual({ uid, gid }, owner);
    t.is(readFileSync(join(place.work, 'x'), 'utf8'), 'text');
  });

  test(as("a share's owner is 1000 inside, and who owns what is made there"), (t) => {
    const work = mkdtempSync(join(place.base, 'owner-'));
    give(work);
    writeFileSync(join(work, 'before'), 'x');
    give(join(work, 'before'));
    const said = answers(inside(['owner', '/work', '/work/before'], ['--share-rw', work, 'work']).stdout);
    t.deepEqual(said, { '/work': '1000 1000 700', '/work/before': '1000 1000 644' });
    inside(['mkdir', '/work/made'], ['--share-rw', work, 'work']);
    inside(['put', '/work/made/file', 'x', '/work/before', 'y'], ['--share-rw', work, 'work']);
    for (const name of ['made', 'made/file', 'before']) {
      const { uid, gid, mode } = statSync(join(work, name));
      t.deepEqual({ uid, gid }, owner, name);
      t.is(mode & 0o7777, name === 'made' ? 0o755 : 0o644, name);
    }
  });

  test(as('sources may be links; a file can be bound; shares below mnt are made'), (t) => {
    const links = mkdtempSync(join(place.base, 'links-'));
    chmodSync(links, 0o755);
    symlinkSync('../work', join(links, 'to-work'));
    writeFileSync(join(place.profile, 'etc/bound'), '');
    writeFileSync(join(links, 'text'), 'bound');
    symlinkSync('text', join(links, 'to-text'));
    const more = [
      '--share-rw',
      join(links, 'to-work'),
      'mnt/a',
      '--share',
      place.work,
      'mnt/ü',
      '--bind',
      join(links, 'to-text'),
      'etc/bound',
    ];
    t.deepEqual(answers(inside(['put', '/mnt/a/by-link', 'x'], more).stdout), { '/mnt/a/by-link': 'ok' });
    t.is(inside(['cat', '/etc/bound'], more).stdout, 'bound');
    t.deepEqual(inside(['list', '/mnt'], more).stdout.split('\n').filter(Boolean).toSorted(), ['a', 'ü']);
    t.is(
      runAs(caller, helperWords(place, ['--share-rw', 'work', 'work'], ['probe', 'exit', '4']), {
        cwd: place.base,
      }).status,
      4,
    );
  });

  test(as('200 packages'), (t) => {
    const many = mkdtempSync(join(place.base, 'many-'));
    chmodSync(many, 0o755);
    const profile = join(many, 'profile');
    writeProfile(profile);
    const more: string[] = ['--profile', profile];
    for (let at = 0; at < 200; at++) {
      mkdirSync(join(many, `p${at}`));
      writeFileSync(join(many, `p${at}/name`), `${at} `);
      mkdirSync(join(profile, `packages/p${at}/1`), { recursive: true });
      more.push('--bind', join(many, `p${at}`), `packages/p${at}/1`);
    }
    const files = Array.from({ length: 200 }, (_, at) => `/packages/p${at}/1/name`);
    const { stdout, stderr } = inside(['cat', ...files], more);
    t.is(stderr, '');
    t.is(stdout, Array.from({ length: 200 }, (_, at) => `${at} `).join(''));
  });

  test(as('what is written outside of shares has a limit'), (t) => {
    const { stdout } = inside(['fill', '/tmp/big', '3000'], ['--tmp-size', String(1 << 20)]);
    const said = answers(stdout);
    t.is(said['/tmp/big'], 'ENOSPC');
    t.true(Number(said['written']) <= 1024 && Number(said['written']) > 500);
  });

  test(as("status: the command's own, 128+n, 126, 127"), (t) => {
    for (const status of [0, 1, 42, 124, 125, 126, 127, 255])
      t.is(inside(['exit', `${status}`]).status, status);
    for (const signal of ['SIGTERM', 'SIGKILL', 'SIGINT', 'SIGSEGV', 'SIGHUP'] as const) {
      t.is(inside(['die', `${constants.signals[signal]}`]).status, 128 + constants.signals[signal], signal);
    }
    // A command that kills itself by what is its number 1 would not die of it.
    t.is(inside(['die', '9']).status, 137);
  });

  test(as('what cannot be run is named, with the interpreter that is missing'), (t) => {
    const files = mkdtempSync(join(place.base, 'run-'));
    chmodSync(files, 0o755);
    const put = (name: string, text: string | Buffer, mode = 0o755) =>
      writeFileSync(join(files, name), text, { mode });
    put('script', '#! /no/such/perl -w\nx');
    put('second', '#!/work/script\n');
    put('text', 'echo hello\n');
    put('plain', 'x', 0o644);
    put('empty', '');
    put('dynamic', dynamicProgram());
    const hostile = dynamicProgram();
    hostile.writeBigUInt64LE(0xffffffffffffffffn, 64 + 32); // the length of the linker's name
    put('hostile', hostile);
    hostile.writeBigUInt64LE(0xfffffffffffffff0n, 64 + 8); // where it is
    hostile.writeUInt16LE(0xffff, 56); // how many program headers
    put('hostile2', hostile);
    const attempt = (command: string, path = '/packages/probe/1') => {
      const more = ['--share', files, 'work', '--setenv', `PATH=${path}`];
      const words = helperWords(place, more, [command]).filter(
        (word, at, all) =>
          !(
            word === 'PATH=/packages/probe/1' ||
            (word === '--setenv' && all[at + 1] === 'PATH=/packages/probe/1')
          ),
      );
      const { status, stderr } = runAs(caller, words);
      return `${status} ${stderr.trimEnd()}`;
    };
    t.is(
      attempt('/work/script'),
      '127 withenv: run /work/script: No such file or directory (ENOENT)\n  it needs /no/such/perl, which is not in this root',
    );
    t.regex(attempt('/work/second'), /^127 .*\n {2}it needs \/no\/such\/perl, which/);
    t.regex(
      attempt('/work/dynamic'),
      /^127 .*\n {2}it needs \/lib64\/no-linker\.so, which is not in this root$/,
    );
    t.regex(
      attempt('script', '/nowhere:/work'),
      /^127 withenv: run \/work\/script: .*\n {2}it needs \/no\/such\/perl/,
    );
    t.is(
      attempt('nothing'),
      '127 withenv: run nothing: No such file or directory (ENOENT)\n  no directory of PATH has it',
    );
    t.is(attempt('/work/none'), '127 withenv: run /work/none: No such file or directory (ENOENT)');
    t.is(attempt(''), '127 withenv: run : No such file or directory (ENOENT)');
    t.is(attempt('/work/plain'), '126 withenv: run /work/plain: Permission denied (EACCES)');
    t.is(attempt('plain', '/work'), '126 withenv: run /work/plain: Permission denied (EACCES)');
    t.is(attempt('/work'), '126 withenv: run /work: Permission denied (EACCES)');
    t.regex(attempt('/work/text'), /^126 withenv: run \/work\/text: Exec format error \(ENOEXEC\)\n/);
    t.regex(attempt('text', '/work'), /^126 withenv: run \/work\/text: Exec format error \(ENOEXEC\)\n/);
    t.regex(attempt('/work/empty'), /^126 /);
    t.regex(attempt('/work/hostile'), /^126 withenv: run /);
    t.regex(attempt('/work/hostile2'), /^126 withenv: run /);
    // A later directory of PATH may have a program that an earlier one cannot run.
    t.regex(attempt('probe', '/work:/packages/probe/1'), /^98 probe: what is nothing/);
  });

  test(as('every failure of ours is one line that names the stage and the object, and 125'), (t) => {
    const fails = (
      more: readonly string[],
      expected: RegExp,
      command: readonly string[] = ['probe', 'exit', '0'],
    ) => {
      const { status, stderr, stdout } = runAs(caller, helperWords(place, more, command));
      t.deepEqual({ status, stdout }, { status: 125, stdout: '' }, more.join(' '));
      t.regex(stderr, expected);
      t.regex(stderr, /^[^\n]+\n( {2}[^\n]+\n)?$/);
    };
    fails(
      ['--bind', '/no/such', 'work'],
      /^withenv: bind \/no\/such: No such file or directory \(ENOENT\)$/m,
    );
    fails(['--name', 'withpkgs', '--share', '/no/such', 'work'], /^withpkgs: share \/no\/such: No such file/);
    fails(
      ['--share-rw', place.probe, 'work'],
      /^withenv: mounting on work: Not a directory \(ENOTDIR\)|Invalid/,
    );
    fails(
      ['--bind', place.work, 'no/such'],
      /^withenv: mounting on no\/such: No such file or directory \(ENOENT\)$/m,
    );
    fails(['--profile', '/no/such'], /^withenv: lock \/no\/such: No such file/);
    fails(['--profile', place.probe], /^withenv: /);
    fails(['--lock', '/no/such'], /^withenv: lock \/no\/such: No such file/);
    fails(['--chdir', '/no/such'], /^withenv: chdir \/no\/such: No such file or directory \(ENOENT\)$/m);
    fails(['--chdir', 'relative'], /begins with \/, not relative$/m);
    fails([], /^withenv: needs a command after --$/m, []);
    fails(['--setenv', 'x'], /^withenv: --setenv needs NAME=VALUE, not x$/m);
    fails(['--setenv', '=x'], /^withenv: --setenv needs/);
    fails(['--nonsense'], /^withenv: unknown option --nonsense$/m);
    fails(['word'], /^withenv: unknown option word$/m);
    fails(['--hostname', ''], /^withenv: no host name: $/m);
    fails(['--hostname', 'x'.repeat(65)], /^withenv: no host name: x+$/m);
    for (const size of ['0', '-1', '', '1k', ' 1', '0x10', '99999999999999999999', String(2n ** 63n)]) {
      fails(['--tmp-size', size], /^withenv: --tmp-size needs a number of bytes, not /);
    }
    for (const target of [
      '',
      '/work',
      'work/',
      'a//b',
      '.',
      '..',
      'a/../b',
      'a/..',
      './work',
      'a/.',
      '../x',
      'mnt',
      'mnt/a/b',
      'mnt/..',
      'mnt/',
    ]) {
      fails(['--bind', place.work, target], /^withenv: not a place in the root: /);
    }
    fails(
      ['--share', '/no/\u001b[31mred\nline\u007f\u009b', 'work'],
      /^withenv: share \/no\/\\x1b\[31mred\\x0aline\\x7f\\xc2\\x9b: No such/,
    );
    fails(
      ['--share', place.work, 'mnt/x', '--share', place.work, 'mnt/x'],
      /^withenv: making mnt\/x: File exists \(EEXIST\)$/m,
    );
    const { status, stderr } = runAs(caller, [place.helper, '--profile']);
    t.is(status, 125);
    t.regex(stderr, /^withenv: a value is missing after --profile\n/);
    t.is(runAs(caller, [place.helper]).status, 125);
    t.is(runAs(caller, [place.probe, 'nameless', place.helper]).status, 125);
  });

  test(as('a writable share that the command could not write is refused'), (t) => {
    const refuses = (path: string, expected: RegExp) => {
      const { status, stderr } = inside(['exit', '0'], ['--share-rw', path, 'work']);
      t.is(status, 125, path);
      t.regex(stderr, expected);
    };
    const closed = mkdtempSync(join(place.base, 'closed-'));
    give(closed);
    chmodSync(closed, 0o555);
    refuses(closed, /^withenv: share-rw: cannot write to .*closed-\w+: Permission denied \(EACCES\)\n$/);
    if (caller.ids !== undefined || !isRoot) refuses('/etc', /cannot write to \/etc: Permission denied/);
    refuses(
      '/proc',
      caller.ids === undefined && isRoot
        ? /^withenv: share-rw \/proc: .*\n {2}its file system \(proc\)/
        : /cannot write to \/proc/,
    );
    // A root in a root: what is read-only there cannot become writable here.
    const inner = [
      '/mnt/base/withenv',
      ...insideOptions(),
      '--share-rw',
      '/mnt/work',
      'work',
      '--',
      'probe',
      'exit',
      '0',
    ];
    const outer = ['--share', place.base, 'mnt/base', '--share', place.work, 'mnt/work'];
    const { status, stderr } = runAs(caller, helperWords(place, outer, inner));
    t.is(status, 125);
    t.regex(stderr, /cannot write to \/mnt\/work: Read-only file system \(EROFS\)/);
  });

  test(as('targets that are links lead nowhere'), (t) => {
    const victim = join(place.base, `victim-${caller.name.length}`);
    mkdirSync(victim);
    give(victim);
    const before = statSync(victim).mtimeMs;
    const targets = [
      'dev',
      'dev/null',
      'dev/tty',
      'dev/shm',
      'proc',
      'tmp',
      'run',
      'var',
      'mnt',
      'work',
      'packages',
      'packages/probe',
      'packages/probe/1',
    ];
    for (const target of targets) {
      for (const leads of [victim, '/', '..', '/proc/self/root', `/proc/self/cwd/${victim}`, 'nothing']) {
        const profile = mkdtempSync(join(place.base, 'hostile-'));
        chmodSync(profile, 0o755);
        writeProfile(profile);
        rmSync(join(profile, target), { recursive: true });
        symlinkSync(leads, join(profile, target));
        const { status, stderr } = inside(['exit', '0'], [...share, '--profile', profile]);
        t.is(status, 125, `${target} -> ${leads}`);
        t.regex(stderr, /^withenv: (mounting|making|opening)[^\n]*\n( {2}[^\n]*\n)?$/);
        rmSync(profile, { recursive: true });
      }
    }
    t.deepEqual(readdirSync(victim), []);
    t.is(statSync(victim).mtimeMs, before);
  });

  test(as('roots nest, three levels deep'), (t) => {
    const inner = ['/mnt/base/withenv', ...insideOptions()];
    const level = (number: number, command: readonly string[]): string[] =>
      number === 0
        ? [...command]
        : [
            ...inner,
            '--name',
            `level${number}`,
            ...['--share-rw', '/work', 'work', '--share', '/mnt/base', 'mnt/base'],
            '--',
            ...level(number - 1, command),
          ];
    const outer = [...share, '--share', place.base, 'mnt/base'];
    const name = `deep-${caller.name.length}`;
    const { stdout, stderr, status } = runAs(
      caller,
      helperWords(place, outer, level(3, ['probe', 'put', `/work/${name}`, 'deep'])),
    );
    t.deepEqual({ stdout, stderr, status }, { stdout: `/work/${name}: ok\n`, stderr: '', status: 0 });
    const { uid, gid } = statSync(join(place.work, name));
    t.deepEqual({ uid, gid }, owner);
    t.is(runAs(caller, helperWords(place, outer, level(2, ['probe', 'die', '15']))).status, 143);
    // The innermost still has its own processes and its own network, and no power.
    t.is(
      answers(runAs(caller, helperWords(place, outer, level(2, ['probe', 'serve', '80']))).stdout)['connect'],
      'ok',
    );
    t.is(
      answers(runAs(caller, helperWords(place, outer, level(2, ['probe', 'set-id', '/work']))).stdout)[
        'chmod'
      ] ?? 'EPERM',
      'EPERM',
    );
  });

  test(as('the doctor finds nothing amiss here, and says what it looked at'), (t) => {
    const { status, stdout, stderr } = runAs(caller, [place.helper, '--doctor']);
    t.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    t.regex(stdout, /^ok {3}user namespaces$/m);
    const checks = JSON.parse(runAs(caller, [place.helper, '--doctor', '--json']).stdout) as {
      check: string;
      needed: boolean;
      ok: boolean;
    }[];
    t.true(checks.length >= 8);
    t.true(checks.every(({ ok, needed }) => ok || !needed));
  });

  test(
    as('a lock is shared with others, held while the command runs, and must be of what is still there'),
    async (t) => {
      const file = join(place.base, `lock-${caller.name.length}`);
      writeFileSync(file, '');
      const lock = join(checkout, 'native/build/lock');
      const busy = () => run(lock, ['--nonblock', file]).status;
      t.is(busy(), 0);
      const words = helperWords(place, ['--lock', file], ['probe', 'hear', '15']);
      const child = spawn(words[0] ?? '', words.slice(1), {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: {},
        ...caller.ids,
      });
      await new Promise((resolve) => child.stdout.once('data', resolve));
      t.is(busy(), 75);
      t.is(run(lock, ['--nonblock', '--shared', file]).status, 0);
      t.is(run(lock, ['--nonblock', place.profile]).status, 75);
      child.kill('SIGTERM');
      await new Promise((resolve) => child.once('exit', resolve));
      t.is(busy(), 0);
    },
  );

  test(as('odd limits of the caller end in a failure that is told, or in none'), (t) => {
    const limited = (limits: readonly string[]) =>
      runAs(caller, ['/usr/bin/prlimit', ...limits, ...helperWords(place, share, ['probe', 'exit', '3'])]);
    for (const limits of [['--nofile=20:20'], ['--fsize=0'], ['--stack=65536'], ['--core=unlimited']]) {
      const { status, stderr } = limited(limits);
      t.true(
        status === 3 || (status === 125 && /^withenv: [^\n]+\n/.test(stderr)),
        `${limits.join()}: ${status} ${stderr}`,
      );
    }
    const few = limited(['--nofile=4:4']);
    t.is(few.status, 125);
    t.regex(few.stderr, /EMFILE|EBADF|EINVAL/);
    const { status, stderr } = limited(['--as=1000000']);
    t.true(
      status === 3 || status === 125 || status === 139 || status === 137 || status === null,
      `${status} ${stderr}`,
    );
  });
}

/** What the machine may have: a user's groups cannot be left, and show as one number. */
function supplementary(text: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(answers(text)).filter(([name, value]) => name === 'group' && /^(1000|65534)$/.test(value)),
  );
}

const insideOptions = (): string[] => [
  '--profile',
  '/mnt/base/profile',
  '--bind',
  '/mnt/base/tree',
  'packages/probe/1',
  '--setenv',
  'PATH=/packages/probe/1',
];

/** The start of a 64-bit program for this machine with one program header, which names its linker. */
function dynamicProgram(): Buffer {
  const text = readFileSync(place.probe);
  const program = Buffer.alloc(0x200);
  text.copy(program, 0, 0, 64);
  const header = 64;
  const name = '/lib64/no-linker.so\0';
  program.writeBigUInt64LE(BigInt(header), 32); // e_phoff
  program.writeUInt16LE(56, 54); // e_phentsize
  program.writeUInt16LE(1, 56); // e_phnum
  program.writeUInt32LE(3, header); // PT_INTERP
  program.writeBigUInt64LE(0x100n, header + 8); // p_offset
  program.writeBigUInt64LE(BigInt(name.length), header + 32); // p_filesz
  program.write(name, 0x100);
  return program;
}

test('a machine without user namespaces is told from one without the rest', (t) => {
  // Root of a user namespace may take that away from its own inside.
  const script = 'echo 0 >/proc/sys/user/max_user_namespaces && "$@"; echo "status $?"';
  const outer = ['/usr/bin/unshare', '--user', '--map-root-user', '/bin/sh', '-c', script, 'sh'];
  const caller: Caller = callers.at(-1) ?? { name: 'a user', ids: undefined };
  const called = runAs(caller, [...outer, ...helperWords(place, [], ['probe', 'exit', '0'])]);
  t.is(called.stdout, 'status 125\n');
  t.regex(
    called.stderr,
    /^withenv: making namespaces: .* \(ENOSPC\)\n {2}user namespaces are switched off: sysctl -w user\.max_user_namespaces=\d+\n$/,
  );
  const doctor = runAs(caller, [...outer, place.helper, '--doctor']);
  t.regex(
    doctor.stdout,
    /^ok {3}kernel\nNO {3}user namespaces: making namespaces: [^\n]+\n {5}user namespaces are switched off/,
  );
  t.regex(doctor.stdout, /status 1\n$/);
});

test('no file, directory or mount is left, whatever the runs did', (t) => {
  const temporary = () =>
    readdirSync('/tmp').filter((name) => !name.startsWith('static-distro-test-') && name.includes('withenv'));
  t.deepEqual(temporary(), []);
  t.false(readFileSync('/proc/self/mountinfo', 'utf8').includes(place.base));
  t.true(existsSync(place.work));
});
