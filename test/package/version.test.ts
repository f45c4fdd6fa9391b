import test from 'ava';
import * as fc from 'fast-check';
import { spawn } from 'node:child_process';
import { isVersion } from '../../src/package/name.ts';
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
