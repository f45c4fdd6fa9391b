import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { asFault, Fault } from '../../builder/fault.ts';
import type { Architecture } from '../package/architecture.ts';
import { mayHoldMore } from '../package/elsewhere.ts';
import { quote } from '../package/name.ts';
import { openRepository, type Repository } from '../package/repository.ts';
import { mayIndex, worthIndexing } from '../package/worth-indexing.ts';
import type { LockedPackage } from '../remote/locked.ts';
import { ensurePrivate } from '../run/private.ts';
import { complain, type Context } from './context.ts';

export type RepositoryOptions = {
  /** Packages that a lock names: from a registry these are taken, and nothing else is looked at. */
  readonly locked?: readonly LockedPackage[] | undefined;
  /** The machine that packages are for, where a registry has them for several; this one without it. */
  readonly architecture?: Architecture | undefined;
  /** Registries are asked, however well it is known what they held. */
  readonly fresh?: boolean;
};

/** What a word after `-d` means. */
export type Place = { readonly kind: 'directory'; readonly path: string } | FarPlace;

export type FarPlace =
  { readonly kind: 'layout'; readonly path: string } | { readonly kind: 'registry'; readonly text: string };

/**
 * The repositories that the words after `-d` mean, in their order (DESIGN section 3, "Repositories"); without
 * any, `$STATIC_DISTRO_REPOSITORY`, else `/packages` if there is such a directory, else the user's own.
 * A big one of the caller's own gets an index here if it has none that fits. What knows registries and OCI layouts
 * is loaded only for those.
 *
 * Throws NOT_FOUND for what is not there, USAGE for what is no repository, and what registries throw.
 */
export async function openRepositories(
  words: readonly string[],
  context: Context,
  options: RepositoryOptions = {},
): Promise<readonly Repository[]> {
  const places = words.length > 0 ? words.map((word) => readWord(word, context)) : [standard(context)];
  const unique = new Map(places.map((place) => [JSON.stringify(place), place]));
  const opened: Repository[] = [];
  for (const place of unique.values()) {
    opened.push(
      place.kind === 'directory'
        ? await openDirectory(place.path, context)
        : await (await import('./remote.ts')).openElsewhere(place, context, options),
    );
  }
  return opened;
}

/**
 * What is found in the repositories. Before it is said that there is no such package, registries that were not asked
 * just now are asked: it may have come meanwhile.
 */
export async function findIn<T>(
  words: readonly string[],
  context: Context,
  find: (repositories: readonly Repository[]) => T,
  options: RepositoryOptions = {},
): Promise<T> {
  const repositories = await openRepositories(words, context, options);
  try {
    return find(repositories);
  } catch (error) {
    const missing = error instanceof Fault && (error.code === 'UNSATISFIABLE' || error.code === 'NOT_FOUND');
    if (!missing || !repositories.some(mayHoldMore)) throw error;
    return find(await openRepositories(words, context, { ...options, fresh: true }));
  }
}

async function openDirectory(directory: string, context: Context): Promise<Repository> {
  const memory = () => {
    ensurePrivate(context.places.cache.layers);
    return context.places.cache.layers;
  };
  const repository = openRepository(directory, memory);
  return (await isIndexed(repository, context)) ? repository : openRepository(directory, memory);
}

/** Where packages are taken from if nothing is said. */
function standard(context: Context): Place {
  const word = context.env['STATIC_DISTRO_REPOSITORY'];
  if (word) return readWord(word, context);
  if (isDirectory('/packages')) return { kind: 'directory', path: '/packages' };
  const { packages } = context.places;
  if (isDirectory(packages)) return { kind: 'directory', path: packages };
  throw new Fault('NOT_FOUND', `there is no repository: neither /packages nor ${quote(packages)} exists`, {
    hint: 'name one with -d DIR, or build packages: pkgbuild fills the latter',
  });
}

/** What `DIR`, `oci:DIR`, `registry:HOST/NAME[@sha256:…]` or `HOST/NAME` means. Throws NOT_FOUND, USAGE. */
export function readWord(word: string, { cwd }: Context): Place {
  if (word === '') throw new Fault('USAGE', '-d is given an empty name', { hint: 'write -d DIR' });
  if (word.startsWith('registry:')) return { kind: 'registry', text: word };
  if (word.startsWith('oci:')) return { kind: 'layout', path: resolve(cwd, word.slice('oci:'.length)) };
  const directory = resolve(cwd, word);
  if (exists(directory)) return { kind: 'directory', path: directory };
  const [host = ''] = word.split('/');
  const isPath = host === '' || host === '.' || host === '..';
  if (!isPath && (/[.:]/.test(host) || host === 'localhost')) return { kind: 'registry', text: word };
  throw new Fault('NOT_FOUND', `there is no repository ${quote(word)}: no such directory`, {
    hint: 'name a directory that holds packages as NAME/VERSION/, oci:DIR, or registry:HOST/NAME',
  });
}

/** Throws IO where that cannot be told: who may not look there is not told that nothing is there. */
function exists(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    throw asFault(error, `the repository ${quote(path)}`);
  }
}

const isDirectory = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** False if an index was made, so that the repository has to be opened again to have it. */
async function isIndexed(repository: Repository, { places, tool }: Context): Promise<boolean> {
  if (repository.indexed()) return true;
  const { length } = repository.names();
  if (length < worthIndexing || !mayIndex(repository.directory)) return true;
  const { offerIndex } = await import('../package/indexing.ts');
  complain(
    `${tool}: making an index of ${quote(repository.directory)}, ${length} names; this is done once\n`,
  );
  await offerIndex(repository.directory, join(dirname(places.helper), 'lock'));
  return false;
}
