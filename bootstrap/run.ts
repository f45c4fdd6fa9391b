import { readBuildLock, updateBuildLock } from '../src/build/build-lock.ts';
import { lockEntry, type Locking, lockingBy } from '../src/build/locking.ts';
import type { Plan } from '../src/build/plan.ts';
import type { ProduceSetting } from '../src/build/produce.ts';
import { runGraph } from '../src/build/run-graph.ts';
import type { GraphReport } from '../src/cli/build/graph-report.ts';
import { cpuSeconds, entryOf, rounded, write } from './diary.ts';
import { planStep, type PlannedStep, type StepOptions } from './step.ts';
import type { Step } from './stages.ts';

export type RunSetting = {
  readonly setting: ProduceSetting;
  readonly view: GraphReport;
  readonly note: (text: string) => void;
  /** Whether a step goes on after a failure with what does not need what failed; the next step never does. */
  readonly keepGoing: boolean;
  /** The file that every run adds to. */
  readonly diary: string;
  /** The file of expected outputs, and whether it is held against what comes out, written anew, or left alone. */
  readonly lock: { readonly path: string; readonly use: 'check' | 'update' | 'none' };
};

/** Runs steps one after another. What is known is not built; the first failure ends it. */
export async function runSteps(steps: readonly Step[], options: StepOptions, run: RunSetting): Promise<void> {
  const { note, lock, diary } = run;
  const began = Date.now();
  const expected = lock.use === 'check' ? readBuildLock(lock.path) : undefined;
  const locking =
    expected && lockingBy(expected, options.machine, ({ name }, why) => note(`${name}: not checked: ${why}`));
  let buildCpuSeconds = 0;
  let end: 'done' | 'failed' = 'failed';
  try {
    for (const step of steps) {
      const planned = await planStep(step, options, run.setting);
      note(`stage ${step.stage}, into bootstrap/${step.shelf}`);
      run.view.plan(planned.graph, planned.assessments);
      await runStep(planned, options, run, locking, (name, seconds, produced) => {
        if (produced.how === 'built') buildCpuSeconds += produced.cpuSeconds;
        write(diary, entryOf(began, step.stage, name, seconds, produced));
      });
    }
    end = 'done';
  } finally {
    const { own, children } = cpuSeconds();
    const ownCpuSeconds = rounded(own + Math.max(0, children - buildCpuSeconds));
    const seconds = rounded((Date.now() - began) / 1000);
    write(diary, { run: began, end, seconds, ownCpuSeconds, buildCpuSeconds: rounded(buildCpuSeconds) });
  }
}

type Done = (name: string, seconds: number, produced: Parameters<typeof entryOf>[4]) => void;

async function runStep(
  { step, graph, options: graphOptions, weights }: PlannedStep,
  { jobs, machine }: StepOptions,
  { setting, view, note, lock, keepGoing }: RunSetting,
  locking: Locking | undefined,
  done: Done,
): Promise<void> {
  const starts = new Map<string, { readonly at: number; readonly plan: Plan }>();
  const { produced, failed } = await runGraph(graph, setting, {
    ...graphOptions,
    slots: jobs,
    jobs,
    keepGoing,
    weights,
    ...(locking ? { accept: locking.accept } : {}),
    // Before there are roots of packages nothing can be tried in one.
    ...(step.way === 'roots' ? { test: graphOptions.from } : {}),
    listen(event) {
      const { name } = event.node;
      if (event.event === 'start') starts.set(name, { at: Date.now(), plan: event.plan });
      if (event.event === 'done')
        done(name, (Date.now() - (starts.get(name)?.at ?? Date.now())) / 1000, event.produced);
      view.listen(event);
    },
  });
  const [failure] = failed.values();
  if (failed.size > 0) throw failure;
  if (lock.use !== 'update') return;
  const made = graphOptions.shelf.repository();
  const repositories = [...(made ? [made] : []), ...graphOptions.from];
  const entries = [];
  for (const node of graph.nodes) {
    const packages = produced.get(node.name)?.packages ?? [];
    const plan = starts.get(node.name)?.plan;
    const entry = plan && (await lockEntry(node, plan, packages, { ...setting, machine, repositories }));
    if (entry) entries.push(entry);
  }
  const changed = await updateBuildLock(lock.path, entries, setting.lock);
  note(`build.lock: ${changed} of ${entries.length} builds are other than they were`);
}
