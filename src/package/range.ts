import type { Comparator, Range } from './constraint.ts';
import { type Cursor, isBlank, peek, skipBlanks, take } from './cursor.ts';
import { isVersion, quote, versionHint } from './name.ts';
import { buildProfile, missingVersion, notOperator, unexpected } from './refusal.ts';
import { caret, coreOf, hyphen, tilde, wildcard } from './shorthand.ts';

/** One comparison as written, or the hyphen between two. `wild`: the version is the stem of `7.2.*`, empty of `*`. */
type Term = {
  readonly op: Comparator['op'] | '' | '^' | '~' | '-';
  readonly version: string;
  readonly wild: boolean;
  readonly at: number;
};

const operators: Readonly<Record<string, Exclude<Term['op'], '-'>>> = {
  '': '',
  '=': '=',
  '==': '=',
  '!=': '!=',
  '<': '<',
  '<<': '<',
  '<=': '<=',
  '>': '>',
  '>>': '>',
  '>=': '>=',
  '^': '^',
  '~': '~',
  '~>': '~',
};
const operatorRun = /[<>=!^~]+/y;
const versionRun = /[0-9A-Za-z.+~:*-]+/y;

/** More sets, and comparisons in one, than anybody writes; each `!= 7.*` doubles the number of sets. */
const most = 64;

/**
 * Reads a range, up to a single `|` or the end:
 *
 *     range      = set *( "||" set )
 *     set        = version " - " version / *comparator       ; blanks mean and; none at all is any version
 *     comparator = [ op ] version / [ op ] ( "*" / stem ".*" / stem ".x" )
 *     op         = "=" "==" "!=" "<" "<<" "<=" ">" ">>" ">=" "^" "~" "~>"
 *
 * `<<` and `>>` are Debian's names of `<` and `>`; a version without operator is exact, and
 * begins with a digit or a capital. What ends in `.x` is a
 * wildcard even where some package has that version: only `NAME,VERSION` of a command line names it.
 */
export function readRange(cursor: Cursor): Range {
  const sets: Comparator[][] = [];
  for (;;) {
    const start = cursor.at;
    const terms = readTerms(cursor);
    const more = peek(cursor) === '|' && cursor.text[cursor.at + 1] === '|';
    if (terms.length === 0 && (more || sets.length > 0)) {
      throw cursor.fail(start, 'a range is missing beside "||"', 'write * where any version will do');
    }
    sets.push(...expand(terms, cursor));
    if (sets.length > most) throw cursor.fail(start, `a range has more than ${most} alternatives`);
    if (!more) return sets.some((set) => set.length === 0) ? [] : sets;
    cursor.at += 2;
  }
}

function readTerms(cursor: Cursor): Term[] {
  const terms: Term[] = [];
  for (;;) {
    skipBlanks(cursor);
    if (peek(cursor) === '' || peek(cursor) === '|') return terms;
    if (terms.length === most) throw cursor.fail(cursor.at, `more than ${most} comparisons in a row`);
    terms.push(readTerm(cursor));
  }
}

function readTerm(cursor: Cursor): Term {
  const start = cursor.at;
  const written = take(cursor, operatorRun);
  const op = Object.hasOwn(operators, written) ? operators[written] : undefined;
  if (op === undefined) throw notOperator(cursor, start, written);
  skipBlanks(cursor);
  const at = cursor.at;
  const token = take(cursor, versionRun);
  if (token === '') throw missingVersion(cursor, start, written);
  const next = peek(cursor);
  if (op === '<' && next === '>' && /^[a-z]/.test(token)) throw buildProfile(cursor, start);
  if (next !== '' && next !== '|' && !isBlank(next)) throw unexpected(cursor);
  if (op === '' && token === '-') return { op: '-', version: '', wild: false, at };
  const stem = stemOf(token);
  if (stem === '') return { op, version: '', wild: true, at };
  const version = stem ?? token;
  if (version.includes('*')) {
    throw cursor.fail(
      at,
      `${quote(token)} has its "*" in the wrong place`,
      'it stands alone or last: *, 7.*, 7.2.*',
    );
  }
  if (!isVersion(version)) {
    const isHyphen = version.startsWith('-') || version.endsWith('-');
    const hint = isHyphen
      ? 'in a range from one version to another blanks stand around the hyphen'
      : versionHint;
    throw cursor.fail(at, `${quote(token)} is no version`, hint);
  }
  // Else `mksh tar` and `a >= 1 || b >= 2` would read as the versions "tar" and "b".
  if (op === '' && stem === undefined && /^[a-z]/.test(version)) {
    const hint = `a comma, a line or "|" stands between packages; if it is a version, write = ${version}`;
    throw cursor.fail(at, `${quote(version)} would be a version of the package before it`, hint);
  }
  return { op, version, wild: stem !== undefined, at };
}

/** What stands before the `.*` or `.x` of a wildcard, empty for `*` alone; undefined where there is none. */
function stemOf(token: string): string | undefined {
  let end = token.length;
  while (end > 2 && token[end - 2] === '.' && '*xX'.includes(token[end - 1] ?? ' ')) end -= 2;
  const stem = token.slice(0, end);
  if (stem === '*') return '';
  return end === token.length ? undefined : stem;
}

/** The sets of plain comparators that the terms of one set stand for: several only where `!= P.*` is among them. */
function expand(terms: readonly Term[], cursor: Cursor): Comparator[][] {
  if (terms.some(({ op }) => op === '-')) return [expandHyphen(terms, cursor)];
  let sets: Comparator[][] = [[]];
  for (const term of terms) {
    const choices = expandTerm(term, cursor);
    sets = sets.flatMap((set) => choices.map((choice) => set.concat(choice)));
    if (sets.length > most) throw cursor.fail(term.at, `a range has more than ${most} alternatives`);
  }
  return sets;
}

function expandHyphen(terms: readonly Term[], { fail }: Cursor): Comparator[] {
  const [low, middle, high] = terms;
  if (low?.op === '' && middle?.op === '-' && high?.op === '' && terms.length === 3) {
    return hyphen(low.version, high.version);
  }
  const at = terms.find(({ op }) => op === '-')?.at ?? 0;
  throw fail(
    at,
    'a hyphen stands between two versions and nothing else',
    'write 7.1 - 7.4, or >= 7.1 <= 7.4',
  );
}

function expandTerm({ op, version, wild, at }: Term, { fail }: Cursor): Comparator[][] {
  if (op === '-') return [];
  if (wild && version === '') {
    if (op !== '<' && op !== '>' && op !== '!=') return [[]];
    throw fail(at, `no version at all is "${op} *"`, 'write a version, or * alone for any');
  }
  if (!wild && op !== '^' && op !== '~') return [[{ op: op || '=', version }]];
  const core = coreOf(version);
  if (core === undefined || (wild && !core.whole)) {
    if (wild)
      throw fail(at, `${quote(version)} stands before a wildcard`, 'only numbers with dots can: 7.*, 7.2.*');
    throw fail(at, `${quote(version)} has no number to count up`, 'compare with >= and <');
  }
  const sets = wild
    ? wildcard(op, version, core)
    : [op === '^' ? caret(version, core) : tilde(version, core)];
  if (sets.flat().every((comparator) => isVersion(comparator.version))) return sets;
  throw fail(at, `${quote(version)} is too long for a shorthand`, 'compare with >= and <');
}
