import test from 'ava';
import * as fc from 'fast-check';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Fault } from '../../builder/fault.ts';
import { scanLinks } from '../../src/package/links.ts';
import { ownerToken } from '../../src/package/owner.ts';
import type { LinkEntry } from '../../src/package/record.ts';
import { cachedProfile } from '../../src/run/cache.ts';
import { helperArguments } from '../../src/run/command.ts';
import type { ProfileEntry } from '../../src/run/entry.ts';
import { compareBytes } from '../../src/package/order.ts';
import { forgetProfiles, forgetUnused } from '../../src/run/forget.ts';
import { ensurePrivate } from '../../src/run/private.ts';
import { mountEntries, profileEntries, profileKey } from '../../src/run/profile.ts';
import type { ProfilePackage } from '../../src/run/tree.ts';
import { writeEntries } from '../../src/run/write.ts';
import { isRoot, output, root as checkout, start, temporary } from '../support/tools.ts';

/** A package from `bin/x lib/d/ lib/s@`: a file, a directory, a symlink. */
function pkg(name: string, words: string, priority = 50, version = '1'): ProfilePackage {
  const links = words
    .split(' ')
    .filter((word) => word !== '')
    .map((word): LinkEntry => {
      if (word.endsWith('/')) return { path: word.slice(0, -1), type: 'directory' };
      if (word.endsWith('@')) return { path: word.slice(0, -1), type: 'symlink' };
      return { path: word, type: 'file' };
    })
    .sort((a, b) => compareBytes(a.path, b.path));
  return { name, version, priority, links };
}

/** What packages add to the profile of an empty set: links as `path -> target`, directories as `path/`. */
function added(...packages: ProfilePackage[]): string[] {
  const common = new Set(profileEntries([]).map(({ path }) => path));
  return profileEntries(packages)
    .filter(({ path }) => !common.has(path))
    .map((entry) => (entry.kind === 'link' ? `${entry.path} -> ${entry.target}` : `${entry.path}/`));
}

function fault(t: { fail(message: string): never }, doing: () => unknown): Fault {
  try {
    doing();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  return t.fail('nothing was thrown');
}

test('a root without packages has the constants, the mount points and nothing else', (t) => {
  const lines = profileEntries([]).map((entry) => {
    if (entry.kind === 'link') return `${entry.path} -> ${entry.target}`;
    if (entry.kind === 'file') return `${entry.path} ${entry.text}`.trimEnd();
    return `${entry.path}/ ${entry.mode.toString(8)}`;
  });
  t.deepEqual(lines, [
    'bin/ 755',
    'dev/ 755',
    'etc/ 755',
    'etc/group root:x:0:\nuser:x:1000:\nnobody:x:65534:',
    'etc/hostname',
    'etc/hosts 127.0.0.1 localhost\n::1 localhost',
    'etc/mtab -> /proc/mounts',
    'etc/nsswitch.conf passwd: files\ngroup: files\nhosts: files dns',
    'etc/passwd root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/work:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false',
    'etc/resolv.conf',
    'include/ 755',
    'lib/ 755',
    'mnt/ 755',
    'packages/ 755',
    'proc/ 555',
    'root/ 755',
    'run/ 755',
    'sbin -> bin',
    'sys/ 555',
    'tmp/ 1777',
    'usr/ 755',
    'usr/bin -> ../bin',
    'usr/include -> ../include',
    'usr/lib -> ../lib',
    'var/ 755',
    'work/ 755',
  ]);
});

test('programs, libraries and headers are relative links; sbin counts as bin', (t) => {
  t.deepEqual(
    added(pkg('x', 'bin/x sbin/y lib/libx.a include/x.h share/x doc/', 50, '1:2.0-1')),
    [
      'bin/x -> ../packages/x/1_2.0-1/bin/x',
      'bin/y -> ../packages/x/1_2.0-1/sbin/y',
      'include/x.h -> ../packages/x/1_2.0-1/include/x.h',
      'lib/libx.a -> ../packages/x/1_2.0-1/lib/libx.a',
    ]
      .concat(added(pkg('x', 'share/x doc/', 50, '1:2.0-1')))
      .sort(),
  );
});

test('a directory of one package is one link, one of several is merged one level further', (t) => {
  t.deepEqual(added(pkg('a', 'lib/p/ lib/p/one lib/p/d/ lib/p/d/deep')), ['lib/p -> ../packages/a/1/lib/p']);
  t.deepEqual(added(pkg('a', 'lib/p/ lib/p/one lib/p/d/ lib/p/d/deep'), pkg('b', 'lib/p/ lib/p/two')), [
    'lib/p/',
    'lib/p/d -> ../../packages/a/1/lib/p/d',
    'lib/p/one -> ../../packages/a/1/lib/p/one',
    'lib/p/two -> ../../packages/b/1/lib/p/two',
  ]);
  t.deepEqual(
    added(pkg('a', 'lib/p/ lib/p/d/ lib/p/d/x'), pkg('b', 'lib/p/ lib/p/d/ lib/p/d/y'), pkg('c', 'lib/p/')),
    [
      'lib/p/',
      'lib/p/d/',
      'lib/p/d/x -> ../../../packages/a/1/lib/p/d/x',
      'lib/p/d/y -> ../../../packages/b/1/lib/p/d/y',
    ],
  );
});

test('bin and sbin of one package are one directory; bin comes first', (t) => {
  t.deepEqual(added(pkg('a', 'bin/x sbin/x')), ['bin/x -> ../packages/a/1/bin/x']);
  t.deepEqual(added(pkg('a', 'bin/d/ bin/d/x sbin/d/ sbin/d/y')), [
    'bin/d/',
    'bin/d/x -> ../../packages/a/1/bin/d/x',
    'bin/d/y -> ../../packages/a/1/sbin/d/y',
  ]);
});

test('hidden names are skipped, also where directories are merged, unless Link names them', (t) => {
  const base = temporary(t);
  const packages = ['a', 'b'].map((name): ProfilePackage => {
    for (const path of ['bin/.x', 'lib/.d/x', 'lib/p/.x', `lib/p/${name}`, `lib/.${name}`]) {
      mkdirSync(join(base, name, dirname(path)), { recursive: true });
      writeFileSync(join(base, name, path), '');
    }
    const links = scanLinks(join(base, name), `Package: ${name}\nVersion: 1\nLink: lib/.${name}\n`);
    return { name, version: '1', priority: 50, links };
  });
  t.deepEqual(added(...packages), [
    'lib/.a -> ../packages/a/1/lib/.a',
    'lib/.b -> ../packages/b/1/lib/.b',
    'lib/p/',
    'lib/p/a -> ../../packages/a/1/lib/p/a',
    'lib/p/b -> ../../packages/b/1/lib/p/b',
  ]);
});

test('the higher Link-Priority has the name', (t) => {
  const high = pkg('a', 'bin/env', 50);
  const low = pkg('sbase', 'bin/env bin/ls', 10);
  t.deepEqual(added(low, high), [
    'bin/env -> ../packages/a/1/bin/env',
    'bin/ls -> ../packages/sbase/1/bin/ls',
  ]);
  t.deepEqual(added(pkg('a', 'lib/x', 60), pkg('b', 'lib/x/ lib/x/y')), ['lib/x -> ../packages/a/1/lib/x']);
  t.deepEqual(added(pkg('a', 'lib/x', 10), pkg('b', 'lib/x/ lib/x/y')), ['lib/x -> ../packages/b/1/lib/x']);
  t.deepEqual(added(pkg('a', 'lib/x', 10), pkg('b', 'lib/x/ lib/x/y'), pkg('c', 'lib/x/ lib/x/z', 5)), [
    'lib/x/',
    'lib/x/y -> ../../packages/b/1/lib/x/y',
    'lib/x/z -> ../../packages/c/1/lib/x/z',
  ]);
});

test('a tie names both files and both packages', (t) => {
  const clash = fault(t, () => profileEntries([pkg('tcc', 'bin/cc'), pkg('gcc', 'bin/cc', 50, '12.2.0')]));
  t.is(clash.code, 'UNSATISFIABLE');
  t.is(clash.message, 'two packages bring /bin/cc: "packages/gcc/12.2.0/bin/cc" and "packages/tcc/1/bin/cc"');
  t.regex(clash.hint ?? '', /Link-Priority/);
  t.regex(
    fault(t, () => profileEntries([pkg('a', 'bin/x'), pkg('b', 'sbin/x')])).message,
    /bring \/bin\/x: "packages\/a\/1\/bin\/x" and "packages\/b\/1\/sbin\/x"/,
  );
  const kinds = [pkg('a', 'lib/x/ lib/x/y'), pkg('b', 'lib/x'), pkg('c', 'lib/x/')];
  t.regex(fault(t, () => profileEntries(kinds)).message, /bring \/lib\/x: .*a\/1\/lib\/x.*b\/1\/lib\/x/);
  t.is(fault(t, () => profileEntries([pkg('a', 'lib/x@'), pkg('b', 'lib/x/')])).code, 'UNSATISFIABLE');
  const versions = [pkg('gcc', 'bin/gcc', 50, '11'), pkg('gcc', 'bin/gcc', 50, '12')];
  t.regex(fault(t, () => profileEntries(versions)).message, /gcc\/11\/bin\/gcc.*gcc\/12\/bin\/gcc/);
  const deep = [pkg('a', 'lib/d/ lib/d/x'), pkg('b', 'lib/d/ lib/d/x')];
  t.regex(fault(t, () => profileEntries(deep)).message, /bring \/lib\/d\/x/);
});

test('Link brings names outside bin, lib and include, through real directories', (t) => {
  const certs = pkg('ca', 'etc/ssl/certs/ca.crt share/terminfo/');
  t.deepEqual(added(certs), [
    'etc/ssl/',
    'etc/ssl/certs/',
    'etc/ssl/certs/ca.crt -> ../../../packages/ca/1/etc/ssl/certs/ca.crt',
    'share/',
    'share/terminfo -> ../packages/ca/1/share/terminfo',
  ]);
  t.deepEqual(added(certs, pkg('b', 'etc/ssl/openssl.cnf init')), [
    'etc/ssl/',
    'etc/ssl/certs/',
    'etc/ssl/certs/ca.crt -> ../../../packages/ca/1/etc/ssl/certs/ca.crt',
    'etc/ssl/openssl.cnf -> ../../packages/b/1/etc/ssl/openssl.cnf',
    'init -> packages/b/1/init',
    'share/',
    'share/terminfo -> ../packages/ca/1/share/terminfo',
  ]);
  t.is(fault(t, () => profileEntries([certs, pkg('b', 'etc/ssl')])).code, 'UNSATISFIABLE');
});

test('no package takes the place of what every root has, or leaves its own directory', (t) => {
  const refused = [
    'etc/passwd',
    'etc',
    'etc/passwd/x',
    'usr/bin/x',
    'usr',
    'dev/null',
    'proc/x',
    'sys/x',
    'tmp/x',
    'var/lib/x',
    'run/x',
    'work/x',
    'mnt/x',
    'packages/x/1/bin',
    '../x',
    'bin/../../x',
    '/etc/x',
    'lib//x',
    'lib/./x',
    'etc/mtab',
    '',
  ];
  for (const path of refused) {
    const wrong: ProfilePackage = { ...pkg('evil', ''), links: [{ path, type: 'file' }] };
    const error = fault(t, () => profileEntries([wrong]));
    t.is(error.code, 'INPUT', path);
    t.true(error.message.startsWith(`package evil 1: ${JSON.stringify(path)} `), error.message);
    t.false(error.message.includes('\n'));
  }
});

test('the key is of the set, and of every part of it', (t) => {
  const [a, b] = [pkg('a', 'bin/a lib/d/'), pkg('b', 'bin/b')] as const;
  const key = profileKey([a, b]);
  t.regex(key, /^[0-9a-f]{64}$/);
  t.is(profileKey([b, a]), key);
  const others = [
    [a],
    [a, { ...b, version: '2' }],
    [a, { ...b, priority: 51 }],
    [a, pkg('b', 'bin/b bin/c')],
    [a, pkg('b', 'bin/b@')],
    [a, { ...b, name: 'c' }],
    [
      { ...a, links: [...a.links, ...b.links] },
      { ...b, links: [] },
    ],
    [a, { ...b, links: [{ path: 'bin/b\nfile\0bin/c', type: 'file' as const }] }],
  ];
  const keys = others.map((set) => profileKey(set));
  t.is(new Set([key, ...keys]).size, others.length + 1);
});

const universe = fc.array(
  fc.record({
    priority: fc.constantFrom(10, 50, 90),
    files: fc.uniqueArray(
      fc
        .tuple(
          fc.constantFrom('bin', 'sbin', 'lib', 'include'),
          fc.array(fc.constantFrom('a', 'b', '.h', 'é', '\u{10000}', '\uffff'), {
            minLength: 1,
            maxLength: 3,
          }),
        )
        .map(([top, names]) => [top, ...names].join('/')),
      { maxLength: 12 },
    ),
  }),
  { minLength: 1, maxLength: 4 },
);

/** Real trees: files whose name is on the way to another one give way. */
function packagesOf(drawn: readonly { priority: number; files: readonly string[] }[]): ProfilePackage[] {
  return drawn.map(({ priority, files }, at) => {
    const kept = files.filter((file) => !files.some((other) => other.startsWith(`${file}/`)));
    const directories = new Set<string>();
    for (const file of kept) {
      for (let up = dirname(file); up.includes('/'); up = dirname(up)) directories.add(`${up}/`);
    }
    return pkg(`p${at}`, [...kept, ...directories].join(' '), priority);
  });
}

const placeOf = (path: string): string => path.replace(/^sbin\//, 'bin/');

test('property: a profile leads to every file that nothing hides, and to nothing else', (t) => {
  const base = temporary(t);
  let run = 0;
  let clashes = 0;
  let checked = 0;
  fc.assert(
    fc.property(universe, (drawn) => {
      const packages = packagesOf(drawn);
      let entries: ProfileEntry[];
      try {
        entries = profileEntries(packages);
      } catch (error) {
        if (!(error instanceof Fault) || error.code !== 'UNSATISFIABLE') throw error;
        clashes += 1;
        return true;
      }
      const place = join(base, String(run++));
      mkdirSync(place);
      writeEntries(place, [...entries, ...mountEntries(packages)]);
      for (const { name, version, links } of packages) {
        for (const { path, type } of links) {
          const file = join(place, 'packages', name, version, path);
          mkdirSync(type === 'directory' ? file : dirname(file), { recursive: true });
          if (type !== 'directory') writeFileSync(file, '');
        }
      }
      const claims = packages.flatMap((owner) =>
        owner.links.map((entry) => ({ owner, ...entry, at: placeOf(entry.path) })),
      );
      for (const claim of claims) {
        if (claim.type === 'directory') continue;
        // What may hide it: a claim to the same name, or a file at the name of a directory on the way to it.
        const rivals = claims.filter(
          (other) =>
            other !== claim &&
            (other.at === claim.at || (other.type === 'file' && claim.at.startsWith(`${other.at}/`))),
        );
        if (rivals.some(({ owner }) => owner.priority >= claim.owner.priority)) continue;
        const own = join(place, 'packages', claim.owner.name, claim.owner.version, claim.path);
        t.is(realpathSync(join(place, claim.at)), own);
        checked += 1;
      }
      for (const entry of entries) {
        if (entry.kind === 'link' && entry.target.includes('packages/')) {
          t.false(entry.target.startsWith('/'));
          t.true(existsSync(join(place, entry.path)), entry.path);
        }
      }
      rmSync(place, { recursive: true });
      return true;
    }),
    { numRuns: 300 },
  );
  t.true(checked > 300 && clashes > 10, `${checked} files, ${clashes} clashes`);
});

function outcome(set: readonly ProfilePackage[]): ProfileEntry[] | string {
  try {
    return profileEntries(set);
  } catch (error) {
    return error instanceof Fault ? error.message : String(error);
  }
}

test('property: entries are in order, once each, and the same for every order of the request', (t) => {
  fc.assert(
    fc.property(universe, fc.infiniteStream(fc.nat()), (drawn, numbers) => {
      const packages = packagesOf(drawn);
      const shuffled = packages
        .map((each) => ({ each, at: numbers.next().value ?? 0 }))
        .sort((a, b) => a.at - b.at)
        .map(({ each }) => each);
      const entries = outcome(packages);
      t.deepEqual(outcome(shuffled), entries);
      t.is(profileKey(shuffled), profileKey(packages));
      if (typeof entries === 'string') return;
      const paths = entries.map(({ path }) => path);
      // Depth first with names by bytes: what sorting by bytes gives once "/" sorts before everything.
      const sorted = paths.toSorted((a, b) =>
        Buffer.compare(Buffer.from(a.replaceAll('/', '\0')), Buffer.from(b.replaceAll('/', '\0'))),
      );
      t.deepEqual(paths, sorted);
      t.is(new Set(paths).size, paths.length);
      const directories = new Set(entries.filter(({ kind }) => kind === 'directory').map(({ path }) => path));
      for (const path of paths) t.true(!path.includes('/') || directories.has(dirname(path)), path);
    }),
    { numRuns: 300 },
  );
});

test('a written profile has exact modes and times under any umask', (t) => {
  const place = join(temporary(t), 'profile');
  mkdirSync(place);
  const packages = [pkg('a', 'bin/x lib/d/')];
  const entries = [...profileEntries(packages), ...mountEntries(packages)];
  const script = `
    import { writeEntries } from ${JSON.stringify(join(checkout, 'src/run/write.ts'))};
    process.umask(0o077);
    writeEntries(${JSON.stringify(place)}, ${JSON.stringify(entries)});
  `;
  output(process.execPath, ['--input-type=module-typescript', '-e', script]);
  for (const entry of entries) {
    const stats = lstatSync(join(place, entry.path));
    t.is(stats.mtimeMs, 315_532_800_000, entry.path);
    if (entry.kind !== 'link')
      t.is(stats.mode & 0o7777, entry.kind === 'file' ? 0o644 : entry.mode, entry.path);
  }
  t.is(statSync(place).mode & 0o7777, 0o755);
  t.is(statSync(join(place, 'tmp')).mode & 0o7777, 0o1777);
  t.true(statSync(join(place, 'packages/a/1')).isDirectory());
  t.is(
    readdirSync(join(place, 'dev')).join(' '),
    'fd full null pts random shm stderr stdin stdout tty urandom zero',
  );
});

const small: ProfileEntry[] = [
  { kind: 'directory', path: 'bin', mode: 0o755 },
  { kind: 'link', path: 'bin/x', target: '../packages/x/1/bin/x' },
  { kind: 'directory', path: 'etc', mode: 0o755 },
  { kind: 'file', path: 'etc/passwd', text: 'root\n' },
];

test('a profile is made once, and its entries are not asked for again', (t) => {
  const profiles = join(temporary(t), 'cache/profiles');
  const path = cachedProfile(profiles, 'key', () => small);
  t.is(path, join(profiles, 'key'));
  t.is(readFileSync(join(path, 'etc/passwd'), 'utf8'), 'root\n');
  t.is(
    cachedProfile(profiles, 'key', () => t.fail('asked for')),
    path,
  );
  t.deepEqual(readdirSync(profiles), ['key']);
  t.is(statSync(profiles).mode & 0o777, 0o700);
});

const day = 24 * 3600_000;
const lockProgram = join(checkout, 'native/build/lock');

/** As if it had been used so many days ago. */
function age(path: string, days: number): void {
  const then = (Date.now() - days * day) / 1000;
  utimesSync(join(dirname(dirname(path)), 'used', basename(path)), then, then);
}

/** A profile that was last used so many days ago. */
function usedBefore(profiles: string, digit: string, days: number): string {
  const path = cachedProfile(profiles, digit.repeat(64), () => small);
  age(path, days);
  return path;
}

test('caches are bounded by use: what nobody uses goes, what a command runs in does not', async (t) => {
  const profiles = join(temporary(t), 'cache/profiles');
  await forgetProfiles(profiles, lockProgram);
  t.false(existsSync(profiles));
  const [unused, locked, used, asked] = [40, 40, 20, 40].map((days, at) =>
    usedBefore(profiles, String(at), days),
  ) as [string, string, string, string];
  const holder = start(t, lockProgram, ['--shared', locked]);
  await once(holder.stdout, 'data');
  // Asking for it is use.
  cachedProfile(profiles, '3'.repeat(64), () => t.fail('asked for'));
  await forgetProfiles(profiles, lockProgram);
  t.deepEqual([unused, locked, used, asked].map(existsSync), [false, true, true, true]);
  t.deepEqual(
    readdirSync(profiles).sort(),
    [locked, used, asked].map((path) => basename(path)),
  );
  for (const key of ['1', '2', '3']) cachedProfile(profiles, key.repeat(64), () => t.fail('not whole'));
  holder.stdin.end();
  await once(holder, 'close');

  // Looked at once a day, and then what was used least recently goes past the bound; never what was used within a day.
  age(locked, 40);
  await forgetProfiles(profiles, lockProgram);
  t.true(existsSync(locked));
  const bounds = { lock: lockProgram, most: 10, sizeOf: () => 10 };
  const tomorrow = Date.now() + 1.01 * day;
  cachedProfile(profiles, '4'.repeat(64), () => small);
  age(asked, 0.5);
  usedBefore(profiles, '5', -1);
  await forgetUnused(profiles, { ...bounds, now: tomorrow });
  const left = readdirSync(profiles).sort();
  t.deepEqual(left, ['5'.repeat(64)]);
  for (const each of ['6', '7']) cachedProfile(profiles, each.repeat(64), () => small);
  await forgetUnused(profiles, { ...bounds, now: tomorrow - 2 * day });
  t.is(readdirSync(profiles).length, 3, 'within a day of their use');
});

test('trees of the cache are locked while a command runs, those of repositories are not', (t) => {
  const trees = join(temporary(t), 'trees');
  const cached = join(trees, 'a'.repeat(64));
  const call = {
    name: 'x',
    root: {
      profile: '/profile',
      binds: [
        { source: cached, target: 'packages/a/1' },
        { source: '/repository/b/1', target: 'packages/b/1' },
      ],
    },
    directory: '/',
    environment: {},
    command: ['true'],
  };
  const words = helperArguments(call);
  t.deepEqual(
    words.flatMap((word, at) => (word === '--lock' ? [words[at + 1]] : [])),
    [cached],
  );
});

test('a damaged profile is made again', (t) => {
  const profiles = join(temporary(t), 'profiles');
  const path = cachedProfile(profiles, 'key', () => small);
  const damages: Readonly<Record<string, () => void>> = {
    'a link is gone': () => rmSync(join(path, 'bin/x')),
    'a link leads elsewhere': () => {
      rmSync(join(path, 'bin/x'));
      symlinkSync('/etc/passwd', join(path, 'bin/x'));
    },
    'a name is new': () => writeFileSync(join(path, 'etc/shadow'), ''),
    'a directory is gone': () => rmSync(join(path, 'etc'), { recursive: true }),
    'everything is gone': () => rmSync(path, { recursive: true }),
    'it is empty': () => {
      rmSync(path, { recursive: true });
      mkdirSync(path);
    },
  };
  for (const [what, damage] of Object.entries(damages)) {
    damage();
    t.is(
      cachedProfile(profiles, 'key', () => small),
      path,
      what,
    );
    t.deepEqual(readdirSync(path, { recursive: true }).sort(), ['bin', 'bin/x', 'etc', 'etc/passwd'], what);
    t.deepEqual(readdirSync(profiles), ['key'], what);
  }
});

test('what killed runs have left is removed by the next run that makes a profile; others are left alone', (t) => {
  const profiles = join(temporary(t), 'profiles');
  cachedProfile(profiles, 'one', () => small);
  const living = `.new-${ownerToken()}`;
  mkdirSync(join(profiles, living));
  // A number that is used again by another process, and one that no process has.
  mkdirSync(join(profiles, living.replace(/-(\d+)-(\d+)$/, '-1-$2')));
  mkdirSync(join(profiles, living.replace(/-\d+-(\d+)-(\d+)$/, '-999999999-$1-$2'), 'bin'), {
    recursive: true,
  });
  cachedProfile(profiles, 'one', () => t.fail('asked for'));
  t.is(readdirSync(profiles).length, 4);
  cachedProfile(profiles, 'two', () => small);
  t.deepEqual(readdirSync(profiles).sort(), [living, 'one', 'two']);
});

test('a profile that cannot be made leaves nothing behind', (t) => {
  const profiles = join(temporary(t), 'profiles');
  const twice: ProfileEntry[] = [...small, { kind: 'link', path: 'bin/x', target: 'y' }];
  const error = fault(t, () => cachedProfile(profiles, 'key', () => twice));
  t.is(error.code, 'IO');
  t.regex(error.message, /cannot make the profile ".*\/profiles\/key": file already exists \(EEXIST\)/);
  t.deepEqual(readdirSync(profiles), []);
});

test('many processes make one profile at once', async (t) => {
  const profiles = join(temporary(t), 'profiles');
  const script = `
    import { cachedProfile } from ${JSON.stringify(join(checkout, 'src/run/cache.ts'))};
    const entries = [{ kind: 'directory', path: 'bin', mode: 0o755 }];
    for (let at = 0; at < 400; at++) entries.push({ kind: 'link', path: 'bin/' + at, target: 'x' });
    for (let at = 0; at < 5; at++) console.log(cachedProfile(${JSON.stringify(profiles)}, 'key' + at, () => entries));
  `;
  const runs = Array.from({ length: 6 }, async () => {
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const chunks: Buffer[] = [];
    for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
    const errors: Buffer[] = [];
    for await (const chunk of child.stderr) errors.push(chunk as Buffer);
    t.is(Buffer.concat(errors).toString(), '');
    return Buffer.concat(chunks).toString();
  });
  const keys = Array.from({ length: 5 }, (_, at) => `key${at}`);
  for (const printed of await Promise.all(runs))
    t.is(printed, keys.map((key) => `${join(profiles, key)}\n`).join(''));
  t.deepEqual(readdirSync(profiles).sort(), keys);
  for (const key of keys) t.is(readdirSync(join(profiles, key, 'bin')).length, 400);
});

test('a cache that others can write to is not used', (t) => {
  const base = join(temporary(t), 'cache');
  const profiles = join(base, 'profiles');
  const path = cachedProfile(profiles, 'key', () => small);
  for (const directory of [base, profiles, path]) {
    for (const mode of [0o770, 0o707]) {
      const { mode: before } = statSync(directory);
      chmodSync(directory, mode);
      const error = fault(t, () => cachedProfile(profiles, 'key', () => small));
      t.is(error.code, 'UNSAFE');
      t.true(error.message.includes(JSON.stringify(directory)), error.message);
      chmodSync(directory, before);
    }
  }
  t.is(
    cachedProfile(profiles, 'key', () => t.fail('asked for')),
    path,
  );
  renameSync(path, `${path}2`);
  symlinkSync(`${path}2`, path);
  t.is(fault(t, () => cachedProfile(profiles, 'key', () => small)).code, 'IO');
});

test('a cache where no directory can be made is said, with what to set instead', (t) => {
  const error = fault(t, () => ensurePrivate('/proc/static-distro-test/cache'));
  t.is(error.code, 'NOT_FOUND');
  t.regex(error.message, /"\/proc\/static-distro-test"/);
  t.regex(error.hint ?? '', /STATIC_DISTRO_HOME/);
});

test('a cache of another user is not used, nor is one made below their directory', (t) => {
  if (!isRoot) {
    t.is(fault(t, () => ensurePrivate('/usr/lib')).code, 'UNSAFE');
    t.is(fault(t, () => ensurePrivate('/usr/lib/static-distro-test/cache')).code, 'IO');
    return;
  }
  const base = temporary(t);
  const home = join(base, 'home');
  mkdirSync(home);
  const profiles = join(home, 'cache/profiles');
  cachedProfile(profiles, 'key', () => small);
  for (const directory of [join(profiles, 'key'), profiles, dirname(profiles)]) {
    chownSync(directory, 1234, 1234);
    const error = fault(t, () => cachedProfile(profiles, 'key', () => small));
    t.is(error.code, 'UNSAFE');
    t.is(error.message, `${JSON.stringify(directory)} belongs to user 1234, not to user 0 who calls`);
    chownSync(directory, 0, 0);
  }
  rmSync(dirname(profiles), { recursive: true });
  chownSync(home, 1234, 1234);
  t.is(fault(t, () => cachedProfile(profiles, 'key', () => small)).code, 'UNSAFE');
  t.deepEqual(readdirSync(home), []);
});
