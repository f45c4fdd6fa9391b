import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { asFault, Fault } from './fault.ts';

/** Status of the lock program when somebody else holds the lock and it was told not to wait. */
const busy = 75;

export type LockOptions = {
  /** Together with other shared holders, but not with an exclusive one. */
  readonly shared?: boolean;
  /** False: BUSY instead of waiting until the lock can be had. */
  readonly wait?: boolean;
};

/**
 * Runs `fn` while the lock (flock) on `path`, a file or a directory, is held; a missing file is made. The lock
 * is given back when `fn` has ended, and by the kernel as soon as this process is gone, however it ended.
 * `program` is the path of `native/lock`, because Node has no flock. Locks exclude each other inside one
 * process as they do between processes, so asking for the same one within `fn` never ends.
 *
 * Throws what `fn` throws; BUSY; NOT_FOUND or IO if there is no lock to be had, or if it was lost meanwhile.
 */
export async function withLock<T>(
  program: string,
  path: string,
  options: LockOptions,
  fn: () => Promise<T>,
): Promise<T> {
  const holder = start(program, path, options);
  await holder.held;
  let result: T;
  try {
    result = await fn();
  } finally {
    holder.child.stdin?.end();
    await holder.ended;
  }
  if (holder.child.exitCode === 0) return result;
  throw new Fault('IO', `the lock on ${path} was lost while it was needed`, {
    hint: `something killed ${program}; try again`,
  });
}

type Holder = {
  readonly child: ChildProcess;
  /** Settles when the lock is held, or cannot be. */
  readonly held: Promise<void>;
  readonly ended: Promise<unknown>;
};

function start(program: string, path: string, { shared = false, wait = true }: LockOptions): Holder {
  const args = [...(shared ? ['--shared'] : []), ...(wait ? [] : ['--nonblock']), path];
  // Costs 2 ms to load, and most who could take a lock never do.
  const { spawn } = process.getBuiltinModule('node:child_process');
  // In a session of its own: Ctrl-C must not take the lock away from a caller that is still tidying up.
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  // Writing to a holder that was killed; the exit status tells.
  child.stdin.on('error', () => undefined);
  const ended = once(child, 'close').catch(() => undefined);
  return { child, ended, held: answer(child, path) };
}

async function answer(child: ChildProcess, path: string): Promise<void> {
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  const refused = once(child, 'close').then(([status]) => {
    if (status === busy) throw new Fault('BUSY', `${path}: somebody else holds the lock`);
    throw new Fault('IO', complaint.trim() || `${path}: no lock to be had (status ${String(status)})`);
  });
  // Once the lock is held, the end of the holder is the business of withLock.
  refused.catch(() => undefined);
  try {
    await Promise.race([once(child.stdout ?? child, 'data'), refused]);
  } catch (error) {
    throw asFault(error, `locking ${path} by ${child.spawnfile}`);
  }
}
