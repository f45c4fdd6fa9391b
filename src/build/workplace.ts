import { chownSync, lstatSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { asFault, Fault } from '../../builder/fault.ts';
import { withLock } from '../../builder/lock.ts';
import { quote } from '../package/name.ts';
import { ensurePrivate } from '../run/private.ts';
import { checkShare } from '../run/share.ts';
import { isToken, ownerLives, ownerToken } from '../package/owner.ts';
import { failedPaths, forgetFailed, labelOf, removeOldFailed } from './failed.ts';
import { removeTree } from './remove.ts';

export type WorkplaceOptions = {
  /** The user's own work directory (`-w`): it has to be there, and is never removed. */
  readonly directory: string | undefined;
  /** What a relative one is relative to. */
  readonly from: string;
  /** Where work directories are made otherwise; private to the caller. */
  readonly cache: string;
  readonly name: string;
  readonly version: string;
  /** The program `native/lock`. */
  readonly lock: string;
  /** Whom one that is made belongs to, if not to the caller; only root can give it away. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Places of ours that no build may write to. */
  readonly guarded: readonly string[];
};

/** A work directory while it is somebody's. */
export type Workplace = {
  readonly path: string;
  /** Lets it stay, in the place of the failed build of the version before, and tells where. */
  keep(): Promise<string>;
};

/**
 * Runs `fn` with a work directory, which is removed afterwards unless it is the user's own or kept; what was kept
 * of the version earlier is removed when `fn` succeeds. Nobody else builds in it meanwhile: throws BUSY if somebody
 * does in the user's.
 */
export async function withWorkplace<T>(
  options: WorkplaceOptions,
  fn: (place: Workplace) => Promise<T>,
): Promise<T> {
  const { directory, from, guarded, lock, cache } = options;
  if (directory !== undefined) {
    const path = checkShare(directory, { from, option: '-w', writable: true, guarded });
    return await alone(lock, path, async () => {
      const result = await fn({ path, keep: () => Promise.resolve(path) });
      await forgetFailed(cache, options);
      return result;
    });
  }
  const path = await make(options);
  try {
    const result = await fn({ path, keep: () => keep(path, options) });
    await forgetFailed(cache, options);
    return result;
  } finally {
    await removeTree(path);
  }
}

async function alone<T>(lock: string, path: string, fn: () => Promise<T>): Promise<T> {
  try {
    return await withLock(lock, path, { wait: false }, fn);
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'BUSY') throw error;
    throw new Fault('BUSY', `another pkgbuild is at work in ${quote(path)}`, {
      hint: 'wait for it, or name another directory with -w',
      cause: error,
    });
  }
}

const attempts = 5;

async function make(options: WorkplaceOptions): Promise<string> {
  const { cache } = options;
  ensurePrivate(cache);
  await removeLeft(cache);
  await removeOldFailed(cache);
  const path = join(cache, `${labelOf(options)}.${ownerToken()}`);
  try {
    mkdirSync(path, { mode: 0o755 });
    if (options.owner) chownSync(path, options.owner.uid, options.owner.gid);
  } catch (error) {
    throw asFault(error, `cannot make the work directory ${quote(path)}`);
  }
  return path;
}

/** Removes the work directories of builds that were killed. One that cannot be removed is left to the next. */
async function removeLeft(cache: string): Promise<void> {
  for (const name of readdirSync(cache)) {
    const token = name.slice(name.lastIndexOf('.') + 1);
    const stats = lstatSync(join(cache, name), { throwIfNoEntry: false });
    if (!stats || !isToken(token) || ownerLives(token, stats.mtimeMs)) continue;
    await removeTree(join(cache, name)).catch(() => undefined);
  }
}

async function keep(path: string, options: WorkplaceOptions): Promise<string> {
  const kept = failedPaths(options.cache, options).work;
  for (let attempt = 1; ; attempt += 1) {
    await forgetFailed(options.cache, options);
    try {
      renameSync(path, kept);
      return kept;
    } catch (error) {
      // Another build of the same version failed in between.
      if (attempt === attempts) throw asFault(error, `cannot keep ${quote(path)}`);
    }
  }
}
