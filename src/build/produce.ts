import { Fault } from '../../builder/fault.ts';
import type { Machine } from '../package/architecture.ts';
import type { Relation } from '../package/constraint.ts';
import { scanLinks } from '../package/links.ts';
import { quote } from '../package/name.ts';
import type { PackageRecord } from '../package/record.ts';
import type { ChosenPackage } from '../run/chosen.ts';
import { type Distfile, selectDistfiles } from '../source/distfile.ts';
import type { Recipe } from '../source/recipe.ts';
import { build, type BuildSetting } from './build.ts';
import type { HostCompiler } from './compiler.ts';
import { buildKey } from './key.ts';
import { pack } from './pack.ts';
import { hostBuildRoot } from './root.ts';
import type { Shelf } from './shelf.ts';

/** What is to be made of a recipe, and where it goes. */
export type ProduceRequest = {
  readonly recipe: Recipe;
  readonly version: string;
  readonly unpack: boolean;
  readonly build: boolean;
  /** Whether packages are made of what was built; the last step of all. */
  readonly pack: boolean;
  readonly work: string | undefined;
  readonly output: string;
  readonly jobs: number;
  /** The list of source archives. */
  readonly distfiles: ReadonlyMap<string, Distfile>;
  /** Where packages are published, and where those come from that the build needs. */
  readonly shelf: Shelf;
};

export type ProduceSetting = Omit<BuildSetting, 'listen' | 'machines'> & {
  /** The cache of profiles. */
  readonly profiles: string;
  /** That packages are for. */
  readonly machine: Machine;
  readonly compiler: HostCompiler;
  /** Brings distfiles and gives their paths. */
  readonly fetch: (list: ReadonlyMap<string, Distfile>, names: readonly string[]) => Promise<string[]>;
};

/** What came of a request. */
export type Produced = {
  /** As they were published; none if the request ends before. */
  readonly packages: readonly {
    readonly name: string;
    readonly version: string;
    readonly tree: string;
    /** Of its files. */
    readonly bytes: number;
  }[];
  readonly log: string;
};

/**
 * The one build dependency that no machine has: in the host view, its own programs stand in for all the others.
 */
const hostLibrary = 'musl';

/** What a build in the host view depends on; made before anything is fetched or built. */
export type Plan = { readonly packages: readonly ChosenPackage[]; readonly key: string };

/**
 * Says what would be in the root of a build, and its key. Throws UNSATISFIABLE if what it needs is not on the
 * shelf, NOT_FOUND for a source archive that is not listed.
 */
export function planHostBuild(request: ProduceRequest, setting: ProduceSetting): Plan {
  const { recipe, version, distfiles, shelf } = request;
  const { control } = recipe;
  const needed = control.dependsBuild.find((relation) => names(relation).includes(hostLibrary));
  const packages = needed ? [library(needed, recipe, shelf)] : [];
  const key = buildKey({
    recipe,
    version,
    distfiles: selectDistfiles(distfiles, control.sources),
    packages: packages.map((each) => ({
      name: each.name,
      version: each.version,
      key: each.record.buildKey ?? each.record.origin ?? '',
    })),
    machines: machinesOf(setting),
    compiler: setting.compiler.identity,
  });
  return { packages, key };
}

/** Whether every package of the recipe is on the shelf as this very build would make it. */
export const isBuilt = ({ recipe, version, shelf }: ProduceRequest, { key }: Plan): boolean =>
  recipe.control.packages.every(({ name }) => shelf.find(name, version)?.record.buildKey === key);

/**
 * Builds a recipe in the host view and publishes its packages on the shelf, all of them or none. Throws what {@link build}, {@link pack} and publishing throw.
 */
export async function produce(
  request: ProduceRequest,
  setting: ProduceSetting,
  { packages, key }: Plan,
  listen: BuildSetting['listen'],
): Promise<Produced> {
  const { recipe, distfiles, shelf } = request;
  const { control } = recipe;
  const paths = request.unpack ? await setting.fetch(distfiles, control.sources) : [];
  const root = hostBuildRoot(setting.profiles, packages);
  const guarded = [...setting.guarded, shelf.directory];
  const take = async (work: string): Promise<Produced['packages']> => {
    if (!request.pack) return [];
    listen({ event: 'phase', phase: 'pack' });
    const sizes = new Map<string, number>();
    const published = await shelf.put((staging) =>
      pack(work, request.output, {
        source: control,
        version: request.version,
        architecture: setting.machine.name,
        staging,
      }).map(({ name, version, tree, control: text, bytes }) => {
        sizes.set(name, bytes);
        const record: PackageRecord = {
          format: 1,
          control: text,
          origin: 'host',
          source: { name: control.name, version: control.version },
          buildKey: key,
          builtFrom: packages.map((each) => ({ name: each.name, version: each.version })),
          links: scanLinks(tree, text),
        };
        return { name, version, tree, record };
      }),
    );
    return published.map(({ name, version, tree }) => ({ name, version, tree, bytes: sizes.get(name) ?? 0 }));
  };
  const { result, log } = await build(
    { ...request, root, distfiles: paths },
    { ...setting, guarded, machines: machinesOf(setting), listen },
    take,
  );
  return { packages: result, log };
}

const names = ({ alternatives }: Relation): string[] => alternatives.map(({ name }) => name);

function library(relation: Relation, recipe: Recipe, shelf: Shelf): ChosenPackage {
  const found = shelf.newest(relation);
  if (found) return found;
  const { control } = recipe;
  throw new Fault(
    'UNSATISFIABLE',
    `${control.name} is built with ${quote(relation.text)}, which ${quote(shelf.directory)} does not have`,
    {
      hint: `build it first: pkgbuild --repository ${quote(shelf.directory)} ${hostLibrary}; or name another repository`,
    },
  );
}

const machinesOf = ({ machine, compiler }: ProduceSetting) => ({
  build: compiler.triple,
  host: machine.triple,
  target: machine.triple,
});
