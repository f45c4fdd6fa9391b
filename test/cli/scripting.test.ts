import test, { type ExecutionContext } from 'ava';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { localBytes, takeLocal } from '../../src/package/local.ts';
import { recordBytes } from '../../src/package/record-file.ts';
import type { PackageRecord } from '../../src/package/record.ts';
import { worthIndexing } from '../../src/package/worth-indexing.ts';
import { root, run, runTool, temporary, tool } from '../support/tools.ts';

const compare = (...args: string[]) => runTool('pkgvercmp', args);

test('pkgvercmp says how two versions compare', (t) => {
  const said = (a: string, b: string) => compare(a, b).stdout;
  t.is(said('5.3.0-~~stage1', '5.3.0'), 'less than\n');
  t.is(said('7.3p1', '7.3'), 'greater than\n');
  t.is(said('1.0', '1.00'), 'equal\n');
  t.is(said('1:9.2p1-2+deb12u3', '99'), 'greater than\n');
  t.is(compare('--json', '1', '2').stdout, '{"a":"1","b":"2","result":"less than"}\n');
});

test('pkgvercmp answers a question by its exit status alone', (t) => {
  const table: readonly (readonly [a: string, op: string, b: string, status: number])[] = [
    ['1', 'lt', '2', 0],
    ['2', 'lt', '1', 1],
    ['1', '<', '1', 1],
    ['1', '<=', '1.', 0],
    ['1.0', 'eq', '1.00', 0],
    ['1.0', 'ne', '1.00', 1],
    ['R54', '>=', 'R52c', 0],
    ['8~rc1', 'gt', '8', 1],
    ['1', '!=', '2', 0],
  ];
  for (const [a, op, b, status] of table) {
    const result = compare(a, op, b);
    t.deepEqual([result.status, result.stdout, result.stderr], [status, '', ''], `${a} ${op} ${b}`);
  }
  const json = compare('--json', '2', 'lt', '1');
  t.deepEqual([json.status, json.stdout], [1, '{"a":"2","op":"<","b":"1","result":false}\n']);
});

test('pkgvercmp picks the smallest and the largest, whatever the order', (t) => {
  t.is(compare('-m', '6', '5.3.0', '5.3.0-~~stage1', '12').stdout, '5.3.0-~~stage1\n');
  t.is(compare('-M', '6', '12', '5.3.0-~~stage1').stdout, '12\n');
  t.is(compare('-M', '1.0', '1.00').stdout, compare('-M', '1.00', '1.0').stdout);
  t.is(compare('--json', '-M', '1').stdout, '{"result":"1"}\n');
});

test('pkgvercmp refuses what it cannot compare', (t) => {
  const table: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [[], /two versions are to be compared, and none given/],
    [['1'], /two versions are to be compared, and 1 given/],
    [['1', '2', '3', '4'], /and 4 given/],
    [['1_0', '2'], /"1_0" is no version/],
    [['1-', '2'], /"1-" is no version/],
    [['1', '\u001b[31m'], /"\\u001b\[31m" is no version/],
    [['1', '=>', '2'], /"=>" is no comparison/],
    [['-x', '1', '2'], /"-x" is no option/],
    [['-m'], /no version is given/],
    [['-m', '-M', '1'], /exclude each other/],
  ];
  for (const [args, message] of table) {
    const { status, stdout, stderr } = compare(...args);
    t.deepEqual([status, stdout], [2, ''], args.join(' '));
    t.regex(stderr, message);
    t.regex(stderr, /^pkgvercmp: [^\n]+\npkgvercmp: [^\n]+\n$/, 'one line, and a hint');
  }
});

test('output that cannot be written is said in one line, not as a bug', (t) => {
  for (const [name, args] of [
    ['pkgvercmp', ['1', '2']],
    ['pkgcontrol', [join(root, 'packages/mksh/59c')]],
  ] as const) {
    const full = run('sh', ['-c', 'exec "$@" >/dev/full', 'sh', tool(name), ...args]);
    t.deepEqual(
      [full.status, full.stderr],
      [1, `${name}: writing to standard output: no space left on device (ENOSPC)\n`],
    );
    t.is(run('sh', ['-c', 'exec "$@" >/dev/full 2>&1', 'sh', tool(name), ...args]).status, 1);
  }
});

test('a current directory that is gone is said, not a bug', (t) => {
  const gone = temporary(t);
  const script = 'rmdir "$PWD"; exec "$@"';
  const { status, stderr } = run('sh', ['-c', script, 'sh', tool('pkgvercmp'), '1', '2'], { cwd: gone });
  t.is(status, 1);
  t.regex(stderr, /pkgvercmp: the current directory has been removed\n/);
  t.notRegex(stderr, /bug/);
});

const recipe = `# Where the compiler comes from.
Source: gcc
Version: 5.3.0
Description: The GNU compilers
License: GPL-3.0-or-later
Depends-Unpack: mksh, tar
Depends-Build:
\tmksh
\tgcc >= 4
Depends-Run:
\tbinutils
Sources:
\tgcc-5.3.0.tar.gz
\tgmp-6.1.0.tar.xz
X-Watch: yes

Package: gcc
Depends-Run:   musl (>= 1.1)
Provides: cc

Package: gcc-doc
Architecture: all
`;

const binary = `Package: gcc
Version: 1:5.3.0-~~stage1
Source: gcc 5.3.0
Depends-Run:
  binutils
`;

/** A recipe in packages/, and a repository with one package that has a record and one that has none. */
function workplace(t: Parameters<typeof temporary>[0]) {
  const cwd = temporary(t);
  const write = (directory: string, name: string, text: string | Buffer) => {
    mkdirSync(join(cwd, directory), { recursive: true });
    writeFileSync(join(cwd, directory, name), text);
  };
  write('packages/gcc/5.3.0', 'control', recipe);
  write('repository/gcc/1_5.3.0-~~stage1', 'control', binary);
  const record: PackageRecord = {
    format: 1,
    control: binary,
    origin: 'host',
    buildKey: 'f'.repeat(64),
    builtFrom: [{ name: 'musl', version: '1.1.15', diffID: `sha256:${'0'.repeat(64)}` }],
    links: [],
  };
  write('repository/.records/gcc', '1_5.3.0-~~stage1.json', recordBytes(record));
  const local = takeLocal(join(cwd, 'repository/gcc/1_5.3.0-~~stage1'), binary, undefined);
  write('repository/.records/gcc', '1_5.3.0-~~stage1.local', localBytes(local));
  write('repository/make/4', 'control', 'Package: make\nVersion: 4\n');
  const pkgcontrol = (...args: string[]) => runTool('pkgcontrol', args, { cwd });
  return { cwd, write, pkgcontrol };
}

test('pkgcontrol prints a control file as it is, and warns of what it does not know', (t) => {
  const { cwd, pkgcontrol } = workplace(t);
  for (const path of ['packages/gcc/5.3.0', 'packages/gcc/5.3.0/control']) {
    const { status, stdout, stderr } = pkgcontrol(path);
    t.deepEqual([status, stdout], [0, recipe]);
    t.is(
      stderr,
      'pkgcontrol: packages/gcc/5.3.0/control:15:1: warning: X-Watch: the field is unknown and means nothing\n',
    );
  }
  t.is(runTool('pkgcontrol', [], { cwd: join(cwd, 'packages/gcc/5.3.0') }).stdout, recipe);
  t.is(runTool('pkgcontrol', ['-'], { input: binary.trimEnd() }).stdout, binary.trimEnd());
});

test('pkgcontrol shows what the record adds to a package', (t) => {
  const { cwd, write, pkgcontrol } = workplace(t);
  const tree = 'repository/gcc/1_5.3.0-~~stage1';
  t.is(
    pkgcontrol(tree).stdout,
    `${binary}Origin: host\nBuild-Key: ${'f'.repeat(64)}\nBuilt-From:\n  musl 1.1.15 sha256:${'0'.repeat(64)}\n`,
  );
  t.is(pkgcontrol('-f', 'origin', tree).stdout, 'host\n');
  t.is(pkgcontrol('-b', tree).stdout, 'musl,1.1.15\n');
  t.is(pkgcontrol('repository/make/4').stdout, 'Package: make\nVersion: 4\nOrigin: unknown\n');
  t.is(pkgcontrol(`${tree}/control`).stdout, binary, 'a file is only itself');
  writeFileSync(join(cwd, tree, 'control'), `${binary}Provides: cc\n`);
  t.is(pkgcontrol('-f', 'Origin', tree).stdout, 'unknown\n', 'the record is of another build');
  write(
    'repository/.records/make',
    '4.json',
    '{"format":1,"control":"Package: make\\nVersion: 4\\n","builtFrom":"3"}',
  );
  const broken = pkgcontrol('repository/make/4');
  t.is(broken.status, 2);
  t.regex(
    broken.stderr,
    /\.records\/make\/4\.json: builtFrom: expected a list .*\npkgcontrol: the record is damaged/,
  );
});

test("pkgcontrol prints lists as the original's tools did, one item a line", (t) => {
  const { pkgcontrol } = workplace(t);
  const table: readonly (readonly [option: string, source: string, binary: string | undefined])[] = [
    ['-n', 'gcc\n', 'gcc\n'],
    ['-v', '5.3.0\n', '1:5.3.0-~~stage1\n'],
    ['-p', 'gcc\ngcc-doc\n', 'gcc\n'],
    ['-s', 'gcc-5.3.0.tar.gz\ngmp-6.1.0.tar.xz\n', 'gcc,5.3.0\n'],
    ['-r', 'binutils\n', 'binutils\n'],
    ['-b', 'mksh\ngcc >= 4\n', 'musl,1.1.15\n'],
    ['-u', 'mksh\ntar\n', undefined],
  ];
  for (const [option, source, package_] of table) {
    const recipes = pkgcontrol(option, 'packages/gcc/5.3.0');
    t.deepEqual([recipes.status, recipes.stdout, recipes.stderr], [0, source, ''], option);
    const trees = pkgcontrol(option, 'repository/gcc/1_5.3.0-~~stage1');
    t.deepEqual([trees.status, trees.stdout], package_ === undefined ? [2, ''] : [0, package_], option);
  }
  t.is(pkgcontrol('-n', 'packages/gcc/5.3.0', 'repository/make/4').stdout, 'gcc\nmake\n');
  t.is(pkgcontrol('--json', '-p', 'packages/gcc/5.3.0').stdout, '["gcc","gcc-doc"]\n');
});

test('pkgcontrol prints the fields that are asked for', (t) => {
  const { pkgcontrol } = workplace(t);
  const path = 'packages/gcc/5.3.0';
  t.is(pkgcontrol('-f', 'Version', path).stdout, '5.3.0\n');
  t.is(pkgcontrol('-f', 'depends-build', path).stdout, 'mksh\ngcc >= 4\n');
  t.is(pkgcontrol('-f', 'X-Watch', path).stdout, 'yes\n');
  t.is(
    pkgcontrol('-f', 'Version', '-f', 'Depends-Run', path).stdout,
    'Version: 5.3.0\nDepends-Run:\n  binutils\n',
  );
  t.is(pkgcontrol('--package', 'gcc', '-f', 'Depends-Run', path).stdout, 'musl (>= 1.1)\nbinutils\n');
  t.is(
    pkgcontrol('--package', 'gcc-doc', path).stdout,
    'Package: gcc-doc\nVersion: 5.3.0\nSource: gcc 5.3.0\nArchitecture: all\nDescription: The GNU compilers\n' +
      'License: GPL-3.0-or-later\nDepends-Run:\n  binutils\n',
  );
  const absent = pkgcontrol('-f', 'Homepage', path);
  t.deepEqual(
    [absent.status, absent.stdout, absent.stderr],
    [1, '', ''],
    'a field that is not there is no error',
  );
  const wrong = pkgcontrol('-f', 'Verson', path);
  t.is(wrong.status, 2);
  t.regex(wrong.stderr, /no field "Verson"\npkgcontrol: did you mean Version\?\n$/);
  const other = pkgcontrol('--package', 'gdb', path);
  t.is(other.status, 1);
  t.regex(other.stderr, /no package "gdb"\npkgcontrol: it has: gcc gcc-doc\n$/);
});

test('pkgcontrol --json has one object a line for each path', (t) => {
  const { pkgcontrol } = workplace(t);
  const { stdout, status } = pkgcontrol('--json', 'packages/gcc/5.3.0', 'repository/gcc/1_5.3.0-~~stage1');
  t.is(status, 0);
  type Printed = { kind: string; fields: Record<string, unknown>; packages?: Record<string, unknown>[] };
  const [source, built] = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Printed);
  t.is(source?.kind, 'source');
  t.deepEqual(source?.fields['Sources'], ['gcc-5.3.0.tar.gz', 'gmp-6.1.0.tar.xz']);
  t.deepEqual(source?.packages?.[0]?.['Provides'], ['cc']);
  t.is(built?.kind, 'binary');
  t.is(built?.fields['Origin'], 'host');
  t.is(
    pkgcontrol('--json', '-f', 'Version', 'repository/make/4').stdout,
    '{"file":"repository/make/4/control","fields":{"Version":"4"}}\n',
  );
});

test('pkgcontrol --check tells every error of every file, each with its place', (t) => {
  const { write, pkgcontrol } = workplace(t);
  t.deepEqual(
    [pkgcontrol('--check', 'repository/make/4').status, pkgcontrol('--check', 'packages/gcc/5.3.0').status],
    [0, 0],
  );
  write(
    'bad/1',
    'control',
    recipe.replace('gcc >= 4', 'gcc => 4').replace('Provides: cc', 'Provides: c > 1\nMode: x'),
  );
  write('packages/gcc/6', 'control', recipe.replace('X-Watch: yes\n', ''));
  const checked = pkgcontrol('--check', 'bad/1', 'nowhere', 'packages/gcc/6', 'repository/make/4');
  t.is(checked.status, 1);
  t.is(checked.stdout, '');
  t.deepEqual(checked.stderr.split('\n'), [
    'bad/1/control:9:6: Depends-Build: "=>" is no comparison; write >=',
    'bad/1/control:19:11: Provides: "c > 1" is more than a name and a version; write NAME or NAME = VERSION',
    'bad/1/control:20:7: Mode: "x" is no path and mode; write PATH MODE: bin/su 4755',
    'bad/1/control:15:1: warning: X-Watch: the field is unknown and means nothing',
    'reading nowhere: no such file or directory (ENOENT)',
    'packages/gcc/6/control:1:1: warning: Version: differs from the directory, which is "gcc/6"; a control lies in NAME/VERSION',
    'pkgcontrol: 2 of 4 have errors',
    '',
  ]);
  const json = pkgcontrol('--check', '--json', 'bad/1');
  t.is(json.status, 1);
  t.deepEqual(JSON.parse(json.stdout), {
    file: 'bad/1/control',
    errors: [
      {
        file: 'bad/1/control',
        line: 9,
        column: 6,
        field: 'Depends-Build',
        message: '"=>" is no comparison',
        hint: 'write >=',
      },
      {
        file: 'bad/1/control',
        line: 19,
        column: 11,
        field: 'Provides',
        message: '"c > 1" is more than a name and a version',
        hint: 'write NAME or NAME = VERSION',
      },
      {
        file: 'bad/1/control',
        line: 20,
        column: 7,
        field: 'Mode',
        message: '"x" is no path and mode',
        hint: 'write PATH MODE: bin/su 4755',
      },
    ],
    warnings: [
      {
        file: 'bad/1/control',
        line: 15,
        column: 1,
        field: 'X-Watch',
        message: 'the field is unknown and means nothing',
      },
    ],
  });
});

test('pkgcontrol tells in one line and a hint what is wrong', (t) => {
  const { cwd, write, pkgcontrol } = workplace(t);
  write('bad/1', 'control', recipe.replace('gcc >= 4', 'gcc [amd64]'));
  write('bytes', 'control', '');
  writeFileSync(join(cwd, 'bytes/control'), Buffer.from([0x50, 0xff, 0x0a]));
  write('evil', 'a\u001b[31m', 'Package: a\n');
  write('empty', 'other', '');
  const table: readonly (readonly [args: readonly string[], status: number, message: RegExp])[] = [
    [
      ['bad/1'],
      2,
      /^pkgcontrol: bad\/1\/control:9:6: Depends-Build: restrictions .*\npkgcontrol: .*remove it\n$/,
    ],
    [['-p', 'bad/1'], 2, /^pkgcontrol: bad\/1\/control:9:6: /],
    [['bytes'], 2, /^pkgcontrol: bytes\/control: is not UTF-8\n/],
    [['evil/a\u001b[31m'], 2, /^pkgcontrol: "evil\/a\\u001b\[31m":1:1: Version: the field is missing\n$/],
    [
      ['empty'],
      1,
      /^pkgcontrol: reading empty\/control: no such file .*\npkgcontrol: name a control file, or/,
    ],
    [['nowhere'], 1, /^pkgcontrol: reading nowhere: no such file/],
    [['-p', '-s', 'bad/1'], 2, /^pkgcontrol: only one of /],
    [['--frob'], 2, /unknown option/],
    [['-f'], 2, /argument missing/],
  ];
  for (const [args, status, message] of table) {
    const result = pkgcontrol(...args);
    t.deepEqual([result.status, result.stdout], [status, ''], args.join(' '));
    t.regex(result.stderr, message);
  }
});

test('both tools work in a pipe whose reader leaves early, and show help and version', (t) => {
  const { cwd } = workplace(t);
  const script = `"${tool('pkgcontrol')}" -p packages/gcc/5.3.0 | head -n 1; for v in $("${tool('pkgcontrol')}" -v packages/*/*); do "${tool('pkgvercmp')}" "$v" ge 5 && echo new; done`;
  t.is(run('sh', ['-c', script], { cwd }).stdout, 'gcc\nnew\n');
  const { version } = JSON.parse(readFileSync(join(tool('..'), 'package.json'), 'utf8')) as {
    version: string;
  };
  for (const name of ['pkgvercmp', 'pkgcontrol']) {
    t.regex(runTool(name, ['--help']).stdout, /Examples:\n/);
    t.is(runTool(name, ['--version']).stdout, `${name} (static-distro) ${version}\n`);
  }
});

test('with --json every tool tells a failure as one object on a line of stderr', (t) => {
  const { cwd } = workplace(t);
  const env = { STATIC_DISTRO_HOME: join(cwd, 'home') };
  const cases: readonly (readonly [status: number, code: string, name: string, ...args: string[]])[] = [
    [1, 'NETWORK', 'pkgimage', 'tags', '--json', 'localhost:1/app'],
    [1, 'NETWORK', 'pkgimage', 'pull', 'localhost:1/app', '--json'],
    [2, 'USAGE', 'pkgimage', 'pull', '--json', '--nothing'],
    [1, 'NETWORK', 'pkgrepo', 'list', 'registry:localhost:1/packages', '--json'],
    [1, 'NOT_FOUND', 'pkgrepo', 'list', '--json', 'nowhere'],
    [1, 'UNSATISFIABLE', 'pkgsolve', '--json', '-d', 'repository', 'nothing'],
    [2, 'USAGE', 'pkgvercmp', '--json', '1', 'than', '2'],
    [1, 'NOT_FOUND', 'pkgcontrol', '--json', 'nowhere'],
    [1, 'NOT_FOUND', 'pkgbuild', '--json', './nowhere'],
    [1, 'NOT_FOUND', 'pkgfetch', '--json', 'nowhere.tar.gz'],
    [125, 'UNSATISFIABLE', 'withpkgs', '--dry-run', '--json', '-d', 'repository', '-p', 'nothing'],
    [125, 'NOT_FOUND', 'withenv', '--json', '--dry-run', '-d', 'nowhere', '-p', 'make,4'],
  ];
  for (const [status, code, name, ...args] of cases) {
    const words = [name, ...args].join(' ');
    const ended = runTool(name, args, { cwd, env });
    t.is(ended.status, status, `${words}: ${ended.stderr}`);
    t.is(ended.stdout, '', words);
    t.regex(ended.stderr, /^\{.*\}\n$/, words);
    const { message, hint, ...others } = JSON.parse(ended.stderr) as Readonly<Record<string, unknown>>;
    t.deepEqual(others, { code }, words);
    t.is(typeof message, 'string', words);
    t.true(hint === undefined || typeof hint === 'string', words);
  }
  // A word of the command is none of ours.
  for (const command of [
    ['--', 'x', '--json', '--dry-run'],
    ['/bin/x', '--json', '--dry-run'],
  ]) {
    const { stderr } = runTool('withpkgs', ['-d', 'repository', '-p', 'nothing', ...command], { cwd, env });
    t.regex(stderr, /^withpkgs: /);
  }
});

test('pkgcontrol --catalogue lists what recipes make, as a table and as JSON', (t) => {
  const recipes = temporary(t);
  for (const [name, version, text] of [
    ['a', '1.10', 'Package: a\n\nPackage: a-doc\nLicense: GPL-2.0-only\nDescription: A | B_C\n'],
    ['a', '1.9', 'Package: a\n'],
    ['b', '1:2', 'Package: b\n'],
  ] as const) {
    const directory = join(recipes, name, version.replace(':', '_'));
    mkdirSync(directory, { recursive: true });
    const head = `Source: ${name}\nVersion: ${version}\nDescription: What ${name} is\n More of it.\nLicense: MIT\nHomepage: https://example.org/${name}\n\n`;
    writeFileSync(join(directory, 'control'), head + text);
  }
  const table = runTool('pkgcontrol', ['--catalogue', recipes]);
  t.is(
    table.stdout,
    `| Package | Version | Licence | Source | What it is |
| --- | --- | --- | --- | --- |
| a | 1.10 | MIT | [a](https://example.org/a) | What a is |
| a | 1.9 | MIT | [a](https://example.org/a) | What a is |
| a-doc | 1.10 | GPL-2.0-only | [a](https://example.org/a) | A \\| B\\_C |
| b | 1:2 | MIT | [b](https://example.org/b) | What b is |
`,
  );
  const json = JSON.parse(runTool('pkgcontrol', ['--catalogue', '--json', recipes]).stdout) as object[];
  t.deepEqual(json[2], {
    name: 'a-doc',
    version: '1.10',
    license: 'GPL-2.0-only',
    source: 'a',
    homepage: 'https://example.org/a',
    description: 'A | B_C',
  });
  const rowsOf = (...path: string[]) =>
    runTool('pkgcontrol', ['--catalogue', join(recipes, ...path)])
      .stdout.split('\n')
      .slice(2, -1);
  t.deepEqual(rowsOf('b'), rowsOf().slice(3), 'all versions of one');
  t.deepEqual(rowsOf('a', '1.9'), rowsOf().slice(1, 2), 'one recipe');
  const all = runTool('pkgcontrol', ['--catalogue']).stdout;
  for (const name of ['musl', 'sbase', 'gcc']) t.true(all.includes(`\n| ${name} | `), name);
});

/** A repository by hand: fields of controls by `NAME VERSION`. */
function makeRepository(t: ExecutionContext, packages: Readonly<Record<string, string>>): string {
  const directory = temporary(t);
  for (const [key, fields] of Object.entries(packages)) {
    const [name = '', version = ''] = key.split(' ');
    const tree = join(directory, name, version.replaceAll(':', '_'));
    mkdirSync(tree, { recursive: true });
    writeFileSync(join(tree, 'control'), `Package: ${name}\nVersion: ${version}\n${fields}`);
  }
  return directory;
}

const shells = {
  'mksh 59c': 'Depends-Run: musl\nProvides: sh\n',
  'mksh 60~rc1': 'Depends-Run: musl\nProvides: sh\n',
  'musl 1.1.24': '',
  'musl 1.2.3': '',
  'make 4.3': 'Depends-Run: sh, sbase | busybox\n',
  'busybox 1.35.0': '',
  'openssh 1:9.2p1-2': 'Depends-Run: musl < 1.2\n',
};

const solve = (directory: string, ...args: readonly string[]) =>
  runTool('pkgsolve', ['-d', directory, ...args]);

test('pkgsolve prints NAME,VERSION a line, what is asked for first, then what that needs; takes its output as input', (t) => {
  const directory = makeRepository(t, shells);
  const { status, stdout, stderr } = solve(directory, 'make', 'openssh');
  t.deepEqual([status, stderr], [0, '']);
  t.is(stdout, 'make,4.3\nopenssh,1:9.2p1-2\nmksh,59c\nbusybox,1.35.0\nmusl,1.1.24\n');
  const again = solve(directory, ...stdout.trim().split('\n'));
  t.deepEqual(again.stdout.split('\n').sort(), stdout.split('\n').sort());
  t.is(solve(directory, 'mksh,60~rc1').stdout, 'mksh,60~rc1\nmusl,1.2.3\n');
});

test('pkgsolve: -s between name and version; --json; several repositories', (t) => {
  const directory = makeRepository(t, shells);
  t.is(solve(directory, '-s', ' ', 'busybox').stdout, 'busybox 1.35.0\n');
  t.is(solve(directory, 'busybox', '-s', ' = ').stdout, 'busybox = 1.35.0\n');
  const other = makeRepository(t, { 'musl 2': '' });
  const { packages } = JSON.parse(solve(directory, '-d', other, '--json', 'mksh').stdout) as {
    packages: unknown;
  };
  t.deepEqual(packages, [
    {
      name: 'mksh',
      version: '59c',
      origin: 'unknown',
      repository: directory,
      tree: join(directory, 'mksh/59c'),
    },
    { name: 'musl', version: '2', origin: 'unknown', repository: other, tree: join(other, 'musl/2') },
  ]);
});

test('pkgsolve: no answer: one line that says what clashes and where it comes from, a hint, status 1', (t) => {
  const directory = makeRepository(t, shells);
  const clash = solve(directory, 'openssh', 'musl ^1.2');
  t.deepEqual([clash.status, clash.stdout], [1, '']);
  t.is(
    clash.stderr,
    'pkgsolve: no set of packages meets all of "openssh" (command line); "musl ^1.2" (command line); ' +
      '"musl < 1.2" (Depends-Run of openssh 1:9.2p1-2)\n' +
      'pkgsolve: leave out or relax one of "openssh" and "musl ^1.2"\n',
  );
  const wrong = solve(directory, 'msul');
  t.deepEqual(
    [wrong.status, wrong.stderr],
    [1, 'pkgsolve: there is no package "msul" (command line)\npkgsolve: did you mean "musl"?\n'],
  );
  t.is(
    solve(directory, 'musl >= 2').stderr,
    'pkgsolve: nothing meets "musl >= 2" (command line): only musl 1.1.24 and 1.2.3 exist\n',
  );
});

test('pkgsolve: what is wrong on the command line, or is no repository, has status 2 or 1 and says so', (t) => {
  const directory = makeRepository(t, shells);
  const wrong: readonly (readonly [args: readonly string[], status: number, message: RegExp])[] = [
    [['-d', directory], 2, /constraint/],
    [['-d', directory, 'musl =>1'], 2, /"musl =>1", character/],
    [['-d', directory, '--nonsense', 'musl'], 2, /--nonsense/],
    [['-d', `${directory}/none`, 'musl'], 1, /there is no repository/],
    [['-d', `${directory}/musl/1.2.3/control`, 'musl'], 2, /is no directory/],
    [['-d', 'oci:dir', 'musl'], 1, /there is no OCI layout in ".*\/dir"/],
    [['-d', 'registry:packages', 'musl'], 2, /"registry:packages" names no registry/],
    [
      ['-d', 'registry:localhost:1/packages', 'musl'],
      1,
      /localhost:1\/packages: reaching the registry: GET: nobody answers there/,
    ],
    [
      ['-d', 'localhost:1/packages', 'musl'],
      1,
      /localhost:1\/packages: reaching the registry: GET: nobody answers there/,
    ],
  ];
  for (const [args, status, message] of wrong) {
    const result = runTool('pkgsolve', args);
    t.deepEqual([result.status, result.stdout], [status, ''], args.join(' '));
    t.regex(result.stderr, message);
    t.true(result.stderr.split('\n').length <= 3, result.stderr);
  }
});

test('pkgsolve: the repository is what -d, the variable, or the user\u2019s own place says', (t) => {
  const directory = makeRepository(t, shells);
  const home = temporary(t);
  const own = join(home, 'data/packages/own/1');
  const solveIn = (args: readonly string[], env: Readonly<Record<string, string>>) =>
    runTool('pkgsolve', args, {
      env: { STATIC_DISTRO_REPOSITORY: undefined, STATIC_DISTRO_HOME: home, ...env },
    });
  t.is(solveIn(['busybox'], { STATIC_DISTRO_REPOSITORY: directory }).stdout, 'busybox,1.35.0\n');
  if (!existsSync('/packages')) {
    const { status, stderr } = solveIn(['own'], {});
    t.is(status, 1);
    t.regex(stderr, /there is no repository: neither \/packages nor .*name one with -d DIR/s);
    mkdirSync(own, { recursive: true });
    writeFileSync(join(own, 'control'), 'Package: own\nVersion: 1\n');
    t.is(solveIn(['own'], {}).stdout, 'own,1\n');
  }
});

test('pkgsolve: a damaged package is an error for who needs it, with its file', (t) => {
  const directory = makeRepository(t, { ...shells, 'bad 1': 'Depends-Run: => 1\n' });
  mkdirSync(join(directory, 'half/1'), { recursive: true });
  t.is(solve(directory, 'busybox').status, 0);
  const half = solve(directory, 'half');
  t.is(half.status, 1);
  t.regex(half.stderr, /half 1 is incomplete: there is no .*\/half\/1\/control\n/);
  mkdirSync(join(directory, 'none'));
  t.regex(
    solve(directory, 'none').stderr,
    /there is no package "none".*\n.*name the repository that has "none"/,
  );
  const bad = solve(directory, 'bad');
  t.is(bad.status, 2);
  t.regex(bad.stderr, /bad\/1\/control:3:/);
});

test('pkgsolve: a big repository gets its index from the first who reads, and says so once', (t) => {
  const packages = Array.from({ length: worthIndexing }, (_, at) => [
    `p${at} 1`,
    at === 7 ? 'Provides: v\n' : 'Depends-Run: v\n',
  ]);
  const directory = makeRepository(t, Object.fromEntries(packages) as Record<string, string>);
  const first = solve(directory, 'p1999');
  t.is(first.stdout, 'p1999,1\np7,1\n');
  t.regex(first.stderr, /^pkgsolve: making an index of ".*", 2000 names/);
  const second = solve(directory, 'p1999');
  t.deepEqual([second.stdout, second.stderr], [first.stdout, '']);
});

test('pkgsolve: --help has an example, --version the version', (t) => {
  const { status, stdout } = runTool('pkgsolve', ['--help']);
  t.is(status, 0);
  t.regex(stdout, /Examples:\n {2}pkgsolve -d/);
  t.regex(stdout, /Exit status:/);
  t.regex(runTool('pkgsolve', ['--version']).stdout, /^pkgsolve \(static-distro\) \d/);
});
