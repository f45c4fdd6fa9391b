import { mkdirSync } from 'node:fs';
import { digestOf, hexOf } from '../../builder/digest.ts';
import { asFault, Fault } from '../../builder/fault.ts';
import { readRegularSync } from '../../builder/regular-file.ts';
import { writeDurably } from '../package/durable.ts';
import type { Repository } from '../package/repository.ts';
import { isAskedLately, lastAsked } from '../remote/last-asked.ts';
import { parseRegistryPlace, registryLabel } from '../remote/place.ts';
import { hasPrivateTree, ensurePrivate } from '../run/private.ts';
import type { KnownPackage } from '../run/chosen.ts';
import type { Context } from './context.ts';
import { refreshOf } from './refresh.ts';
import { readWord } from './repositories.ts';

/**
 * Where a set of packages is remembered that was chosen from registries alone: as long as what is known of these
 * has not changed, the same words choose the same, so neither records nor what knows registries has to be loaded.
 */
type Key = { readonly indexes: string; readonly path: string };

/** Undefined where it cannot be told without loading more, or a registry is to be asked again. */
function keyOf(words: readonly string[], constraints: readonly string[], context: Context): Key | undefined {
  const { indexes } = context.places.cache;
  const { env } = context;
  const named = words.length > 0 ? words : [env['STATIC_DISTRO_REPOSITORY'] ?? ''];
  const known: string[] = [];
  for (const word of named) {
    const place = word === '' ? undefined : readWord(word, context);
    if (place?.kind !== 'registry') return undefined;
    const registry = parseRegistryPlace(place.text);
    const label = registryLabel(registry);
    const asked = lastAsked(indexes, label);
    if (!asked) return undefined;
    const settled = registry.index !== undefined || isAskedLately(indexes, label, asked, refreshOf(context));
    if (!settled) return undefined;
    known.push(label, asked.identity);
  }
  const key = JSON.stringify([1, process.arch, context.places.cache.trees, known, constraints]);
  return { indexes, path: `${indexes}/set-${hexOf(digestOf(key))}.json` };
}

/** The packages that the words chose the last time, if all of them are still there. */
export function recallSet(
  words: readonly string[],
  constraints: readonly string[],
  context: Context,
): readonly KnownPackage[] | undefined {
  const key = keyOf(words, constraints, context);
  if (!key) return undefined;
  for (const directory of [key.indexes, context.places.cache.trees]) ensurePrivate(directory);
  const packages = readSet(key.path);
  if (!packages) return undefined;
  return packages.every(({ tree }) => hasPrivateTree(tree)) ? packages : undefined;
}

function readSet(path: string): readonly KnownPackage[] | undefined {
  try {
    return (JSON.parse(readRegularSync(path, 'utf8')) as { readonly packages: readonly KnownPackage[] })
      .packages;
  } catch {
    return undefined;
  }
}

/** To be called when the packages are there. Who cannot remember chooses again. */
export function rememberSet(
  words: readonly string[],
  constraints: readonly string[],
  context: Context,
  repositories: readonly Repository[],
  packages: readonly KnownPackage[],
): void {
  if (!repositories.every(({ remote }) => remote)) return;
  const key = keyOf(words, constraints, context);
  if (!key) return;
  try {
    mkdirSync(key.indexes, { recursive: true, mode: 0o700 });
    writeDurably(key.indexes, key.path, Buffer.from(JSON.stringify({ packages })));
  } catch (error) {
    if (!(asFault(error, key.path) instanceof Fault)) throw error;
  }
}
