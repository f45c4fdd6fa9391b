import { Fault } from '../builder/fault.ts';
import { complain, print } from '../src/cli/context.ts';
import type { ProduceSetting } from '../src/build/produce.ts';
import { checkClean, checkStatic } from './check-packages.ts';
import { checkAgain, checkAgainLongest } from './check-again.ts';
import { checkImages } from './check-images.ts';
import { checkExample, checkIdle } from './check-tools.ts';
import { checkCompiler, checkCutoff, checkItself } from './check-bytes.ts';
import type { StepOptions } from './step.ts';

/** Something that has to hold of a finished bootstrap. Gives what was seen; throws a Fault where it does not hold. */
export type Check = (options: StepOptions, setting: ProduceSetting) => Promise<string> | string;

/** By the names that `--verify` takes; what takes long comes last. */
export const checks: ReadonlyMap<string, Check> = new Map<string, Check>([
  ['clean', checkClean],
  ['static', checkStatic],
  ['example', checkExample],
  ['idle', checkIdle],
  ['cutoff', checkCutoff],
  ['images', checkImages],
  ['again', checkAgain],
  ['compiler', checkCompiler],
  ['itself', checkItself],
  ['again-gcc', checkAgainLongest],
]);

/** Runs checks one after another, to the end; false if one of them did not hold. */
export async function verify(
  names: readonly string[],
  options: StepOptions,
  setting: ProduceSetting,
): Promise<boolean> {
  const wrong = names.find((name) => !checks.has(name));
  if (wrong !== undefined) {
    throw new Fault('USAGE', `there is no check ${JSON.stringify(wrong)}`, {
      hint: `the checks are ${[...checks.keys()].join(' ')}`,
    });
  }
  let holds = true;
  for (const [name, check] of checks) {
    if (names.length > 0 && !names.includes(name)) continue;
    complain(`${name} ...\n`);
    try {
      print(`holds   ${name}: ${await check(options, setting)}\n`);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      holds = false;
      print(`FAILS   ${name}: ${error.message}\n`);
    }
  }
  return holds;
}
