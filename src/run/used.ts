import { closeSync, lstatSync, mkdirSync, openSync, utimesSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { asFault, Fault } from '../../builder/fault.ts';

/** A mark that is younger, in ms, is young enough: most starts have nothing to write. */
const markEvery = 3600_000;

/** `CACHE/used/KEY` for `CACHE/profiles/KEY`: whoever only reads a cache, as a backup does, sets no time of it. */
export const markOf = (path: string): string => join(dirname(dirname(path)), 'used', basename(path));

/** `CACHE/used/profiles` is when `CACHE/profiles` was last looked through. */
export const markOfLook = (directory: string): string =>
  join(dirname(directory), 'used', basename(directory));

const mtimeOf = (path: string): number | undefined => lstatSync(path, { throwIfNoEntry: false })?.mtimeMs;

/** In ms; of what nobody has marked, when it came there. */
export const lastUsed = (path: string): number =>
  mtimeOf(markOf(path)) ?? lstatSync(path, { throwIfNoEntry: false })?.ctimeMs ?? 0;

/**
 * Marks a directory of a cache as used now. False if it has gone meanwhile. Who may not mark it uses it all the same.
 */
export function markUsed(path: string): boolean {
  const mark = markOf(path);
  const now = Date.now();
  if (now - (mtimeOf(mark) ?? 0) < markEvery) return true;
  try {
    setMark(mark, now);
  } catch (error) {
    if (!(asFault(error, mark) instanceof Fault)) throw error;
  }
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Throws what Node throws. */
export function setMark(mark: string, now: number): void {
  mkdirSync(dirname(mark), { recursive: true, mode: 0o700 });
  closeSync(openSync(mark, 'a', 0o600));
  utimesSync(mark, now / 1000, now / 1000);
}
