import { lstatSync, mkdirSync, readdirSync, renameSync, rmSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { asFault } from '../../builder/fault.ts';
import { quote } from '../package/name.ts';
import { ownerLives, ownerToken } from '../package/owner.ts';
import type { ProfileEntry } from './entry.ts';
import { checkPrivate, ensurePrivate } from './private.ts';
import { markUsed } from './used.ts';
import { profileTime, writeEntries } from './write.ts';

/**
 * The directory `PROFILES/KEY`, made of `entries` unless it is there already. It appears whole or not at all;
 * of several that make it at once one wins, and the others take what it made. `profiles` and the directory
 * above it must be the caller's own; they are made if missing. A profile in which somebody has added, removed
 * or replaced a name at the top or in one of the directories of `watched` is thrown away and made again, which
 * takes the links from commands that still run in it; other damage goes unseen until the cache is deleted.
 * `made` is called if it was not there; what is there is marked as used.
 * Throws what `entries` throws, UNSAFE for directories of others, and IO.
 */
export function cachedProfile(
  profiles: string,
  key: string,
  entries: () => readonly ProfileEntry[],
  made?: () => void,
): string {
  ensurePrivate(dirname(profiles));
  ensurePrivate(profiles);
  const path = `${profiles}/${key}`;
  if (state(path) === 'whole') return path;
  make(profiles, path, entries());
  made?.();
  return path;
}

const isChanged = ({ mtimeMs }: Stats): boolean => mtimeMs !== profileTime * 1000;

const watched = ['/bin', '/dev', '/etc', '/include', '/lib', '/packages'];

/** Every time in a profile is the same, so another one tells of a change in that directory. */
function state(path: string): 'missing' | 'damaged' | 'whole' {
  const top = lstatSync(path, { throwIfNoEntry: false });
  if (!top) return 'missing';
  checkPrivate(path, top);
  if (isChanged(top)) return 'damaged';
  for (const name of watched) {
    const stats = lstatSync(`${path}${name}`, { throwIfNoEntry: false });
    if (stats && isChanged(stats)) return 'damaged';
  }
  return markUsed(path) ? 'whole' : 'missing';
}

/** How often somebody else may take away what is being made: a run that does not see our process does. */
const attempts = 3;

function make(profiles: string, path: string, entries: readonly ProfileEntry[]): void {
  removeLeftovers(profiles);
  for (let attempt = 1; ; attempt++) {
    const temporary = `${profiles}/${temporaryName()}`;
    try {
      if (state(path) === 'damaged') throwAway(profiles, path);
      mkdirSync(temporary);
      writeEntries(temporary, entries);
      markUsed(path);
      renameSync(temporary, path);
      return;
    } catch (error) {
      rmSync(temporary, { recursive: true, force: true });
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      const lost = code === 'EEXIST' || code === 'ENOTEMPTY';
      if (lost && state(path) === 'whole') return;
      if (attempt === attempts || !(lost || code === 'ENOENT')) {
        throw asFault(error, `cannot make the profile ${quote(path)}`);
      }
    }
  }
}

/** Out of sight in one step first, so that nobody meets half of it. */
function throwAway(profiles: string, path: string): void {
  const aside = `${profiles}/${temporaryName()}`;
  renameSync(path, aside);
  rmSync(aside, { recursive: true, force: true });
}

/** For what is being made beside what is whole: it says whose it is. */
export const temporaryName = (): string => `.new-${ownerToken()}`;

/** Removes what killed runs have left. One that cannot be removed is left to the next run. */
export function removeLeftovers(profiles: string): void {
  for (const name of readdirSync(profiles)) {
    const token = /^\.new-(.*)/.exec(name)?.[1];
    if (token === undefined) continue;
    try {
      const { ctimeMs } = lstatSync(`${profiles}/${name}`);
      if (!ownerLives(token, ctimeMs)) rmSync(`${profiles}/${name}`, { recursive: true, force: true });
    } catch {
      continue;
    }
  }
}
