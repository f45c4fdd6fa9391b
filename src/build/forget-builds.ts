import { lstatSync, readdirSync, rmSync, type Stats } from 'node:fs';
import { basename, join } from 'node:path';
import { decodeDigest } from '../../builder/descriptor.ts';
import { hexOf } from '../../builder/digest.ts';
import { items, member, string } from '../../builder/json.ts';
import { readSealed } from './sealed.ts';

export type Bounds = {
  /** In ms, as all times here. */
  readonly now: number;
  /** What was not used for so long goes. */
  readonly unusedFor: number;
  /** Of more bytes than these on disk the least recently used go. */
  readonly most: number;
};

export const usualBounds = { unusedFor: 30 * 24 * 3600_000, most: 1 << 30 } as const;

/** Somebody may be about to write to what is younger. */
const grace = 3600_000;

type Item = { readonly path: string; readonly used: number; readonly size: number };

/**
 * Removes from a cache of builds what is out of bounds: keys with what came of them, by when a build last asked for
 * them, and logs by when they were written; then recipes' files that no key is left to name, and last builds whose key
 * is gone. Nobody must be building meanwhile. What cannot be removed stays until the next time.
 */
export function forgetBuilds(directory: string, { now, unusedFor, most }: Bounds): void {
  const all = [...keysIn(directory), ...logsIn(join(directory, 'logs'))].sort((a, b) => b.used - a.used);
  let size = 0;
  for (const each of all) {
    size += each.size;
    const unused = now - each.used;
    if (unused > grace && (unused > unusedFor || size > most)) remove(each.path);
  }
  const documents = keysIn(directory).map(({ path }) => join(path, 'key.json'));
  const named = new Set(documents.flatMap(filesOf));
  for (const path of entriesOf(join(directory, 'files'))) {
    if (!named.has(basename(path))) removeOld(path, now);
  }
  for (const path of entriesOf(join(directory, 'last')).flatMap(entriesOf)) {
    const key = readSealed(path, (field) => string(member(field, 'build')));
    if (key === undefined || !lookAt(join(directory, key.slice(0, 2), key))) removeOld(path, now);
  }
}

const keysIn = (directory: string): Item[] =>
  entriesOf(directory)
    .filter((path) => /\/[0-9a-f]{2}$/.test(path))
    .flatMap(entriesOf)
    .flatMap((path) => {
      const files = entriesOf(path);
      return itemOf(path, files, files.find((file) => file.endsWith('/key.json')) ?? path);
    });

const logsIn = (directory: string): Item[] =>
  entriesOf(directory)
    .flatMap(entriesOf)
    .flatMap((path) => itemOf(path, [], path));

/** `marked` is what has the time of the last use. */
function itemOf(path: string, files: readonly string[], marked: string): Item[] {
  const mark = lookAt(marked);
  const sizes = [path, ...files].map((file) => (lookAt(file)?.blocks ?? 0) * 512);
  return mark ? [{ path, used: mark.mtimeMs, size: sizes.reduce((sum, each) => sum + each, 0) }] : [];
}

/** The files of a recipe that a key's document names, by the hex of their digests. */
const filesOf = (document: string): readonly string[] =>
  readSealed(document, (field) =>
    items(member(field, 'recipe')).map((file) => hexOf(decodeDigest(items(file)[2] ?? file))),
  ) ?? [];

const lookAt = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false });

/** Nothing of what is no directory, or cannot be read. */
function entriesOf(path: string): string[] {
  try {
    return readdirSync(path).map((name) => join(path, name));
  } catch {
    return [];
  }
}

function removeOld(path: string, now: number): void {
  if (now - (lookAt(path)?.mtimeMs ?? now) > grace) remove(path);
}

function remove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    return;
  }
}
