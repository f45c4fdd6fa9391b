import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Fault } from '../../builder/fault.ts';

export type Ended = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

/** More than this of what a program says is not kept. */
const mostOutput = 8 << 20;

/**
 * Runs one of the machine's programs to its end, in a process group of its own: an abort ends all of it, and
 * Ctrl-C at the terminal does not reach it before us. Throws NOT_FOUND if there is no such program.
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: {
    readonly env: NodeJS.ProcessEnv;
    readonly cwd?: string;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<Ended> {
  const { env, cwd, signal } = options;
  signal?.throwIfAborted();
  const child = spawn(program, args, {
    env: { ...env, LC_ALL: 'C.UTF-8' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    ...(cwd === undefined ? {} : { cwd }),
  });
  const end = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
    } catch {
      // It has ended by itself.
    }
  };
  signal?.addEventListener('abort', end);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (stdout.length < mostOutput) stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (stderr.length < mostOutput) stderr += text;
  });
  try {
    await once(child, 'close');
  } catch (error) {
    throw new Fault('NOT_FOUND', `${program} is not on this machine`, { cause: error });
  } finally {
    signal?.removeEventListener('abort', end);
  }
  signal?.throwIfAborted();
  return { status: child.exitCode, stdout, stderr };
}
