import test from 'ava';
import * as fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { Fault } from '../../builder/fault.ts';
import { isArchitecture, machineBy } from '../../src/package/architecture.ts';
import {
  checkBinaryControl,
  formatBinaryControl,
  parseBinaryControl,
} from '../../src/package/binary-control.ts';
import { candidateOf } from '../../src/package/candidate.ts';
import { checkControl } from '../../src/package/control.ts';
import { isName, isVersion } from '../../src/package/name.ts';
import {
  decodeText,
  paragraphsOf,
  parseDocument,
  printDocument,
  rawValue,
} from '../../src/package/paragraph.ts';
import { type Checked, type Problem, problemText } from '../../src/package/problem.ts';
import {
  binaryControlOf,
  checkSourceControl,
  makeBinaryControl,
  parseSourceControl,
} from '../../src/package/source-control.ts';

const errorsOf = ({ errors }: Checked<unknown>) => errors.map((problem) => problemText(problem));
const warningsOf = ({ warnings }: Checked<unknown>) =>
  warnings.map((problem) => problemText(problem, 'warning'));

/** A recipe's control as the original's are: names on lines of their own, indented by tabs. */
const original = `Source: widget
Version: 7.53.1
Depends-Unpack:
\tmksh
\ttar
Depends-Build:
\tmksh
\tgcc
Depends-Run:
\tcacert
Sources:
\twidget-7.53.1.tar.lzma

Package: widget
Depends-Run:
\tzlib

Package: widget-doc
`;

const full = `# The compiler.
Source: gcc
Version: 1:12.2.0-3
Description: GNU compilers
 for C and C++:
 .
   - cc
   - c++
 and no more
Homepage: https://gcc.gnu.org/
License: GPL-3.0-or-later WITH GCC-exception-3.1 AND (MIT OR LicenseRef-x)
Depends-Unpack: mksh, tar
Depends-Build:
  gcc >= 9 | clang ^14
# for its documentation
  texinfo
Depends-Test: dejagnu
Depends-Run: binutils
Sources: gcc-12.2.0.tar.xz isl_0.24.orig.tar.xz
Layer-Rank: 300

Package: gcc
depends-run: musl >= 1.2 < 2~~, binutils
Provides: cc, c99 = 1, pc/gcc
Conflicts: gcc-snapshot, tcc (<< 0.9)
Link-Priority: 70
Link: etc/gcc.conf share/gcc/specs
Mode: bin/su 4755
  libexec/game 2755
Layer-Rank: 301

Package: gcc-doc
Architecture: all
Description: Manuals
License: GFDL-1.3-only
`;

test("the original's control files are read", (t) => {
  const control = parseSourceControl(original, 'control');
  t.is(control.name, 'widget');
  t.deepEqual(
    control.dependsBuild.map(({ text }) => text),
    ['mksh', 'gcc'],
  );
  t.deepEqual(control.sources, ['widget-7.53.1.tar.lzma']);
  t.deepEqual(
    control.packages.map(({ name, depends }) => [name, depends.map(({ text }) => text)]),
    [
      ['widget', ['zlib', 'cacert']],
      ['widget-doc', ['cacert']],
    ],
  );
  const text =
    'Package: widget\nVersion: 7.53.1-~~stage1\nSource: widget 7.53.1\nDepends-Run:\n  zlib\nBuilt-From:\n  gcc 5.3.0\n  musl 1.1.15\n';
  const { source, builtFrom, version } = parseBinaryControl(text, 'control');
  t.deepEqual(source, { name: 'widget', version: '7.53.1' });
  t.is(version, '7.53.1-~~stage1');
  t.deepEqual(builtFrom, [
    { name: 'gcc', version: '5.3.0' },
    { name: 'musl', version: '1.1.15' },
  ]);
});

test('every field of a recipe is read', (t) => {
  const checked = checkSourceControl(full, 'control');
  t.deepEqual([...errorsOf(checked), ...warningsOf(checked)], []);
  const control = parseSourceControl(full, 'control');
  t.is(control.version, '1:12.2.0-3');
  t.is(control.description, 'GNU compilers\nfor C and C++:\n\n  - cc\n  - c++\nand no more');
  t.is(control.homepage, 'https://gcc.gnu.org/');
  t.is(control.license, 'GPL-3.0-or-later WITH GCC-exception-3.1 AND (MIT OR LicenseRef-x)');
  const texts = [control.dependsUnpack, control.dependsBuild, control.dependsTest, control.dependsRun].map(
    (list) => list.map(({ text }) => text),
  );
  t.deepEqual(texts, [['mksh', 'tar'], ['gcc >= 9 | clang ^14', 'texinfo'], ['dejagnu'], ['binutils']]);
  t.deepEqual(control.sources, ['gcc-12.2.0.tar.xz', 'isl_0.24.orig.tar.xz']);
  t.is(control.layerRank, 300);
  const [gcc, doc] = control.packages;
  t.deepEqual(
    gcc?.depends.map(({ text }) => text),
    ['musl >= 1.2 < 2~~', 'binutils'],
  );
  t.deepEqual(gcc?.provides, [{ name: 'cc' }, { name: 'c99', version: '1' }, { name: 'pc/gcc' }]);
  t.deepEqual(
    gcc?.conflicts.map(({ alternatives }) => alternatives[0]?.name),
    ['gcc-snapshot', 'tcc'],
  );
  t.deepEqual([gcc?.linkPriority, gcc?.layerRank, doc?.linkPriority, doc?.layerRank], [70, 301, 50, 300]);
  t.deepEqual(gcc?.links, ['etc/gcc.conf', 'share/gcc/specs']);
  t.deepEqual(gcc?.modes, [
    { path: 'bin/su', mode: '4755' },
    { path: 'libexec/game', mode: '2755' },
  ]);
  t.deepEqual([gcc?.license, doc?.license], [control.license, 'GFDL-1.3-only']);
  t.deepEqual([gcc?.architecture, doc?.architecture], [undefined, 'all']);
});

test('a binary control holds what its source says of the package and what the build decides', (t) => {
  const control = parseSourceControl(full, 'control');
  const made = control.packages.map((from) =>
    makeBinaryControl(control, from, { version: '1:12.2.0-3~~stage1', architecture: 'x86_64' }),
  );
  t.is(
    made[1],
    `Package: gcc-doc
Version: 1:12.2.0-3~~stage1
Source: gcc 1:12.2.0-3
Architecture: all
Description: Manuals
Homepage: https://gcc.gnu.org/
License: GFDL-1.3-only
Depends-Run:
  binutils
Layer-Rank: 300
`,
  );
  t.regex(
    made[0] ?? '',
    /\nDescription: GNU compilers\n for C and C\+\+:\n \.\n {3}- cc\n {3}- c\+\+\n and no more\nHomepage/,
  );
  for (const [index, text] of made.entries()) {
    const from = control.packages[index];
    t.deepEqual(
      parseBinaryControl(text, 'control'),
      from && binaryControlOf(control, from, { version: '1:12.2.0-3~~stage1', architecture: 'x86_64' }),
    );
  }
  t.deepEqual(candidateOf(made[0] ?? ''), {
    name: 'gcc',
    version: '1:12.2.0-3~~stage1',
    depends: control.packages[0]?.depends ?? [],
    provides: [{ name: 'cc' }, { name: 'c99', version: '1' }, { name: 'pc/gcc' }],
    conflicts: control.packages[0]?.conflicts ?? [],
    architecture: 'x86_64',
  });
});

test('an error has its file, line, column and field, and the others are told too', (t) => {
  const bad = full
    .replace('Source: gcc', 'Source: GCC')
    .replace('https://gcc', 'ftp://gcc')
    .replace('AND (MIT', 'AND (MIT or')
    .replace('gcc >= 9 | clang', 'gcc => 9, x [amd64] | clang')
    .replace('  texinfo', '  texinfo@6\n  # why')
    .replace('gcc-12.2.0.tar.xz isl', '../gcc.tar.xz isl')
    .replace('Layer-Rank: 300', 'Layer-Rank: many\nVersion: 2\nLink-Priority: 3\nno colon')
    .replace('c99 = 1', 'c99 > 1')
    .replace('gcc-snapshot,', 'a | b,')
    .replace('etc/gcc.conf', '/etc/gcc.conf')
    .replace('4755', '755')
    .replace('Architecture: all', 'Architecture: amd64\nSources: x.tar')
    .replace('License: GFDL-1.3-only', 'License:\n\n stray\nPackage: gcc');
  t.deepEqual(errorsOf(checkSourceControl(bad, 'dir/control')), [
    'dir/control:2:9: Source: "GCC" is no package name',
    'dir/control:10:11: Homepage: "ftp://gcc.gnu.org/" is no address of a page',
    'dir/control:11:59: License: "or" stands where AND or OR should',
    'dir/control:14:7: Depends-Build: "=>" is no comparison',
    'dir/control:14:15: Depends-Build: restrictions such as [amd64] are not supported',
    'dir/control:16:10: Depends-Build: tags such as @latest are not supported',
    'dir/control:17:3: Depends-Build: a comment has a line of its own',
    'dir/control:20:10: Sources: "../gcc.tar.xz" is no name of a source archive',
    'dir/control:21:13: Layer-Rank: "many" is no whole number from 0 to 999',
    'dir/control:22:1: the field "Version" is here twice',
    'dir/control:23:1: Link-Priority: the field is not expected here',
    'dir/control:24:1: "no colon" has no colon',
    'dir/control:28:15: Provides: "c99 > 1" is more than a name and a version',
    'dir/control:29:12: Conflicts: a conflict is with one package',
    'dir/control:31:7: Link: "/etc/gcc.conf" is no path inside the package',
    'dir/control:32:7: Mode: "bin/su 755" is no path and mode',
    'dir/control:37:15: Architecture: "amd64" is no architecture',
    'dir/control:38:1: Sources: the field is not expected here',
    'dir/control:40:9: License: the field is empty',
    'dir/control:42:1: no field is above this line',
    'dir/control:43:1: Package: gcc is here twice',
  ]);
  const error = t.throws(() => parseSourceControl(bad, 'dir/control'), { instanceOf: Fault });
  t.is(error?.code, 'INPUT');
  t.is(error?.message, 'dir/control:2:9: Source: "GCC" is no package name');
  t.regex(error?.hint ?? '', /--check shows 20 more/);
});

test('what must be there and is not is an error', (t) => {
  const table: readonly (readonly [text: string, errors: readonly string[]])[] = [
    ['', ['c:1:1: Source: the field is missing']],
    ['# nothing\n\n', ['c:1:1: Source: the field is missing']],
    [
      'Source: a\n',
      ['c:1:1: Version: the field is missing', 'c:1:1: Package: no package is made of this source'],
    ],
    ['\nSource: a\nVersion: 1\n\nProvides: b\n', ['c:5:1: Package: the field is missing']],
    ['Package: a\n', ['c:1:1: Version: the field is missing']],
    ['Package: a\nVersion: 1\n\nPackage: b\n', ['c:4:1: a binary control has one paragraph']],
    ['Package: a\nVersion: 1_2\n', ['c:2:10: Version: "1_2" is no version']],
    ['Package: a\nVersion: 1\n 2\n', ['c:3:2: Version: the value has more than one line']],
    ['Package: a\nVersion: 1\nSource: a\n', ['c:3:9: Source: "a" is no name and version']],
    ['Package: a\nVersion: 1\nDepends-Build: b\n', ['c:3:1: Depends-Build: the field is not expected here']],
    [
      'Source: a\nVersion: 1\nSources: x\nPackage: a\n',
      ['c:1:1: Package: no package is made of this source', 'c:4:1: Package: the field is not expected here'],
    ],
  ];
  for (const [text, errors] of table) {
    const checked = checkControl(text, 'c');
    t.deepEqual(errorsOf(checked).toSorted(), errors.toSorted(), text);
    t.is(checked.value, undefined);
    if (!text.startsWith('Package')) continue;
    t.is(t.throws(() => parseBinaryControl(text, 'c'))?.message, errors[0] ?? '', text);
  }
});

test('the solver is told what it needs, and of nothing else', (t) => {
  const { name, depends } = candidateOf(
    'Package: a\nVersion: 1\nLicense: none at all\nX: y\nDepends-Run: b | c\n',
  );
  t.deepEqual([name, depends[0]?.alternatives.length], ['a', 2]);
  const text = 'Package: a\nVersion: 1\nDepends-Run: b =< 3\n';
  const error = t.throws(() => candidateOf(text, 'r/a/1/control'), { instanceOf: Fault });
  t.is(error?.message, 'r/a/1/control:3:16: Depends-Run: "=<" is no comparison');
  t.is(t.throws(() => candidateOf('Package: a\n', 'c'))?.message, 'c:1:1: Version: the field is missing');
  t.is(t.throws(() => candidateOf('', 'c'))?.message, 'c:1:1: Package: the field is missing');
});

test('unknown fields are kept and warned of', (t) => {
  const text = 'Package: a\nVersion: 1\nDescripton: b\nX-Note: c\n  d\n';
  const checked = checkBinaryControl(text, 'c');
  t.deepEqual(warningsOf(checked), [
    'c:3:1: warning: Descripton: the field is unknown and means nothing',
    'c:4:1: warning: X-Note: the field is unknown and means nothing',
  ]);
  t.deepEqual(
    checked.warnings.map(({ hint }) => hint),
    ['did you mean Description?', undefined],
  );
  t.deepEqual(checked.value?.other, [
    ['Descripton', 'b'],
    ['X-Note', 'c\nd'],
  ]);
  const halves = checkBinaryControl('Package: a\nVersion: 1\nDepends-Run: httpd >= 2, b, httpd < 3\n', 'c');
  t.deepEqual(warningsOf(halves), [
    'c:3:13: warning: Depends-Run: httpd has two entries: where several packages provide it, two may meet one each',
  ]);
});

test('bytes that cannot be seen are refused where they are', (t) => {
  const table: readonly (readonly [text: string, error: string])[] = [
    ['Package: a\r\nVersion: 1\r\n', 'c:1:11: the line ends in a carriage return'],
    ['\ufeffPackage: a\n', 'c:1:1: "\\ufeff" is no printable character'],
    ['Package: a\nX: \0\n', 'c:2:4: "\\u0000" is no printable character'],
    ['Package: a\nX: \u001b[31m\n', 'c:2:4: "\\u001b" is no printable character'],
    ['Package: ä\u202e\n', 'c:1:11: "\\u202e" is no printable character'],
    ['X: 😀\u009b\n', 'c:1:5: "\\u009b" is no printable character'],
  ];
  for (const [text, error] of table) t.deepEqual(errorsOf(checkBinaryControl(text, 'c'))[0], error);
  const broken = t.throws(() => decodeText(Buffer.from([0x50, 0xff]), 'a b'), { instanceOf: Fault });
  t.is(broken?.message, '"a b": is not UTF-8');
  t.is(decodeText(Buffer.from('Ü\n'), 'c'), 'Ü\n');
});

const licensed = (license: string) =>
  errorsOf(checkBinaryControl(`Package: a\nVersion: 1\nLicense: ${license}\n`, 'c')).length === 0;

test('license expressions are told from other text by their shape', (t) => {
  const good = [
    'MIT',
    'GPL-2.0+',
    'GPL-2.0-or-later',
    '(MIT)',
    'MIT AND (BSD-2-Clause OR (ISC AND Zlib))',
    'Apache-2.0 WITH LLVM-exception',
    'LicenseRef-mine',
    'DocumentRef-spdx:LicenseRef-a',
    '((MIT))',
    `${'('.repeat(5000)}MIT${')'.repeat(5000)}`,
  ];
  const bad = [
    'GPL 2',
    'MIT, ISC',
    'MIT and ISC',
    'MIT AND',
    'AND',
    '(MIT',
    'MIT)',
    '()',
    'MIT WITH',
    'MIT WITH AND',
    'MIT/ISC',
    'MIT (ISC)',
    '+',
    'GPL-2.0 or later',
    'MIT WITHx',
  ];
  for (const license of good) t.true(licensed(license), license);
  for (const license of bad) t.false(licensed(license), license);
});

test('one machine has a name in each name space', (t) => {
  t.is(machineBy('name', 'x86_64')?.triple, 'x86_64-linux-musl');
  t.is(machineBy('name', 'aarch64')?.oci, 'arm64');
  t.is(machineBy('oci', 'amd64')?.name, 'x86_64');
  t.truthy(machineBy('node', process.arch), `no machine is called ${process.arch} by Node`);
  t.deepEqual(['x86_64', 'aarch64', 'all', 'amd64', ''].map(isArchitecture), [
    true,
    true,
    true,
    false,
    false,
  ]);
});

const visible = fc
  .array(fc.constantFrom('a', 'b', 'Z', '0', ':', '#', '.', ',', '-', 'é', '日', '😀', ' ', '\t'), {
    maxLength: 12,
  })
  .map((characters) => characters.join(''));
const blanks = fc.constantFrom('', ' ', '\t', '  ');
const comment = visible.map((text) => `#${text}\n`);
const comments = fc.array(comment, { maxLength: 2 }).map((lines) => lines.join(''));
const goingOn = fc
  .tuple(
    comments,
    fc.constantFrom(' ', '\t', '   '),
    visible.filter((text) => text.trim() !== ''),
    blanks,
  )
  .map(([above, indent, text, after]) => ({
    bytes: `${above}${indent}${text}${after}\n`,
    text: text.trim(),
  }));
const modelField = fc
  .tuple(
    comments,
    fc.constantFrom('Package', 'X-Y', 'a', 'Long_Name.2', '0'),
    blanks,
    visible,
    fc.array(goingOn, { maxLength: 3 }),
  )
  .map(([above, name, before, value, more]) => ({
    name,
    value: [value.trim(), ...more.map(({ text }) => text)].join('\n'),
    bytes: `${above}${name}:${before}${value}\n${more.map(({ bytes }) => bytes).join('')}`,
  }));
const modelParagraph = fc.uniqueArray(modelField, {
  minLength: 1,
  maxLength: 4,
  selector: ({ name }) => name,
});
const gap = fc.tuple(comments, blanks).map(([above, empty]) => `${above}${empty}\n`);
const gaps = fc.array(gap, { minLength: 1, maxLength: 3 }).map((lines) => lines.join(''));

test('what is read from a control file prints as the same bytes, and is what was written', (t) => {
  const model = fc.tuple(
    fc.array(fc.tuple(modelParagraph, gaps), { maxLength: 3 }),
    fc.option(gaps, { nil: '' }),
    comments,
    fc.boolean(),
  );
  let fields = 0;
  fc.assert(
    fc.property(model, ([paragraphs, before, after, cut]) => {
      const body = paragraphs
        .map(([list, space]) => list.map(({ bytes }) => bytes).join('') + space)
        .join('');
      const whole = before + body + after;
      const text = cut && whole.endsWith('\n') && !whole.endsWith(':\n') ? whole.slice(0, -1) : whole;
      const errors: Problem[] = [];
      const document = parseDocument(text, 'c', errors);
      const read = paragraphsOf(document).map((paragraph) =>
        paragraph.fields.map((field) => [
          field.name,
          rawValue(field),
          text.split('\n')[field.line - 1]?.startsWith(field.name),
        ]),
      );
      fields += read.flat().length;
      const written = paragraphs.map(([list]) => list.map(({ name, value }) => [name, value, true]));
      return errors.length === 0 && printDocument(document) === text && isDeepStrictEqual(read, written);
    }),
    { numRuns: 5000 },
  );
  t.true(fields > 5000, `${fields} fields`);
});

const noise = fc
  .array(
    fc.oneof(
      visible,
      fc.constantFrom(
        '\n',
        '\n',
        '\n ',
        '\n\n',
        '\n#',
        '\r',
        '\0',
        ': ',
        'Package: ',
        'Version: 1',
        'Source: a',
        'Depends-Run: ',
      ),
      fc.string({ maxLength: 5 }),
    ),
    { maxLength: 20 },
  )
  .map((parts) => parts.join(''));

test('any text is read or refused, and without an error no byte of it is lost', (t) => {
  let valid = 0;
  fc.assert(
    fc.property(noise, (text) => {
      const errors: Problem[] = [];
      const document = parseDocument(text, 'c', errors);
      if (errors.length === 0) valid += 1;
      if (errors.length === 0 && printDocument(document) !== text) return false;
      const lines = text.split('\n').length;
      const checks = [checkSourceControl(text, 'c'), checkBinaryControl(text, 'c'), checkControl(text, 'c')];
      return checks.every(
        (checked) =>
          (checked.value === undefined) === checked.errors.length > 0 &&
          checked.errors.every(({ line, column }) => line >= 1 && line <= lines && column >= 1) &&
          [...errorsOf(checked), ...warningsOf(checked)].every((problem) => !/\p{Cc}/u.test(problem)),
      );
    }),
    { numRuns: 10_000 },
  );
  t.true(valid > 500, `${valid} were valid`);
});

const name = fc.stringMatching(/^[a-z0-9][a-z0-9+.-]{0,8}$/).filter(isName);
const version = fc
  .stringMatching(/^[1-9][0-9a-z.~+-]{0,6}$/)
  .filter((text) => isVersion(text) && !text.endsWith('.x'));
const entry = fc.oneof(
  name,
  fc.tuple(name, fc.constantFrom('>=', '^', '=', '<<'), version).map((parts) => parts.join(' ')),
  fc.tuple(name, name).map((names) => names.join(' | ')),
);
const line = visible.map((text) => text.trim()).filter((text) => text !== '' && text !== '.');
const list = (item: fc.Arbitrary<string>) =>
  fc.array(item, { maxLength: 4 }).map((items) => items.map((text) => `\n  ${text}`).join(''));

test('a binary control reads as what the source says of the package', (t) => {
  const source = fc
    .tuple(name, version, line, list(line), list(entry), list(entry), list(name), fc.nat(999), fc.boolean())
    .map(
      ([package_, is, summary, text, common, own, provides, priority, all]) =>
        `Source: ${package_}\nVersion: ${is}\nDescription: ${summary}${text}\nDepends-Run:${common}\n\n` +
        `Package: ${package_}\nDepends-Run:${own}\nProvides:${provides}\nLink-Priority: ${priority}\n` +
        `${all ? 'Architecture: all\n' : ''}Layer-Rank: 1\n`,
    );
  fc.assert(
    fc.property(source, version, (text, built) => {
      const control = parseSourceControl(text, 'c');
      return control.packages.every((from) => {
        const build = { version: built, architecture: 'aarch64' } as const;
        const made = makeBinaryControl(control, from, build);
        const read = parseBinaryControl(made, 'c');
        return (
          isDeepStrictEqual(read, binaryControlOf(control, from, build)) &&
          formatBinaryControl(read) === made &&
          candidateOf(made).depends.length === from.depends.length
        );
      });
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test('a large hostile control file is read to its end', (t) => {
  const parts = [
    'a',
    ' ',
    '\n',
    ':\n',
    'a:\n',
    '#\n',
    ' a\n',
    ',',
    'a,',
    '(',
    '\t\n',
    'Package: a\n\n',
    'X: a\n\n',
  ];
  for (const part of parts) {
    const rest = part.repeat(Math.floor(300_000 / part.length));
    for (const text of [
      rest,
      `Package: a\nVersion: 1\nDepends-Run: ${rest}`,
      `Source: a\nVersion: 1\nDescription: a\n ${rest}`,
    ]) {
      const { errors, value } = checkControl(text, 'c');
      t.true(errors.length > 0 || value !== undefined, part);
    }
  }
  const many = checkBinaryControl(`Package: a\nVersion: 1\nDepends-Run:\n${' A\n'.repeat(100_000)}`, 'c');
  t.is(many.errors.length, 200);
});
