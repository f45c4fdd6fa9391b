import type { Cursor, Fail } from './cursor.ts';
import { peek, skipBlanks, take } from './cursor.ts';
import { quote } from './name.ts';

const word = /[A-Za-z0-9.:+-]+/y;
const identifier =
  /^(?:(?:DocumentRef-[A-Za-z0-9.-]+:)?LicenseRef-[A-Za-z0-9.-]+|[A-Za-z0-9][A-Za-z0-9.-]*\+?)$/;
const exception = /^(?:(?:DocumentRef-[A-Za-z0-9.-]+:)?AdditionRef-)?[A-Za-z0-9][A-Za-z0-9.-]*$/;
const hint = 'an SPDX expression: MIT, GPL-2.0-or-later AND MIT, (MIT OR BSD-2-Clause), LicenseRef-Custom';

/**
 * Checks the shape of an SPDX license expression (SPDX 2.3, annex D), without its list of identifiers:
 *
 *     expression = term *( ( "AND" / "OR" ) term )
 *     term       = identifier [ "+" ] [ "WITH" exception ] / "(" expression ")"
 *
 * Throws what `fail` makes of the first thing that is wrong in `text[start, end)`.
 */
export function checkLicense(text: string, start: number, end: number, fail: Fail): void {
  const cursor: Cursor = { text, at: start, end, fail };
  let depth = 0;
  for (;;) {
    skipBlanks(cursor);
    while (peek(cursor) === '(') {
      depth += 1;
      cursor.at += 1;
      skipBlanks(cursor);
    }
    readIdentifier(cursor);
    skipBlanks(cursor);
    while (peek(cursor) === ')') {
      depth -= 1;
      if (depth < 0) throw fail(cursor.at, 'a parenthesis too many', hint);
      cursor.at += 1;
      skipBlanks(cursor);
    }
    if (peek(cursor) === '') break;
    const at = cursor.at;
    const operator = take(cursor, word);
    if (operator !== 'AND' && operator !== 'OR') {
      throw fail(at, `${quote(operator || peek(cursor))} stands where AND or OR should`, hint);
    }
  }
  if (depth > 0) throw fail(cursor.at, 'a parenthesis is not closed', hint);
}

function readIdentifier(cursor: Cursor): void {
  const at = cursor.at;
  const license = take(cursor, word);
  if (!identifier.test(license) || isOperator(license)) {
    throw cursor.fail(at, license === '' ? 'a license is missing' : `${quote(license)} is no license`, hint);
  }
  skipBlanks(cursor);
  if (!cursor.text.startsWith('WITH', cursor.at)) return;
  const before = cursor.at;
  if (take(cursor, word) !== 'WITH') {
    cursor.at = before;
    return;
  }
  skipBlanks(cursor);
  const start = cursor.at;
  const name = take(cursor, word);
  if (!exception.test(name) || isOperator(name)) throw cursor.fail(start, 'no exception follows WITH', hint);
}

const isOperator = (text: string) => /^(?:AND|OR|WITH)$/i.test(text);
