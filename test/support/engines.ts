/**
 * Real container engines for tests: each with directories and sockets of its own, so that nothing of the machine
 * is touched, and stopped by whoever started it. They need root: see `root-test.ts`.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { isRoot, run } from './tools.ts';

export type Finished = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

export type Engine = {
  readonly name: 'docker' | 'podman' | 'containerd';
  /** What runs the engine's own program against this instance. */
  readonly command: readonly string[];
  /** The program with more arguments, to its end. */
  call(...args: readonly string[]): Finished;
  /** As `call`, which must succeed; standard output. */
  output(...args: readonly string[]): string;
  /** Runs a container without a network; `args` come after the image. `options` are the engine's. */
  run(image: string, args?: readonly string[], options?: readonly string[]): Finished;
  stop(): Promise<void>;
};

export function startEngine(name: Engine['name']): Promise<Engine> {
  if (!isRoot) throw new Error(`${name} needs root`);
  if (name === 'docker') return startDocker();
  return name === 'podman' ? startPodman() : startContainerd();
}

async function startDocker(): Promise<Engine> {
  const home = mkdtempSync(join(tmpdir(), 'static-distro-docker-'));
  const socket = `unix://${home}/socket`;
  const daemon = startDaemon('dockerd', home, [
    '--data-root',
    join(home, 'data'),
    '--exec-root',
    join(home, 'exec'),
    '--pidfile',
    join(home, 'pid'),
    '-H',
    socket,
    '--bridge=none',
    '--iptables=false',
    '--ip-forward=false',
  ]);
  const command = ['docker', '-H', socket];
  const engine = engineOf('docker', command, ['run', '--rm', '--network', 'none'], () =>
    stopDaemon(daemon, home),
  );
  await ready(daemon, home, () => engine.call('info').status === 0);
  return engine;
}

async function startContainerd(): Promise<Engine> {
  const home = mkdtempSync(join(tmpdir(), 'static-distro-containerd-'));
  const config = join(home, 'config.toml');
  writeFileSync(config, 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n');
  const address = join(home, 'socket');
  const daemon = startDaemon('containerd', home, [
    '--config',
    config,
    '--root',
    join(home, 'root'),
    '--state',
    join(home, 'state'),
    '--address',
    address,
  ]);
  const command = ['ctr', '--address', address];
  let containers = 0;
  const engine: Engine = {
    ...engineOf('containerd', command, [], () => stopDaemon(daemon, home)),
    run: (image, args = [], options = []) =>
      finish([...command, 'run', '--rm', ...options, image, `test-${++containers}`, ...args]),
  };
  await ready(daemon, home, () => engine.call('version').status === 0);
  return engine;
}

/** Podman has no daemon. With crun it stops at hybrid cgroups, and the limits that it wants may be above ours. */
async function startPodman(): Promise<Engine> {
  const home = mkdtempSync(join(tmpdir(), 'static-distro-podman-test-'));
  const command = [
    'podman',
    '--root',
    join(home, 'root'),
    '--runroot',
    join(home, 'run'),
    '--tmpdir',
    join(home, 'tmp'),
    '--runtime',
    'runc',
    '--cgroup-manager',
    'cgroupfs',
    '--events-backend',
    'none',
  ];
  const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024'];
  return engineOf('podman', command, ['run', '--rm', '--network', 'none', ...limits], async () => {
    finish([...command, 'rm', '--all', '--force', '--time', '0']);
    removeHome(home);
  });
}

const engineOf = (
  name: Engine['name'],
  command: readonly string[],
  running: readonly string[],
  stop: () => Promise<void>,
): Engine => ({
  name,
  command,
  call: (...args) => finish([...command, ...args]),
  output: (...args) => {
    const { status, stdout, stderr } = finish([...command, ...args]);
    if (status !== 0) throw new Error(`${name} ${args.join(' ')}: ${stderr || stdout}`);
    return stdout;
  },
  run: (image, args = [], options = []) => finish([...command, ...running, ...options, image, ...args]),
  stop,
});

function finish([program = '', ...args]: readonly string[]): Finished {
  const { status, stdout, stderr } = run(program, args, { timeout: 300_000 });
  return { status, stdout, stderr };
}

/** Ends with this thread at the latest, should a test be killed. */
function startDaemon(program: string, home: string, args: readonly string[]): ChildProcess {
  const log = openSync(join(home, 'log'), 'a');
  return spawn('setpriv', ['--pdeathsig', 'TERM', program, ...args], { stdio: ['ignore', log, log] });
}

async function ready(daemon: ChildProcess, home: string, asks: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (daemon.exitCode !== null || daemon.signalCode !== null) break;
    if (asks()) return;
    await setTimeout(100);
  }
  const log = readFileSync(join(home, 'log'), 'utf8').split('\n').slice(-10).join('\n');
  await stopDaemon(daemon, home);
  throw new Error(`${daemon.spawnargs.slice(3, 4).join(' ')} did not start:\n${log}`);
}

async function stopDaemon(daemon: ChildProcess, home: string): Promise<void> {
  if (daemon.exitCode === null && daemon.signalCode === null) {
    const ended = once(daemon, 'exit');
    daemon.kill('SIGTERM');
    await ended;
  }
  removeHome(home);
}

/** With whatever is still mounted below it. */
function removeHome(home: string): void {
  const mounted = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${home}/`));
  for (const path of mounted.toReversed()) run('umount', ['--lazy', path]);
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
}
