import { existsSync, mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { withLock } from '../builder/lock.ts';
import { hostCompiler } from '../src/build/compiler.ts';
import { planGraph } from '../src/build/graph.ts';
import { candidatesOf, without } from '../src/build/prospect.ts';
import { runGraph } from '../src/build/run-graph.ts';
import { openShelf } from '../src/build/shelf.ts';
import { buildSetting, thisMachine } from '../src/cli/build-setting.ts';
import { complain, type Context, places } from '../src/cli/context.ts';
import { interruptible } from '../src/cli/interrupt.ts';
import { report } from '../src/cli/report.ts';
import { openRepository } from '../src/package/repository.ts';
import { readDistfiles } from '../src/source/list.ts';
import { jobsOf } from './jobs.ts';
import { reporter } from './progress.ts';
import { type Step, steps } from './stages.ts';

const root = dirname(import.meta.dirname);
const context: Context = {
  tool: 'bootstrap',
  args: process.argv.slice(2),
  env: process.env,
  cwd: process.cwd(),
  places: places(root, process.env),
  terminal: false,
};

const started = Date.now();
const say = (text: string): void => {
  const time = new Date(Date.now() - started).toISOString().slice(11, 19);
  complain(`[${time}] ${text}\n`);
};

async function main(signal: AbortSignal): Promise<number> {
  const only = context.args[0] === '--stage' ? Number(context.args[1]) : undefined;
  const stop = new AbortController();
  const setting = buildSetting(context, {
    signal: AbortSignal.any([signal, stop.signal]),
    listen(event) {
      if (event.event !== 'bytes') say(`${event.name}: ${event.text}`);
    },
  });
  const options = {
    root,
    compiler: await hostCompiler(),
    triple: thisMachine().triple,
    distfiles: await readDistfiles(context.places.distfileList),
  };
  await withLock(setting.lock, join(root, 'bootstrap'), {}, async () => {
    for (const step of steps) {
      if (only !== undefined && step.stage !== only) continue;
      await runStep(step, options, setting, stop);
    }
  });
  return 0;
}

async function runStep(
  step: Step,
  options: Parameters<typeof jobsOf>[1],
  setting: ReturnType<typeof buildSetting>,
  stop: AbortController,
): Promise<void> {
  const directory = join(root, 'bootstrap', step.shelf);
  mkdirSync(directory, { recursive: true });
  const machine = thisMachine();
  const jobs = jobsOf(step, options);
  const made = new Set(
    jobs.flatMap(({ recipe, version }) =>
      candidatesOf(recipe, version, machine).map(({ name }) => `${name} ${version}`),
    ),
  );
  // What an earlier run made must not be there before its turn: roots are the same in every run.
  const from = step.from
    .map((name) => join(root, 'bootstrap', name))
    .filter(existsSync)
    .map((each) => openRepository(each))
    .map((each) => (each.directory === directory ? without(each, (...id) => made.has(id.join(' '))) : each));
  const graphOptions = { machine, shelf: openShelf(directory, setting.lock), from, ordered: true };
  const graph = planGraph(jobs, graphOptions);
  for (const { error } of graph.refused) throw error;
  say(`stage ${step.stage}: ${graph.nodes.map(({ name }) => name).join(', ')}`);
  const processors = availableParallelism();
  const listen = reporter(stop, say);
  await runGraph(graph, setting, { ...graphOptions, slots: processors, jobs: processors, listen });
}

try {
  process.exitCode = await interruptible(main);
} catch (error) {
  process.exitCode = report(context.tool, error);
}
