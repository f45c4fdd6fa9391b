import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Fault } from '../../builder/fault.ts';
import { candidateOf } from '../package/candidate.ts';
import { parseRequest } from '../package/relation.ts';
import type { Relation } from '../package/constraint.ts';
import type { FinishedPackage } from '../package/incoming.ts';
import type { Repository } from '../package/repository.ts';
import type { ChosenPackage } from '../run/chosen.ts';
import type { Call } from '../run/command.ts';
import { choose } from '../solve/choose.ts';
import type { Wish } from '../solve/universe.ts';
import type { BuildRequest, BuildSetting, Taking } from './build.ts';
import { explain } from './failure.ts';
import { failedPaths } from './failed.ts';
import { placeInputs } from './place.ts';
import { prospects } from './prospect.ts';
import { type BuildRoot, hostBuildRoot, packageBuildRoot } from './root.ts';
import { runScript, scriptCall } from './script.ts';
import { withWorkplace } from './workplace.ts';

const run = promisify(execFile);

/** The script of a recipe that tries what was built; a recipe need not have one. */
export const testScript = 'test.sh';

export type TestRequest = Pick<BuildRequest, 'recipe' | 'version' | 'output' | 'jobs'> & {
  /** What was built, as it is going to be published. */
  readonly packages: readonly FinishedPackage[];
  readonly view: 'host' | 'packages';
  /** Where what the packages and the test depend on is taken from. */
  readonly repositories: readonly Repository[];
  /** The cache of profiles. */
  readonly profiles: string;
};

/**
 * Runs the recipe's test in a fresh root of what was built, what that needs to run, and `Depends-Test`; in a work
 * directory with the files of the recipe, with a network of its own that has a loopback. In the view of this machine
 * its programs stand in for all but what was built. Throws BUILD where it fails; UNSATISFIABLE where there is no such
 * root; and as scripts do.
 */
export async function testPackages(
  request: TestRequest,
  setting: BuildSetting,
  { log }: Pick<Taking, 'log'>,
): Promise<void> {
  const { recipe, version, packages } = request;
  if (!recipe.files.some(({ path }) => path === testScript)) return;
  const { name } = recipe.control;
  const root = rootOf(request);
  setting.listen({ event: 'phase', phase: 'test' });
  await withWorkplace({ ...setting, directory: undefined, name, version }, async (place) => {
    const script = { ...request, phase: 'test' as const, root, work: place.path };
    const call = scriptCall(script, setting);
    try {
      placeInputs(place.path, recipe.files, []);
      await runScript(script, call, setting, {
        log,
        heard: (chunk) => setting.listen({ event: 'output', chunk }),
        spent: () => undefined,
      });
    } catch (error) {
      const scene = { name, version, phase: 'test', place, log, call };
      throw await explain(error, scene, setting, (kept) => keepTrees(kept, packages, setting.cache, request));
    }
  });
}

function rootOf(request: TestRequest): BuildRoot {
  const { view, profiles } = request;
  if (view === 'packages') return packageBuildRoot(profiles, chosenFor(request, true));
  try {
    return hostBuildRoot(profiles, chosenFor(request, false));
  } catch (error) {
    // What is not there yet, as on a machine that builds its first packages, is the machine's.
    if (!(error instanceof Fault) || error.code !== 'UNSATISFIABLE') throw error;
    return hostBuildRoot(profiles, request.packages);
  }
}

function chosenFor(
  { recipe, packages, repositories }: TestRequest,
  others: boolean,
): readonly ChosenPackage[] {
  const { name, dependsTest } = recipe.control;
  const made = packages.map((each) =>
    wish(parseRequest(`${each.name}=${each.version}`), `the test of ${name}`),
  );
  const tools = dependsTest.map((relation) => wish(relation, `Depends-Test of ${name}`));
  return choose([repositoryOf(packages), ...repositories], [...made, ...(others ? tools : [])]);
}

const wish = (relation: Relation, from: string): Wish => ({ ...relation, from });

/** What was built, before it is published. */
function repositoryOf(packages: readonly FinishedPackage[]): Repository {
  const find = (name: string, version: string): FinishedPackage => {
    const found = packages.find((each) => each.name === name && each.version === version);
    if (!found) throw new Error(`${name} ${version} was not built`);
    return found;
  };
  return {
    ...prospects(packages.map(({ record }) => candidateOf(record.control))),
    record: (name, version) => find(name, version).record,
    tree: (name, version) => find(name, version).tree,
  };
}

/** For a shell in the root of a test that failed: what was built is in no repository, and goes with its staging. */
async function keepTrees(
  call: Call,
  packages: readonly FinishedPackage[],
  cache: string,
  { recipe, version }: TestRequest,
): Promise<Call> {
  const kept = failedPaths(cache, { name: recipe.control.name, version }).packages;
  mkdirSync(kept, { recursive: true });
  const places = new Map(packages.map(({ name, tree }) => [tree, join(kept, name)]));
  for (const [tree, to] of places) await run('cp', ['-a', tree, to]);
  const binds = call.root.binds.map((bind) => ({ ...bind, source: places.get(bind.source) ?? bind.source }));
  return { ...call, root: { ...call.root, binds } };
}
