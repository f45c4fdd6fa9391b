import { dirname, join } from 'node:path';
import { availableParallelism } from 'node:os';
import { withLock } from '../builder/lock.ts';
import { Fault } from '../builder/fault.ts';
import { hostCompiler } from '../src/build/compiler.ts';
import type { ProduceSetting } from '../src/build/produce.ts';
import { planLine } from '../src/cli/build/explain.ts';
import { makeGraphReport } from '../src/cli/build/graph-report.ts';
import { buildSetting, thisMachine } from '../src/cli/build-setting.ts';
import { makeCommand, parseCommand } from '../src/cli/command.ts';
import { complain, type Context, places, print } from '../src/cli/context.ts';
import { interruptible } from '../src/cli/interrupt.ts';
import { report } from '../src/cli/report.ts';
import { readDistfiles } from '../src/source/list.ts';
import { readDiary } from './diary.ts';
import { runSteps } from './run.ts';
import { planStep, type StepOptions } from './step.ts';
import { type Step, steps } from './stages.ts';
import { diaryTable } from './table.ts';
import { verify } from './verify.ts';

const root = dirname(import.meta.dirname);
const context: Context = {
  tool: 'bootstrap',
  args: process.argv.slice(2),
  env: process.env,
  cwd: process.cwd(),
  places: places(root, process.env),
  terminal: process.stderr.isTTY,
};
const diary = join(context.places.cache.builds, 'bootstrap.jsonl');

const note = (text: string): void => complain(`${text}\n`);

type Options = {
  readonly stage?: readonly string[];
  readonly dryRun?: true;
  readonly lock: boolean;
  readonly update?: true;
  readonly table?: true;
  readonly verify?: true | readonly string[];
  readonly keepGoing?: true;
  readonly jobs?: string;
  readonly verbose?: true;
};

const examples = `
npm run bootstrap                           everything, or what is left of it
npm run bootstrap -- --stage 0 1            only these stages
npm run bootstrap -- --dry-run              what would be done
npm run bootstrap -- --verify                what has to hold of a finished one
npm run bootstrap -- --verify clean static   only this of it
npm run bootstrap -- --table                what each package took, as Markdown
`;

async function main(signal: AbortSignal): Promise<number> {
  const command = makeCommand(
    context,
    'Builds the distribution from source: from a machine with a C compiler to packages in which nothing of it is left.',
    examples,
  )
    .option('--stage <number...>', 'only these stages (default: all)')
    .option('--dry-run', 'only print what would be done, and why')
    .option('--table', 'only print what each package took when it was built last')
    .option('--verify [check...]', 'only check what has to hold of a finished bootstrap (default: all of it)')
    .option('--no-lock', 'do not hold packages/build.lock against what comes out')
    .option('--update', 'write what comes out into packages/build.lock')
    .option('--keep-going', 'after a failure finish what of the step does not need what failed')
    .option('-j, --jobs <n>', 'how many processes may compile at once (default: one a processor)')
    .option('--verbose', 'show what the scripts say');
  if (!parseCommand(command, context.args)) return 0;
  const options = command.opts<Options>();
  if (options.table) {
    print(diaryTable(readDiary(diary)));
    return 0;
  }
  const chosen = chooseSteps(options.stage);
  const jobs = readJobs(options.jobs);
  const view = makeGraphReport(context, { verbose: options.verbose ?? false, quiet: false });
  try {
    const setting = buildSetting(context, { signal, listen: view.fetching });
    const machine = thisMachine();
    const stepOptions = {
      root,
      machine,
      jobs,
      compiler: await hostCompiler(),
      triple: machine.triple,
      distfiles: await readDistfiles(context.places.distfileList),
    };
    if (options.dryRun) {
      for (const step of chosen) await showStep(step, stepOptions, setting);
      return 0;
    }
    if (options.verify !== undefined) {
      const names = options.verify === true ? [] : options.verify;
      return (await verify(names, stepOptions, setting)) ? 0 : 1;
    }
    const use = options.update ? 'update' : options.lock ? 'check' : 'none';
    const lock = { path: join(context.places.recipes, 'build.lock'), use } as const;
    // Two at once would do the same work twice.
    await withLock(setting.lock, join(root, 'bootstrap'), {}, () =>
      runSteps(chosen, stepOptions, {
        setting,
        view,
        note,
        diary,
        lock,
        keepGoing: options.keepGoing ?? false,
      }),
    );
    return 0;
  } finally {
    view.end();
  }
}

function chooseSteps(stages: readonly string[] | undefined): readonly Step[] {
  const known = new Set(steps.map(({ stage }) => String(stage)));
  const wrong = stages?.find((stage) => !known.has(stage));
  if (wrong !== undefined) {
    throw new Fault('USAGE', `there is no stage ${JSON.stringify(wrong)}`, {
      hint: `the stages are ${[...known].join(', ')}`,
    });
  }
  return steps.filter(({ stage }) => stages?.includes(String(stage)) ?? true);
}

function readJobs(text: string | undefined): number {
  if (text === undefined) return availableParallelism();
  if (/^[1-9][0-9]{0,3}$/.test(text)) return Number(text);
  throw new Fault('USAGE', `-j ${JSON.stringify(text)} is no number of processes`);
}

async function showStep(step: Step, options: StepOptions, setting: ProduceSetting): Promise<void> {
  print(`stage ${step.stage}, into bootstrap/${step.shelf}:\n`);
  try {
    const { assessments } = await planStep(step, options, setting);
    for (const each of assessments) print(planLine(each));
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'UNSATISFIABLE') throw error;
    print(`${step.sources.join(' ')}: known when the stages before are there\n`);
  }
}

try {
  process.exitCode = await interruptible(main);
} catch (error) {
  process.exitCode = report(context.tool, error);
}
