import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asFault, Fault } from '../../builder/fault.ts';
import { quote } from '../package/name.ts';
import { type Distfile, formatDistfiles, parseDistfiles } from './distfile.ts';
import { ownerToken } from '../package/owner.ts';

/** Reads a list of distfiles. Throws NOT_FOUND, IO or INPUT, naming the file. */
export async function readDistfiles(path: string): Promise<ReadonlyMap<string, Distfile>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw asFault(error, `cannot read the list of distfiles ${quote(path)}`);
  }
  return parseDistfiles(text, path);
}

/** A list, and before it what a recipe lists itself, in `distfiles.json` beside its control file. */
export async function withOwnList(
  { directory }: { readonly directory: string },
  list: ReadonlyMap<string, Distfile>,
): Promise<ReadonlyMap<string, Distfile>> {
  const own = join(directory, 'distfiles.json');
  return existsSync(own) ? new Map([...list, ...(await readDistfiles(own))]) : list;
}

/**
 * Puts entries into the list at `path`, which is made if it is missing. The bytes behind a name never change: an
 * entry of the same name must have the same hash (INPUT otherwise); its URLs are kept behind the new ones.
 */
export async function addDistfiles(path: string, entries: readonly Distfile[]): Promise<readonly Distfile[]> {
  const list = new Map(
    await readDistfiles(path).catch((error: unknown) => {
      if (error instanceof Fault && error.code === 'NOT_FOUND') return new Map<string, Distfile>();
      throw error;
    }),
  );
  const added = entries.map((entry) => mergeEntry(list.get(entry.name), entry, path));
  for (const entry of added) list.set(entry.name, entry);
  const temporary = `${path}.${ownerToken()}`;
  try {
    await writeFile(temporary, formatDistfiles(list.values()), { flag: 'wx' });
    await rename(temporary, path);
  } catch (error) {
    throw asFault(error, `cannot write the list of distfiles ${quote(path)}`);
  }
  return added;
}

function mergeEntry(old: Distfile | undefined, entry: Distfile, path: string): Distfile {
  if (!old) return entry;
  if (old.integrity !== entry.integrity) {
    throw new Fault('INPUT', `${path}: ${entry.name} is listed with other bytes`, {
      hint: 'give the new file a name of its own: recipes and caches know the old one by this name',
    });
  }
  const urls = [...new Set([...entry.urls, ...old.urls])];
  const source = entry.source ?? old.source;
  return source ? { ...entry, urls, source } : { ...entry, urls };
}
