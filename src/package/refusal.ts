import type { Fault } from '../../builder/fault.ts';
import { type Cursor, peek } from './cursor.ts';
import { quote } from './name.ts';

/** How other languages write a comparison, and how it is written here. */
const foreign: Readonly<Record<string, string>> = {
  '=>': '>=',
  '=<': '<=',
  '<>': '!=',
  '~=': '~',
  '=~': '~',
  '===': '=',
  '!': '!=',
  '!==': '!=',
};

const oneOperator = 'each version has one operator at most';

/** The error for operator characters that are no operator. */
export function notOperator(cursor: Cursor, start: number, written: string): Fault {
  if (written === '<!') return buildProfile(cursor, start);
  const meant = Object.hasOwn(foreign, written) ? foreign[written] : undefined;
  if (meant) return cursor.fail(start, `${quote(written)} is no comparison`, `write ${meant}`);
  return cursor.fail(start, `${quote(written)} is more than one operator`, oneOperator);
}

/** The error for a comparison whose operator (empty: none) is at `start`, where the cursor finds no version. */
export function missingVersion(cursor: Cursor, start: number, operator: string): Fault {
  const next = peek(cursor);
  if (operator === '') return unexpected(cursor);
  if (isOperator(next)) return cursor.fail(start, 'two operators in a row', oneOperator);
  if (next !== '' && next !== '|') return unexpected(cursor);
  return cursor.fail(
    start,
    `no version follows ${quote(operator)}`,
    'write the version behind it, or leave it out',
  );
}

export const buildProfile = (cursor: Cursor, at: number): Fault =>
  cursor.fail(
    at,
    'build profiles such as <stage1> are not supported',
    'remove it, or write a recipe of its own',
  );

/** The error for a character that cannot stand where the cursor is. */
export function unexpected(cursor: Cursor): Fault {
  const { text, at, fail } = cursor;
  const next = String.fromCodePoint(text.codePointAt(at) ?? 0);
  if (next === '[') {
    return fail(
      at,
      'restrictions such as [amd64] are not supported',
      'a repository holds one architecture: remove it',
    );
  }
  if (next === '@')
    return fail(at, 'tags such as @latest are not supported', 'name a version or a range: ^1.2');
  if (next === ',') return fail(at, 'a comma ends a constraint', 'give each constraint by itself');
  if (next === '#')
    return fail(at, 'a comment has a line of its own', 'let "#" be the first character of a line');
  if (isOperator(next))
    return fail(at, `a blank is missing before ${quote(next)}`, 'blanks between comparisons mean "and"');
  return fail(
    at,
    `${quote(next)} is not expected here`,
    'write a name, then a range: gcc >= 12, gcc ^12, gcc 12.2.0',
  );
}

const isOperator = (character: string) => character !== '' && '<>=!^~'.includes(character);
