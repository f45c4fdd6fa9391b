import test from 'ava';
import * as fc from 'fast-check';
import { spawn } from 'node:child_process';
import { isDeepStrictEqual } from 'node:util';
import * as semver from 'semver';
import { Fault } from '../../builder/fault.ts';
import {
  type Alternative,
  formatRelation,
  namesPrerelease,
  type Range,
  satisfies,
} from '../../src/package/constraint.ts';
import { isVersion, isVirtualName } from '../../src/package/name.ts';
import { nearMiss } from '../../src/package/near-miss.ts';
import { nearest } from '../../src/package/nearest.ts';
import { parseRequest } from '../../src/package/relation.ts';
import { compareVersions, compareVersionsTotally, isPrerelease } from '../../src/package/version.ts';

/** Each line from the oldest to the newest, as dpkg orders them. */
const ladders = [
  ['5.3.0-~~stage0', '5.3.0-~~stage1', '5.3.0-~~stage1.2', '5.3.0', '5.3.0-1', '5.3.0.1', '6.3.0'],
  ['8~~', '8~rc1', '8-~~stage1', '8', '8-1', '8a', '8+git', '8.0'],
  ['7.3', '7.3-1', '7.3p1', '7.3p2', '7.3p10', '7.4'],
  ['1:0.1', '1:9.2p1-2+deb12u3', '1:9.2p1-2+deb12u10', '2:0'],
  ['20170329', '2:1'],
  ['2026a', '2026f', '2026g', '2027'],
  ['R52', 'R52c', 'R54'],
  ['1.2.3-1', '1.2.3-1-1', '1.2.3-1-2', '1.2.3-2-0'],
  ['1a', '1b', '1+', '1.', '1.1'],
  ['18446744073709551615', '18446744073709551616', '99999999999999999999999999'],
];
const equals = [
  ['1.0', '1.00', '0:1.0', '1.0-0', '01.000', '00:1.0-00'],
  ['7.3p1', '7.3p01', '7.03p1'],
];

test('versions stand in the order that dpkg gives them', (t) => {
  for (const ladder of ladders) {
    for (const [i, a] of ladder.entries()) {
      for (const [j, b] of ladder.entries()) {
        t.is(compareVersions(a, b), Math.sign(i - j), `${a} and ${b}`);
        t.is(compareVersionsTotally(a, b), Math.sign(i - j), `${a} and ${b}`);
      }
    }
  }
  for (const same of equals)
    for (const a of same) for (const b of same) t.is(compareVersions(a, b), 0, `${a} ${b}`);
});

test('what has no order is no version', (t) => {
  const bad = [
    '',
    '-1',
    '.1',
    '~1',
    '1-',
    '1:',
    ':1',
    'a:1',
    '1:-1',
    '1:~1',
    '1 2',
    '1_2',
    'ä',
    '1\n',
    '1'.repeat(129),
  ];
  for (const text of bad) t.false(isVersion(text), JSON.stringify(text));
  for (const text of [...ladders.flat(), 'v1', '1:2:3', '1:2-3:4', '1'.repeat(128)])
    t.true(isVersion(text), text);
});

test('a version with ~ is a pre-release', (t) => {
  t.deepEqual(['8~rc1', '5.3.0-~~stage1', '8', '1:9.2p1-2+deb12u3'].map(isPrerelease), [
    true,
    true,
    false,
    false,
  ]);
});

const number = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 12 }).map(String) },
  { weight: 1, arbitrary: fc.integer({ min: 1_970_0101, max: 2_038_0119 }).map(String) },
  { weight: 1, arbitrary: fc.bigInt({ min: 2n ** 62n, max: 2n ** 66n }).map(String) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 30 }).map((value) => `00${value}`) },
);
const piece = fc.oneof(
  { weight: 6, arbitrary: number },
  { weight: 4, arbitrary: fc.constantFrom('.', '.', '.', '+', '~', '~~', '-', ':') },
  {
    weight: 3,
    arbitrary: fc.constantFrom('p', 'rc', 'deb', 'a', 'Z', 'git', 'stage', 'beta', '+b', '~rc', '-~~stage'),
  },
);
const upstream = fc.oneof(
  fc.array(piece, { minLength: 1, maxLength: 7 }).map((pieces) => pieces.join('')),
  fc.array(number, { minLength: 1, maxLength: 4 }).map((numbers) => numbers.join('.')),
  fc.constantFrom(
    'R54',
    '7.3p1',
    '5.3.0-~~stage1',
    '1:9.2p1-2+deb12u3',
    '2026f',
    '1.2.3-1-2',
    '3.1-20170329',
  ),
);
const version = fc
  .tuple(fc.option(fc.constantFrom('0:', '00:', '1:', '2:', '2147483647:'), { freq: 4, nil: '' }), upstream)
  .map(([epoch, rest]) => (rest.includes(':') ? rest : epoch + rest))
  .filter(isVersion);

/** Another spelling that means the same: zeros before numbers, an epoch or revision of zero. */
const spelled = (text: string, zeros: boolean, epoch: boolean, revision: boolean): string => {
  const digits = zeros ? text.replaceAll(/(?<![0-9])(?=[0-9])/g, '0') : text;
  return `${epoch && !digits.includes(':') ? '0:' : ''}${digits}${revision && !text.includes('-') ? '-0' : ''}`;
};
/** One small change, so that the pair is decided late in the string. */
const changed = (text: string, at: number, character: string): string => {
  const place = at % (text.length + 1);
  return text.slice(0, place) + character + text.slice(place + 1);
};
/** dpkg keeps the epoch in an int and refuses a larger one; every other version of ours it compares. */
const isComparable = (text: string): boolean =>
  isVersion(text) && (!text.includes(':') || BigInt(text.slice(0, text.indexOf(':'))) < 2n ** 31n);
const pair = fc
  .oneof(
    { weight: 4, arbitrary: fc.tuple(version, version) },
    {
      weight: 4,
      arbitrary: fc
        .tuple(version, fc.nat(), fc.constantFrom('', '0', '1', '9', '~', '.', '-', '+', 'a', 'Z'))
        .map(([text, at, character]) => [text, changed(text, at, character)] as const),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(version, fc.boolean(), fc.boolean(), fc.boolean())
        .map(([text, ...how]) => [text, spelled(text, ...how)] as const),
    },
  )
  .filter(([a, b]) => isComparable(a) && isComparable(b));

const neighbours = (versions: readonly string[]) =>
  versions.slice(1).map((version, index) => [versions[index] ?? '', version] as const);

/** The lines `A OP B` for which dpkg says no, or cannot tell. */
async function refutedByDpkg(lines: readonly string[]): Promise<string> {
  const script =
    'while read -r a op b; do dpkg --compare-versions "$a" $op "$b" 2>/dev/null || echo "$a $op $b: $?"; done';
  const shell = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  shell.stdin.end(`${lines.join('\n')}\n`);
  let refuted = '';
  for await (const chunk of shell.stdout.setEncoding('utf8')) refuted += chunk;
  return refuted;
}

test('dpkg agrees on 12,000 generated pairs', async (t) => {
  const seed = Date.now() % 2 ** 31;
  const generated = fc.sample(pair, { numRuns: 12_000, seed });
  const pairs = [...generated, ...[...ladders, ...equals].flatMap(neighbours)];
  const lines = pairs.map(([a, b]) => `${a} ${['lt', 'eq', 'gt'][compareVersions(a, b) + 1]} ${b}`);
  for (const op of ['lt', 'eq', 'gt']) {
    const count = lines.filter((line) => line.split(' ')[1] === op).length;
    t.true(count > 1000, `${count} pairs are ${op}, seed ${seed}`);
  }
  const half = Math.ceil(lines.length / 2);
  const refuted = await Promise.all([refutedByDpkg(lines.slice(0, half)), refutedByDpkg(lines.slice(half))]);
  t.is(refuted.join(''), '', `seed ${seed}`);
  t.is(await refutedByDpkg(['1 lt 2', '2 lt 1']), '2 lt 1: 1\n', 'a wrong answer would be seen');
});

test('the order is total, and the one by bytes leaves no ties', (t) => {
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      const [ab, bc, ac] = [compareVersions(a, b), compareVersions(b, c), compareVersions(a, c)];
      return (
        compareVersions(b, a) === 0 - ab &&
        (ab > 0 || bc > 0 || ac <= 0) &&
        (ab !== 0 || ac === bc) &&
        (compareVersionsTotally(a, b) === 0) === (a === b) &&
        (ab === 0 || compareVersionsTotally(a, b) === ab)
      );
    }),
    { numRuns: 5000 },
  );
  t.pass();
});

// --- Constraints

function only(text: string): Alternative {
  const [alternative, ...others] = parseRequest(text).alternatives;
  if (!alternative || others.length > 0) throw new Error(`${text} is not one alternative`);
  return alternative;
}
const rangeOf = (range: string): Range => only(`p ${range}`).range;

test('shorthands expand to plain comparators', (t) => {
  const table: Record<string, string> = {
    '': 'p',
    '*': 'p',
    '^*': 'p',
    '12': 'p = 12',
    '= 12': 'p = 12',
    '== 12': 'p = 12',
    '<< 12': 'p < 12',
    '>>12': 'p > 12',
    '>= 7 <8': 'p >= 7 < 8',
    '!= 7.1': 'p != 7.1',
    '(>= 7)': 'p >= 7',
    '( 1.* || ^3 )': 'p >= 1 < 2~~ || >= 3 < 4~~',
    '^7.2': 'p >= 7.2 < 8~~',
    '^ 7.3p1': 'p >= 7.3p1 < 8~~',
    '^0.2.3': 'p >= 0.2.3 < 0.3~~',
    '^0.0.3': 'p >= 0.0.3 < 0.0.4~~',
    '^0.0': 'p >= 0.0 < 0.1~~',
    '^0': 'p >= 0 < 1~~',
    '^R54': 'p >= R54 < R55~~',
    '^1:9.2': 'p >= 1:9.2 < 1:10~~',
    '^5.3.0-~~stage1': 'p >= 5.3.0-~~stage1 < 6~~',
    '^201602131606': 'p >= 201602131606 < 201602131607~~',
    '^18446744073709551615': 'p >= 18446744073709551615 < 18446744073709551616~~',
    '~7': 'p >= 7 < 8~~',
    '~7.2': 'p >= 7.2 < 7.3~~',
    '~2.2.26.0': 'p >= 2.2.26.0 < 2.3~~',
    '~>2.2': 'p >= 2.2 < 2.3~~',
    '~2026f': 'p >= 2026f < 2027~~',
    '7.*': 'p >= 7 < 8~~',
    '1.2.x': 'p >= 1.2 < 1.3~~',
    '1.*.*': 'p >= 1 < 2~~',
    '>= 1.x': 'p >= 1',
    '> 1.x': 'p >= 2~~',
    '< 1.x': 'p < 1~~',
    '<= 1.2.x': 'p < 1.3~~',
    '^1.2.x': 'p >= 1.2 < 2~~',
    '~1.2.x': 'p >= 1.2 < 1.3~~',
    '!= 5.*': 'p < 5 || >= 6~~',
    '>= 4 != 5.*': 'p >= 4 < 5 || >= 4 >= 6~~',
    '7.1 - 7.4': 'p >= 7.1 < 7.5~~',
    '3.0 - 3.1-20170329': 'p >= 3.0 <= 3.1-20170329',
    '7.1 - 8.x': 'p >= 7.1 < 9~~',
    '7.1 - *': 'p >= 7.1',
    '* - 8': 'p < 9~~',
    '< 2 || >= 3': 'p < 2 || >= 3',
    '<2||>=3': 'p < 2 || >= 3',
    '1 || *': 'p',
    '1 || = abc': 'p = 1 || = abc',
  };
  for (const [range, plain] of Object.entries(table))
    t.is(formatRelation(parseRequest(`p ${range}`)), plain, range);
});

test('a name may be written in each way that the command line promises', (t) => {
  const exact = { name: 'gcc', range: [[{ op: '=', version: '12.2.0' }]] };
  for (const word of [
    'gcc=12.2.0',
    'gcc,12.2.0',
    'gcc 12.2.0',
    'gcc (= 12.2.0)',
    'gcc(12.2.0)',
    ' gcc = 12.2.0 ',
  ]) {
    t.deepEqual(parseRequest(word).alternatives, [exact], word);
  }
  t.deepEqual(only('gcc>=12').range, only('gcc >= 12').range);
  t.deepEqual(only('gcc^12').range, only('gcc ^12').range);
  t.deepEqual(only('gcc,5.3.0-~~stage1').range, [[{ op: '=', version: '5.3.0-~~stage1' }]]);
  t.deepEqual(only('openssh,1:9.2p1-2+deb12u3').range, [[{ op: '=', version: '1:9.2p1-2+deb12u3' }]]);
  t.deepEqual(
    parseRequest('cmd:awk | mawk (>= 1.3) | busybox^1.35').alternatives.map(({ name }) => name),
    ['cmd:awk', 'mawk', 'busybox'],
  );
  t.is(parseRequest('a  |b').text, 'a  |b');
  for (const name of ['bin/sh', 'pc/gtk+-3.0', 'cmd:awk', '0ad', 'g++']) t.true(isVirtualName(name), name);
  for (const name of ['../a', 'a/../b', 'a//b', '/a', 'a:', 'Aa', '', 'a\n'])
    t.false(isVirtualName(name), name);
});

test('odd versions fall where a person expects them', (t) => {
  const table: readonly (readonly [range: string, takes: string, refuses: string])[] = [
    ['1.2.*', '1.2 1.2.0 1.2p1 1.2-3 1.2.99', '1.20 1.2~rc1 1.3 1.3~rc1 1'],
    ['3.0 - 3.1', '3.0 3.1 3.1-20170329 3.1.4', '3.2 2.9 3.2~rc1'],
    ['^7.3p1', '7.3p1 7.3p2 7.4 7.99', '7.3 8 8~rc1 8-~~stage1 6.9'],
    ['^R54', 'R54 R54b', 'R55 R53 R55~rc1'],
    ['^9.2', '9.2p1 9.9', '1:9.2p1 10'],
    ['>= 9', '9 1:0.1 10', '8.9 8'],
    ['^1:9.2', '1:9.2p1-2+deb12u3 1:9.9', '9.2p1 1:10 2:9.2'],
    ['~2026f', '2026f 2026g', '2026e 2027a'],
    ['= 5.3.0', '5.3.0 5.3.00 0:5.3.0 5.3.0-0', '5.3.0-1 5.3.0-~~stage1 5.3'],
    ['>= 5.3.0~~', '5.3.0 5.3.0-~~stage1 5.3.0-1 6', '5.2.9'],
    ['< 8~~', '7.99', '8 8~rc1 8-~~stage1'],
    ['>= 1.2.0', '1.2.0 1.3', '1.2'],
    ['<= 2.3.4', '2.3.4 2.3', '2.3.4-1 2.3.5'],
    ['!= 2', '1 2-1 3', '2 2-0 02'],
    ['< 2 || >= 3 != 4', '1 3 5 4.1', '2 2.5 4'],
    ['^20170329', '20170329 20170329.1', '20170330'],
    ['*', '0 R54 5.3.0-~~stage1 1:1', ''],
  ];
  for (const [range, takes, refuses] of table) {
    for (const version of takes.split(' '))
      t.true(satisfies(rangeOf(range), version), `${range} takes ${version}`);
    for (const version of refuses.split(' ').filter(Boolean)) {
      t.false(satisfies(rangeOf(range), version), `${range} refuses ${version}`);
    }
  }
});

const named = (range: string, version: string) => namesPrerelease(rangeOf(range), version);

test('only a range that speaks of a pre-release names it', (t) => {
  t.true(named('>= 8~rc1', '8~rc1'));
  t.true(named('>= 8~rc1', '8~rc2'));
  t.true(named('= 5.3.0-~~stage1', '5.3.0-~~stage1'));
  t.true(named('>= 5.3.0~~', '5.3.0-~~stage1'));
  t.true(named('< 7 || ^8~rc1', '8~rc2'));
  t.false(named('>= 8~rc1', '9~beta'));
  t.false(named('>= 8~rc1', '8'), 'no pre-release');
  t.false(named('>= 8~rc2', '8~rc1'), 'not allowed at all');
  t.false(named('^7', '8~rc1'), 'the bound of a shorthand');
  t.false(named('^7', '7.5~rc1'));
  t.false(named('*', '8~rc1'));
  t.false(named('!= 8~rc1', '8~rc2'));
});

test('what is no constraint is refused at its place, with what to write', (t) => {
  const table: readonly (readonly [word: string, character: number, message: RegExp, hint: RegExp])[] = [
    ['gcc => 1', 5, /"=>" is no comparison/, /write >=/],
    ['gcc =< 1', 5, /"=<" is no comparison/, /write <=/],
    ['gcc ~= 1', 5, /"~=" is no comparison/, /write ~/],
    ['gcc [amd64]', 5, /\[amd64\]/, /one architecture/],
    ['gcc <!nocheck>', 5, /profiles/, /recipe/],
    ['gcc <stage1>', 5, /profiles/, /recipe/],
    ['gcc@latest', 4, /tags/, /\^1\.2/],
    ['gcc >= > 1', 5, /two operators/, /one operator/],
    ['gcc >=~ 1', 5, /more than one operator/, /one operator/],
    ['gcc >= 1 <', 10, /no version follows "<"/, /behind it/],
    ['gcc (>= )', 6, /no version follows ">="/, /behind it/],
    ['gcc (>= 1', 5, /not closed/, /\(>= 1\.2\)/],
    ['gcc (>= 1) 2', 12, /not expected/, /gcc >= 12/],
    ['gcc >= 1)', 9, /not expected/, /gcc >= 12/],
    ['gcc >= 1, make', 9, /comma/, /by itself/],
    ['gcc,', 5, /"" is no version/, /starts with/],
    ['gcc,1_2', 5, /"1_2" is no version/, /starts with/],
    ['gcc 1.2 -3', 9, /"-3" is no version/, /blanks stand around/],
    ['gcc 1 - 2 - 3', 7, /hyphen/, />= 7\.1 <= 7\.4/],
    ['gcc >= 1 - 3', 10, /hyphen/, />= 7\.1 <= 7\.4/],
    ['gcc - 3', 5, /hyphen/, />= 7\.1 <= 7\.4/],
    ['gcc 1<2', 6, /blank is missing/, /and/],
    ['gcc 1.*.3', 5, /wrong place/, /7\.2\.\*/],
    ['gcc 1*', 5, /wrong place/, /7\.2\.\*/],
    ['gcc 1.2p1.*', 5, /before a wildcard/, /7\.2\.\*/],
    ['gcc ^abc', 6, /no number/, />= and </],
    ['gcc > *', 7, /no version at all/, /any/],
    ['gcc 1 || clang >= 3', 10, /"clang" would be a version/, /"\|" .* write = clang/],
    ['mksh tar', 6, /"tar" would be a version/, /comma.* write = tar/],
    ['mksh bzip2 xz', 6, /"bzip2" would be a version/, /comma/],
    ['gcc 1 | >= 3', 9, /name is missing/, /"\|\|"/],
    ['gcc ||', 5, /range is missing/, /\*/],
    ['gcc || || 2', 5, /range is missing/, /\*/],
    ['gcc |', 6, /name is missing/, /each side/],
    ['', 1, /name is missing/, /each side/],
    ['GCC', 1, /"GCC" is no package name/, /lower case/],
    ['gcc # 12', 5, /comment/, /first character/],
    ['gcc\n', 4, /"\\n" is not expected/, /gcc >= 12/],
    ['gcc \u001b[31m', 5, /"\\u001b" is not expected/, /gcc >= 12/],
    [`gcc ^${'9'.repeat(128)}`, 6, /too long/, />= and </],
  ];
  for (const [word, character, message, hint] of table) {
    const error = t.throws(() => parseRequest(word, '-p'), { instanceOf: Fault }, word);
    t.is(error?.code, 'USAGE', word);
    t.regex(error?.message ?? '', message, word);
    t.true(error?.message.includes(`, character ${character}: `), `${word}: ${error?.message}`);
    t.true(error?.message.startsWith('-p "'), word);
    t.regex(error?.hint ?? '', hint, word);
  }
  const many = t.throws(() => parseRequest(`gcc ${'!= 1.* '.repeat(30)}`), { instanceOf: Fault });
  t.regex(many?.message ?? '', /more than 64 alternatives/);
  const long = t.throws(() => parseRequest(`gcc ${'!= 1 '.repeat(65)}`), { instanceOf: Fault });
  t.regex(long?.message ?? '', /more than 64 comparisons/);
});

const small = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 4 }) },
  { weight: 1, arbitrary: fc.constantFrom(9, 10, 99) },
);
const whole = fc.tuple(small, small, small).map((numbers) => numbers.join('.'));
const partial = fc.oneof(
  whole,
  fc.tuple(small, small).map((numbers) => numbers.join('.')),
  small.map(String),
);
const wild = fc.oneof(
  partial.filter((text) => text.split('.').length < 3).map((text) => `${text}.x`),
  fc
    .oneof(
      small,
      fc.tuple(small, small).map((two) => two.join('.')),
    )
    .map((stem) => `${stem}.*`),
);
/** What means the same in both: partial versions only where npm does not read `1.2` as `1.2.x`. */
const comparator = fc.oneof(
  fc.tuple(fc.constantFrom('=', '<', '>', '<=', '>=', ''), whole),
  fc.tuple(fc.constantFrom('<', '>='), partial),
  fc.tuple(fc.constantFrom('^', '~', '~>', '^ ', '~ '), fc.oneof(whole, partial, wild)),
  fc.tuple(fc.constantFrom('', '>=', '<', '>', '<='), wild),
  fc.constant(['', '*']),
);
const set = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.array(
      comparator.map(([op, text]) => `${op}${text}`),
      { minLength: 1, maxLength: 3 },
    ),
  },
  { weight: 1, arbitrary: fc.tuple(partial, fc.constant('-'), partial) },
);
const npmRange = fc
  .array(
    set.map((parts) => parts.join(' ')),
    { minLength: 1, maxLength: 3 },
  )
  .map((sets) => sets.join(' || '));

test('on x.y.z versions ranges mean what npm means by them', (t) => {
  const counts = { allowed: 0, refused: 0 };
  fc.assert(
    fc.property(npmRange, fc.array(whole, { minLength: 8, maxLength: 8 }), (text, versions) => {
      const range = rangeOf(text);
      for (const version of versions) {
        const expected = semver.satisfies(version, text);
        counts[expected ? 'allowed' : 'refused'] += 1;
        if (satisfies(range, version) !== expected)
          throw new Error(`${text} and ${version}: npm says ${expected}`);
      }
    }),
    { numRuns: 30_000 },
  );
  t.true(counts.allowed > 50_000 && counts.refused > 50_000, JSON.stringify(counts));
});

const anyVersion = fc
  .array(fc.constantFrom('0', '1', '2', '10', '.', '.', '-', '~', 'p', 'R', '+', ':'), {
    minLength: 1,
    maxLength: 8,
  })
  .map((parts) => parts.join(''))
  .filter(isVersion);
const plain = fc
  .tuple(fc.constantFrom('=', '!=', '<', '<=', '>', '>='), anyVersion)
  .map(([op, version]) => ({ op, version }));
const relation = fc.array(
  fc
    .tuple(
      fc.constantFrom('gcc', 'g++', 'a', 'cmd:awk', 'bin/sh', '0ad'),
      fc.array(fc.array(plain, { minLength: 1, maxLength: 3 }), { maxLength: 3 }),
    )
    .map(([name, range]) => ({ name, range })),
  { minLength: 1, maxLength: 3 },
);

test('a relation printed in plain comparators reads as the same', (t) => {
  fc.assert(
    fc.property(relation, (alternatives) =>
      isDeepStrictEqual(parseRequest(formatRelation({ alternatives })).alternatives, alternatives),
    ),
    { numRuns: 3000 },
  );
  t.pass();
});

test('any text is read or refused with a place in it, and quickly', (t) => {
  const noise = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc
      .array(
        fc.constantFrom(
          'gcc',
          '1.2',
          ' ',
          ' ',
          '|',
          '||',
          ',',
          '(',
          ')',
          '<',
          '>',
          '=',
          '^',
          '~',
          '*',
          '.x',
          '-',
          '[',
          '@',
          '1',
        ),
        {
          maxLength: 20,
        },
      )
      .map((parts) => parts.join('')),
  );
  let read = 0;
  fc.assert(
    fc.property(noise, (text) => {
      try {
        const { alternatives } = parseRequest(text);
        read += 1;
        return isDeepStrictEqual(parseRequest(formatRelation({ alternatives })).alternatives, alternatives);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        const character = Number(/, character ([0-9]+): /.exec(error.message)?.[1]);
        return character >= 1 && character <= text.length + 1 && !/\p{Cc}/u.test(error.message);
      }
    }),
    { numRuns: 20_000, examples: [['gcc,1.2.x'], ['gcc=1.X']] },
  );
  t.true(read > 500, `${read} were constraints`);
  for (const part of [
    'a',
    '1',
    '.',
    ' ',
    '1.',
    '.x',
    '~',
    '|',
    '||',
    '(',
    '1 - ',
    '= 1 ',
    ':',
    '-',
    '/',
    'a/',
  ]) {
    for (const text of [
      part.repeat(100_000),
      `gcc ${part.repeat(100_000)}`,
      `gcc 1${part.repeat(100_000)}!`,
    ]) {
      try {
        parseRequest(text);
      } catch (error) {
        t.true(error instanceof Fault, part);
      }
    }
  }
});

const hint = (constraint: string, ...versions: string[]) => nearMiss(only(constraint), versions) ?? '';

test('the traps of the version order are told', (t) => {
  t.regex(hint('gcc = 5.3.0', '4.0', '5.3.0-1'), /5\.3\.0-1 exists.*revision.*"gcc = 5\.3\.0-1"/);
  t.regex(hint('gcc >= 5.3.0', '5.3.0-~~stage1'), /5\.3\.0-~~stage1 exists.*"~".*older/);
  t.regex(hint('gcc >= 8', '8~rc1', '7'), /8~rc1 exists/);
  t.regex(hint('openssh ^9.2', '1:9.2p1'), /epoch 1: counts first.*1:9\.2p1/);
  t.regex(hint('openssh ^1:9.2', '9.2p1'), /without an epoch/);
  t.regex(
    hint('less ^0.0.20170323', '0.0.20180101'),
    /shorthand of 0\.0\.20170323 .*"less >= 0\.0\.20170323"/,
  );
  t.is(hint('gcc >= 12', '7.2.0', '8.1.0'), '');
  t.is(hint('gcc >= 12'), '');
});

test('a slip of the finger is recognised', (t) => {
  const names = ['gcc', 'binutils', 'make', 'musl', 'mksh', 'Depends-Build'];
  t.is(nearest('bintuils', names), 'binutils');
  t.is(nearest('msul', names), 'musl');
  t.is(nearest('mslu', names), undefined);
  t.is(nearest('musk', names), 'musl');
  t.is(nearest('depends-biuld', names), 'Depends-Build');
  t.is(nearest('zzz', names), undefined);
});
