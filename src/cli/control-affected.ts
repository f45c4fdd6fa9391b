import { quote } from '../package/name.ts';
import { compareVersionsTotally } from '../package/version.ts';
import type { PackageRecord } from '../package/record.ts';
import type { Repository } from '../package/repository.ts';
import { complain, type Context, print } from './context.ts';
import { usage } from './option-value.ts';
import { openRepositories } from './repositories.ts';

/** A program that has a member of an archive in it. */
type Hit = {
  readonly name: string;
  readonly version: string;
  readonly program: string;
  readonly archive: string;
  readonly members: readonly string[];
};

/**
 * Prints the programs of all packages that have members of a library's archives in them, as their linkers told;
 * all members where none is named. Says of which packages nothing is known, as these may have it, too. 1 if there is
 * none that has it.
 */
export async function printAffected(
  library: string,
  members: readonly string[],
  directories: readonly string[],
  json: boolean,
  context: Context,
): Promise<number> {
  const repositories = await openRepositories(directories, context);
  const hits: Hit[] = [];
  const unknown = new Set<string>();
  for (const [name, version, repository] of packagesOf(repositories)) {
    const record = repository.record(name, version);
    const { found, whole } = look(record, library, members);
    for (const hit of found) hits.push({ name, version, ...hit });
    if (!whole) unknown.add(`${name} ${version}`);
  }
  if (json) print(`${JSON.stringify({ affected: hits, unknown: [...unknown] })}\n`);
  else {
    for (const { name, version, program, archive, members: which } of hits)
      print(`${name} ${version} ${program}: ${archive}(${which.join(' ')})\n`);
  }
  if (unknown.size > 0 && !json) {
    complain(`${context.tool}: nothing is known of programs of ${[...unknown].join(', ')}\n`);
  }
  return hits.length > 0 ? 0 : 1;
}

function* packagesOf(repositories: readonly Repository[]): Generator<readonly [string, string, Repository]> {
  for (const repository of repositories) {
    for (const name of repository.names()) {
      for (const version of [...repository.versions(name)].sort(compareVersionsTotally))
        yield [name, version, repository];
    }
  }
}

/** `whole`: of every program it is known what is in it. */
function look(
  { linked, links }: PackageRecord,
  library: string,
  members: readonly string[],
): { readonly found: readonly Omit<Hit, 'name' | 'version'>[]; readonly whole: boolean } {
  if (!linked)
    return { found: [], whole: !links.some(({ path, type }) => type === 'file' && path.startsWith('bin/')) };
  const found = Object.entries(linked).flatMap(([program, archives]) =>
    Object.entries(archives).flatMap(([archive, all]) => {
      if (!archive.startsWith(`${library}/`)) return [];
      const which =
        members.length === 0 ? all : all.filter((member) => members.some((word) => isCalled(member, word)));
      return which.length > 0 ? [{ program, archive, members: which }] : [];
    }),
  );
  return { found, whole: Object.values(linked).every((archives) => Object.keys(archives).length > 0) };
}

/** `iconv.lo` by that name, and as `iconv` or `iconv.o`. */
const isCalled = (member: string, word: string): boolean => member === word || stem(member) === stem(word);

const stem = (name: string): string => name.replace(/\.l?o$/, '');

/** Throws USAGE for a library that is no word. */
export function checkAffected(library: string): void {
  if (!/^[a-z0-9][a-z0-9+.-]*$/.test(library))
    throw usage(
      `--affected ${quote(library)} is no package`,
      'name the package of the library: --affected musl iconv.lo',
    );
}
