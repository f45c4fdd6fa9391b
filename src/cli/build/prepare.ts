import { resolve } from 'node:path';
import { hostCompiler } from '../../build/compiler.ts';
import type { GraphOptions, Job } from '../../build/graph.ts';
import type { ProduceSetting } from '../../build/produce.ts';
import { openShelf } from '../../build/shelf.ts';
import { checkVersion } from '../../package/name.ts';
import { problemText } from '../../package/problem.ts';
import type { Distfile } from '../../source/distfile.ts';
import type { FetchEvent } from '../../source/fetch.ts';
import { readDistfiles, withOwnList } from '../../source/list.ts';
import { findRecipe, type Recipe } from '../../source/recipe.ts';
import { buildSetting, thisMachine } from '../build-setting.ts';
import { complain, type Context } from '../context.ts';
import { openRepositories } from '../repositories.ts';
import type { Locking } from '../../build/locking.ts';
import { type CareOptions, readCare } from './care.ts';
import { type LockOptions, openLocking } from './lock.ts';
import { type PlaceOptions, recipesOf, repositoryOf, type WayOptions } from './options.ts';

/** All that a build needs to be planned and run. */
export type Prepared = {
  readonly jobs: readonly Job[];
  readonly setting: ProduceSetting;
  readonly options: GraphOptions;
  /** What `build.lock` has to say. */
  readonly locking: Locking | undefined;
};

/** What is heard while it is prepared and later. */
export type Ears = {
  readonly signal: AbortSignal;
  readonly listen: (event: FetchEvent) => void;
  readonly note: (text: string) => void;
};

/** Reads the recipes that words mean, each once, and says what is to be warned of. */
export function readRecipes(words: readonly string[], options: PlaceOptions, context: Context): Recipe[] {
  const recipes = new Map<string, Recipe>();
  for (const word of words) {
    const recipe = findRecipe(word, recipesOf(options, context), context.cwd);
    recipes.set(recipe.directory, recipe);
  }
  for (const { warnings } of recipes.values()) {
    for (const warning of warnings) {
      const hint = warning.hint === undefined ? '' : `; ${warning.hint}`;
      complain(`${context.tool}: warning: ${problemText(warning)}${hint}\n`);
    }
  }
  return [...recipes.values()];
}

export async function prepare(
  recipes: readonly Recipe[],
  options: CareOptions & LockOptions & PlaceOptions & WayOptions,
  context: Context,
  { signal, listen, note }: Ears,
): Promise<Prepared> {
  const setting = buildSetting(context, {
    signal,
    distfiles: options.directory === undefined ? undefined : resolve(context.cwd, options.directory),
    apt: options.apt,
    listen,
  });
  const shelf = openShelf(repositoryOf(options, context), setting.lock);
  const from = options.from === undefined ? [] : await openRepositories(options.from, context);
  const method =
    options.from === undefined
      ? ({ view: 'host', compiler: await hostCompiler() } as const)
      : ({ view: 'packages' } as const);
  const jobs: Job[] = [];
  for (const recipe of recipes) {
    const { control } = recipe;
    const version = checkVersion((options.as ?? control.version) + (options.suffix ?? ''), '-v, -V');
    jobs.push({ recipe, version, method, distfiles: await distfileList(recipe, options, context) });
  }
  const guarded = [...setting.guarded, ...from.map(({ directory }) => directory)];
  const machine = thisMachine();
  const locking = openLocking(options, context, machine, note);
  const graph = { machine, shelf, from, ...(locking ? { locked: locking.locked } : {}) };
  return { jobs, setting: { ...setting, guarded, ...readCare(options) }, options: graph, locking };
}

/** The tracked list, or the user's own, and before it what the recipe itself lists. */
const distfileList = async (
  recipe: Recipe,
  { distfiles }: PlaceOptions,
  { cwd, places }: Context,
): Promise<ReadonlyMap<string, Distfile>> =>
  await withOwnList(recipe, await readDistfiles(resolve(cwd, distfiles ?? places.distfileList)));
