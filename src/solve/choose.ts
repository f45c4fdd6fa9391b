import type { PackageRecord } from '../package/record.ts';
import type { Repository } from '../package/repository.ts';
import { solve } from './solve.ts';
import { unite, type United } from './unite.ts';
import type { Package, Preferences, Wish } from './universe.ts';
import { Unsatisfiable } from './unsatisfiable.ts';

/** A package of the answer: where its tree is, what is known about it, and which repository it is from. */
export type Chosen = {
  readonly name: string;
  readonly version: string;
  readonly tree: string;
  readonly record: PackageRecord;
  readonly repository: Repository;
};

/**
 * The packages of the repositories that meet the wishes, breadth first from these. Before it says that there
 * are none, every index is compared with every package. Throws as {@link solve} and repositories do.
 */
export function resolve(
  repositories: readonly Repository[],
  wishes: readonly Wish[],
  preferences: Preferences = {},
): readonly (Package & { readonly repository: Repository })[] {
  const universe = unite(repositories);
  return solveIn(universe, repositories, wishes, preferences).map(({ name, version }) => {
    const repository = universe.home(name, version);
    if (!repository) throw new Error(`${name} ${version} is in no repository`);
    return { name, version, repository };
  });
}

function solveIn(
  universe: United,
  repositories: readonly Repository[],
  wishes: readonly Wish[],
  preferences: Preferences,
): readonly Package[] {
  try {
    return solve(universe, wishes, preferences);
  } catch (error) {
    if (!(error instanceof Unsatisfiable)) throw error;
    if (repositories.filter((repository) => repository.recheck()).length === 0) throw error;
    return solve(universe, wishes, preferences);
  }
}

/** The same, with all that is known about each, sorted by name: a function of the set, not of the request's order. */
export const choose = (
  repositories: readonly Repository[],
  wishes: readonly Wish[],
  preferences: Preferences = {},
): readonly Chosen[] =>
  resolve(repositories, wishes, preferences)
    .map(({ name, version, repository }) => ({
      name,
      version,
      tree: repository.tree(name, version),
      record: repository.record(name, version),
      repository,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
