import { renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Buffer } from 'node:buffer';
import type { Digest } from '../../builder/digest.ts';
import { Fault } from '../../builder/fault.ts';
import { treeDigest } from '../package/tree-digest.ts';
import type { ChosenPackage } from '../run/chosen.ts';
import { build } from './build.ts';
import { withCheckPlaces } from './check-places.ts';
import { type Circumstances, findCircumstances } from './circumstances.ts';
import { readOutput } from './collection.ts';
import { labelOf } from './failed.ts';
import { type PackedPackage, pack } from './pack.ts';
import type { Plan } from './plan.ts';
import { type ProduceEvent, type ProduceRequest, type ProduceSetting } from './produce.ts';
import { rootsOf } from './root.ts';
import { JobPool } from './job-pool.ts';
import { removeTree } from './remove.ts';
import { compareTrees, type TreeDifference } from './tree-difference.ts';

/** A package that was built once more. */
export type CheckedPackage = {
  readonly name: string;
  readonly version: string;
  /** Of what is in the repository, and of what came out now. */
  readonly recorded: Digest;
  readonly built: Digest;
  /** None if both are the same. */
  readonly differences: readonly TreeDifference[];
};

export type Checked = {
  readonly packages: readonly CheckedPackage[];
  readonly circumstances: Circumstances;
  readonly log: string;
  /** Where the trees are that came out otherwise. */
  readonly kept: string | undefined;
};

export type CheckRequest = Pick<
  ProduceRequest,
  'recipe' | 'version' | 'machine' | 'distfiles' | 'shelf' | 'output'
>;

/** The program that changes circumstances is told of here. */
export type CheckSetting = ProduceSetting & { readonly vary: string };

/** Sources grow when they are unpacked, and again when they are compiled. */
const growth = 60;

/** Another number than anybody takes. */
const jobs = 3;

/**
 * Builds a recipe once more where everything is other that its build key leaves out, and compares what comes out
 * with what is on the shelf, byte by byte. Nothing is published. Throws NOT_FOUND for a package that is not there
 * yet, and what {@link build} throws.
 */
export async function checkBuild(
  request: CheckRequest,
  setting: CheckSetting,
  plan: Plan,
  listen: (event: ProduceEvent) => void,
): Promise<Checked> {
  const { recipe, version, machine, output } = request;
  const label = labelOf({ name: recipe.control.name, version });
  const there = shelved(request);
  await plan.bring?.();
  const distfiles = await setting.fetch(request.distfiles, recipe.control.sources);
  const size = distfiles.reduce((sum, path) => sum + statSync(path).size, 1 << 20);
  const circumstances = findCircumstances({
    program: setting.vary,
    usual: setting.cache,
    room: size * growth,
    host: plan.views.build === 'host' || plan.views.unpack === 'host',
  });
  const { caller, place, owner } = circumstances;
  const kept = join(setting.cache, `${label}.check`);
  await removeTree(kept);
  return await withCheckPlaces(setting.cache, label, place, async ({ staging, works }) => {
    const { result = [], log } = await build(
      {
        version,
        output,
        jobs,
        pool: new JobPool(jobs),
        unpack: true,
        build: true,
        work: undefined,
        recipe: { ...recipe, files: recipe.files.toReversed() },
        roots: rootsOf(plan, setting.profiles),
        distfiles: distfiles.toReversed(),
      },
      {
        ...setting,
        cache: works,
        logKind: '.check',
        keep: 'never',
        caller,
        machines: plan.machines,
        listen,
        ...(owner ? { owner } : {}),
      },
      ({ work, tell }) => {
        listen({ event: 'phase', phase: 'pack' });
        const { collector, signal } = setting;
        const common = { source: recipe.control, version, architecture: machine.name };
        return pack(work, output, { ...common, staging, collector, tell, signal });
      },
    );
    const packages: CheckedPackage[] = [];
    for (const each of result) packages.push(await compare(each, there, setting.collector));
    const differs = packages.some(({ differences }) => differences.length > 0);
    if (differs) renameSync(staging, kept);
    return { packages, circumstances, log, kept: differs ? kept : undefined };
  });
}

function shelved({ recipe, version, shelf }: CheckRequest): ReadonlyMap<string, ChosenPackage> {
  return new Map(
    recipe.control.packages.map(({ name }) => {
      const found = shelf.find(name, version);
      if (found) return [name, found];
      throw new Fault(
        'NOT_FOUND',
        `${name} ${version} is not in ${shelf.directory}: there is nothing to check`,
        {
          hint: 'build it first; -r names the repository that has it',
        },
      );
    }),
  );
}

async function compare(
  made: PackedPackage,
  there: ReadonlyMap<string, ChosenPackage>,
  program: string,
): Promise<CheckedPackage> {
  const { name, version, tree, control } = made;
  const old = there.get(name);
  if (!old) throw new Error(`${name} was not looked for`);
  const digest = (at: string, text: string): Digest => treeDigest(at, name, version, text).digest;
  const built = digest(tree, control);
  const recorded = old.record.layer?.diffID ?? digest(old.tree, old.record.control);
  if (built === recorded) return { name, version, recorded, built, differences: [] };
  const read = async (directory: string) => {
    const { trees } = await readOutput({ program, directory, output: '.', trees: [{ path: '.' }] });
    return { tree: directory, content: trees.get('.') ?? { entries: [], traits: [] } };
  };
  const differences = await compareTrees(await read(old.tree), await read(tree));
  // Trees that are the same and layers that are not: the tree is not what its record says.
  const all = differences.length > 0 ? differences : [edited];
  return { name, version, recorded, built, differences: all };
}

const edited: TreeDifference = {
  path: Buffer.from('.'),
  what: 'is the same, but not what its record tells of: pkgimage check --trees looks into that',
};
