import test from 'ava';
import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
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
} from '../support/sandbox.ts';
import { isRoot, output, root as checkout } from '../support/tools.ts';

const place = makePlace();
test.after.always(() => rmSync(place.base, { recursive: true, force: true }));

type Shown = { readonly shown: string; readonly missed: string | null; readonly status: number | null };

/** Files below a directory whose mode has a set-id bit. */
function setIds(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter(
    (name) => (lstatSync(join(directory, name)).mode & 0o6000) !== 0,
  );
}

function ownDirectory(): string {
  const directory = mkdtempSync(join(place.base, 'own-'));
  give(directory);
  return directory;
}

for (const caller of callers) {
  const as = (title: string) => `${title} (${caller.name})`;
  const inside = (words: readonly string[], more: readonly string[] = [], options = {}) =>
    probeInside(place, caller, words, more, options);
  const outside = (words: readonly string[], options = {}) => runAs(caller, [place.probe, ...words], options);

  test(as('a set-id bit cannot be made, by no system call'), (t) => {
    const refused = {
      open: 'EPERM',
      'open sgid': 'EPERM',
      'open high': 'EPERM',
      openat2: 'ENOSYS',
      tmpfile: 'EPERM',
      mknodat: 'EPERM',
      fchmod: 'EPERM',
      fchmodat: 'EPERM',
      fchmodat2: 'EPERM',
      'chmod directory': 'EPERM',
      io_uring_setup: 'ENOSYS',
      setxattr: 'EOPNOTSUPP',
      lsetxattr: 'EOPNOTSUPP',
      fsetxattr: 'EOPNOTSUPP',
      setxattrat: 'EOPNOTSUPP',
      mkdir: 'ok',
      'fine chmod': 'ok',
      'fine open': 'ok',
      'fine garbage': 'ok',
    };
    const old = { 'old open': 'EPERM', creat: 'EPERM', chmod: 'EPERM', mknod: 'EPERM' };
    const expected = process.arch === 'x64' ? { ...refused, ...old } : refused;
    for (const prefix of [[], ['nested']]) {
      const work = ownDirectory();
      const said = answers(inside([...prefix, 'set-id', '/work'], ['--share-rw', work, 'work']).stdout);
      t.deepEqual(said, { ...(prefix.length > 0 ? { nested: 'ok' } : {}), ...expected });
      t.deepEqual(setIds(work), []);
      const { uid, gid } = statSync(join(work, 'fine'));
      t.deepEqual({ uid, gid }, owner);
    }
    // Control: without the helper each of them makes one.
    const control = ownDirectory();
    if (caller.ids === undefined && isRoot) chmodSync(control, 0o755);
    const made = answers(outside(['set-id', control]).stdout);
    for (const name of ['open', 'openat2', 'tmpfile', 'mknodat', 'fchmod', 'fchmodat'])
      t.is(made[name], 'ok', name);
    t.true(setIds(control).length >= 5);
  });

  test(as('what the kernel offers beyond files, processes and sockets is refused'), (t) => {
    const expected = {
      bpf: 'EPERM',
      perf_event_open: 'EPERM',
      userfaultfd: 'EPERM',
      open_by_handle_at: 'EPERM',
      syslog: 'EPERM',
      kexec_load: 'EPERM',
      init_module: 'EPERM',
      finit_module: 'EPERM',
      delete_module: 'EPERM',
      add_key: 'ENOSYS',
      request_key: 'ENOSYS',
      keyctl: 'ENOSYS',
      io_uring_enter: 'ENOSYS',
    };
    t.deepEqual(answers(inside(['calls']).stdout), expected);
    t.deepEqual(answers(inside(['nested', 'calls']).stdout), { nested: 'ok', ...expected });
    // Control: for most of them another error tells that the kernel looked at the arguments.
    const looked = Object.entries(answers(outside(['calls']).stdout)).filter(
      ([name, said]) => expected[name as keyof typeof expected] !== said,
    );
    t.true(looked.length >= 4);
  });

  test(as('calls of other instruction sets are refused, or the filter would not know them'), (t) => {
    const said = Object.values(answers(inside(['foreign']).stdout));
    t.deepEqual(said, process.arch === 'x64' ? ['ENOSYS', 'ENOSYS'] : []);
  });

  test(as('there is no way back to power'), (t) => {
    const said = answers(inside(['rise']).stdout);
    t.true(Object.keys(said).length >= 14);
    for (const [name, result] of Object.entries(said))
      t.true(['EPERM', 'EINVAL'].includes(result), `${name}: ${result}`);
  });

  test(as('sockets of four families only'), (t) => {
    t.is(inside(['families']).stdout, 'family: 1\nfamily: 2\nfamily: 10\nfamily: 16\n');
    t.true(outside(['families']).stdout.split('\n').length > 5);
  });

  test(as('an own network: loopback, ports below 1024, nothing else'), async (t) => {
    t.deepEqual(answers(inside(['serve', '80']).stdout), {
      bind: 'ok',
      listen: 'ok',
      connect: 'ok',
      'bind 6': 'ok',
    });
    t.deepEqual(
      [...inside(['cat', '/proc/net/dev']).stdout.matchAll(/^ *(\w+):/gm)].map(([, name]) => name),
      ['lo'],
    );
    t.is(answers(inside(['call', '192.0.2.1', '80']).stdout)['connect'], 'ENETUNREACH');
    const server = createServer((socket) => socket.end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => server.close());
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? `${address.port}` : '';
    t.is(answers(inside(['call', '127.0.0.1', port]).stdout)['connect'], 'ECONNREFUSED');
    // Control, which is --net's promise too.
    t.is(answers(outside(['call', '127.0.0.1', port]).stdout)['connect'], 'ok');
    t.is(answers(inside(['call', '127.0.0.1', port], ['--net']).stdout)['connect'], 'ok');
  });

  test(as("the machine's abstract sockets cannot be reached, even with its network"), (t) => {
    const listening = (words: readonly string[]) =>
      answers(runAs(caller, [place.probe, 'listen-abstract', 'static-distro-canary', ...words]).stdout)[
        'connect'
      ];
    const connect = ['probe', 'abstract', 'static-distro-canary'];
    t.is(listening([place.probe, ...connect.slice(1)]), 'ok');
    t.is(listening(helperWords(place, [], connect)), 'ECONNREFUSED');
    const doctor = JSON.parse(runAs(caller, [place.helper, '--doctor', '--json']).stdout) as {
      check: string;
      ok: boolean;
    }[];
    if (doctor.some(({ check, ok }) => check.startsWith('closed abstract') && ok)) {
      t.is(listening(helperWords(place, ['--net'], connect)), 'EPERM');
    } else {
      t.regex(
        runAs(caller, helperWords(place, ['--net'], connect)).stderr,
        /^withenv: this kernel cannot close abstract sockets off/,
      );
    }
  });

  test(as("the kernel's files cannot be written, but those that every process may"), (t) => {
    const everybody = new Set([
      '/proc/sys/kernel/ns_last_pid',
      '/proc/pressure/io',
      '/proc/pressure/cpu',
      '/proc/pressure/memory',
      '/proc/pressure/irq',
    ]);
    const found = inside(['writable', '/proc', '/sys'])
      .stdout.split('\n')
      .filter((line) => line.startsWith('/'));
    t.deepEqual(
      found.filter((path) => !everybody.has(path)),
      [],
    );
    t.is(
      answers(inside(['put', '/proc/sys/kernel/ns_last_pid', '5']).stdout)['/proc/sys/kernel/ns_last_pid'],
      'EPERM',
    );
    // In a user namespace of its own it may lower what that may have.
    const nested = inside(['nested', 'writable', '/proc', '/sys'])
      .stdout.split('\n')
      .filter((line) => line.startsWith('/'));
    t.deepEqual(
      nested.filter((path) => !everybody.has(path) && !path.startsWith('/proc/sys/user/')),
      [],
    );
    if (caller.ids === undefined && isRoot)
      t.regex(outside(['writable', '/proc/sys/kernel']).stdout, /core_pattern/);
  });

  test(as('process 1 shows nothing of the caller and cannot be touched'), (t) => {
    const before = statSync(place.helper);
    const said = answers(inside(['pry', '1'], [], { env: { SECRET: 'canary' } }).stdout);
    t.true(Object.keys(said).length >= 14);
    for (const [name, result] of Object.entries(said))
      t.true(['EACCES', 'EPERM'].includes(result), `${name}: ${result}`);
    t.regex(inside(['cat', '/proc/1/cmdline']).stdout, /^\0+$/);
    const after = statSync(place.helper);
    t.deepEqual([after.mode, after.ctimeMs], [before.mode, before.ctimeMs]);
    t.is(inside(['cat', '/proc/1/environ']).stdout, '/proc/1/environ: EACCES\n');
    // Control: of its own kind, a process can see all that.
    t.is(
      answers(outside(['pry', `${process.pid}`]).stdout)['environ'],
      callers[0] === caller ? 'ok' : 'EACCES',
    );
  });

  test(as('only its own processes can be seen or signalled'), async (t) => {
    t.deepEqual(
      inside(['list', '/proc'])
        .stdout.split('\n')
        .filter((name) => /^\d+$/.test(name)),
      ['1', '2'],
    );
    // In the caller's process group, which the command must not reach.
    const script = `"$0" sleep 30 & "$@"; code=$?; kill -0 $! && echo "sibling alive"; kill $!; exit $code`;
    const words = [
      '/bin/sh',
      '-c',
      script,
      place.probe,
      ...helperWords(place, [], ['probe', 'kill-all', '15']),
    ];
    const child = spawn(words[0] ?? '', words.slice(1), {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
      ...caller.ids,
    });
    let shown = '';
    child.stdout.on('data', (data: Buffer) => (shown += data.toString()));
    t.is(await new Promise((resolve) => child.once('exit', resolve)), 0);
    t.regex(shown, /^alive$/m);
    t.regex(shown, /^process 1: (ok|EPERM)$/m);
    t.regex(shown, /^sibling alive$/m);
  });

  test(as('the old root is gone: no way out by chroot, by mounts, or by what lies under a mount'), (t) => {
    const canary = join(place.base, 'canary');
    writeFileSync(canary, 'x');
    t.is(answers(inside(['escape', canary, '/tmp/jail']).stdout)['chroot'], 'EPERM');
    const out = answers(inside(['nested', 'escape', canary, '/tmp/jail']).stdout);
    t.deepEqual(out, { nested: 'ok', chroot: 'ok', fchdir: 'ok', open: 'ENOENT' });
    // Control: in a chroot alone, and with the power to chroot again, it gets out.
    const jail = mkdtempSync(join(place.base, 'jail-'));
    chmodSync(jail, 0o755);
    mkdirSync(join(jail, 'tmp'), 0o777);
    chmodSync(join(jail, 'tmp'), 0o777);
    output('cp', [place.probe, join(jail, 'probe')]);
    const chroot = [
      '/usr/bin/unshare',
      '--user',
      '--map-root-user',
      '--root',
      jail,
      '/probe',
      'escape',
      canary,
      '/tmp/jail',
    ];
    t.is(answers(runAs(caller, chroot).stdout)['open'], 'ok');

    const mounts = answers(inside(['nested', 'remount', '/packages/probe/1', '/packages/probe/1/x']).stdout);
    t.deepEqual(mounts, {
      nested: 'ok',
      remount: 'EPERM',
      mount_setattr: 'EPERM',
      umount: 'EINVAL',
      'umount mnt': 'EINVAL',
      'bare copy': 'ok',
      'bare root': 'EINVAL',
      write: 'EROFS',
    });
  });

  test(as('a set-id program gives nothing'), (t) => {
    const work = ownDirectory();
    output('cp', [place.probe, join(work, 'probe')]);
    give(join(work, 'probe'));
    chmodSync(join(work, 'probe'), 0o6755);
    const { stdout } = runAs(caller, helperWords(place, ['--share', work, 'work'], ['/work/probe', 'self']));
    t.is(answers(stdout)['uid'], '1000 1000');
    t.is(answers(stdout)['gid'], '1000 1000');
  });

  test(as('the message queues, shared memory and names of the machine are not its'), (t) => {
    for (const type of ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'user', 'uts']) {
      const [inner, outer] = [inside, outside].map((at) => at(['link', `/proc/self/ns/${type}`]).stdout);
      t.regex(inner ?? '', /^\w+:\[\d+\]\n$/);
      t.not(inner, outer);
    }
  });

  test(as('nothing can be typed into the terminal'), (t) => {
    const onTerminal = (words: readonly string[]) => {
      const args = [join(checkout, 'test/support/terminal.py'), '[]', ...words];
      const { stdout, stderr } = runAs(
        { name: caller.name, ids: undefined },
        ['/usr/bin/env', 'python3', ...args],
        { env: { PATH: process.env['PATH'] ?? '' } },
      );
      t.is(stderr, '');
      return (JSON.parse(stdout) as Shown).shown.replaceAll('\r', '');
    };
    // The terminal's program runs as whoever tests; setpriv makes the caller of the helper another.
    const became =
      caller.ids === undefined
        ? []
        : ['/usr/bin/setpriv', '--reuid', '12345', '--regid', '12345', '--clear-groups'];
    const shown = onTerminal([...became, ...helperWords(place, [], ['probe', 'type', 'X'])]);
    t.is(shown, 'TIOCSTI: EPERM\nTIOCSTI high: EPERM\nTIOCSTI tty: EPERM\nTIOCLINUX: EPERM\n');
    // Control. Newer kernels may be set to refuse it themselves, but not to root.
    const legacy = '/proc/sys/dev/tty/legacy_tiocsti';
    const allowed = isRoot || !existsSync(legacy) || readFileSync(legacy, 'utf8') === '1\n';
    t.is(/X/.test(onTerminal([place.probe, 'type', 'X'])), allowed);
  });
}
