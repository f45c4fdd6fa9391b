import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { asFault, Fault } from '../../builder/fault.ts';
import { quote } from '../package/name.ts';
import { openRepository, type Repository } from '../package/repository.ts';
import { mayIndex, worthIndexing } from '../package/worth-indexing.ts';
import { ensurePrivate } from '../run/private.ts';
import { complain, type Context } from './context.ts';

/**
 * The repositories that the words after `-d` mean, in their order (DESIGN section 3, "Repositories"); without
 * any, `$STATIC_DISTRO_REPOSITORY`, else `/packages` if there is such a directory, else the user's own.
 * A big one of the caller's own gets an index here if it has none that fits.
 *
 * Throws NOT_FOUND for what is not there, USAGE for what is no repository.
 */
export async function openRepositories(
  words: readonly string[],
  context: Context,
): Promise<readonly Repository[]> {
  const directories = words.length > 0 ? words.map((word) => readWord(word, context)) : [standard(context)];
  const opened: Repository[] = [];
  const memory = () => {
    ensurePrivate(context.places.cache.layers);
    return context.places.cache.layers;
  };
  for (const directory of new Set(directories)) {
    const repository = openRepository(directory, memory);
    opened.push((await isIndexed(repository, context)) ? repository : openRepository(directory, memory));
  }
  return opened;
}

/** Where packages are taken from if nothing is said. */
function standard(context: Context): string {
  const word = context.env['STATIC_DISTRO_REPOSITORY'];
  if (word) return readWord(word, context);
  if (isDirectory('/packages')) return '/packages';
  const { packages } = context.places;
  if (isDirectory(packages)) return packages;
  throw new Fault('NOT_FOUND', `there is no repository: neither /packages nor ${quote(packages)} exists`, {
    hint: 'name one with -d DIR, or build packages: pkgbuild fills the latter',
  });
}

function readWord(word: string, { cwd }: Context): string {
  const transport = /^(oci|registry):/.exec(word)?.[1];
  if (transport !== undefined) throw notYet(word, transport === 'oci' ? 'an OCI layout' : 'a registry');
  if (word === '') throw new Fault('USAGE', '-d is given an empty name', { hint: 'write -d DIR' });
  const directory = resolve(cwd, word);
  if (exists(directory)) return directory;
  const [host = ''] = word.split('/');
  const isPath = host === '' || host === '.' || host === '..';
  if (!isPath && (/[.:]/.test(host) || host === 'localhost')) throw notYet(word, 'a registry');
  throw new Fault('NOT_FOUND', `there is no repository ${quote(word)}: no such directory`, {
    hint: 'name a directory that holds packages as NAME/VERSION/, the way pkgbuild makes it',
  });
}

const notYet = (word: string, what: string) =>
  new Fault('USAGE', `${quote(word)} is ${what}, from which packages cannot be taken yet`, {
    hint: 'name a directory with -d DIR',
  });

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
