import { Fault } from '../../builder/fault.ts';
import { type Problem, problemText } from '../package/problem.ts';
import { complain, type Context, print } from './context.ts';
import { readControlInput } from './control-input.ts';

/**
 * Reads every control and tells all errors and warnings, in the form that editors jump to. 0 if there are no
 * errors, else 1. As JSON they are the result: one line for each path.
 */
export function checkControls(paths: readonly string[], { tool, cwd }: Context, json: boolean): number {
  let wrong = 0;
  for (const path of paths) {
    const { file, errors, warnings } = check(path, cwd);
    if (errors.length > 0) wrong += 1;
    if (json) print(`${JSON.stringify({ file, errors, warnings })}\n`);
    else for (const line of [...errors.map(textOf), ...warnings.map(warningOf)]) complain(`${line}\n`);
  }
  if (wrong > 0 && paths.length > 1) complain(`${tool}: ${wrong} of ${paths.length} have errors\n`);
  return wrong > 0 ? 1 : 0;
}

type Findings = {
  readonly file: string;
  /** A file that cannot be read is an error without a place. */
  readonly errors: readonly (Problem | Pick<Problem, 'message' | 'hint'>)[];
  readonly warnings: readonly Problem[];
};

function check(path: string, cwd: string): Findings {
  try {
    return readControlInput(path, cwd);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    return { file: path, errors: [{ message: error.message, ...hint }], warnings: [] };
  }
}

const textOf = (problem: Findings['errors'][number]): string =>
  ('line' in problem ? problemText(problem) : problem.message) + hintOf(problem);

const warningOf = (problem: Problem): string => problemText(problem, 'warning') + hintOf(problem);

const hintOf = ({ hint }: Pick<Problem, 'hint'>): string => (hint === undefined ? '' : `; ${hint}`);
