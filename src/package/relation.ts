import { Fault } from '../../builder/fault.ts';
import type { Alternative, Relation } from './constraint.ts';
import { type Cursor, type Fail, isBlank, peek, skipBlanks, take } from './cursor.ts';
import { isVersion, isVirtualName, nameHint, quote, versionHint } from './name.ts';
import { readRange } from './range.ts';
import { unexpected } from './refusal.ts';

// All but what may end a name; what it matches is checked as a name.
const nameRun = /[^\s<>=!^~|()[\]@,{}$#]+/y;

/**
 * Reads one entry of a dependency field, `text[start, end)`, which holds no newline and no comma:
 *
 *     relation    = alternative *( "|" alternative )          ; another package will do
 *     alternative = name [ range ] / name "(" range ")"
 */
export function readRelation(text: string, start: number, end: number, fail: Fail): Relation {
  const cursor: Cursor = { text, at: start, end, fail };
  const alternatives = [readAlternative(cursor)];
  while (peek(cursor) === '|') {
    cursor.at += 1;
    alternatives.push(readAlternative(cursor));
  }
  if (cursor.at < end) throw unexpected(cursor);
  return { alternatives, text: text.slice(start, end).trim() };
}

/**
 * Reads a constraint from a command line: a relation, or `NAME,VERSION` as pkgsolve prints it. Throws USAGE
 * that names the constraint and the place in it; `option` says where it was given.
 */
export function parseRequest(word: string, option = 'constraint'): Relation {
  const fail: Fail = (offset, message, hint) =>
    new Fault('USAGE', `${option} ${quote(word)}, character ${offset + 1}: ${message}`, hint ? { hint } : {});
  const comma = word.indexOf(',');
  if (comma < 0 || !isVirtualName(word.slice(0, comma))) return readRelation(word, 0, word.length, fail);
  const version = word.slice(comma + 1);
  if (!isVersion(version)) throw fail(comma + 1, `${quote(version)} is no version`, versionHint);
  return { alternatives: [{ name: word.slice(0, comma), range: [[{ op: '=', version }]] }], text: word };
}

function readAlternative(cursor: Cursor): Alternative {
  skipBlanks(cursor);
  const start = cursor.at;
  const name = take(cursor, nameRun);
  if (!isVirtualName(name)) throw notName(cursor, start, name);
  const next = peek(cursor);
  if (next !== '' && !isBlank(next) && !'(<>=!^~|'.includes(next)) throw unexpected(cursor);
  skipBlanks(cursor);
  return { name, range: peek(cursor) === '(' ? readParenthesis(cursor) : readRange(cursor) };
}

function readParenthesis(cursor: Cursor): Alternative['range'] {
  const start = cursor.at;
  const close = cursor.text.indexOf(')', start);
  if (close < 0 || close >= cursor.end)
    throw cursor.fail(start, 'the parenthesis is not closed', 'write (>= 1.2)');
  const inner: Cursor = { ...cursor, at: start + 1, end: close };
  const range = readRange(inner);
  if (inner.at < close) throw unexpected(inner);
  cursor.at = close + 1;
  skipBlanks(cursor);
  const next = peek(cursor);
  if (next !== '' && next !== '|') throw unexpected(cursor);
  return range;
}

function notName(cursor: Cursor, start: number, name: string): Fault {
  if (name !== '') return cursor.fail(start, `${quote(name)} is no package name`, nameHint);
  const next = peek(cursor);
  if (next !== '' && next !== '|') {
    if (/[<>=!^~]/.test(next)) {
      return cursor.fail(start, 'the package name is missing', 'between ranges of one package write "||"');
    }
    return unexpected(cursor);
  }
  return cursor.fail(start, 'a package name is missing', 'write a name on each side of "|"');
}
