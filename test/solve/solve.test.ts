import test from 'ava';
import * as fc from 'fast-check';
import { satisfies, type Relation } from '../../src/package/constraint.ts';
import type { Candidate } from '../../src/package/record.ts';
import type { Repository } from '../../src/package/repository.ts';
import { parseRequest } from '../../src/package/relation.ts';
import { compareVersionsTotally } from '../../src/package/version.ts';
import { choose, resolve } from '../../src/solve/choose.ts';
import { versionsIn } from '../../src/solve/fitting.ts';
import { orderVersions } from '../../src/solve/preference.ts';
import { solve } from '../../src/solve/solve.ts';
import type { Package, Preferences, Universe, Wish } from '../../src/solve/universe.ts';
import { Unsatisfiable } from '../../src/solve/unsatisfiable.ts';

type Declared = {
  readonly depends?: readonly string[];
  readonly provides?: readonly string[];
  readonly conflicts?: readonly string[];
};

/** Packages by `NAME VERSION`. */
function candidatesOf(declared: Readonly<Record<string, Declared>>): Candidate[] {
  return Object.entries(declared).map(([key, { depends = [], provides = [], conflicts = [] }]) => {
    const [name = '', version = ''] = key.split(' ');
    return {
      name,
      version,
      depends: depends.map((text) => parseRequest(text)),
      conflicts: conflicts.map((text) => parseRequest(text)),
      provides: provides.map((text) => {
        const [virtual = '', as] = text.split(' = ');
        return { name: virtual, ...(as === undefined ? {} : { version: as }) };
      }),
    };
  });
}

function universeOf(candidates: readonly Candidate[]): Universe & { readonly asked: Set<string> } {
  const asked = new Set<string>();
  const byName = Map.groupBy(candidates, ({ name }) => name);
  const providers = Map.groupBy(
    candidates.flatMap(({ name, version, provides }) =>
      provides.map(({ name: virtual, version: as }) => ({ virtual, name, version, ...(as ? { as } : {}) })),
    ),
    ({ virtual }) => virtual,
  );
  return {
    asked,
    names: () => [...byName.keys()],
    versions: (name) => (byName.get(name) ?? []).map(({ version }) => version),
    providers: (name) => providers.get(name) ?? [],
    candidate(name, version) {
      asked.add(`${name} ${version}`);
      const found = byName.get(name)?.find((candidate) => candidate.version === version);
      if (!found) throw new Error(`${name} ${version} was asked for and does not exist`);
      return found;
    },
  };
}

const wishesOf = (...words: readonly string[]): Wish[] =>
  words.map((word) => Object.assign(parseRequest(word), { from: 'command line' }));

const show = (packages: readonly Package[]) => packages.map(({ name, version }) => `${name} ${version}`);

const answer = (
  declared: Readonly<Record<string, Declared>>,
  words: readonly string[],
  preferences: Preferences = {},
) => show(solve(universeOf(candidatesOf(declared)), wishesOf(...words), preferences));

function failure(declared: Readonly<Record<string, Declared>>, words: readonly string[]): Unsatisfiable {
  try {
    answer(declared, words);
  } catch (error) {
    if (error instanceof Unsatisfiable) return error;
    throw error;
  }
  throw new Error('there is an answer');
}

// What is right, said once more and in another way than the solver says it.

const meets = (candidate: Candidate, { alternatives }: Relation) =>
  alternatives.some(
    ({ name, range }) =>
      (candidate.name === name && satisfies(range, candidate.version)) ||
      candidate.provides.some(
        (provided) =>
          provided.name === name &&
          (range.length === 0 || (provided.version !== undefined && satisfies(range, provided.version))),
      ),
  );

const isValid = (selection: readonly Candidate[], wishes: readonly Relation[]) =>
  new Set(selection.map(({ name }) => name)).size === selection.length &&
  [...wishes, ...selection.flatMap(({ depends }) => depends)].every((relation) =>
    selection.some((candidate) => meets(candidate, relation)),
  ) &&
  selection.every((candidate) =>
    candidate.conflicts.every(
      (conflict) => !selection.some((other) => other !== candidate && meets(other, conflict)),
    ),
  );

/** Every valid selection, by trying all. */
function allAnswers(candidates: readonly Candidate[], wishes: readonly Relation[]): Candidate[][] {
  let selections: Candidate[][] = [[]];
  for (const versions of Map.groupBy(candidates, ({ name }) => name).values()) {
    selections = selections.flatMap((chosen) => [
      chosen,
      ...versions.map((version) => chosen.concat(version)),
    ]);
  }
  return selections.filter((selection) => isValid(selection, wishes));
}

const names = ['a', 'b', 'c', 'd', 'e'];
const versions = ['1', '2', '3~rc1'];
const virtuals = ['v', 'w', 'a'];

const relationText = fc
  .uniqueArray(
    fc.record({
      name: fc.constantFrom(...names, 'v', 'w', 'missing'),
      range: fc.constantFrom('', '', '', ' = 1', ' >= 2', ' < 2', ' > 1', ' >= 3~rc1', ' != 2'),
    }),
    { minLength: 1, maxLength: 2, selector: ({ name }) => name },
  )
  .map((alternatives) => alternatives.map(({ name, range }) => `${name}${range}`).join(' | '));

const conflictText = relationText.map((text) => text.replace(/ \|.*/, ''));

const providedText = fc
  .record({ name: fc.constantFrom(...virtuals), as: fc.constantFrom('', ' = 1', ' = 2') })
  .map(({ name, as }) => `${name}${as}`);

const declaredArbitrary = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...names), fc.constantFrom(...versions)), {
    minLength: 1,
    maxLength: 9,
    selector: ([name, version]) => `${name} ${version}`,
  })
  .chain((packages) =>
    fc.record(
      Object.fromEntries(
        packages.map(([name, version]) => [
          `${name} ${version}`,
          fc.record({
            depends: fc.array(relationText, { maxLength: 2 }),
            provides: fc.array(providedText, { maxLength: 1 }),
            conflicts: fc.array(conflictText, { maxLength: 1 }),
          }),
        ]),
      ),
    ),
  );

const wishesArbitrary = fc.array(relationText, { minLength: 1, maxLength: 3 });

const attempt = (universe: Universe, wishes: readonly Wish[]) => {
  try {
    return solve(universe, wishes);
  } catch (error) {
    if (error instanceof Unsatisfiable) return error;
    throw error;
  }
};

const find = (candidates: readonly Candidate[], packages: readonly Package[]) =>
  packages.map(({ name, version }) => {
    const found = candidates.find((each) => each.name === name && each.version === version);
    if (!found) throw new Error(`${name} ${version} does not exist`);
    return found;
  });

test('an answer exists exactly where trying everything finds one, and it is one of those', (t) => {
  let [met, unmet] = [0, 0];
  fc.assert(
    fc.property(declaredArbitrary, wishesArbitrary, (declared, words) => {
      const candidates = candidatesOf(declared);
      const wishes = wishesOf(...words);
      const found = attempt(universeOf(candidates), wishes);
      const expected = allAnswers(candidates, wishes);
      if (found instanceof Unsatisfiable) {
        unmet += 1;
        return expected.length === 0;
      }
      met += 1;
      return isValid(find(candidates, found), wishes);
    }),
    { numRuns: 3000 },
  );
  t.true(met > 500 && unmet > 500, `${met} with and ${unmet} without an answer`);
});

test('nothing in an answer can be left out', (t) => {
  fc.assert(
    fc.property(declaredArbitrary, wishesArbitrary, (declared, words) => {
      const candidates = candidatesOf(declared);
      const wishes = wishesOf(...words);
      const found = attempt(universeOf(candidates), wishes);
      if (found instanceof Unsatisfiable) return true;
      const asked = (candidate: Candidate) =>
        wishes.some(({ alternatives }) => alternatives.some(({ name }) => name === candidate.name));
      const selection = find(candidates, found);
      return selection.every(
        (candidate) =>
          asked(candidate) ||
          !isValid(
            selection.filter((each) => each !== candidate),
            wishes,
          ),
      );
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test('what is asked for by name is the best version that any answer has, the first in order first', (t) => {
  fc.assert(
    fc.property(declaredArbitrary, wishesArbitrary, (declared, words) => {
      const candidates = candidatesOf(declared);
      const wishes = wishesOf(...words);
      const found = attempt(universeOf(candidates), wishes);
      if (found instanceof Unsatisfiable) return true;
      let answers = allAnswers(candidates, wishes);
      const single = wishes.flatMap(({ alternatives: [first, second], text }) =>
        first && !second ? [{ ...first, text }] : [],
      );
      for (const { name, range } of single.toSorted((a, b) => (a.text < b.text ? -1 : 1))) {
        const all = candidates.flatMap((each) =>
          each.name === name && satisfies(range, each.version) ? [each.version] : [],
        );
        const has = (selection: readonly Package[], version: string) =>
          selection.some((each) => each.name === name && each.version === version);
        const best = orderVersions(all, range, undefined).find((version) =>
          answers.some((selection) => has(selection, version)),
        );
        if (best === undefined) continue;
        if (!has(found, best)) return false;
        answers = answers.filter((selection) => has(selection, best));
      }
      return true;
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test('the answer does not depend on the order of anything', (t) => {
  const shuffled = fc.tuple(declaredArbitrary, wishesArbitrary).chain(([declared, words]) =>
    fc.record({
      declared: fc.constant(declared),
      words: fc.constant(words),
      entries: fc.shuffledSubarray(Object.entries(declared), { minLength: Object.keys(declared).length }),
      mixed: fc.shuffledSubarray(words, { minLength: words.length }),
    }),
  );
  fc.assert(
    fc.property(shuffled, ({ declared, words, entries, mixed }) => {
      const one = attempt(universeOf(candidatesOf(declared)), wishesOf(...words));
      const candidates = candidatesOf(Object.fromEntries(entries));
      const other = attempt(universeOf(candidates), wishesOf(...mixed));
      if (one instanceof Unsatisfiable) return other instanceof Unsatisfiable;
      if (other instanceof Unsatisfiable) return false;
      const same = attempt(universeOf(candidates), wishesOf(...words));
      t.deepEqual(same, one);
      return show(one).sort().join() === show(other).sort().join();
    }),
    { numRuns: 1000 },
  );
});

test('a core is unsatisfiable by itself, and without any one of its facts it is not', (t) => {
  fc.assert(
    fc.property(declaredArbitrary, wishesArbitrary, (declared, words) => {
      const found = attempt(universeOf(candidatesOf(declared)), wishesOf(...words));
      if (!(found instanceof Unsatisfiable) || found.unknown.length > 0) return true;
      const without = (left: number) => {
        const facts = found.core.filter((_, at) => at !== left);
        const says = (kind: string, name: string, text: string) =>
          facts.some(
            (fact) => fact.kind === kind && fact.owner?.name === name && fact.relation.text === text,
          );
        const candidates = candidatesOf(declared).map(({ name, version, provides, depends, conflicts }) => ({
          name,
          version,
          provides,
          depends: depends.filter(({ text }) => says('depends', name, text)),
          conflicts: conflicts.filter(({ text }) => says('conflicts', name, text)),
        }));
        const wishes = wishesOf(...words).filter(({ text }) =>
          facts.some((fact) => fact.kind === 'wish' && fact.relation.text === text),
        );
        return allAnswers(candidates, wishes).length > 0;
      };
      return !without(-1) && found.core.every((_, at) => without(at));
    }),
    { numRuns: 1500 },
  );
  t.pass();
});

test('a range allows the same versions, however many there are to look through', (t) => {
  const version = fc.stringMatching(/^[0-9]{1,2}(\.[0-9])?(~rc[0-9])?$/);
  const comparator = fc.record({
    op: fc.constantFrom('=', '!=', '<', '<=', '>', '>=' as const),
    version,
  });
  const range = fc.array(fc.array(comparator, { minLength: 1, maxLength: 3 }), { maxLength: 2 });
  fc.assert(
    fc.property(fc.uniqueArray(version, { maxLength: 40 }), range, (all, range) => {
      const sorted = all.toSorted((a, b) => compareVersionsTotally(b, a));
      t.deepEqual(
        versionsIn(sorted, range),
        sorted.filter((each) => satisfies(range, each)),
      );
    }),
    { numRuns: 2000 },
  );
});

test('newest first; versions with ~ after all others, unless they are named', (t) => {
  const gcc = { 'gcc 7': {}, 'gcc 6': {}, 'gcc 8~rc1': {}, 'gcc 9~beta': {} };
  t.deepEqual(answer(gcc, ['gcc']), ['gcc 7']);
  t.deepEqual(answer(gcc, ['gcc >= 7']), ['gcc 7']);
  t.deepEqual(answer(gcc, ['gcc < 7']), ['gcc 6']);
  t.deepEqual(answer(gcc, ['gcc ^6']), ['gcc 6']);
  t.deepEqual(answer(gcc, ['gcc > 7']), ['gcc 9~beta']);
  t.deepEqual(answer(gcc, ['gcc >= 8~rc1']), ['gcc 8~rc1']);
  t.deepEqual(answer(gcc, ['gcc,8~rc1']), ['gcc 8~rc1']);
  const stage1 = { 'gcc 5.3.0-~~stage1': { depends: ['binutils'] }, 'binutils 2.26.1-~~stage1': {} };
  t.deepEqual(answer(stage1, ['gcc']), ['gcc 5.3.0-~~stage1', 'binutils 2.26.1-~~stage1']);
});

test('equal versions in another spelling have one order', (t) => {
  t.deepEqual(answer({ 'a 1.0': {}, 'a 1.00': {} }, ['a']), answer({ 'a 1.00': {}, 'a 1.0': {} }, ['a']));
});

test('what is asked for by name is there even where another that is chosen provides it', (t) => {
  const shells = { 'sh 1': {}, 'mksh 1': { provides: ['sh'] }, 'make 1': { depends: ['sh'] } };
  t.deepEqual(answer(shells, ['sh']), ['sh 1']);
  t.deepEqual(answer(shells, ['mksh', 'sh']), ['mksh 1', 'sh 1']);
  t.deepEqual(
    answer(shells, ['make', 'mksh']),
    ['make 1', 'mksh 1'],
    'a dependency that is met adds nothing',
  );
  t.deepEqual(answer(shells, ['make']), ['make 1', 'sh 1']);
});

test('names before virtual names: what is asked for anyhow also serves the rest', (t) => {
  const mail = {
    'mailreadplus 1': { provides: ['mail-reader'] },
    'mymailreader 1': { provides: ['mail-reader'] },
  };
  t.deepEqual(answer(mail, ['mail-reader', 'mymailreader']), ['mymailreader 1']);
  t.deepEqual(answer(mail, ['mail-reader']), ['mailreadplus 1'], 'else the first by name');
  t.deepEqual(answer(mail, ['mail-reader'], { locked: new Map([['mymailreader', '1']]) }), [
    'mymailreader 1',
  ]);
});

test('alternatives as written, and nothing for what another brings', (t) => {
  const either = { 'p 1': { depends: ['b | a'] }, 'a 1': {}, 'b 1': {}, 'q 1': { depends: ['a'] } };
  t.deepEqual(answer(either, ['p']), ['p 1', 'b 1']);
  t.deepEqual(answer(either, ['p', 'q']), ['p 1', 'q 1', 'a 1']);
  t.deepEqual(answer({ ...either, 'b 1': { conflicts: ['p'] } }, ['p']), ['p 1', 'a 1']);
  const cover = { 'x 1': { depends: ['a | b', 'b | c'] }, 'a 1': {}, 'b 1': {}, 'c 1': {} };
  t.deepEqual(answer(cover, ['x']), ['x 1', 'b 1']);
});

test('a locked version stays while nothing speaks against it', (t) => {
  const zlib = {
    'zlib 1': {},
    'zlib 2': {},
    'curl 1': { depends: ['zlib'] },
    'nginx 1': { depends: ['zlib >= 2'] },
  };
  const locked = new Map([['zlib', '1']]);
  t.deepEqual(answer(zlib, ['curl'], { locked }), ['curl 1', 'zlib 1']);
  t.deepEqual(answer(zlib, ['curl', 'nginx'], { locked }), ['curl 1', 'nginx 1', 'zlib 2']);
});

test('Provides: with a version it meets what asks for one, also for its own name; without, it does not', (t) => {
  const http = {
    'nginx 1.10': { provides: ['httpd'] },
    'apache 2.4': { provides: ['httpd = 2'] },
    'foo 1': { provides: ['foo = 3'] },
  };
  t.deepEqual(answer(http, ['httpd']), ['apache 2.4']);
  t.deepEqual(answer(http, ['httpd >= 2']), ['apache 2.4']);
  t.is(failure(http, ['httpd >= 3']).code, 'UNSATISFIABLE');
  t.deepEqual(answer(http, ['foo >= 2']), ['foo 1']);
});

test('Conflicts: never the package itself, all others that bear or provide the name', (t) => {
  const exclusive = {
    'exim 4': { provides: ['mta'], conflicts: ['mta'] },
    'postfix 3': { provides: ['mta'], conflicts: ['mta'] },
    'list 1': { depends: ['mta'] },
    'strict 1': { conflicts: ['mta >= 1'] },
  };
  t.deepEqual(answer(exclusive, ['list']), ['list 1', 'exim 4']);
  t.deepEqual(
    answer(exclusive, ['strict', 'exim']),
    ['strict 1', 'exim 4'],
    'a version hits no stand-in without',
  );
  const { message } = failure(exclusive, ['exim', 'postfix']);
  t.regex(message, /"exim" \(command line\); "postfix" \(command line\)/);
  t.regex(message, /not "mta" \(Conflicts of (exim 4, which postfix|postfix 3, which exim) provides\)/);
});

test('a package meets its own dependency, and circles close', (t) => {
  t.deepEqual(answer({ 'a 1': { depends: ['a', 'b'] }, 'b 1': { depends: ['a >= 1'] } }, ['a']), [
    'a 1',
    'b 1',
  ]);
});

test('an older version is taken where the newest leads nowhere', (t) => {
  const declared = {
    'app 2': { depends: ['lib >= 2', 'tool'] },
    'app 1': { depends: ['lib'] },
    'lib 2': { depends: ['gone'] },
    'lib 1': {},
    'tool 1': { depends: ['lib < 2'] },
  };
  t.deepEqual(answer(declared, ['app']), ['app 1', 'lib 1']);
});

test('of a package that is found to be impossible in the middle, the rest counts too', (t) => {
  const declared = {
    'b 3~rc1': {},
    'b 2': { conflicts: ['e'] },
    'b 1': {},
    'e 3~rc1': { depends: ['b >= 2', 'w'] },
    'e 2': { depends: ['a < 2'] },
    'a 3~rc1': {},
  };
  const { core } = failure(declared, ['e', 'b']);
  t.deepEqual(
    core.map(({ relation }) => relation.text),
    ['e', 'w', 'a < 2'],
  );
});

test('nothing is read that the answer does not turn on', (t) => {
  const universe = universeOf(
    candidatesOf({ 'a 2': { depends: ['b'] }, 'a 1': {}, 'b 1': {}, 'c 1': { depends: ['a'] }, 'd 1': {} }),
  );
  solve(universe, wishesOf('a'));
  t.deepEqual([...universe.asked].sort(), ['a 2', 'b 1']);
});

const many = (count: number, declare: (at: number) => [key: string, declared: Declared]) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => declare(at)));

test('a chain of 5,000 packages, and one that breaks at its end', (t) => {
  const chain = many(5000, (at) => [`p${at} 1`, { depends: at < 4999 ? [`p${at + 1}`] : [] }]);
  t.is(answer(chain, ['p0']).length, 5000);
  const { message } = failure({ ...chain, 'p4999 1': { depends: ['gone'] } }, ['p0']);
  t.regex(message, /"gone" \(Depends-Run of p4999 1\): there is no package "gone"$/);
  t.true(message.length < 1000);
});

test('2,000 versions that all need a missing package; all but the oldest; each another version of a name', (t) => {
  const broken = many(2000, (at) => [`x 1.${at}`, { depends: ['missing'] }]);
  t.is(
    failure(broken, ['x']).message,
    'no set of packages meets all of "x" (command line); ' +
      '"missing" (Depends-Run of every version of x): there is no package "missing"',
  );
  t.deepEqual(answer({ ...broken, 'x 1.0': {} }, ['x']), ['x 1.0']);
  const step = {
    ...many(1000, (at) => [`x 1.${at}`, { depends: [`y = 1.${at}`] }]),
    ...many(1000, (at) => [`y 1.${at}`, { depends: at < 1 ? [] : ['missing'] }]),
  };
  t.deepEqual(answer(step, ['x']), ['x 1.0', 'y 1.0']);
});

test('what clashes is named with where it comes from, versions as ranges over those that exist', (t) => {
  const menu = {
    ...many(5, (at) => [`menu 1.${at + 1}`, { depends: ['dropdown >= 2.0'] }]),
    ...many(4, (at) => [`dropdown 2.${at}`, { depends: ['icons = 2'] }]),
    'menu 1.0': { depends: ['dropdown = 1.8'] },
    'dropdown 1.8': { depends: ['intl = 3'] },
    'icons 1': {},
    'icons 2': {},
    'intl 3': {},
    'intl 5': {},
  };
  const { message, hint, core, unknown } = failure(menu, ['menu', 'icons = 1', 'intl = 5']);
  t.is(
    message,
    'no set of packages meets all of "menu" (command line); "icons = 1" (command line); ' +
      '"intl = 5" (command line); "dropdown >= 2.0" (Depends-Run of menu 1.1 to 1.5); ' +
      '"dropdown = 1.8" (Depends-Run of menu 1.0); "icons = 2" (Depends-Run of dropdown 2.0 to 2.3); ' +
      '"intl = 3" (Depends-Run of dropdown 1.8)',
  );
  t.is(hint, 'leave out or relax one of "menu", "icons = 1" and "intl = 5"');
  t.is(core.length, 7);
  t.deepEqual(unknown, []);
});

test('a wrong name or version: what there is instead', (t) => {
  const gcc = { 'gcc 6.3.0': {}, 'gcc 7.2.0': {}, 'musl 1.1.24-1': {}, 'nginx 1': { provides: ['httpd'] } };
  const wrongName = failure(gcc, ['gc', 'musl', 'vim']);
  t.is(
    wrongName.message,
    'there is no package "gc" (command line); there is no package "vim" (command line)',
  );
  t.is(wrongName.hint, 'did you mean "gcc"?');
  t.deepEqual(wrongName.unknown, [0, 2]);
  t.is(
    failure(gcc, ['gcc >= 8']).message,
    'nothing meets "gcc >= 8" (command line): only gcc 6.3.0 and 7.2.0 exist',
  );
  t.regex(
    failure(gcc, ['musl = 1.1.24']).hint ?? '',
    /musl 1\.1\.24-1 exists; versions compare with their revision/,
  );
  t.regex(failure(gcc, ['httpd >= 1']).message, /nginx provides httpd, but in no such version/);
  t.regex(failure(gcc, ['vim']).hint ?? '', /the repository that has "vim"/);
});

/** A repository in memory; `later` is what nothing but a look at every package finds. */
function repositoryOf(
  directory: string,
  remote: boolean,
  declared: Readonly<Record<string, Declared>>,
  later: Readonly<Record<string, Declared>> = {},
): Repository {
  let universe = universeOf(candidatesOf(declared));
  return {
    directory,
    remote,
    names: () => universe.names(),
    versions: (name) => universe.versions(name),
    candidate: (name, version) => universe.candidate(name, version),
    providers: (virtual) => universe.providers(virtual),
    record: (name, version) => ({ format: 1, control: `${name} ${version}`, builtFrom: [], links: [] }),
    tree: (name, version) => `${directory}/${name}/${version}`,
    recheck() {
      universe = universeOf(candidatesOf({ ...declared, ...later }));
      return Object.keys(later).length > 0;
    },
    indexed: () => true,
  };
}

const trees = (repositories: readonly Repository[], ...words: readonly string[]) =>
  choose(repositories, wishesOf(...words)).map(({ tree }) => tree);

test('several repositories: versions are united, the same one is taken from the first, sorted by name', (t) => {
  const one = repositoryOf('/one', false, {
    'z 1': { depends: ['a'] },
    'a 1': {},
    'b 2': { provides: ['v'] },
  });
  const two = repositoryOf('/two', false, { 'a 1': {}, 'a 2': {}, 'b 2': { provides: ['v'] }, 'c 1': {} });
  t.deepEqual(trees([one, two], 'z', 'c'), ['/two/a/2', '/two/c/1', '/one/z/1']);
  t.deepEqual(trees([one, two], 'z', 'a = 1'), ['/one/a/1', '/one/z/1']);
  t.deepEqual(trees([two, one], 'z', 'a = 1'), ['/two/a/1', '/one/z/1']);
  t.deepEqual(trees([two, one], 'v'), ['/two/b/2']);
  t.is(choose([one, two], wishesOf('a = 1'))[0]?.record.control, 'a 1');
  t.deepEqual(
    resolve([one, two], wishesOf('z', 'c')).map(({ name, repository }) => `${repository.directory} ${name}`),
    ['/one z', '/two c', '/two a'],
  );
});

test('a name that a local repository has is never taken from a remote one, however new it is there', (t) => {
  const local = repositoryOf('/local', false, { 'ours 1': {} });
  const remote = repositoryOf('/remote', true, { 'ours 99': { provides: ['v'] }, 'theirs 1': {} });
  t.deepEqual(trees([remote, local], 'ours', 'theirs'), ['/local/ours/1', '/remote/theirs/1']);
  t.throws(() => trees([remote, local], 'ours > 1'), { instanceOf: Unsatisfiable });
  t.throws(() => trees([remote, local], 'v'), { instanceOf: Unsatisfiable });
  t.deepEqual(trees([remote], 'v'), ['/remote/ours/99']);
});

test('before there is no answer, indexes are compared with what is there', (t) => {
  const stale = repositoryOf('/stale', false, { 'a 1': { depends: ['v'] } }, { 'b 2': { provides: ['v'] } });
  t.deepEqual(trees([stale], 'a'), ['/stale/a/1', '/stale/b/2']);
  const { message } = t.throws(() => trees([stale], 'a', 'gone'), { instanceOf: Unsatisfiable });
  t.is(message, 'there is no package "gone" (command line)');
});
