import { Fault } from '../../builder/fault.ts';
import type { Machine } from '../package/architecture.ts';
import type { Relation } from '../package/constraint.ts';
import { quote } from '../package/name.ts';
import type { Origin } from '../package/record.ts';
import type { Repository } from '../package/repository.ts';
import type { ChosenPackage } from '../run/chosen.ts';
import { choose } from '../solve/choose.ts';
import { type Distfile, selectDistfiles } from '../source/distfile.ts';
import type { Recipe } from '../source/recipe.ts';
import type { HostCompiler } from './compiler.ts';
import { buildKey } from './key.ts';
import type { Shelf } from './shelf.ts';
import type { Machines } from './variables.ts';

/** What of a recipe is to be built. */
export type PlanRequest = {
  readonly recipe: Recipe;
  /** With `-v` and `-V` applied. */
  readonly version: string;
  /** The list of source archives. */
  readonly distfiles: ReadonlyMap<string, Distfile>;
  /** That packages are for. */
  readonly machine: Machine;
};

/** Where a build is to run, decided before anything is fetched or built. */
export type Plan = {
  /** In the view of this machine, or in roots of packages alone. */
  readonly view: 'host' | 'packages';
  readonly unpack: readonly ChosenPackage[];
  readonly build: readonly ChosenPackage[];
  readonly machines: Machines;
  /** Of what comes out. */
  readonly origin: Origin | undefined;
  /** The build key, see {@link buildKey}. */
  readonly key: string;
};

/** The build dependency that no machine has; for all others its own programs stand in. */
const hostLibrary = 'musl';

/**
 * A build in the host view. Throws UNSATISFIABLE if musl is needed and not on the shelf, NOT_FOUND for a source
 * archive that is not listed.
 */
export function planHostBuild(request: PlanRequest, shelf: Shelf, { triple, identity }: HostCompiler): Plan {
  const { control } = request.recipe;
  const needed = control.dependsBuild.find(({ alternatives }) =>
    alternatives.some(({ name }) => name === hostLibrary),
  );
  const packages = needed ? [library(needed, control.name, shelf)] : [];
  const machines = machinesOf(request.machine, triple);
  const key = keyOf(request, machines, { unpack: packages, build: packages }, identity);
  return { view: 'host', unpack: packages, build: packages, machines, origin: 'host', key };
}

/**
 * A build in roots of packages: of `Depends-Unpack`, then of `Depends-Build`, and what these need to run. Throws
 * {@link Unsatisfiable} where there is no such root, NOT_FOUND for a source archive that is not listed.
 */
export function planRootBuild(request: PlanRequest, repositories: readonly Repository[]): Plan {
  const { control } = request.recipe;
  const root = (field: string, relations: readonly Relation[]) =>
    choose(
      repositories,
      relations.map((relation) => ({ ...relation, from: `${field} of ${control.name}` })),
    );
  const unpack = root('Depends-Unpack', control.dependsUnpack);
  const build = root('Depends-Build', control.dependsBuild);
  const machines = machinesOf(request.machine, request.machine.triple);
  const tainted = [...unpack, ...build].some(
    ({ record }) => record.origin === 'host' || record.origin === 'unknown',
  );
  const key = keyOf(request, machines, { unpack, build }, undefined);
  return { view: 'packages', unpack, build, machines, origin: tainted ? 'host' : undefined, key };
}

/** Whether every package of the recipe is on the shelf as this very build would make it. */
export const isBuilt = ({ recipe, version }: PlanRequest, { key }: Plan, shelf: Shelf): boolean =>
  recipe.control.packages.every(({ name }) => shelf.find(name, version)?.record.buildKey === key);

function library(relation: Relation, name: string, shelf: Shelf): ChosenPackage {
  const found = shelf.newest(relation);
  if (found) return found;
  const { directory } = shelf;
  throw new Fault(
    'UNSATISFIABLE',
    `${name} is built with ${quote(relation.text)}, which ${quote(directory)} does not have`,
    {
      hint: `build it first: pkgbuild --repository ${quote(directory)} ${hostLibrary}; or name another repository`,
    },
  );
}

const machinesOf = ({ triple }: Machine, build: string): Machines => ({
  build,
  host: triple,
  target: triple,
});

function keyOf(
  { recipe, version, distfiles }: PlanRequest,
  machines: Machines,
  roots: Pick<Plan, 'unpack' | 'build'>,
  compiler: string | undefined,
): string {
  return buildKey({
    recipe,
    version,
    distfiles: selectDistfiles(distfiles, recipe.control.sources),
    unpack: keyed(roots.unpack),
    build: keyed(roots.build),
    machines,
    compiler,
  });
}

const keyed = (packages: readonly ChosenPackage[]) =>
  packages.map(({ name, version, record }) => ({
    name,
    version,
    key: record.buildKey ?? record.origin ?? '',
  }));
