import { randomBytes } from 'node:crypto';
import { unlinkSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';

/** Starts the names of files that are not finished, so that a collector knows what a crash left behind. */
export const temporaryPrefix = '.new-';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The unfinished files of this process. Signals are the process's, so the list of what they end is too. */
const unfinished = new Set<string>();

/**
 * Runs `use` with the path of a file that does not exist, in `directory`. If `use` fails, or a signal ends the
 * process, the file is removed; `use` renames it when it is finished.
 */
export async function withTemporary<T>(directory: string, use: (path: string) => Promise<T>): Promise<T> {
  const path = join(directory, `${temporaryPrefix}${process.pid}-${randomBytes(8).toString('hex')}`);
  if (unfinished.size === 0) for (const signal of signals) process.on(signal, end);
  unfinished.add(path);
  try {
    return await use(path);
  } catch (error) {
    await unlink(path).catch(() => undefined);
    throw error;
  } finally {
    unfinished.delete(path);
    if (unfinished.size === 0) for (const signal of signals) process.off(signal, end);
  }
}

/** Tidies up, then lets the signal do what it would have done; somebody else's handler has its own plans. */
function end(signal: NodeJS.Signals): void {
  for (const path of unfinished) {
    try {
      unlinkSync(path);
    } catch {
      // Not made yet, or renamed already.
    }
  }
  if (process.listenerCount(signal) > 1) return;
  process.off(signal, end);
  process.kill(process.pid, signal);
}
