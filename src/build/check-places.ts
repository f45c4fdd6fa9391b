import { existsSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { asFault } from '../../builder/fault.ts';
import { quote } from '../package/name.ts';
import { isToken, ownerLives, ownerToken } from '../package/owner.ts';
import { ensurePrivate } from '../run/private.ts';
import { removeTree } from './remove.ts';

/** Where a build that is only checked happens. */
export type CheckPlaces = {
  /** Trees are made here, on the file system of the cache. */
  readonly staging: string;
  /** Work directories are made here. */
  readonly works: string;
};

/** What a directory of ours is called where everybody's are. */
const prefix = 'static-distro-check.';

/**
 * Runs `fn` with places of its own, which are removed afterwards: in the cache of work directories, and in `other`, if
 * there is one, which others may share. Those that killed checks have left are removed, too.
 */
export async function withCheckPlaces<T>(
  cache: string,
  label: string,
  other: string | undefined,
  fn: (places: CheckPlaces) => Promise<T>,
): Promise<T> {
  ensurePrivate(cache);
  const staging = make(join(cache, `${label}.check.${ownerToken()}`));
  try {
    if (other === undefined) return await fn({ staging, works: cache });
    await removeLeft(other);
    const works = make(join(other, `${prefix}${ownerToken()}`));
    try {
      return await fn({ staging, works });
    } finally {
      await removeTree(works);
    }
  } finally {
    if (existsSync(staging)) await removeTree(staging);
  }
}

function make(path: string): string {
  try {
    mkdirSync(path, { mode: 0o700 });
    return path;
  } catch (error) {
    throw asFault(error, `cannot make ${quote(path)}`);
  }
}

/** Only what is the caller's own, as anybody may call a directory so. */
async function removeLeft(directory: string): Promise<void> {
  for (const name of readdirSync(directory).filter((each) => each.startsWith(prefix))) {
    const token = name.slice(prefix.length);
    const stats = lstatSync(join(directory, name), { throwIfNoEntry: false });
    if (!stats?.isDirectory() || stats.uid !== process.geteuid?.() || !isToken(token)) continue;
    if (!ownerLives(token, stats.mtimeMs)) await removeTree(join(directory, name)).catch(() => undefined);
  }
}
