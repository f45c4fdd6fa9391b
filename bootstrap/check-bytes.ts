import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../builder/fault.ts';
import type { ProduceSetting } from '../src/build/produce.ts';
import { runGraph } from '../src/build/run-graph.ts';
import { openRepository, type Repository } from '../src/package/repository.ts';
import { workIn } from './check-tools.ts';
import { repositories, type Step, steps } from './stages.ts';
import { placeOf, planStep, type StepOptions } from './step.ts';

/** The compiler of stage 3, built once more by itself, is the same bytes. */
export async function checkItself(options: StepOptions, setting: ProduceSetting): Promise<string> {
  const stage3 = repositories.stage3;
  const step = { ...lastOf(['gcc']), from: [stage3], sources: ['gcc'] };
  await sameBytes([step], options, setting, openRepository(placeOf(options.root, stage3)));
  return 'gcc of stage 3, built by itself, is the same bytes';
}

/** Stage 1 is the same bytes when another compiler, clang, makes stage 0. */
export async function checkCompiler(options: StepOptions, setting: ProduceSetting): Promise<string> {
  const chosen = steps.filter(({ stage }) => stage <= 1);
  const first = openRepository(placeOf(options.root, repositories.stage2));
  const count = await sameBytes(chosen, { ...options, cc: 'clang' }, setting, first);
  return `${count} packages of stage 1 are the same bytes when clang makes stage 0`;
}

const lastOf = (sources: readonly string[]): Step => {
  const found = steps.findLast((step) => sources.every((name) => step.sources.includes(name)));
  if (found) return found;
  throw new Error(`no step builds ${sources.join(' ')}`);
};

/**
 * Builds steps anew, into repositories of their own, and compares what comes out of the last with what is in
 * `expected`. Gives how many packages are the same; throws INTEGRITY naming those that are not.
 */
async function sameBytes(
  chosen: readonly Step[],
  options: StepOptions,
  setting: ProduceSetting,
  expected: Repository,
): Promise<number> {
  const place = mkdtempSync(`${workIn(setting.cache)}verify-`);
  const wrong: string[] = [];
  let count = 0;
  try {
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
      if (at < chosen.length - 1) continue;
      for (const { packages } of produced.values()) {
        for (const { name, version, record } of packages) {
          count += 1;
          if (expected.record(name, version).layer?.diffID !== record.layer?.diffID)
            wrong.push(`${name} ${version}`);
        }
      }
    }
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
  if (wrong.length > 0) throw new Fault('INTEGRITY', `other bytes: ${wrong.join(', ')}`);
  return count;
}
