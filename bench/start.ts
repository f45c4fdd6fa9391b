/**
 * How long a command takes to start: `withpkgs` whole, our helper alone, bubblewrap with as many mounts, podman
 * and docker with the same root. Prints medians of whole processes and ratios. Everything runs in one session
 * of hyperfine, so that a slow machine is slow for all.
 *
 * usage: node bench/start.ts [RUNS]        (docker and podman need root)
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = new URL('..', import.meta.url).pathname.replace(/\/$/, '');
const runs = process.argv[2] ?? '40';
const work = mkdtempSync(join(tmpdir(), 'bench-start-'));
const command = ['/bin/true'];
const request = ['-d', join(root, 'bootstrap/quickstart_packages'), '-p', 'mksh', 'sbase'];

type Described = {
  readonly profile: string;
  readonly mounts: readonly { readonly source: string; readonly target: string }[];
  readonly helper: readonly string[];
};

function output(program: string, args: readonly string[], env: Record<string, string> = {}): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 1 << 28,
  });
  if (error || status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr}`);
  return stdout;
}

const quoted = (words: readonly string[]) =>
  words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');

const withpkgs = [join(root, 'bin/withpkgs'), ...request, '--', ...command];
const described = JSON.parse(
  output(join(root, 'bin/withpkgs'), [...request, '--dry-run', '--json', '--', ...command]),
) as Described;

const bubblewrap = (copies: number) => [
  ...['bwrap', '--unshare-all', '--die-with-parent', '--ro-bind', described.profile, '/'],
  ...Array.from({ length: copies }, () => described.mounts)
    .flat()
    .flatMap(({ source, target }) => ['--ro-bind', source, `/${target}`]),
  ...['--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp', '--clearenv', '--setenv', 'PATH', '/bin'],
  ...['--chdir', '/', '--', ...command],
];

/** The helper with the same packages mounted again and again: what each mount costs. */
function helper(copies: number): string[] {
  const end = described.helper.indexOf('--');
  const again = Array.from({ length: copies - 1 }, () => described.mounts)
    .flat()
    .flatMap(({ source, target }) => ['--bind', source, target]);
  return [...described.helper.slice(0, end), ...again, ...described.helper.slice(end)];
}

/** Takes the root in as an image of one layer, as `tar | docker import` does. */
function importInto(engine: readonly string[]): void {
  const tar = [
    ...request,
    '--',
    'tar',
    '-C',
    '/',
    '-cf',
    '-',
    'bin',
    'include',
    'lib',
    'etc',
    'packages',
    'usr',
  ];
  output('sh', [
    '-c',
    `${quoted([join(root, 'bin/withpkgs'), ...tar])} | ${quoted(engine)} import - bench-start`,
  ]);
}

const commands: [name: string, words: readonly string[]][] = [
  ['withpkgs, whole', withpkgs],
  ['helper alone, 2 packages', helper(1)],
  ['bubblewrap, 2 mounts', bubblewrap(1)],
  ['helper alone, 10 packages', helper(5)],
  ['bubblewrap, 10 mounts', bubblewrap(5)],
  ['helper alone, 50 packages', helper(25)],
  ['bubblewrap, 50 mounts', bubblewrap(25)],
];

const cleanUp: (() => void)[] = [() => rmSync(work, { recursive: true, force: true })];

function podman(): void {
  const engine = [
    'podman',
    '--root',
    join(work, 'podman'),
    '--runroot',
    join(work, 'podman-run'),
    '--runtime',
    'runc',
  ];
  importInto(engine);
  cleanUp.push(() => void spawnSync('podman', [...engine.slice(1), 'system', 'reset', '--force']));
  const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024'];
  commands.push([
    'podman run',
    [...engine, 'run', '--rm', '--network', 'none', ...limits, 'bench-start', ...command],
  ]);
}

async function docker(): Promise<void> {
  const socket = `unix://${work}/docker.sock`;
  const daemon = spawn(
    'dockerd',
    [
      ...['--host', socket, '--data-root', join(work, 'docker'), '--exec-root', join(work, 'docker-exec')],
      ...['--pidfile', join(work, 'docker.pid'), '--bridge', 'none', '--iptables=false', '--ip6tables=false'],
    ],
    { stdio: 'ignore' },
  );
  const ended = new Promise((resolve) => daemon.once('exit', resolve));
  cleanUp.unshift(() => void daemon.kill('SIGTERM'));
  const engine = ['docker', '--host', socket];
  for (let tries = 0; spawnSync('docker', [...engine.slice(1), 'info']).status !== 0; tries++) {
    if (tries === 100 || daemon.exitCode !== null) throw new Error('dockerd does not start');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  importInto(engine);
  commands.push(['docker run', [...engine, 'run', '--rm', '--network', 'none', 'bench-start', ...command]]);
  stopped = ended;
}

let stopped: Promise<unknown> = Promise.resolve();
try {
  mkdirSync(work, { recursive: true });
  if (process.getuid?.() === 0) {
    podman();
    await docker();
  } else console.log('podman and docker are left out: they need root');

  const result = join(work, 'result.json');
  output('hyperfine', [
    ...['-N', '--warmup', '3', '--runs', runs, '--export-json', result, '--style', 'none'],
    ...commands.map(([, words]) => quoted(words)),
  ]);
  const { results } = JSON.parse(readFileSync(result, 'utf8')) as {
    results: { median: number; user: number; system: number }[];
  };
  const base = results[0]?.median ?? Number.NaN;
  console.log(`${'median of whole processes'.padEnd(30)} ${'ms'.padStart(9)} ${'x withpkgs'.padStart(11)}`);
  commands.forEach(([name], index) => {
    const median = results[index]?.median ?? Number.NaN;
    console.log(
      `${name.padEnd(30)} ${(median * 1000).toFixed(2).padStart(9)} ${(median / base).toFixed(3).padStart(11)}`,
    );
  });
  for (const [ours, theirs, count] of [
    [1, 2, 2],
    [3, 4, 10],
    [5, 6, 50],
  ] as const) {
    const ratio = (results[ours]?.median ?? Number.NaN) / (results[theirs]?.median ?? Number.NaN);
    console.log(`helper / bubblewrap with ${count} packages: ${ratio.toFixed(2)}`);
  }
} finally {
  for (const undo of cleanUp) undo();
  await stopped;
  if (existsSync(work)) rmSync(work, { recursive: true, force: true });
}
