import { Fault } from '../../builder/fault.ts';
import { display, quote } from './name.ts';

/** An error in a control file, or a warning, and its place. Lines and columns count from 1, columns in characters. */
export type Problem = {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly field?: string;
  readonly message: string;
  readonly hint?: string;
};

/** Adds a problem; of one file not more than anybody reads, for a hostile one has as many as it has bytes. */
export function note(problems: Problem[], make: () => Problem): void {
  if (problems.length < most) problems.push(make());
}

const most = 200;

/** `FILE:LINE:COLUMN: [KIND: ]FIELD: MESSAGE`, in the form that editors jump to. */
export function problemText({ file, line, column, field, message }: Problem, kind?: 'warning'): string {
  const of = field === undefined ? [] : /^[\w-]+$/.test(field) ? field : quote(field);
  return [`${display(file)}:${line}:${column}`, kind ?? [], of, message].flat().join(': ');
}

export const problemFault = (problem: Problem): Fault =>
  new Fault('INPUT', problemText(problem), problem.hint === undefined ? {} : { hint: problem.hint });

/** What reading a file gave: the errors say why there is no value. Warnings are for the user, and change nothing. */
export type Checked<T> = {
  readonly value: T | undefined;
  readonly errors: readonly Problem[];
  readonly warnings: readonly Problem[];
};

/** What was read, with its problems in the order of their places; no value where there is an error. */
export const checked = <T>(
  value: T | undefined,
  { errors, warnings }: Pick<Checked<T>, 'errors' | 'warnings'>,
): Checked<T> => ({
  value: errors.length === 0 ? value : undefined,
  errors: errors.toSorted(byPlace),
  warnings: warnings.toSorted(byPlace),
});

const byPlace = (a: Problem, b: Problem) => a.line - b.line || a.column - b.column;

/** The value, or its first error thrown as INPUT. */
export function valueOf<T>({ value, errors }: Checked<T>): T {
  const [first, ...others] = errors;
  if (first) {
    const all = others.length === 0 ? [] : [`pkgcontrol --check shows ${others.length} more`];
    const hint = [first.hint ?? [], all].flat().join('; ');
    throw problemFault({ ...first, ...(hint === '' ? {} : { hint }) });
  }
  if (value === undefined) throw new Error('a file without errors has no value');
  return value;
}
