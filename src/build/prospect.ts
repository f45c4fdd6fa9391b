import { candidateOf } from '../package/candidate.ts';
import type { Machine } from '../package/architecture.ts';
import type { Candidate } from '../package/record.ts';
import type { Repository } from '../package/repository.ts';
import { makeBinaryControl } from '../package/source-control.ts';
import type { Recipe } from '../source/recipe.ts';

/** What a recipe makes, before it is made: all that the solver needs is in the recipe. */
export function candidatesOf({ control }: Recipe, version: string, machine: Machine): readonly Candidate[] {
  const identity = { version, architecture: machine.name };
  return control.packages.map((made) =>
    candidateOf(makeBinaryControl(control, made, identity), `the package ${made.name} of ${control.name}`),
  );
}

/** Packages that do not exist yet as a repository, so that a graph can be planned before it is built. */
export function prospects(candidates: readonly Candidate[]): Repository {
  const find = (name: string, version: string): Candidate => {
    const found = candidates.find((each) => each.name === name && each.version === version);
    if (!found) throw new Error(`${name} ${version} is not planned`);
    return found;
  };
  return {
    directory: 'what is going to be built',
    remote: false,
    names: () => [...new Set(candidates.map(({ name }) => name))].sort(),
    versions: (name) => candidates.filter((each) => each.name === name).map(({ version }) => version),
    candidate: find,
    providers: (virtual) =>
      candidates.flatMap(({ name, version, provides }) =>
        provides
          .filter((provided) => provided.name === virtual)
          .map((provided) => ({ name, version, as: provided.version })),
      ),
    record: missing,
    tree: missing,
    recheck: () => false,
    indexed: () => true,
  };
}

function missing(name: string): never {
  throw new Error(`${name} is only planned`);
}

/** A repository without those of its packages that `hidden` names. */
export const without = (
  repository: Repository,
  hidden: (name: string, version: string) => boolean,
): Repository => ({
  ...repository,
  versions: (name) => repository.versions(name).filter((version) => !hidden(name, version)),
  providers: (virtual) => repository.providers(virtual).filter(({ name, version }) => !hidden(name, version)),
});
