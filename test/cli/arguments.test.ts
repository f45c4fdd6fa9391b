import test from 'ava';
import * as fc from 'fast-check';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { Fault } from '../../builder/fault.ts';
import { parseArguments, type RunArguments } from '../../src/cli/arguments.ts';
import { places } from '../../src/cli/context.ts';
import { commandEnvironment } from '../../src/cli/environment.ts';

const nothing: RunArguments = {
  repositories: [],
  packages: [],
  work: undefined,
  directory: undefined,
  mounts: [],
  set: [],
  keep: [],
  temporarySize: undefined,
  flags: new Set(),
  command: undefined,
};

/** Words are separated by blanks; `'` quotes. */
const split = (line: string): string[] =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');

const understood: Readonly<Record<string, Partial<RunArguments>>> = {
  '': {},
  '-p mksh': { packages: ['mksh'] },
  '-p mksh sbase': { packages: ['mksh', 'sbase'] },
  '-p mksh sbase -p musl -p gcc': { packages: ['mksh', 'sbase', 'musl', 'gcc'] },
  // The seed's example.
  '-d bootstrap/stage2_packages -p mksh sbase -p musl -p gcc -w my_working_directory /bin/sh': {
    repositories: ['bootstrap/stage2_packages'],
    packages: ['mksh', 'sbase', 'musl', 'gcc'],
    work: 'my_working_directory',
    command: ['/bin/sh'],
  },
  // A word with a slash in front ends the list, and its own options are its own.
  '-p mksh -p sbase /bin/sh -c ls': { packages: ['mksh', 'sbase'], command: ['/bin/sh', '-c', 'ls'] },
  '-p mksh ./configure --prefix=/x -w y': {
    packages: ['mksh'],
    command: ['./configure', '--prefix=/x', '-w', 'y'],
  },
  '-p mksh ../x': { packages: ['mksh'], command: ['../x'] },
  '-p mksh -- ls -p x': { packages: ['mksh'], command: ['ls', '-p', 'x'] },
  '-p mksh -- -x': { packages: ['mksh'], command: ['-x'] },
  '-p mksh -- -- x': { packages: ['mksh'], command: ['--', 'x'] },
  '-p mksh --': { packages: ['mksh'] },
  // Outside a list the first word starts the command.
  '-p mksh -w . ls -l': { packages: ['mksh'], work: '.', command: ['ls', '-l'] },
  'ls -p x': { command: ['ls', '-p', 'x'] },
  '-w . ls': { work: '.', command: ['ls'] },
  '-p a -d x b -p c': { packages: ['a'], repositories: ['x'], command: ['b', '-p', 'c'] },
  '-p a --net b': { packages: ['a'], flags: new Set(['network']), command: ['b'] },
  // Constraints of several words, and words that only look like a command.
  "-p 'gcc >= 12' 'a | b' gcc,12.2.0": { packages: ['gcc >= 12', 'a | b', 'gcc,12.2.0'] },
  '-p .x ..y x/y ~': { packages: ['.x', '..y', 'x/y', '~'] },
  "-p a ''": { packages: ['a', ''] },
  '-p a -': { packages: ['a', '-'] },
  '-w . -': { work: '.', command: ['-'] },
  // Values.
  '-d a -d oci:b -d registry:h/n': { repositories: ['a', 'oci:b', 'registry:h/n'] },
  '-c src': { directory: 'src' },
  '-m src:/x -m out:y:rw -m ro:z:ro': {
    mounts: [
      { name: 'src', directory: '/x', writable: false },
      { name: 'out', directory: 'y', writable: true },
      { name: 'ro', directory: 'z', writable: false },
    ],
  },
  // Only a final :ro or :rw is the mode.
  '-m a:b:c -m b:c:rw:d -m c:d:RW -m d:e:ro:rw -m e:rw': {
    mounts: [
      { name: 'a', directory: 'b:c', writable: false },
      { name: 'b', directory: 'c:rw:d', writable: false },
      { name: 'c', directory: 'd:RW', writable: false },
      { name: 'd', directory: 'e:ro', writable: true },
      { name: 'e', directory: 'rw', writable: false },
    ],
  },
  "--setenv A=b --setenv B= --setenv 'C=d e=f' --setenv=D=x --keepenv E --keepenv=F": {
    set: [
      ['A', 'b'],
      ['B', ''],
      ['C', 'd e=f'],
      ['D', 'x'],
    ],
    keep: ['E', 'F'],
  },
  '--tmp-size 1000': { temporarySize: 1000 },
  '--tmp-size=64K': { temporarySize: 65_536 },
  '--tmp-size 512M': { temporarySize: 536_870_912 },
  '--tmp-size 2G': { temporarySize: 2_147_483_648 },
  '--net --unsafe-root --dry-run --json -v': {
    flags: new Set(['network', 'unsafeRoot', 'dryRun', 'json', 'verbose']),
  },
  '--verbose --help --version --doctor': { flags: new Set(['verbose', 'help', 'version', 'doctor']) },
};

for (const [line, expected] of Object.entries(understood)) {
  test(`understood: ${line}`, (t) => {
    t.deepEqual(parseArguments(split(line)), { ...nothing, ...expected });
  });
}

const refused: Readonly<Record<string, RegExp>> = {
  '-p': /^-p names no package$/,
  '-p -w .': /^-p names no package$/,
  '-p -- ls': /^-p names no package$/,
  '-p /bin/sh': /^-p names no package$/,
  '-p mksh ls -l': /^unknown option "-l"$/,
  '-x': /^unknown option "-x"$/,
  '--nett': /^unknown option "--nett"$/,
  '--net=yes': /^--net takes no value$/,
  '--=x': /^unknown option "--=x"$/,
  '-dx': /^unknown option "-dx"$/,
  '-d': /^-d needs a value$/,
  '--setenv': /^--setenv needs a value$/,
  "-d ''": /^-d is given an empty name$/,
  '-w -p': /^-w is followed by "-p"$/,
  '-d --': /^-d is followed by "--"$/,
  '-w a -w b': /^-w is given twice$/,
  '-c a -c b': /^-c is given twice$/,
  '--tmp-size 1 --tmp-size 1': /^--tmp-size is given twice$/,
  '-m x': /^-m "x" is no mount$/,
  '-m x:': /^-m "x:" is no mount$/,
  '-m x::rw': /^-m "x::rw" is no mount$/,
  '-m :x': /^-m ":x": "" is no name below \/mnt$/,
  '-m ..:x': /^-m "\.\.:x": "\.\." is no name below \/mnt$/,
  '-m a/b:x': /is no name below \/mnt$/,
  '-m a:x -m a:y': /^-m names a twice$/,
  '--setenv A': /^--setenv "A" sets nothing$/,
  '--setenv =x': /^--setenv "=x" sets nothing$/,
  '--keepenv A=b': /^--keepenv "A=b" is no name of a variable$/,
  "--keepenv ''": /^--keepenv "" is no name of a variable$/,
  '--tmp-size 0': /^--tmp-size "0" is no size$/,
  '--tmp-size 1T': /^--tmp-size "1T" is no size$/,
  '--tmp-size 1.5G': /^--tmp-size "1.5G" is no size$/,
  '--tmp-size 99999999999999999999': /is no size$/,
};

for (const [line, message] of Object.entries(refused)) {
  test(`refused: ${line}`, (t) => {
    const error = t.throws(() => parseArguments(split(line)), { instanceOf: Fault, message });
    t.is(error.code, 'USAGE');
    t.truthy(error.hint);
    t.false(`${error.message}${error.hint}`.includes('\n'));
  });
}

test('a list that swallowed a command gets the hint to write --', (t) => {
  const error = t.throws(() => parseArguments(split('-p mksh ls -l')), { instanceOf: Fault });
  t.regex(error.hint ?? '', /write -- before the command/);
});

test('property: no command line makes anything but arguments or a Fault of one line', (t) => {
  const word = fc.oneof(
    fc.constantFrom(
      '-p',
      '-d',
      '-w',
      '-c',
      '-m',
      '--',
      '--net',
      '--setenv',
      '--tmp-size',
      '/x',
      'x',
      'a:b',
      'A=b',
      '',
    ),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(word), (words) => {
      try {
        parseArguments(words);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        t.is(error.code, 'USAGE');
        t.false(/[\n\r\0]/.test(error.message), error.message);
      }
    }),
    { numRuns: 2000 },
  );
});

const name = fc.stringMatching(/^[a-z0-9][a-z0-9+.-]{0,8}$/);
const directory = fc.stringMatching(/^[a-z/.][a-z:/.]{0,8}$/);
type Piece = {
  readonly words: readonly string[];
  readonly part: Partial<RunArguments>;
  readonly list?: true;
};
const piece: fc.Arbitrary<Piece> = fc.oneof(
  fc
    .array(name, { minLength: 1, maxLength: 3 })
    .map((packages): Piece => ({ words: ['-p', ...packages], part: { packages }, list: true })),
  directory.map((each): Piece => ({ words: ['-d', each], part: { repositories: [each] } })),
  fc.tuple(name, fc.string()).map(([variable, value]): Piece => ({
    words: ['--setenv', `${variable}=${value}`],
    part: { set: [[variable, value]] },
  })),
  name.map((variable): Piece => ({ words: [`--keepenv=${variable}`], part: { keep: [variable] } })),
);

test('property: what is written is what is read, in any order, and the command is left as it is', (t) => {
  const command = fc.option(fc.array(fc.string(), { minLength: 1, maxLength: 4 }), { nil: undefined });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), command, fc.boolean(), (pieces, given, marked) => {
      const [first = ''] = given ?? [];
      const bare = pieces.at(-1)?.list ? /^(\/|\.\.?\/)/.test(first) : !/^-./.test(first);
      const mark = given && (marked || !bare) ? ['--'] : [];
      const words = [...pieces.flatMap((each) => each.words), ...mark, ...(given ?? [])];
      const parts = pieces.map(({ part }) => part);
      t.deepEqual(parseArguments(words), {
        ...nothing,
        packages: parts.flatMap((part) => part.packages ?? []),
        repositories: parts.flatMap((part) => part.repositories ?? []),
        set: parts.flatMap((part) => part.set ?? []),
        keep: parts.flatMap((part) => part.keep ?? []),
        command: given,
      });
    }),
    { numRuns: 1000 },
  );
});

test('the environment is the constants, what is kept and what is set', (t) => {
  const caller = { HOME: '/root', PATH: '/usr/bin', TERM: 'xterm', TOKEN: 'secret', LC_ALL: 'C' };
  const of = (line: string, terminal = false) =>
    commandEnvironment(parseArguments(split(line)), caller, terminal);
  const constants = { PATH: '/bin', HOME: '/tmp', USER: 'user', LANG: 'C.UTF-8' };
  t.deepEqual(of(''), { environment: constants, kept: {} });
  const onTerminal = { ...constants, HOME: '/work', TERM: 'xterm' };
  t.deepEqual(of('-w .', true), { environment: onTerminal, kept: {} });
  t.deepEqual(of('--keepenv TOKEN --keepenv NONE --keepenv toString --keepenv PATH'), {
    environment: { HOME: '/tmp', USER: 'user', LANG: 'C.UTF-8' },
    kept: { TOKEN: 'secret', PATH: '/usr/bin' },
  });
  t.deepEqual(of('--keepenv TOKEN --setenv TOKEN=other --setenv TOKEN=last'), {
    environment: { ...constants, TOKEN: 'last' },
    kept: {},
  });
  t.deepEqual(Object.entries(of('--setenv __proto__=x').environment).at(-1), ['__proto__', 'x']);
});

test('places are absolute, whatever the variables say', (t) => {
  const cache = (env: NodeJS.ProcessEnv) => places('/root-of-ours', env).cache.profiles;
  t.is(cache({ HOME: '/h' }), '/h/.cache/static-distro/profiles');
  t.is(cache({ HOME: '/h', XDG_CACHE_HOME: '/c' }), '/c/static-distro/profiles');
  t.is(cache({ HOME: '/h', XDG_CACHE_HOME: 'c' }), '/h/.cache/static-distro/profiles');
  t.is(cache({ STATIC_DISTRO_HOME: '/s', HOME: '/h' }), '/s/cache/profiles');
  t.is(cache({ STATIC_DISTRO_HOME: 's' }), join(process.cwd(), 's/cache/profiles'));
  for (const home of ['', 'h', undefined]) {
    t.is(cache({ HOME: home }), join(userInfo().homedir, '.cache/static-distro/profiles'));
  }
});
