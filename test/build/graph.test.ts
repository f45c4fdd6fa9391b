import test, { type ExecutionContext } from 'ava';
import * as fc from 'fast-check';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestOf, hexOf } from '../../builder/digest.ts';
import { Fault } from '../../builder/fault.ts';
import { formatBuildLock, readBuildLock } from '../../src/build/build-lock.ts';
import { forgetBuilds } from '../../src/build/forget-builds.ts';
import { schedule } from '../../src/build/schedule.ts';
import { writeSealed } from '../../src/build/sealed.ts';
import { places } from '../../src/cli/context.ts';
import type { PackageRecord } from '../../src/package/record.ts';
import { output, quickstart, root, run, start, temporary, tool } from '../support/tools.ts';

const two = { slots: 2 };

test('what most waits for comes first, then what is named first', async (t) => {
  const tasks = [
    { name: 'short', needs: [], weight: 1 },
    { name: 'long', needs: [], weight: 2 },
    { name: 'base', needs: [], weight: 1 },
    { name: 'top', needs: ['base'], weight: 5 },
    { name: 'other', needs: [], weight: 1 },
  ];
  const started: string[] = [];
  await schedule(tasks, { slots: 1 }, async ({ name }) => {
    started.push(name);
    await sleep(0);
  });
  t.deepEqual(started, ['base', 'top', 'long', 'short', 'other']);
});

test('any graph without a circle: each task once, after what it needs, never more than the slots', async (t) => {
  const graph = fc.array(fc.array(fc.nat({ max: 8 }), { maxLength: 4 }), { minLength: 1, maxLength: 9 });
  const slots = fc.integer({ min: 1, max: 4 });
  await fc.assert(
    fc.asyncProperty(graph, slots, async (edges, slots) => {
      // Each needs only such as come before it; the order of the list is another one.
      const tasks = edges.map((needs, at) => ({
        name: `${at}`,
        needs: needs.filter((need) => need < at).map(String),
      }));
      const done: string[] = [];
      let running = 0;
      await schedule(tasks.toReversed(), { slots }, async ({ name, needs }) => {
        running += 1;
        if (running > slots) throw new Error('too many');
        if (!needs.every((need) => done.includes(need))) throw new Error(`${name} was too early`);
        await sleep(0);
        running -= 1;
        done.push(name);
      });
      return done.toSorted().join(' ') === tasks.map(({ name }) => name).join(' ');
    }),
    { numRuns: 60 },
  );
  t.pass();
});

test('after a failure nothing is started, and what runs is waited for', async (t) => {
  const started: string[] = [];
  const ended: string[] = [];
  const tasks = ['slow', 'bad', 'never'].map((name) => ({ name, needs: [] }));
  const { failed, skipped } = await schedule(tasks, two, async ({ name }) => {
    started.push(name);
    await sleep(name === 'slow' ? 30 : 1);
    if (name === 'bad') throw new Error('broken');
    ended.push(name);
  });
  t.deepEqual([...failed.keys()], ['bad']);
  t.deepEqual([...skipped], [['never', []]]);
  t.deepEqual([started, ended], [['slow', 'bad'], ['slow']]);
});

test('with keepGoing all is done that does not need what failed', async (t) => {
  const tasks = [
    { name: 'bad', needs: [] },
    { name: 'user', needs: ['bad', 'good'] },
    { name: 'usersuser', needs: ['user'] },
    { name: 'good', needs: [] },
    { name: 'last', needs: ['good'] },
  ];
  const ended: string[] = [];
  const { failed, skipped } = await schedule(tasks, { slots: 2, keepGoing: true }, async ({ name }) => {
    await sleep(1);
    if (name === 'bad') throw new Error('broken');
    ended.push(name);
  });
  t.deepEqual([...failed.keys()], ['bad']);
  t.deepEqual(
    [...skipped],
    [
      ['user', ['bad']],
      ['usersuser', ['user']],
    ],
  );
  t.deepEqual(ended, ['good', 'last']);
});

test('a circle is named in full', async (t) => {
  const tasks = [
    { name: 'a', needs: [] },
    { name: 'b', needs: ['a', 'd'] },
    { name: 'c', needs: ['b'] },
    { name: 'd', needs: ['c'] },
  ];
  const error = await t.throwsAsync(
    schedule(tasks, two, () => Promise.resolve()),
    { instanceOf: Fault },
  );
  t.regex(error.message, /circle: b needs d needs c needs b$/);
});

test('a name that is no task counts as done', async (t) => {
  let ran = 0;
  await schedule([{ name: 'a', needs: ['elsewhere'] }], two, () => {
    ran += 1;
    return Promise.resolve();
  });
  t.is(ran, 1);
});

/** A directory with recipes, one for repositories, and the tools with places of their own. */
type Shop = {
  readonly place: string;
  readonly env: Readonly<Record<string, string>>;
  /** The words of pkgbuild before those of a test. */
  readonly options: readonly string[];
  recipe(name: string, parts: { control?: string; build?: string; files?: Record<string, string> }): void;
  /** Adds to a file of a recipe. */
  add(name: string, file: string, text: string): void;
  pkgbuild(...args: string[]): Result;
};

type Result = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

const { distfiles } = places(root, process.env).cache;

function shop(t: ExecutionContext, { from = quickstart, copied = [] as readonly string[] } = {}): Shop {
  const place = temporary(t, 'static-distro-graph-');
  const recipes = join(place, 'recipes');
  mkdirSync(recipes);
  for (const name of copied) cpSync(join(root, 'packages', name), join(recipes, name), { recursive: true });
  const directoryOf = (name: string) => join(recipes, name, readdirSync(join(recipes, name))[0] ?? '');
  const env = { STATIC_DISTRO_HOME: join(place, 'home'), NO_COLOR: '1' };
  const options = ['-p', from, '-r', join(place, 'built'), '--recipes', recipes, '-d', distfiles, '--no-apt'];
  return {
    place,
    env,
    options,
    recipe(name, { control = '', build = '', files = {} }) {
      const directory = join(recipes, name, '1');
      mkdirSync(directory, { recursive: true });
      const fields = `Source: ${name}\nVersion: 1\nDescription: A test\nHomepage: https://example.org/\nLicense: MIT\n`;
      const tools = 'Depends-Unpack: mksh, sbase\n';
      const depends = control.includes('Depends-Build') ? '' : 'Depends-Build: mksh, sbase\n';
      writeFileSync(join(directory, 'control'), `${fields}${tools}${depends}${control}\nPackage: ${name}\n`);
      writeFileSync(join(directory, 'unpack.sh'), 'true\n');
      const script = `set -e\nout=$PKG_INSTDIR$PKG_DIR\nmkdir -p "$out/share"\n${build}\n`;
      writeFileSync(join(directory, 'build.sh'), script);
      for (const [file, text] of Object.entries(files)) writeFileSync(join(directory, file), text);
    },
    add: (name, file, text) => appendFileSync(join(directoryOf(name), file), text),
    pkgbuild: (...args) =>
      run(tool('pkgbuild'), [...options, ...args], { env, cwd: place, timeout: 300_000 }),
  };
}

/** The sources that a run built: those of which it says that it begins, and those of which it says that it is done. */
function builtIn(stderr: string) {
  const found = (pattern: RegExp) => [...stderr.matchAll(pattern)].map(([, name = '']) => name).sort();
  return {
    begun: found(/^(\S+) \S+: building \(/gm),
    done: found(/^(\S+) \S+: built in /gm),
    restored: found(/^(\S+) \S+: taken from the cache$/gm),
  };
}

/** Everything in a repository that is the same on every machine: records and trees, by path. */
function contentOf(repository: string): string {
  const names = readdirSync(repository).filter((name) => !name.startsWith('.'));
  const trees =
    names.length > 0
      ? output('find', [...names, '-type', 'f', '-exec', 'sha256sum', '{}', '+'], { cwd: repository })
      : '';
  const records = output('find', ['.records', '-name', '*.json', '-exec', 'sha256sum', '{}', '+'], {
    cwd: repository,
  });
  return [...trees.split('\n'), ...records.split('\n')].sort().join('\n');
}

const recordOf = (repository: string, name: string): PackageRecord => {
  const directory = join(repository, '.records', name);
  const file = readdirSync(directory).find((each) => each.endsWith('.json')) ?? '';
  return JSON.parse(readFileSync(join(directory, file), 'utf8')) as PackageRecord;
};

const set = ['lua', 'make', 'mini-httpd', 'mksh', 'tcc'];

test.serial('the quick-start set built by tcc, in roots of what was built before in the same graph', (t) => {
  const { place, add, pkgbuild } = shop(t, { copied: set });
  const repository = join(place, 'built');
  const dry = pkgbuild('--all', '--dry-run', '--json');
  t.is(dry.status, 0, dry.stderr);
  const { nodes } = JSON.parse(dry.stdout) as { nodes: { name: string; state: string; needs: string[] }[] };
  t.deepEqual(
    Object.fromEntries(
      nodes.map(({ name, needs }) => [name.split(' ')[0], needs.map((need) => need.split(' ')[0]).sort()]),
    ),
    {
      lua: ['make', 'mksh', 'tcc'],
      make: [],
      'mini-httpd': ['make', 'mksh', 'tcc'],
      mksh: [],
      tcc: ['make', 'mksh'],
    },
    'a circle of tools is broken by those that are there, the first that can be',
  );
  t.false(existsSync(repository), 'a plan does nothing');

  const first = pkgbuild('--all');
  t.is(first.status, 0, first.stderr);
  t.deepEqual(builtIn(first.stderr).done, set);
  const whole = contentOf(repository);
  const made = recordOf(repository, 'make').layer?.diffID;
  t.not(made, recordOf(quickstart, 'make').layer?.diffID);
  t.is(recordOf(repository, 'lua').builtFrom.find(({ name }) => name === 'make')?.diffID, made);
  t.is(recordOf(repository, 'lua').origin, 'host', 'the taint goes on');

  const second = pkgbuild('--all');
  t.is(second.status, 0);
  t.deepEqual(builtIn(second.stderr), { begun: [], done: [], restored: [] });
  t.regex(second.stderr, /5 sources: 5 there, 0 cached, 0 to build\n/);

  add('mksh', 'build.sh', '# a comment\n');
  const explained = pkgbuild('--explain', 'mksh');
  t.regex(
    explained.stdout,
    /^build {3}mksh 59c: build\.sh of the recipe is another\n {2}build\.sh [^\n]*: sha256:[0-9a-f]{64}, was sha256:[0-9a-f]{64}\n {4}line \d+:\n {4}- ""\n {4}\+ "# a comment"\n/,
  );
  const comment = pkgbuild('--all');
  t.deepEqual(
    builtIn(comment.stderr),
    { begun: ['mksh'], done: ['mksh'], restored: [] },
    'only that, as it is the same bytes',
  );

  add('make', 'build.sh', 'echo more >"$out/share/more"\n');
  t.deepEqual(builtIn(pkgbuild('--again', '--all', '--dry-run').stderr).begun, []);
  t.is(pkgbuild('make').status, 0);
  const inputs = pkgbuild('--explain', '--all').stdout;
  t.regex(inputs, /^there {3}make 4\.3\n/m);
  t.regex(
    inputs,
    /^build {3}tcc [^\n]*: make has other bytes\n {2}make has other bytes: 4\.3 sha256:[^\n]*\n {4}\+ packages\/make\/4\.3\/share\/more\n/m,
  );
  const changed = pkgbuild('--all');
  t.deepEqual(builtIn(changed.stderr).done, ['lua', 'mini-httpd', 'tcc'], 'all that has it in its root');
  t.regex(changed.stderr, /lua 5\.4\.4: building \(make has other bytes\)/);
  const other = contentOf(repository);

  rmSync(repository, { recursive: true });
  const lost = pkgbuild('--all');
  t.is(lost.status, 0, lost.stderr);
  t.deepEqual(
    builtIn(lost.stderr),
    { begun: [], done: [], restored: set },
    'a lost repository is filled again',
  );
  t.is(contentOf(repository), other);
  t.not(other, whole);
});

test.serial('what is damaged in the cache is built again, and nothing else', (t) => {
  const { place, pkgbuild } = shop(t, { copied: set });
  const repository = join(place, 'built');
  t.is(pkgbuild('--all').status, 0);
  const whole = contentOf(repository);
  const { layer } = recordOf(repository, 'lua');
  for (const { digest } of Object.values(layer?.blobs ?? {})) {
    const blob = join(place, 'home/data/store/blobs/sha256', digest.slice(7));
    const bytes = readFileSync(blob);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    rmSync(blob);
    writeFileSync(blob, bytes);
  }
  const keys = join(place, 'home/cache/builds');
  const key = recordOf(repository, 'mini-httpd').buildKey ?? '';
  writeFileSync(join(keys, key.slice(0, 2), key, 'outputs.json'), 'sha256:00\n[]');
  const recordKey = recordOf(repository, 'tcc').buildKey ?? '';
  const folder = join(keys, recordKey.slice(0, 2), recordKey);
  for (const name of readdirSync(folder).filter((each) => each.startsWith('record-'))) {
    appendFileSync(join(folder, name), ' ');
    const text = readFileSync(join(folder, name), 'utf8').replace('Small and fast', 'Small and slow');
    writeFileSync(join(folder, name), text);
  }
  rmSync(repository, { recursive: true });
  const { status, stderr } = pkgbuild('--all');
  t.is(status, 0, stderr);
  t.deepEqual(builtIn(stderr).done, ['lua', 'mini-httpd', 'tcc'], stderr);
  t.deepEqual(builtIn(stderr).restored, ['make', 'mksh']);
  t.is(contentOf(repository), whole);
  rmSync(repository, { recursive: true });
  t.deepEqual(builtIn(pkgbuild('--all').stderr).restored, set, 'the damage is mended');
});

const day = 24 * 3600_000;

test('over an age or a size the cache of builds loses what was not used for longest, and what only that needed', (t) => {
  const cache = temporary(t);
  const now = Date.now();
  const put = (path: string, daysAgo: number, write: (path: string) => void) => {
    mkdirSync(dirname(path), { recursive: true });
    write(path);
    const then = new Date(now - daysAgo * day);
    utimesSync(path, then, then);
  };
  const keyOf = (digit: string) => digit.repeat(64);
  const files = { a: digestOf(Buffer.from('a')), b: digestOf(Buffer.from('b')) };
  const key = (digit: string, daysAgo: number, file: keyof typeof files) => {
    const place = join(cache, digit.repeat(2), keyOf(digit));
    put(join(place, 'outputs.json'), 100, (path) => writeFileSync(path, Buffer.alloc(100_000)));
    put(join(place, 'key.json'), daysAgo, (path) =>
      writeSealed(path, { recipe: [['build.sh', false, files[file]]] }),
    );
    put(join(cache, `last/${digit}/1.host.json`), 100, (path) =>
      writeSealed(path, { unpack: keyOf('f'), build: keyOf(digit) }),
    );
  };
  for (const digest of [...Object.values(files), digestOf(Buffer.from('c'))])
    put(join(cache, 'files', hexOf(digest)), 100, (path) => writeFileSync(path, 'text'));
  put(join(cache, 'files', hexOf(digestOf(Buffer.from('d')))), 0, (path) => writeFileSync(path, 'a new one'));
  key('1', 31, 'a');
  key('2', 29, 'b');
  key('3', 2, 'a');
  key('4', 0, 'a');
  put(join(cache, 'logs/old/1.log'), 31, (path) => writeFileSync(path, 'log'));
  put(join(cache, 'logs/new/1.log'), 1, (path) => writeFileSync(path, 'log'));
  const left = () => ({
    keys: readdirSync(cache)
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => readdirSync(join(cache, name)).map((each) => each[0])),
    files: readdirSync(join(cache, 'files')).length,
    last: readdirSync(join(cache, 'last')).filter(
      (name) => readdirSync(join(cache, 'last', name)).length > 0,
    ),
    logs: readdirSync(join(cache, 'logs')).filter(
      (name) => readdirSync(join(cache, 'logs', name)).length > 0,
    ),
  });
  const keep = (most: number) => forgetBuilds(cache, { now, unusedFor: 30 * day, most });
  keep(1 << 30);
  t.deepEqual(left(), { keys: ['2', '3', '4'], files: 3, last: ['2', '3', '4'], logs: ['new'] });
  keep(300_000);
  t.deepEqual(left(), { keys: ['3', '4'], files: 2, last: ['3', '4'], logs: ['new'] });
  keep(0);
  t.deepEqual(left(), { keys: ['4'], files: 2, last: ['4'], logs: [] }, 'what is used just now stays');
});

test.serial('pkgbuild forgets what no build asked for in 30 days, while nobody builds', async (t) => {
  const { place, env, options, recipe, pkgbuild } = shop(t);
  for (const name of ['one', 'two']) recipe(name, {});
  recipe('slow', { build: 'sleep 1000' });
  const builds = join(place, 'home/cache/builds');
  t.is(pkgbuild('one', 'two').status, 0);
  const places = ['one', 'two'].map((name) => {
    const key = recordOf(join(place, 'built'), name).buildKey ?? '';
    return join(builds, key.slice(0, 2), key);
  });
  const isThere = () => places.map((each) => existsSync(each));
  const age = () => output('find', [builds, '-exec', 'touch', '-d', '31 days ago', '{}', '+']);
  age();
  const child = start(t, tool('pkgbuild'), [...options, 'slow'], { env });
  const closed = once(child, 'close');
  while (!String((await once(child.stderr, 'data'))[0]).includes('building')) continue;
  t.is(pkgbuild('two').status, 0);
  t.deepEqual(isThere(), [true, true], 'somebody is building');
  child.kill('SIGTERM');
  await closed;
  t.is(pkgbuild('two').status, 0);
  t.deepEqual(isThere(), [false, true]);
  t.deepEqual(readdirSync(join(builds, 'last/one')), []);

  rmSync(join(place, 'built'), { recursive: true });
  const again = pkgbuild('one', 'two');
  t.deepEqual(builtIn(again.stderr), { begun: ['one'], done: ['one'], restored: ['two'] });
  age();
  t.is(pkgbuild('one', 'two').status, 0);
  t.deepEqual(isThere(), [true, true], 'what is asked for is of use');
});

test.serial('a failure stops the graph, or what needs it; what is whole stays', (t) => {
  const { place, add, pkgbuild } = shop(t, { copied: set });
  add('tcc', 'build.sh', 'exit 7\n');
  const stopped = pkgbuild('--all', '-j', '1');
  t.is(stopped.status, 1);
  t.regex(stopped.stderr, /tcc [^\n]*: build\.sh ended with status 7\n[^\n]*log: "/);
  t.deepEqual(
    readdirSync(join(place, 'built'))
      .filter((name) => !name.startsWith('.'))
      .sort(),
    ['make', 'mksh'],
  );
  const goingOn = pkgbuild('--all', '--keep-going');
  t.is(goingOn.status, 1);
  t.deepEqual(builtIn(goingOn.stderr), { begun: ['tcc'], done: [], restored: [] });
  t.regex(goingOn.stderr, /lua 5\.4\.4: not built, as it needs tcc 0/);
  t.regex(goingOn.stderr, /1 of 5 could not be built, and 2 that need them\n$/);
});

test.serial(
  'killed at 20 random moments it ends with the same repository, and builds only what was running again',
  async (t) => {
    const reference = shop(t, { copied: set });
    const began = Date.now();
    t.is(reference.pkgbuild('--all').status, 0);
    const span = Date.now() - began;
    const whole = contentOf(join(reference.place, 'built'));
    let graph = shop(t, { copied: set });
    let done = new Set<string>();
    const again: string[] = [];
    const runOnce = async (moment: number | undefined): Promise<boolean> => {
      const child = start(t, tool('pkgbuild'), [...graph.options, '--all'], { env: graph.env });
      let said = '';
      child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
      const ended = once(child, 'close');
      if (moment !== undefined) {
        await Promise.race([ended, sleep(moment)]);
        child.kill('SIGKILL');
      }
      await ended;
      const built = builtIn(said);
      again.push(...built.begun.filter((name) => done.has(name)));
      done = new Set([...done, ...built.done]);
      return child.signalCode === 'SIGKILL';
    };
    for (let kills = 0; kills < 20;) {
      if (await runOnce(Math.random() * span * 0.7)) kills += 1;
      else {
        t.is(contentOf(join(graph.place, 'built')), whole);
        graph = shop(t, { copied: set });
        done = new Set();
      }
    }
    t.false(await runOnce(undefined));
    t.is(contentOf(join(graph.place, 'built')), whole);
    t.deepEqual(again, [], 'what was built once');
    t.deepEqual(readdirSync(join(graph.place, 'home/cache/work')), []);
  },
);

test.serial('two runs at once share the work', async (t) => {
  const { place, options, env } = shop(t, { copied: set });
  const runs = ['one', 'two'].map((name) => {
    const words = options.with(options.indexOf('-r') + 1, join(place, name));
    const child = start(t, tool('pkgbuild'), [...words, '--all'], { env });
    const heard = { text: '' };
    child.stderr.on('data', (chunk: Buffer) => (heard.text += chunk.toString()));
    return { heard, ended: once(child, 'close') as Promise<[number | null]> };
  });
  for (const { heard, ended } of runs) t.is((await ended)[0], 0, heard.text);
  const built = runs.flatMap(({ heard }) => builtIn(heard.text).begun).sort();
  t.deepEqual(built, set, runs.map(({ heard }) => heard.text).join('\n--\n'));
  t.is(contentOf(join(place, 'one')), contentOf(join(place, 'two')));
});

test('circles that nothing breaks are named in full', (t) => {
  const { recipe, pkgbuild } = shop(t);
  const needing = (name: string) => ({ control: `Depends-Build: mksh, sbase, ${name}\n` });
  recipe('ring-a', needing('ring-b'));
  recipe('ring-b', needing('ring-c'));
  recipe('ring-c', needing('ring-a'));
  const ring = pkgbuild('--all');
  t.is(ring.status, 1);
  t.regex(
    ring.stderr,
    /pkgbuild: builds need each other in a circle: ring-a 1 needs ring-b 1 needs ring-c 1 needs ring-a 1\n/,
  );
  recipe('alone', needing('alone'));
  t.regex(pkgbuild('alone').stderr, /circle: alone 1 needs alone 1\n/);
  t.regex(pkgbuild('ring-a').stderr, /there is no package "ring-b" \(Depends-Build of ring-a\)/);
});

test('a key that shows several outputs: all are kept, the difference is said', (t) => {
  const { place, recipe, pkgbuild } = shop(t);
  recipe('dice', { build: 'cat /proc/sys/kernel/random/uuid >"$out/share/roll"' });
  t.is(pkgbuild('dice').status, 0);
  const roll = () => readFileSync(join(place, 'built/dice/1/share/roll'), 'utf8');
  const first = roll();
  const again = pkgbuild('--again', 'dice');
  t.is(again.status, 0, again.stderr);
  t.regex(again.stderr, /dice 1: came out different from the last time that the same was built/);
  const second = roll();
  t.not(first, second);
  rmSync(join(place, 'built'), { recursive: true });
  t.is(pkgbuild('dice').status, 0);
  t.is(roll(), second, 'the last one is used');
  const { blobs } = recordOf(join(place, 'built'), 'dice').layer ?? {};
  for (const { digest } of Object.values(blobs ?? {}))
    rmSync(join(place, 'home/data/store/blobs/sha256', digest.slice(7)));
  rmSync(join(place, 'built'), { recursive: true });
  t.is(pkgbuild('dice').status, 0);
  t.is(roll(), first, 'and the other one where that is lost');
});

test('what has no root is named before anything is built, or with --keep-going left out with what needs it', (t) => {
  const { place, recipe, pkgbuild } = shop(t);
  recipe('fine', { build: 'echo 1 >"$out/share/x"' });
  recipe('hopeless', { control: 'Depends-Build: mksh, sbase, nowhere\n' });
  recipe('user', { control: 'Depends-Build: mksh, sbase, hopeless\n' });
  const refused = pkgbuild('--all');
  t.is(refused.status, 1);
  t.regex(refused.stderr, /^pkgbuild: there is no package "nowhere" \(Depends-Build of hopeless\)\n/);
  t.false(existsSync(join(place, 'built')));
  const rest = pkgbuild('--all', '--keep-going');
  t.is(rest.status, 1);
  t.is(rest.stdout, `${join(place, 'built/fine/1')}\n`);
  t.regex(
    rest.stderr,
    /there is no package "hopeless" \(Depends-Build of user\)\n[^]*2 of 3 could not be built\n$/,
  );
});

test('a cache that others can write to is not believed', (t) => {
  const { place, recipe, pkgbuild } = shop(t);
  recipe('plain', { build: 'echo 1 >"$out/share/x"' });
  t.is(pkgbuild('plain').status, 0);
  chmodSync(join(place, 'home/cache/builds'), 0o777);
  const { status, stderr } = pkgbuild('plain');
  t.is(status, 1);
  t.regex(stderr, /other users can write to "[^"]*builds", so what is in it is not trusted/);
});

test('every make shares the pool of processes, and no more run than there are', (t) => {
  const { place, recipe, pkgbuild } = shop(t);
  const rule = (name: string, other: string) =>
    `${name}:\n\t@touch ${name}.here; i=0; until [ -e ${other}.here ] || [ $$i = 200 ]; do sleep 0.05; i=$$((i+1)); done; [ -e ${other}.here ]\n`;
  const together = { Makefile: `all: a b\n${rule('a', 'b')}${rule('b', 'a')}` };
  const control = 'Depends-Build: mksh, sbase, make\n';
  recipe('together', { control, files: together, build: 'make $MAKE_JOBS all; cp Makefile "$out/share"' });
  t.is(pkgbuild('-j', '2', 'together').status, 0, 'two that wait for each other');
  const alone = 'mkdir here || exit 1; sleep 0.1; rmdir here';
  recipe('alone', {
    control,
    files: { Makefile: `all: a b c\na b c:\n\t@${alone}\n` },
    build: 'make $MAKE_JOBS all; ls -A /work >"$out/share/left"',
  });
  const one = pkgbuild('-j', '1', 'alone');
  t.is(one.status, 0, one.stderr);
  t.regex(readFileSync(join(place, 'built/alone/1/share/left'), 'utf8'), /^\.jobs$/m);
});

/** The quick-start packages as if no machine's compiler had made them. */
function untainted(t: ExecutionContext): string {
  const repository = join(temporary(t), 'clean');
  output('cp', ['-a', quickstart, repository]);
  for (const name of readdirSync(join(repository, '.records'))) {
    if (name.startsWith('.')) continue;
    for (const file of readdirSync(join(repository, '.records', name)).filter((each) =>
      each.endsWith('.json'),
    )) {
      const path = join(repository, '.records', name, file);
      const { origin: _, ...record } = JSON.parse(readFileSync(path, 'utf8')) as PackageRecord;
      writeFileSync(path, JSON.stringify(record));
    }
  }
  return repository;
}

test('build.lock: what is locked is taken, and what comes out must be what it expects', (t) => {
  const from = untainted(t);
  const { place, recipe, add, options, env, pkgbuild } = shop(t, { from });
  const control = 'Depends-Build: mksh, sbase, make\n';
  recipe('one', { control, build: 'make --version | sed 1q >"$out/share/version"' });
  recipe('two', { control: 'Depends-Build: mksh, sbase, one\n', build: 'echo two >"$out/share/two"' });
  const lockFile = join(place, 'recipes/build.lock');
  const written = pkgbuild('--update', '--all');
  t.is(written.status, 0, written.stderr);
  t.is(recordOf(join(place, 'built'), 'two').origin, undefined);
  const text = readFileSync(lockFile, 'utf8');
  const lock = readBuildLock(lockFile);
  t.is(formatBuildLock(lock), text);
  t.deepEqual([...lock.keys()], [`one 1 ${architecture}`, `two 1 ${architecture}`]);
  t.deepEqual(
    lock.get(`two 1 ${architecture}`)?.build?.map(({ name }) => name),
    ['mksh', 'one', 'sbase'],
  );
  t.is(text.split('\n').filter((line) => line.includes('"name": "mksh"')).length, 4, 'one package a line');

  // A newer make would be taken, if it were not for the lock.
  const newer = join(from, 'make/9');
  output('cp', ['-a', join(from, 'make/4.3'), newer]);
  const controlFile = join(newer, 'control');
  writeFileSync(controlFile, readFileSync(controlFile, 'utf8').replace('Version: 4.3', 'Version: 9'));
  const elsewhere = { ...env, STATIC_DISTRO_HOME: join(place, 'other home') };
  const other = (...args: string[]) =>
    run(tool('pkgbuild'), [...options.with(3, join(place, 'other')), ...args], {
      env: elsewhere,
      cwd: place,
    });
  const checked = other('--all');
  t.is(checked.status, 0, checked.stderr);
  t.deepEqual(
    builtIn(checked.stderr).done,
    ['one', 'two'],
    'on another machine they are built, and found right',
  );
  t.is(recordOf(join(place, 'other'), 'one').builtFrom.find(({ name }) => name === 'make')?.version, '4.3');
  const free = other('--no-lock', 'one');
  t.is(free.status, 0, free.stderr);
  t.is(recordOf(join(place, 'other'), 'one').builtFrom.find(({ name }) => name === 'make')?.version, '9');

  const expected = lock.get(`one 1 ${architecture}`)?.outputs[0]?.diffID ?? '';
  const wrong = `sha256:${'0'.repeat(64)}`;
  writeFileSync(lockFile, text.replaceAll(expected, wrong));
  rmSync(join(place, 'other'), { recursive: true });
  const refused = other('--all');
  t.is(refused.status, 1);
  t.true(
    refused.stderr.includes(`one 1 came out as ${expected}, and packages/build.lock expects ${wrong}\n`),
    refused.stderr,
  );
  t.false(existsSync(join(place, 'other/one')), 'it is not published');

  writeFileSync(lockFile, text);
  add('one', 'build.sh', 'echo more >"$out/share/more"\n');
  const edited = other('--all');
  t.is(edited.status, 0, edited.stderr);
  t.regex(edited.stderr, /one 1: [^\n]*build\.lock[^\n]* is not used: its recipe is another\n/);
  t.regex(
    edited.stderr,
    /two 1: [^\n]*build\.lock[^\n]* is not used: one 1 has other bytes than the locked one\n/,
  );

  const tainted = run(
    tool('pkgbuild'),
    [...options.with(1, quickstart).with(3, join(place, 'third')), 'one'],
    { env, cwd: place },
  );
  t.is(tainted.status, 0, tainted.stderr);
  t.regex(
    tainted.stderr,
    /one 1: [^\n]*build\.lock[^\n]* is not used: \S+ \S+ in its root is of a machine \(Origin: host\)\n/,
  );
  const none = run(
    tool('pkgbuild'),
    [...options.with(1, quickstart).with(3, join(place, 'third')), '--update', 'one'],
    { env, cwd: place },
  );
  t.regex(none.stderr, /0 of 1 builds are other than they were; 1 left out/);
  t.is(readFileSync(lockFile, 'utf8'), text);
});

const architecture = process.arch === 'arm64' ? 'aarch64' : 'x86_64';

test.serial(
  'a package is built again in the root of its record, whatever has become of the repositories',
  (t) => {
    const from = join(temporary(t), 'from');
    output('cp', ['-a', quickstart, from]);
    const { place, recipe, env, pkgbuild } = shop(t, { from });
    recipe('one', { build: 'ls /packages >"$out/share/root"' });
    t.is(pkgbuild('one').status, 0);
    const words = ['-r', join(place, 'built'), '--recipes', join(place, 'recipes'), '--from-record', 'one'];
    const lost = run(tool('pkgbuild'), words, { env });
    t.is(lost.status, 1);
    t.regex(lost.stderr, /one 1 was built from a mksh 59c that the store does not have/);
    const image = ['build', '-d', from, '-p', 'mksh', 'sbase', '-t', 'tools'];
    t.is(run(tool('pkgimage'), image, { env }).status, 0);
    rmSync(from, { recursive: true });
    const again = run(tool('pkgbuild'), words, { env });
    t.is(again.status, 0, again.stderr);
    t.regex(again.stdout, /^one 1: the same bytes, sha256:/);
  },
);

test('on a terminal it is drawn what runs and what is next', (t) => {
  const { options, env, recipe } = shop(t);
  recipe('first', { build: 'sleep 1.5; echo 1 >"$out/share/x"' });
  recipe('later', { control: 'Depends-Build: mksh, sbase, first\n', build: 'echo 2 >"$out/share/x"' });
  const words = ['[]', tool('pkgbuild'), ...options, '--all'];
  const { stdout } = run('python3', [join(root, 'test/support/terminal.py'), ...words], { env });
  const { shown, status } = JSON.parse(stdout) as { shown: string; status: number };
  t.is(status, 0, shown);
  t.regex(shown, /first 1: building, \d+\.\d s\r\n0 of 2: 0 built, 0 known; next: later 1\r\n/);
  t.regex(shown, /first 1: built in/);
});
