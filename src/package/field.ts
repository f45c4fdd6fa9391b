import { Fault } from '../../builder/fault.ts';
import type { Fail } from './cursor.ts';
import { nearest } from './nearest.ts';
import { type Field, type Paragraph, placeOf } from './paragraph.ts';
import { note, type Problem } from './problem.ts';

/** What reading one file has found so far. */
export type Reading = { readonly file: string; readonly errors: Problem[]; readonly warnings: Problem[] };

/** Places in a field's `raw`. `fail` notes the error and gives what is to be thrown; after `warn` reading goes on. */
export type Report = {
  readonly fail: Fail;
  readonly warn: (offset: number, message: string, hint?: string) => void;
};

/** Reads the value of one field. It may catch what it throws and go on, for an error is noted where it is made. */
export type ReadValue<T> = (field: Field, report: Report) => T;

export type Schema = Readonly<Record<string, ReadValue<unknown>>>;

export type Values<S extends Schema> = { readonly [K in keyof S]?: ReturnType<S[K]> };

/**
 * Reads the fields of a paragraph that `schema` lists, by its names, whatever the case they are written in.
 * Every other field goes to `other`.
 */
export function readFields<S extends Schema>(
  paragraph: Paragraph,
  schema: S,
  reading: Reading,
  other: (field: Field) => void,
): Values<S> {
  const values: Record<string, unknown> = {};
  for (const field of paragraph.fields) {
    const name = Object.hasOwn(schema, field.name) ? field.name : sameName(field.name, schema);
    const read = name === undefined ? undefined : schema[name];
    if (name === undefined || read === undefined) {
      other(field);
      continue;
    }
    try {
      values[name] = read(field, reportOf(field, reading));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
    }
  }
  return values as Values<S>;
}

/** Tells of a field that nobody reads: an error where it is known elsewhere, else a warning. */
export function complainOf(
  field: Field,
  reading: Reading,
  known: Schema,
  elsewhere: Readonly<Record<string, string>>,
) {
  const place = { file: reading.file, line: field.line, column: 1, field: field.name };
  const name = sameName(field.name, elsewhere);
  if (name !== undefined) {
    const message = 'the field is not expected here';
    note(reading.errors, () => ({ ...place, message, hint: elsewhere[name] ?? '' }));
    return;
  }
  note(reading.warnings, () => {
    const meant = nearest(field.name, Object.keys(known));
    const hint = meant === undefined ? {} : { hint: `did you mean ${meant}?` };
    return { ...place, message: 'the field is unknown and means nothing', ...hint };
  });
}

/** Notes the error of a field that must be there, unless an error is noted already that explains its absence. */
export function missing(
  name: string,
  paragraph: Paragraph | undefined,
  { file, errors }: Reading,
): undefined {
  if (paragraph ? sameFieldIn(paragraph, name) : errors.length > 0) return;
  const line = paragraph?.line ?? 1;
  note(errors, () => ({ file, line, column: 1, field: name, message: 'the field is missing' }));
}

function reportOf(field: Field, { file, errors, warnings }: Reading): Report {
  const problem = (offset: number, message: string, hint?: string): Problem => ({
    file,
    ...placeOf(field, offset),
    field: field.name,
    message,
    ...(hint === undefined ? {} : { hint }),
  });
  return {
    fail: (offset, message, hint) => {
      note(errors, () => problem(offset, message, hint));
      return new Fault('INPUT', message);
    },
    warn: (offset, message, hint) => {
      note(warnings, () => problem(offset, message, hint));
    },
  };
}

const sameName = (name: string, among: Readonly<Record<string, unknown>>): string | undefined =>
  Object.keys(among).find((known) => known.toLowerCase() === name.toLowerCase());

const sameFieldIn = (paragraph: Paragraph, wanted: string): boolean =>
  paragraph.fields.some(({ name }) => name.toLowerCase() === wanted.toLowerCase());
