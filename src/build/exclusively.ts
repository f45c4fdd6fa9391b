import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '../../builder/fault.ts';
import { withLock } from '../../builder/lock.ts';

export type Exclusive = {
  /** The program `native/lock`. */
  readonly lock: string;
  readonly signal: AbortSignal | undefined;
  /** Called once if somebody else has the lock. */
  readonly waiting: () => void;
};

/** Between two looks whether a lock is free, in ms: a wait that Ctrl-C can end. */
const pause = 250;

/** Runs `fn` while nobody else has the lock on `path`. Throws what `fn` and `signal` throw. */
export async function exclusively<T>(
  path: string,
  { lock, signal, waiting }: Exclusive,
  fn: () => Promise<T>,
): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    signal?.throwIfAborted();
    const done = await unlessBusy(path, lock, fn);
    if (done) return done.result;
    if (tries === 0) waiting();
    await sleep(pause);
  }
}

/** Undefined, and `fn` does not run, if somebody else has the lock on `path`. */
export async function unlessBusy<T>(
  path: string,
  lock: string,
  fn: () => Promise<T>,
): Promise<{ readonly result: T } | undefined> {
  let entered = false;
  try {
    return await withLock(lock, path, { wait: false }, async () => {
      entered = true;
      return { result: await fn() };
    });
  } catch (error) {
    if (entered || !(error instanceof Fault) || error.code !== 'BUSY') throw error;
    return undefined;
  }
}
