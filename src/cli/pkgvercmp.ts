import type { Comparator } from '../package/constraint.ts';
import { satisfies } from '../package/constraint.ts';
import { isVersion, quote, versionHint } from '../package/name.ts';
import { compareVersions, compareVersionsTotally } from '../package/version.ts';
import { type Context, print } from './context.ts';
import { usage } from './option-value.ts';
import { versionLine } from './version.ts';

const help = `Usage: pkgvercmp A B              print how the version A compares with B
       pkgvercmp A OP B           print nothing; the exit status is 0 if it holds, else 1
       pkgvercmp -m VERSION...    print the smallest
       pkgvercmp -M VERSION...    print the largest

Compares versions in the order of packages, which is that of dpkg: ~ sorts before everything, so that
5.3.0-~~stage1 is older than 5.3.0. OP is < <= = != >= > (quoted), or lt le eq ne ge gt.

Options:
  -m, -M      the smallest or the largest of all; of equal ones by their bytes
  --json      print the result as JSON
  --version   show the version
  -h, --help  show this help

Exit status: 0, or 1 where A OP B does not hold, or 2 where a version or an option is not right.

Examples:
  pkgvercmp 7.3p1 7.3                                    prints "greater than"
  if pkgvercmp "$VERSION" lt 12; then echo old; fi
  pkgvercmp -M 5.3.0 12.2.0 5.3.0-~~stage1               prints "12.2.0"
`;

const operators: Readonly<Record<string, Comparator['op']>> = {
  '<': '<',
  '<<': '<',
  lt: '<',
  '<=': '<=',
  le: '<=',
  '=': '=',
  '==': '=',
  eq: '=',
  '!=': '!=',
  ne: '!=',
  '>=': '>=',
  ge: '>=',
  '>': '>',
  '>>': '>',
  gt: '>',
};

const seeHelp = 'pkgvercmp --help shows how it is called';

export function main(context: Context): number {
  const options = new Set<string>();
  const words: string[] = [];
  for (const [index, word] of context.args.entries()) {
    if (word === '--') {
      words.push(...context.args.slice(index + 1));
      break;
    }
    if (!word.startsWith('-')) words.push(word);
    else if (['-m', '-M', '--json', '--version', '-h', '--help'].includes(word)) options.add(word);
    else throw usage(`${quote(word)} is no option`, seeHelp);
  }
  if (options.has('-h') || options.has('--help')) print(help);
  else if (options.has('--version')) print(versionLine(context));
  else if (options.has('-m') || options.has('-M')) pick(words, options);
  else if (words.length === 3) return decide(words, options);
  else compare(words, options);
  return 0;
}

function pick(words: readonly string[], options: ReadonlySet<string>): void {
  if (options.has('-m') && options.has('-M')) throw usage('-m and -M exclude each other', seeHelp);
  const sorted = words.map(checked).toSorted(compareVersionsTotally);
  const result = options.has('-m') ? sorted[0] : sorted.at(-1);
  if (result === undefined) throw usage('no version is given', seeHelp);
  print(options.has('--json') ? `${JSON.stringify({ result })}\n` : `${result}\n`);
}

function decide(words: readonly string[], options: ReadonlySet<string>): number {
  const [a = '', word = '', b = ''] = words;
  const op = Object.hasOwn(operators, word) ? operators[word] : undefined;
  if (op === undefined)
    throw usage(`${quote(word)} is no comparison`, 'one of < <= = != >= >, or lt le eq ne ge gt');
  const result = satisfies([[{ op, version: checked(b) }]], checked(a));
  if (options.has('--json')) print(`${JSON.stringify({ a, op, b, result })}\n`);
  return result ? 0 : 1;
}

function compare(words: readonly string[], options: ReadonlySet<string>): void {
  const [a, b, ...others] = words;
  if (a === undefined || b === undefined || others.length > 0) {
    throw usage(`two versions are to be compared, and ${words.length || 'none'} given`, seeHelp);
  }
  const order = compareVersions(checked(a), checked(b));
  const result = order < 0 ? 'less than' : order > 0 ? 'greater than' : 'equal';
  print(options.has('--json') ? `${JSON.stringify({ a, b, result })}\n` : `${result}\n`);
}

function checked(version: string): string {
  if (isVersion(version)) return version;
  throw usage(`${quote(version)} is no version`, versionHint);
}
