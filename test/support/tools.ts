import { spawn, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';

/** The checkout. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** Built from source by the set-up that runs before the tests. */
export const quickstart = join(root, 'bootstrap/quickstart_packages');

export const tool = (name: string): string => join(root, 'bin', name);

export const isRoot = process.getuid?.() === 0;

/** A directory of its own for one test, removed at its end. */
export function temporary(t: ExecutionContext, prefix = 'static-distro-test-'): string {
  const directory = mkdtempSync(join(tmpdir(), prefix));
  t.teardown(() => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
  return directory;
}

export type RunOptions = {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string | Buffer;
  readonly timeout?: number;
};

/** Runs a program to its end. `status` is null where a signal ended it. */
export function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): SpawnSyncReturns<string> {
  const result = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    timeout: options.timeout ?? 120_000,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.input === undefined ? {} : { input: options.input }),
    env: { ...process.env, ...options.env },
  });
  if (result.error) throw result.error;
  return result;
}

/** Runs one of our tools as a user calls it, through its launcher. */
export const runTool = (name: string, args: readonly string[], options: RunOptions = {}) =>
  run(tool(name), args, options);

/** Runs a program that must succeed, and gives its standard output. */
export function output(program: string, args: readonly string[], options: RunOptions = {}): string {
  const { status, signal, stdout, stderr } = run(program, args, options);
  if (status !== 0) {
    throw new Error(`${program} ${args.join(' ')} ended with ${status ?? signal}: ${stderr || stdout}`);
  }
  return stdout;
}

/** Starts a program in the background; it is killed at the end of the test, if it is still there. */
export function start(
  t: ExecutionContext,
  program: string,
  args: readonly string[],
  options: RunOptions = {},
) {
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, ...options.env },
  });
  t.teardown(() => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  });
  return child;
}
