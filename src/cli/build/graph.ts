import type { Command } from 'commander';
import { assess, type Assessment } from '../../build/assess.ts';
import { type Graph, planGraph } from '../../build/graph.ts';
import type { Plan } from '../../build/plan.ts';
import { runGraph } from '../../build/run-graph.ts';
import { Fault } from '../../../builder/fault.ts';
import { recipeNames } from '../../source/recipe-names.ts';
import { complain, type Context, print } from '../context.ts';
import { report } from '../report.ts';
import type { CareOptions } from './care.ts';
import { withStore } from '../image/store.ts';
import { explainInputs, explanation, planLine } from './explain.ts';
import { makeGraphReport } from './graph-report.ts';
import { type LockableBuild, type LockOptions, updateLock } from './lock.ts';
import { producedJson } from './one.ts';
import { type PlaceOptions, readJobs, recipesOf, type WayOptions } from './options.ts';
import { prepare, type Prepared, readRecipes } from './prepare.ts';

/** What several recipes are built with, and how they are only looked at. */
export type GraphOptions = {
  readonly all?: true;
  readonly dryRun?: true;
  readonly explain?: true;
  readonly keepGoing?: true;
};

export const addGraphOptions = (command: Command): Command =>
  command
    .option('--all', 'build all recipes')
    .option('--dry-run', 'only print what would be done, and why')
    .option('--explain', 'only print all that is other than at the last build')
    .option('--keep-going', 'after a failure go on with what does not need what failed');

type Options = CareOptions & GraphOptions & LockOptions & PlaceOptions & WayOptions;

/** Builds several sources, or tells what would be done. */
export async function buildGraph(
  words: readonly string[],
  options: Options,
  context: Context,
  signal: AbortSignal,
): Promise<number> {
  const names = options.all ? recipeNames(recipesOf(options, context)) : words;
  const recipes = readRecipes(names, options, context);
  const view = makeGraphReport(context, { verbose: options.verbose ?? false, quiet: options.quiet ?? false });
  try {
    const prepared = await prepare(recipes, options, context, {
      signal,
      listen: view.fetching,
      note: view.note,
    });
    const graph = planGraph(prepared.jobs, { ...prepared.options, tests: options.test });
    const looks = options.dryRun || options.explain;
    if (!options.keepGoing && !looks) for (const { error } of graph.refused) throw error;
    const assessments = await assess(graph.nodes, { ...prepared.options, ...prepared.setting });
    if (looks) return await showPlan(graph, assessments, options, context);
    view.plan(graph, assessments);
    return await run(graph, assessments, prepared, options, context, view);
  } finally {
    view.end();
  }
}

async function showPlan(
  graph: Graph,
  assessments: readonly Assessment[],
  options: Options,
  context: Context,
): Promise<number> {
  const explained = options.explain
    ? await withStore(context, (store) =>
        Promise.all(
          assessments.map(async (each) => Object.assign({}, each, { why: await explainInputs(each, store) })),
        ),
      )
    : assessments;
  const needs = new Map(graph.nodes.map((node) => [node.name, node.needs]));
  if (options.json) {
    const nodes = explained.map((each) => ({ ...each, needs: needs.get(each.name) ?? [] }));
    const refused = graph.refused.map(({ name, error }) => ({ name, error: (error as Error).message }));
    print(`${JSON.stringify({ nodes, refused }, null, 2)}\n`);
  } else {
    for (const each of explained) print(options.explain ? explanation(each, each.why) : planLine(each));
  }
  let status = 0;
  for (const { error } of graph.refused) {
    status = Math.max(status, report(context.tool, error, options.json));
  }
  return status;
}

async function run(
  graph: Graph,
  assessments: readonly Assessment[],
  prepared: Prepared,
  options: Options,
  context: Context,
  view: ReturnType<typeof makeGraphReport>,
): Promise<number> {
  const { tool } = context;
  const { setting, options: graphOptions, locking } = prepared;
  const jobs = readJobs(options);
  const plans = new Map<string, Plan>();
  const built: LockableBuild[] = [];
  const { produced, failed, skipped } = await runGraph(graph, setting, {
    ...graphOptions,
    slots: jobs,
    jobs,
    keepGoing: options.keepGoing ?? false,
    again: options.again ?? false,
    ...(options.test ? { test: graphOptions.from } : {}),
    weights: new Map(
      assessments.flatMap(({ name, cpuSeconds }) => (cpuSeconds === undefined ? [] : [[name, cpuSeconds]])),
    ),
    ...(locking ? { accept: locking.accept } : {}),
    listen(event) {
      const { node } = event;
      const plan = plans.get(node.name);
      if (event.event === 'start') plans.set(node.name, event.plan);
      else if (event.event === 'done' && plan) built.push({ node, plan, packages: event.produced.packages });
      view.listen(event);
    },
  });
  await updateLock(built, prepared, options, context, view.note);
  view.end();
  if (options.json)
    print(`${JSON.stringify({ built: [...produced.values()].map(producedJson) }, null, 2)}\n`);
  else for (const { packages } of produced.values()) for (const { tree } of packages) print(`${tree}\n`);
  if (failed.size === 0) return 0;
  const count = `${failed.size} of ${graph.nodes.length + graph.refused.length} could not be built`;
  for (const error of failed.values()) report(tool, error, options.json);
  if (!options.json) {
    complain(`${tool}: ${count}${skipped.size > 0 ? `, and ${skipped.size} that need them` : ''}\n`);
  }
  const [first] = failed.values();
  return first instanceof Fault && (first.code === 'USAGE' || first.code === 'INPUT') ? 2 : 1;
}
