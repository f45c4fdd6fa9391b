import type { Command } from 'commander';
import { Fault } from '../../../builder/fault.ts';
import { planGraph } from '../../build/graph.ts';
import { planOf } from '../../build/node-plan.ts';
import { produce, type ProduceRequest, type Produced } from '../../build/produce.ts';
import { testRepositories } from '../../build/run-graph.ts';
import { quote } from '../../package/name.ts';
import { makeBuildReport } from '../build-report.ts';
import { type Context, print } from '../context.ts';
import type { CareOptions } from './care.ts';
import { type LockOptions, updateLock } from './lock.ts';
import { type PlaceOptions, readJobs, type WayOptions } from './options.ts';
import { prepare, readRecipes } from './prepare.ts';

/** What only the build of one source has: its steps, and a work directory that stays. */
export type StepOptions = {
  readonly unpack: boolean;
  readonly build: boolean;
  readonly control: boolean;
  readonly output: string;
  readonly work?: string;
};

export const addStepOptions = (command: Command): Command =>
  command
    .option('-U, --no-unpack', 'do not unpack; needs -w')
    .option('-B, --no-build', 'do not build; needs -w')
    .option(
      '-C, --no-control',
      'make no packages of what was built, leave it in the work directory; needs -w',
    )
    .option('-o, --output <name>', 'where in the work directory build.sh installs', 'out')
    .option('-w, --work <dir>', 'work directory, which stays (default: one in the cache, which does not)');

type Options = CareOptions & LockOptions & StepOptions & PlaceOptions & WayOptions;

/** Throws USAGE where options do not go together. */
export function checkSteps({ unpack, build, control, output, work }: StepOptions): void {
  const partial = [unpack || '-U', build || '-B', control || '-C'].filter((option) => option !== true);
  if (work === undefined && partial.length > 0) {
    throw new Fault('USAGE', `a work directory that stays is needed for ${partial.join(' and ')}`, {
      hint: 'name one: -w DIR',
    });
  }
  if (!/^[A-Za-z0-9_][A-Za-z0-9._+-]*$/.test(output)) {
    throw new Fault('USAGE', `-o ${quote(output)} is no name of a directory in the work directory`, {
      hint: 'write one name without slashes; where packages go is said with --repository',
    });
  }
}

/** Whether it is the whole way from a recipe to packages, as a graph goes it. */
export const isWhole = ({ unpack, build, control, output, work }: StepOptions): boolean =>
  unpack && build && control && output === 'out' && work === undefined;

/** Builds one source, and prints where its packages are. */
export async function buildOne(
  word: string,
  options: Options,
  context: Context,
  signal: AbortSignal,
): Promise<number> {
  const recipes = readRecipes([word], options, context);
  const [recipe] = recipes;
  const title = recipe
    ? `${recipe.control.name} ${(options.as ?? recipe.control.version) + (options.suffix ?? '')}`
    : '';
  const report = makeBuildReport(context, title, options.verbose ?? false, options.quiet ?? false);
  try {
    const prepared = await prepare(recipes, options, context, {
      signal,
      listen: report.fetching,
      note: report.note,
    });
    const { jobs, setting, options: graph, locking } = prepared;
    const { nodes, refused } = planGraph(jobs, graph);
    for (const { error } of refused) throw error;
    const [node] = nodes;
    if (!node) throw new Error('no recipe');
    const request = {
      ...node,
      machine: graph.machine,
      shelf: graph.shelf,
      unpack: options.unpack,
      build: options.build,
      pack: options.build && options.control,
      work: options.work,
      output: options.output,
      jobs: readJobs(options),
      again: options.again ?? false,
      ...(options.test ? { test: testRepositories(graph.shelf, graph.from) } : {}),
    };
    const plan = planOf(node, graph.machine);
    const accept: ProduceRequest['accept'] =
      locking && ((packages, origin) => locking.accept(node, plan, packages, origin));
    const produced = await produce(
      { ...request, ...(accept ? { accept } : {}) },
      setting,
      plan,
      report.listen,
    );
    await updateLock([{ node, plan, packages: produced.packages }], prepared, options, context, report.note);
    report.end();
    show(produced, options);
    return 0;
  } finally {
    report.end();
  }
}

/** What of a result is printed as JSON. */
export const producedJson = ({ how, packages, log, origin, cpuSeconds }: Produced) => ({
  how,
  packages: packages.map(({ name, version, tree, bytes, record }) => ({
    name,
    version,
    tree,
    bytes,
    diffID: record.layer?.diffID,
  })),
  log,
  origin,
  cpuSeconds,
});

function show(produced: Produced, { json }: WayOptions): void {
  if (json) print(`${JSON.stringify(producedJson(produced), null, 2)}\n`);
  else for (const { tree } of produced.packages) print(`${tree}\n`);
}
