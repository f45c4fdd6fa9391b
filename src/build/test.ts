import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Fault } from '../../builder/fault.ts';
import { candidateOf } from '../package/candidate.ts';
import { bring } from '../package/elsewhere.ts';
import type { Repository } from '../package/repository.ts';
import type { ChosenPackage } from '../run/chosen.ts';
import type { Call } from '../run/command.ts';
import { choose } from '../solve/choose.ts';
import type { Recipe } from '../source/recipe.ts';
import { failedPaths } from './failed.ts';
import { explain } from './failure.ts';
import { knownInput } from './input.ts';
import { filesOf, type Key, testKey } from './key.ts';
import { openLog } from './log.ts';
import { placeInputs } from './place.ts';
import type { Work } from './produce.ts';
import { prospects } from './prospect.ts';
import type { BuiltPackage } from './results.ts';
import { hostBuildRoot, packageBuildRoot } from './root.ts';
import { runScript, scriptCall } from './script.ts';
import { hasTest, testWishes } from './test-root.ts';
import { withWorkplace } from './workplace.ts';

const run = promisify(execFile);

/** What was made of the recipe, and where its trees are. */
type TestedPackage = BuiltPackage & { readonly tree: string };

/**
 * Runs the recipe's test, if it is to be run and has not passed before, in a fresh root of what was built, what that
 * needs to run, and `Depends-Test`; in a work directory with the files of the recipe, with a network of its own that
 * has a loopback. In the view of this machine its programs stand in for all but what was built. Throws BUILD where it
 * fails; UNSATISFIABLE where there is no such root; and as scripts do.
 */
export async function testPackages(work: Work, packages: readonly TestedPackage[]): Promise<void> {
  const { request, setting, plan, listen } = work;
  const { recipe, version, output, jobs } = request;
  if (!request.test || !hasTest(recipe)) return;
  const { name } = recipe.control;
  const view = plan.views.build;
  const chosen = await choosePackages(request.test, recipe, packages, view);
  const key = keyOf(work, packages, chosen);
  if (key && setting.results.tested(key.hex)) return;
  const make = view === 'host' ? hostBuildRoot : packageBuildRoot;
  const root = make(setting.profiles, chosen);
  listen({ event: 'phase', phase: 'test' });
  const buildSetting = { ...setting, machines: plan.machines, listen };
  await withWorkplace({ ...setting, directory: undefined, name, version }, async (place) => {
    const log = openLog(setting.logs, name, version, '.test');
    const script = { phase: 'test' as const, recipe, version, output, jobs, root, work: place.path };
    const call = scriptCall(script, buildSetting);
    try {
      placeInputs(place.path, filesOf(recipe, 'test'), []);
      await runScript(script, call, buildSetting, {
        log,
        heard: (chunk) => listen({ event: 'output', chunk }),
        spent: () => undefined,
      });
    } catch (error) {
      const scene = { name, version, phase: 'test', place, log, call };
      throw await explain(error, scene, buildSetting, (kept) =>
        keepTrees(kept, packages, setting.cache, scene),
      );
    } finally {
      log.end();
    }
  });
  if (key) setting.results.keepTested(key);
}

/** Undefined where something in the root is not known by its content: then it is tested whenever it is wanted. */
function keyOf(
  { request, plan }: Work,
  packages: readonly TestedPackage[],
  chosen: readonly ChosenPackage[],
): Key | undefined {
  const { recipe, version, output } = request;
  const view = plan.views.build;
  const [outputs, inputs] = [known(packages), known(chosen)];
  if (view === 'host' || outputs.length < packages.length || inputs.length < chosen.length) return undefined;
  return testKey({ recipe, version, output, view, machines: plan.machines }, outputs, inputs);
}

const known = (of: readonly ChosenPackage[]) => of.map(knownInput).filter((each) => each !== undefined);

async function choosePackages(
  repositories: readonly Repository[],
  { control }: Recipe,
  packages: readonly TestedPackage[],
  view: 'host' | 'packages',
): Promise<readonly ChosenPackage[]> {
  try {
    const wishes = testWishes(view === 'host' ? { ...control, dependsTest: [] } : control, packages);
    const chosen = choose([repositoryOf(packages), ...repositories], wishes, { option: '-p' });
    await bring(chosen, 'tree');
    return chosen;
  } catch (error) {
    // What is not there yet, as on a machine that builds its first packages, is the machine's.
    if (view === 'host' && error instanceof Fault && error.code === 'UNSATISFIABLE') return packages;
    throw error;
  }
}

/** What was built, before it is published. */
function repositoryOf(packages: readonly TestedPackage[]): Repository {
  const find = (name: string, version: string): TestedPackage => {
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
  packages: readonly TestedPackage[],
  cache: string,
  which: Parameters<typeof failedPaths>[1],
): Promise<Call> {
  const kept = failedPaths(cache, which).packages;
  mkdirSync(kept, { recursive: true });
  const places = new Map(packages.map(({ name, tree }) => [tree, join(kept, name)]));
  for (const [tree, to] of places) await run('cp', ['-a', tree, to]);
  const binds = call.root.binds.map(({ source, target }) => ({
    source: places.get(source) ?? source,
    target,
  }));
  return { ...call, root: { ...call.root, binds } };
}
