import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { Fault } from '../../../builder/fault.ts';
import { quote } from '../../package/name.ts';
import { parseRegistryPlace, type RegistryPlace } from '../../remote/place.ts';
import type { Context } from '../context.ts';
import { usage } from '../option-value.ts';
import { readWord } from '../repositories.ts';

/** A repository as `pkgrepo` reads or writes it. */
export type RepoPlace =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'layout'; readonly path: string }
  | { readonly kind: 'registry'; readonly registry: RegistryPlace };

/** One that is there. */
export function readSource(word: string, context: Context): RepoPlace {
  const place = readWord(word, context);
  return place.kind === 'registry' ? { kind: 'registry', registry: parseRegistryPlace(place.text) } : place;
}

/** One that is written to; a directory need not be there yet. Throws USAGE for one state of a registry. */
export function readDestination(word: string, context: Context): RepoPlace {
  const directory = resolve(context.cwd, word);
  const [first = ''] = word.split('/');
  const plain = !/^(oci|registry):/.test(word) && word !== '';
  const isHost = /[.:]/.test(first.replace(/^\.\.?$/, '')) || first === 'localhost';
  if (plain && (!word.includes('/') || !isHost || statSync(directory, { throwIfNoEntry: false })))
    return { kind: 'directory', path: directory };
  const place = readSource(word, context);
  if (place.kind === 'registry' && place.registry.index !== undefined) {
    throw usage(`${quote(word)} is one state of a repository`, 'leave out the digest: @sha256:…');
  }
  return place;
}

/** What of `all` the words name, in its order; all of it without words. Throws NOT_FOUND for a word that names nothing. */
export function select<T extends { readonly name: string; readonly version: string }>(
  words: readonly string[],
  all: readonly T[],
): readonly T[] {
  if (words.length === 0) return all;
  const wanted = new Set<T>();
  for (const word of words) {
    const [, name = '', version] = /^([^,=]*)(?:[,=](.*))?$/s.exec(word) ?? [];
    const found = all.filter(
      (each) => each.name === name && (version === undefined || each.version === version),
    );
    if (found.length === 0) {
      throw new Fault('NOT_FOUND', `there is no package ${quote(word)} there`, {
        hint: 'write NAME or NAME,VERSION; pkgrepo list shows what there is',
      });
    }
    for (const each of found) wanted.add(each);
  }
  return all.filter((each) => wanted.has(each));
}
