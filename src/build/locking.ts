import { Fault } from '../../builder/fault.ts';
import type { Machine } from '../package/architecture.ts';
import type { Repository } from '../package/repository.ts';
import { choose } from '../solve/choose.ts';
import type { Locked } from '../solve/universe.ts';
import { type BuildLock, type LockedBuild, type LockedPackage, lockKey, recipeDigest } from './build-lock.ts';
import type { GraphOptions, Job, Node } from './graph.ts';
import { readInputs } from './input.ts';
import { isTainted, type Plan } from './plan.ts';
import type { ProduceSetting } from './produce.ts';
import type { BuiltPackage } from './results.ts';
import type { RunOptions } from './run-graph.ts';

/** How a graph goes by `packages/build.lock`: options of {@link planGraph} and of {@link runGraph}. */
export type Locking = {
  readonly locked: NonNullable<GraphOptions['locked']>;
  readonly accept: NonNullable<RunOptions['accept']>;
};

/** The line that says that the lock was not used for a build, and why. */
type Note = (node: Node, why: string) => void;

/**
 * Roots are made of the locked packages, and what comes out must be what is expected: other bytes are an INTEGRITY
 * fault that names the package, because that every build is a check of ours is worth nothing if it can be
 * overlooked. The result stays in the cache, and `--update` or `--no-lock` takes it. Expectations are not held
 * against a build that is not the one they are of: of another recipe, of other inputs, or with code of a
 * machine's compiler in its root; `note` hears of it.
 */
export function lockingBy(lock: BuildLock, machine: Machine, note: Note): Locking {
  const find = (job: Pick<Job, 'recipe' | 'version'>) =>
    lock.get(lockKey({ source: job.recipe.control.name, version: job.version, architecture: machine.name }));
  return {
    locked(job) {
      const entry = find(job);
      return entry && job.method.view === 'packages'
        ? { unpack: versionsOf(entry.unpack), build: versionsOf(entry.build) }
        : {};
    },
    accept(node, plan, packages, origin) {
      const entry = find(node);
      if (!entry) return;
      const why = inapplicable(entry, node, plan, origin);
      if (why === undefined) checkOutputs(entry, packages);
      else note(node, why);
    },
  };
}

const versionsOf = (list: readonly LockedPackage[] = []): Locked =>
  new Map(list.map(({ name, version }) => [name, version]));

/** Why a build is not the one that the lock speaks of, if it is not. */
function inapplicable(
  entry: LockedBuild,
  node: Node,
  plan: Plan,
  origin: Plan['origin'],
): string | undefined {
  if (isTainted(origin)) {
    const host = [...plan.unpack, ...plan.build].find(({ record }) => isTainted(record.origin));
    const from = host ? `${host.name} ${host.version} in its root` : 'its compiler';
    return `${from} is of a machine (Origin: ${host?.record.origin ?? 'host'})`;
  }
  if (entry.recipe !== recipeDigest(node)) return 'its recipe is another';
  return otherInput(entry.unpack, plan.unpack) ?? otherInput(entry.build, plan.build);
}

function otherInput(locked: readonly LockedPackage[] | undefined, chosen: Plan['build']): string | undefined {
  if (!locked) return undefined;
  for (const { name, version, diffID } of locked) {
    const found = chosen.find((each) => each.name === name);
    if (found?.version !== version) return `it is locked with ${name} ${version}`;
    if (found.record.layer?.diffID !== diffID)
      return `${name} ${version} has other bytes than the locked one`;
  }
  const more = chosen.find(({ name }) => !locked.some((each) => each.name === name));
  return more && `it is locked without ${more.name}`;
}

function checkOutputs({ outputs }: LockedBuild, packages: readonly BuiltPackage[]): void {
  for (const { name, version, record } of packages) {
    const expected = outputs.find((each) => each.name === name && each.version === version);
    if (expected && expected.diffID === record.layer?.diffID) continue;
    const found = record.layer?.diffID ?? 'something without a layer';
    throw new Fault(
      'INTEGRITY',
      `${name} ${version} came out as ${found}, and packages/build.lock expects ${expected?.diffID ?? 'no such package'}`,
      {
        hint: 'pkgbuild --update writes down what came out, --no-lock takes it as it is',
      },
    );
  }
}

/** Nothing where the test could not be run, because what it depends on is not there. */
async function testList(
  choosing: () => Promise<readonly LockedPackage[]>,
): Promise<Pick<LockedBuild, 'test'>> {
  try {
    return { test: await choosing() };
  } catch (error) {
    if (error instanceof Fault && error.code === 'UNSATISFIABLE') return {};
    throw error;
  }
}

/** What the lock is to say of a build from now on; nothing of one with code of a machine's compiler in it. */
export async function lockEntry(
  node: Node,
  plan: Plan,
  packages: readonly BuiltPackage[],
  { machine, repositories, workshops }: LockEntryOptions,
): Promise<LockedBuild | undefined> {
  if (isTainted(plan.origin)) return undefined;
  const { control } = node.recipe;
  const list = async (chosen: Plan['build']) =>
    (await readInputs(chosen, workshops)).map(({ name, version, diffID }) => ({ name, version, diffID }));
  const roots =
    plan.views.build === 'packages'
      ? {
          unpack: await list(plan.unpack),
          build: await list(plan.build),
          ...(await testList(() => list(choose(repositories, control.dependsTest)))),
        }
      : {};
  return {
    source: control.name,
    version: node.version,
    architecture: machine.name,
    recipe: recipeDigest(node),
    ...roots,
    outputs: packages.flatMap(({ name, version, record }) =>
      record.layer ? [{ name, version, diffID: record.layer.diffID }] : [],
    ),
  };
}

export type LockEntryOptions = Pick<ProduceSetting, 'workshops'> & {
  readonly machine: Machine;
  /** What `Depends-Test` is taken from. */
  readonly repositories: readonly Repository[];
};
