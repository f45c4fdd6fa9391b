import test from 'ava';
import * as fc from 'fast-check';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Fault } from '../../builder/fault.ts';
import { openDirectory } from '../../src/build/beneath.ts';
import { collect, treeTime } from '../../src/build/collect.ts';
import { leadsOutside } from '../../src/build/escape.ts';
import { isRoot, root, temporary } from '../support/tools.ts';

const home = '/packages/demo/1.0';

/** As a script imports it. */
const moduleOf = (name: string): string => JSON.stringify(join(root, 'src/build', name));

/** Collects what `make` puts into a directory, and gives the tree. */
function taken(t: Parameters<typeof temporary>[0], make: (from: string) => void): string {
  const place = temporary(t);
  const from = join(place, 'from');
  mkdirSync(from);
  make(from);
  const directory = openDirectory(from);
  try {
    collect(directory, join(place, 'to'), home, 'demo 1.0');
  } finally {
    directory.close();
  }
  return join(place, 'to');
}

test('a finished tree has two modes, one time, and the links of what was installed', (t) => {
  const tree = taken(t, (from) => {
    mkdirSync(join(from, 'bin'), { mode: 0o700 });
    writeFileSync(join(from, 'bin/tool'), 'program', { mode: 0o711 });
    linkSync(join(from, 'bin/tool'), join(from, 'bin/other'));
    symlinkSync('tool', join(from, 'bin/name'));
    symlinkSync(`${home}/bin/tool`, join(from, 'bin/absolute'));
    symlinkSync('missing', join(from, 'bin/dangling'));
    mkdirSync(join(from, 'share'));
    writeFileSync(join(from, 'share/secret'), 'text', { mode: 0o000 });
    mkdirSync(join(from, 'share/closed'));
    writeFileSync(join(from, 'share/closed/in'), 'in', { mode: 0o602 });
    chmodSync(join(from, 'share/closed'), 0o000);
    t.teardown(() => chmodSync(join(from, 'share/closed'), 0o700));
  });
  const mode = (path: string) => (lstatSync(join(tree, path)).mode & 0o7777).toString(8);
  t.deepEqual(['.', 'bin', 'bin/tool', 'share/secret', 'share/closed', 'share/closed/in'].map(mode), [
    '755',
    '755',
    '755',
    '644',
    '755',
    '644',
  ]);
  t.is(readFileSync(join(tree, 'share/closed/in'), 'utf8'), 'in');
  t.is(lstatSync(join(tree, 'bin/tool')).ino, lstatSync(join(tree, 'bin/other')).ino);
  t.is(readlinkSync(join(tree, 'bin/name')), 'tool');
  t.is(readlinkSync(join(tree, 'bin/absolute')), `${home}/bin/tool`);
  for (const path of ['.', 'bin', 'bin/tool', 'bin/name', 'bin/dangling', 'share/closed/in']) {
    t.is(lstatSync(join(tree, path)).mtimeMs, treeTime * 1000, path);
  }
  const outside = lstatSync(join(dirname(tree), 'from/bin/tool'));
  t.not(lstatSync(join(tree, 'bin/tool')).ino, outside.ino, 'nobody outside shares a file with the tree');
});

test('the umask of the caller does not show', (t) => {
  const place = temporary(t);
  mkdirSync(join(place, 'from/lib'), { recursive: true });
  writeFileSync(join(place, 'from/lib/a'), '');

  const script = `
    import { collect } from ${moduleOf('collect.ts')};
    import { openDirectory } from ${moduleOf('beneath.ts')};
    process.umask(0o077);
    collect(openDirectory(process.argv[1]), process.argv[2], '/packages/demo/1.0', 'demo 1.0');`;
  const args = ['--input-type=module', '-e', script, join(place, 'from'), join(place, 'to')];
  execFileSync(process.execPath, args);
  t.is(lstatSync(join(place, 'to/lib')).mode & 0o777, 0o755);
  t.is(lstatSync(join(place, 'to/lib/a')).mode & 0o777, 0o644);
});

test('extended attributes stay behind', (t) => {
  const tree = taken(t, (from) => {
    writeFileSync(join(from, 'file'), 'x');
    execFileSync('python3', [
      '-c',
      'import os, sys; os.setxattr(sys.argv[1], "user.note", b"x")',
      join(from, 'file'),
    ]);
  });
  const left = execFileSync('python3', [
    '-c',
    'import os, sys; print(os.listxattr(sys.argv[1]))',
    join(tree, 'file'),
  ]);
  t.is(left.toString().trim(), '[]');
});

const refused: Record<string, readonly [make: (from: string) => void, says: RegExp]> = {
  'a fifo': [(from) => execFileSync('mkfifo', [join(from, 'pipe')]), /"pipe" is a fifo/],
  'a socket': [
    (from) => {
      const bind = 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])';
      execFileSync('python3', ['-c', bind, join(from, 's')]);
    },
    /"s" is a socket/,
  ],
  'a setuid file': [
    (from) => {
      writeFileSync(join(from, 'su'), '');
      chmodSync(join(from, 'su'), 0o4755);
    },
    /"su" has a set-id bit/,
  ],
  'a setgid file': [
    (from) => {
      writeFileSync(join(from, 'sg'), '');
      chmodSync(join(from, 'sg'), 0o2755);
    },
    /"sg" has a set-id bit/,
  ],
  'an absolute link out': [
    (from) => symlinkSync('/etc/passwd', join(from, 'l')),
    /"l" is a link to "\/etc\/passwd"/,
  ],
  'a relative link out': [(from) => symlinkSync('../../other', join(from, 'l')), /outside of the package/],
  'a link to a sibling': [(from) => symlinkSync('../1.01/x', join(from, 'l')), /outside of the package/],
  'a link out through another': [
    (from) => {
      mkdirSync(join(from, 'd/e'), { recursive: true });
      symlinkSync('../..', join(from, 'd/e/up'));
      symlinkSync('d/e/up/../..', join(from, 'l'));
    },
    /"l" is a link to "d\/e\/up\/..\/.."/,
  ],
  'a name that deletes in layers': [(from) => writeFileSync(join(from, '.wh.x'), ''), /\.wh\./],
  'a control of its own': [(from) => writeFileSync(join(from, 'control'), ''), /installed a file control/],
  'a tree without end': [
    (from) => mkdirSync(join(from, 'd/'.repeat(80)), { recursive: true }),
    /more than 64 directories deep/,
  ],
  'more bytes than a disk has': [
    (from) => execFileSync('truncate', ['-s', '64G', join(from, 'big')]),
    /more than 32 GiB/,
  ],
};

for (const [what, [make, says]] of Object.entries(refused)) {
  test(`${what} is refused, naming it`, (t) => {
    const error = t.throws(() => taken(t, make), { instanceOf: Fault });
    t.regex(error.message, says);
    t.regex(error.message, /^demo 1\.0: /);
    t.true(error.code === 'BUILD' || error.code === 'UNSAFE');
  });
}

test('a device is refused', (t) => {
  if (!isRoot) {
    t.log('needs root: only root can make a device');
    t.pass();
    return;
  }
  const error = t.throws(() =>
    taken(t, (from) => execFileSync('mknod', [join(from, 'null'), 'c', '1', '3'])),
  );
  t.regex(error instanceof Error ? error.message : '', /"null" is a device/);
});

test('a name that is no UTF-8 is kept byte by byte', (t) => {
  const name = Buffer.from([0x66, 0xff, 0x0a, 0x67]);
  const tree = taken(t, (from) => writeFileSync(Buffer.concat([Buffer.from(`${from}/`), name]), 'x'));
  t.true(existsSync(Buffer.concat([Buffer.from(`${tree}/`), name])));
});

/** Trees of directories, files and links that lead anywhere, by what the kernel says of each link. */
test('links lead outside exactly where the kernel says so', (t) => {
  const name = fc.constantFrom('a', 'b', 'c');
  const step = fc.constantFrom('a', 'b', 'c', '..', '.', 'a/..', '../..');
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
  const target = fc
    .tuple(fc.boolean(), fc.array(step, { minLength: 1, maxLength: 4 }))
    .map(([absolute, steps]) => (absolute ? `${home}/` : '') + steps.join('/'));
  const entry = fc.record({ path, kind: fc.constantFrom('directory', 'link', 'link'), target });
  // What is above the tree stays the same, so a link that leads out is one whose real path is not below it.
  const above = mkdtempSync(join(realpathSync(tmpdir()), 'escape-'));
  t.teardown(() => rmSync(above, { recursive: true, force: true }));
  let outside = 0;
  let inside = 0;
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1, maxLength: 8 }), (entries) => {
      const tree = join(above, 'packages/demo/1.0');
      rmSync(join(above, 'packages'), { recursive: true, force: true });
      mkdirSync(tree, { recursive: true });
      const paths = new Map<string, { target: Buffer } | undefined>();
      for (const { path, kind, target } of entries) {
        const names = path.split('/');
        const parents = names.map((_, at) => names.slice(0, at + 1).join('/'));
        // Each parent must be a real directory, as it is in an installed tree.
        if (paths.has(path) || parents.slice(0, -1).some((parent) => paths.get(parent) !== undefined))
          continue;
        for (const parent of parents.slice(0, -1)) paths.set(parent, undefined);
        mkdirSync(join(tree, dirname(path)), { recursive: true });
        if (kind === 'directory') {
          mkdirSync(join(tree, path), { recursive: true });
          paths.set(path, undefined);
        } else if (!existsSync(join(tree, path))) {
          // The kernel knows the tree at another place than a root shows it.
          symlinkSync(target.startsWith('/') ? `${above}${target}` : target, join(tree, path));
          paths.set(path, { target: Buffer.from(target) });
        }
      }
      for (const [path, link] of paths) {
        if (!link) continue;
        let real: string;
        try {
          // Node's own realpath takes `..` away before it looks.
          real = realpathSync.native(join(tree, path));
        } catch {
          continue; // dangling, or a circle: the kernel has no answer
        }
        const leads = real !== tree && !real.startsWith(`${tree}/`);
        if (leads) outside += 1;
        else inside += 1;
        if (leadsOutside(paths, path, home) !== leads) {
          throw new Error(`${path} -> ${link.target.toString()} is at ${real}`);
        }
      }
    }),
    { numRuns: 400 },
  );
  t.true(outside > 20 && inside > 20, `${outside} outside, ${inside} inside`);
});
