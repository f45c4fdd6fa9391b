import { appendFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Fault } from '../builder/fault.ts';
import type { Produced, ProduceSetting } from '../src/build/produce.ts';
import { runGraph } from '../src/build/run-graph.ts';
import { openRepository } from '../src/package/repository.ts';
import { findRecipe } from '../src/source/recipe.ts';
import { workIn } from './check-tools.ts';
import { repositories, type Step, steps } from './stages.ts';
import { placeOf, planStep, type StepOptions } from './step.ts';

/** Where checks publish; nothing is taken from there. */
const aside = 'checked_packages';

/** The compiler of stage 3, built once more by itself, is the same bytes. */
export async function checkItself(options: StepOptions, setting: ProduceSetting): Promise<string> {
  const { stage3 } = repositories;
  const step = { ...lastOf('gcc'), shelf: aside, from: [stage3], sources: ['gcc'] };
  await sameBytes([step], options, setting, stage3);
  return 'gcc of stage 3, built by itself, is the same bytes';
}

/** Stage 1 is the same bytes when another compiler, clang, makes stage 0. */
export async function checkCompiler(options: StepOptions, setting: ProduceSetting): Promise<string> {
  const chosen = steps.filter(({ stage }) => stage <= 1);
  const count = await sameBytes(chosen, { ...options, cc: 'clang' }, setting, repositories.stage2);
  return `${count} packages of stage 1 are the same bytes when clang makes stage 0`;
}

/** After a change to a recipe that changes nothing of what comes out, only that is built again. */
export async function checkCutoff(options: StepOptions, setting: ProduceSetting): Promise<string> {
  const { root } = options;
  const changed = 'zlib';
  const last = lastOf(changed);
  const place = mkdtempSync(`${workIn(setting.cache)}recipes-`);
  try {
    cpSync(join(root, last.recipes), place, { recursive: true });
    const { directory } = findRecipe(changed, place, root);
    appendFileSync(join(directory, 'build.sh'), '# Changed by a check.\n');
    const step = { ...last, shelf: aside, from: [repositories.stage3], recipes: relative(root, place) };
    const produced = await rebuild([step], options, setting);
    const built = [...produced].flatMap(([name, { how }]) => (how === 'built' ? [name] : []));
    if (built.length !== 1 || built[0]?.split(' ')[0] !== changed)
      throw new Fault('INTEGRITY', `a comment in the recipe of ${changed}: built again: ${built.join(', ')}`);
    return `a comment in the recipe of ${changed}: of ${produced.size} sources it alone is built again`;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function lastOf(source: string): Step {
  const found = steps.findLast((step) => step.sources.includes(source));
  if (found) return found;
  throw new Error(`no step builds ${source}`);
}

/**
 * Builds steps anew and compares what comes out of the last with the repository `expected`. Gives how many packages
 * are the same; throws INTEGRITY naming those that are not.
 */
async function sameBytes(
  chosen: readonly Step[],
  options: StepOptions,
  setting: ProduceSetting,
  expected: string,
): Promise<number> {
  const repository = openRepository(placeOf(options.root, expected));
  const produced = await rebuild(chosen, options, setting);
  const packages = [...produced.values()].flatMap((each) => each.packages);
  const wrong = packages.filter(
    ({ name, version, record }) =>
      repository.record(name, version).layer?.diffID !== record.layer?.diffID || !record.layer,
  );
  if (wrong.length === 0) return packages.length;
  const names = wrong.map(({ name, version }) => `${name} ${version}`);
  throw new Fault('INTEGRITY', `other bytes: ${names.join(', ')}`);
}

/**
 * Builds steps into repositories of their own; what is in the cache of builds is taken from there, so that a check
 * that was cut off goes on where it was. Gives what came of the last step.
 */
async function rebuild(
  chosen: readonly Step[],
  options: StepOptions,
  setting: ProduceSetting,
): Promise<ReadonlyMap<string, Produced>> {
  const place = mkdtempSync(`${workIn(setting.cache)}verify-`);
  try {
    let last: ReadonlyMap<string, Produced> = new Map();
    for (const [at, step] of chosen.entries()) {
      const made = new Set(chosen.slice(0, at + 1).map(({ shelf }) => shelf));
      const places = (name: string): string =>
        made.has(name) ? join(place, name) : placeOf(options.root, name);
      const planned = await planStep(step, { ...options, places }, setting);
      const { produced } = await runGraph(planned.graph, setting, {
        ...planned.options,
        slots: options.jobs,
        jobs: options.jobs,
        weights: planned.weights,
        listen: () => undefined,
      });
      last = produced;
    }
    return last;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
