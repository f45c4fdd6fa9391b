import test from 'ava';
import * as fc from 'fast-check';
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
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
import { readOutput } from '../../src/build/collection.ts';
import { leadsOutside } from '../../src/build/escape.ts';
import { type Finding, findingText } from '../../src/build/finding.ts';
import { linkedOf, parseLinkLog } from '../../src/build/link-log.ts';
import { pack, treeTime } from '../../src/build/pack.ts';
import { parseSourceControl } from '../../src/package/source-control.ts';
import { rootTest } from '../support/root-test.ts';
import { root, temporary } from '../support/tools.ts';

const home = '/packages/demo/1.0';

const collector = join(root, 'native/build/collect');

const controlOf = (fields = ''): string => `Source: demo\nVersion: 1.0\n${fields}\nPackage: demo\n`;

/** As a script imports it. */
const moduleOf = (name: string): string => JSON.stringify(join(root, 'src', name));

type Taken = { readonly tree: string; readonly findings: readonly Finding[] };

/** Packs what `make` puts into a directory, and gives the tree. Findings are there where it throws, too. */
async function taken(
  t: Parameters<typeof temporary>[0],
  make: (from: string) => void,
  { fields = '', findings = [] }: { fields?: string; findings?: Finding[] } = {},
): Promise<Taken> {
  const place = temporary(t);
  const from = join(place, 'work/out', home);
  mkdirSync(from, { recursive: true });
  make(from);
  const [packed] = await pack(join(place, 'work'), 'out', {
    source: parseSourceControl(controlOf(fields), 'control'),
    version: '1.0',
    architecture: 'x86_64',
    staging: place,
    collector,
    tell: (finding) => findings.push(finding),
  });
  return { tree: packed?.tree ?? '', findings };
}

test('a finished tree has two modes, one time, and the links of what was installed', async (t) => {
  const { tree } = await taken(t, (from) => {
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
  const outside = lstatSync(join(dirname(tree), 'work/out', home, 'bin/tool'));
  t.not(lstatSync(join(tree, 'bin/tool')).ino, outside.ino, 'nobody outside shares a file with the tree');
});

test('the umask of the caller does not show', (t) => {
  const place = temporary(t);
  mkdirSync(join(place, 'out', home, 'lib'), { recursive: true });
  writeFileSync(join(place, 'out', home, 'lib/a'), '');

  const script = `
    import { pack } from ${moduleOf('build/pack.ts')};
    import { parseSourceControl } from ${moduleOf('package/source-control.ts')};
    process.umask(0o077);
    const [work, staging, collector, control] = process.argv.slice(1);
    const source = parseSourceControl(control, 'control');
    const tell = () => undefined;
    await pack(work, 'out', { source, version: '1.0', architecture: 'x86_64', staging, collector, tell });`;
  execFileSync(process.execPath, ['--input-type=module', '-e', script, place, place, collector, controlOf()]);
  for (const path of ['demo', 'demo/lib']) t.is(lstatSync(join(place, path)).mode & 0o777, 0o755, path);
  for (const path of ['demo/lib/a', 'demo/control'])
    t.is(lstatSync(join(place, path)).mode & 0o777, 0o644, path);
});

test('extended attributes stay behind', async (t) => {
  const { tree } = await taken(t, (from) => {
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
  'a control of its own': [
    (from) => writeFileSync(join(from, 'control'), ''),
    /"control" is installed by the build/,
  ],
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
  test(`${what} is refused, naming it`, async (t) => {
    const error = await t.throwsAsync(taken(t, make), { instanceOf: Fault });
    t.regex(error?.message ?? '', says);
    t.regex(error?.message ?? '', /^demo 1\.0: /);
    t.is(error?.code, 'BUILD');
    t.truthy(error?.hint, 'what to do');
  });
}

rootTest('a device is refused', async (t) => {
  const made = taken(t, (from) => execFileSync('mknod', [join(from, 'null'), 'c', '1', '3']));
  await t.throwsAsync(made, { message: /"null" is a device/ });
});

test('all that is wrong is found, not only the first of it', async (t) => {
  const findings: Finding[] = [];
  const made = taken(
    t,
    (from) => {
      mkdirSync(join(from, 'lib'));
      writeFileSync(join(from, 'lib/libx.la'), '# libtool');
      execFileSync('mkfifo', [join(from, 'pipe')]);
      symlinkSync('/etc/passwd', join(from, 'l'));
      mkdirSync(join(dirname(from), '2.0'));
    },
    { findings },
  );
  await t.throwsAsync(made, { message: /and 2 more, all in the log/ });
  t.deepEqual(findings.map((each) => [findingText(each), each.refused]).toSorted(), [
    ['demo 1.0: "l" is a link to "/etc/passwd", outside of the package', true],
    ['demo 1.0: "lib/libx.la" is of libtool, which static programs do not need', false],
    ['demo 1.0: "pipe" is a fifo, which a package cannot hold', true],
    ['demo 1.0: build.sh installed "/packages/demo/2.0", which belongs to none of its packages', true],
  ]);
});

/** Compiles `source` with the machine's compiler. */
function compile(options: readonly string[], to: string, source = 'int main(void) { return 0; }'): void {
  execFileSync('cc', [...options, '-x', 'c', '-o', to, '-'], { input: source });
}

const linked: Record<string, readonly [make: (from: string) => void, says: RegExp | undefined]> = {
  static: [(from) => compile(['-static'], join(from, 'p')), undefined],
  'static, at any address': [(from) => compile(['-static-pie'], join(from, 'p')), undefined],
  'an object file': [(from) => compile(['-c'], join(from, 'p')), undefined],
  'a shared library of nothing': [
    (from) => compile(['-shared', '-nostdlib'], join(from, 'p'), 'int x;'),
    undefined,
  ],
  dynamic: [(from) => compile([], join(from, 'p')), /"p" is no static program: it needs ".*ld-.*\.so/],
  'a shared library': [
    (from) =>
      compile(
        ['-shared', '-fPIC'],
        join(from, 'p'),
        'int puts(const char *); int f(void) { return puts(""); }',
      ),
    /"p" .* needs "libc\.so/,
  ],
  'cut off': [
    (from) => {
      compile(['-static'], join(from, 'p'));
      execFileSync('truncate', ['-s', '70', join(from, 'p')]);
    },
    undefined,
  ],
};

for (const [what, [make, says]] of Object.entries(linked)) {
  test(`of programs, one that is ${what} is ${says ? 'refused unless it is allowed' : 'taken'}`, async (t) => {
    if (!says) {
      await t.notThrowsAsync(taken(t, make));
      return;
    }
    await t.throwsAsync(taken(t, make), { message: says });
    await t.notThrowsAsync(taken(t, make, { fields: 'Allow: dynamic\n' }));
  });
}

test('numbers in programs that lead nowhere lead nobody astray', async (t) => {
  const program = readFileSync(process.execPath).subarray(0, 4096);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(1023), fc.constantFrom(0, 0x7f, 0x80, 0xff)), { minLength: 1, maxLength: 40 }),
      async (changes) => {
        const wild = Buffer.from(program);
        for (const [at, byte] of changes) if (at > 4) wild[at] = byte;
        const { tree } = await taken(t, (from) => writeFileSync(join(from, 'p'), wild), {
          fields: 'Allow: dynamic\n',
        });
        t.true(readFileSync(join(tree, 'p')).equals(wild));
      },
    ),
    { numRuns: 60 },
  );
});

const holding: readonly (readonly [text: string, found: string | undefined])[] = [
  ['/work/x', '/work/x'],
  ['"/work/demo-1.0/a.c"', '/work/demo-1.0/a.c"'],
  ['cc -I/work/x -o y', '/work/x'],
  ['a:/work/x:b', '/work/x:b'],
  ['\0/work/.libs\0', '/work/.libs'],
  ['http://example.org/work/x', undefined],
  ['/usr/work/x', undefined],
  ['./work/x ~/work/x $HOME/work/x', undefined],
  ['/workshop/x', undefined],
  ['/work/ /work /work/*', undefined],
];

for (const [text, found] of holding) {
  test(`a path of the work directory is found in a file, or not: ${JSON.stringify(text)}`, async (t) => {
    // Everywhere about the places where pieces of what is read meet.
    for (const before of [0, 1, 5, 79, 80, 100, (1 << 20) - 90, (1 << 20) - 3, (1 << 20) + 1]) {
      const make = (from: string) =>
        writeFileSync(
          join(from, 'f'),
          `${' '.repeat(before)}${text}${before % 2 === 1 ? ' '.repeat(200) : ''}`,
        );
      if (found === undefined) await t.notThrowsAsync(taken(t, make), `${before}`);
      else {
        const error = await t.throwsAsync(taken(t, make), { instanceOf: Fault }, `${before}`);
        t.is(
          error?.message,
          `demo 1.0: "f" has a path of the work directory in it: ${JSON.stringify(found)}`,
        );
        await t.notThrowsAsync(taken(t, make, { fields: 'Allow: build-path\n' }));
      }
    }
  });
}

test('the digests of what is read are those of the bytes, whatever their number', async (t) => {
  const place = temporary(t);
  const sizes = [0, 1, 55, 56, 63, 64, 65, 119, 120, 1 << 20, (1 << 20) + 63];
  for (const size of sizes) writeFileSync(join(place, `${size}`), Buffer.alloc(size, `${size}.`));
  const { trees } = await readOutput({
    program: collector,
    directory: place,
    output: '.',
    trees: [{ path: '.' }],
  });
  const found = trees
    .get('.')
    ?.entries.flatMap((each) => (each.kind === 'file' ? [[each.size, each.digest]] : []));
  t.deepEqual(
    found?.toSorted(([a], [b]) => Number(a) - Number(b)),
    sizes.map((size) => [
      size,
      createHash('sha256')
        .update(readFileSync(join(place, `${size}`)))
        .digest('hex'),
    ]),
  );
});

test('what linkers tell is read, whoever wrote it', (t) => {
  const log = parseLinkLog(
    [
      '> /work/conftest',
      '/lib/libc.a(wrong.lo)',
      '> demo/tool',
      '/lib/libc.a(puts.lo)',
      '/packages/gcc/12/bin/../lib/libgcc.a(x.o)',
      './own.a(y.o)',
      'nonsense (',
      '(/lib/libm.a)sin.lo',
      '> other',
    ].join('\n'),
  );
  const file = (path: string) => ({ path, type: 'file' as const });
  const record = {
    format: 1 as const,
    control: '',
    builtFrom: [],
    links: [file('lib/libc.a'), file('lib/libm.a')],
  };
  const path = (name: string) => Buffer.from(name);
  const content = {
    entries: [{ kind: 'hardlink' as const, path: path('bin/tool'), first: path('bin/alias') }],
    traits: ['bin/alias', 'bin/unknown'].map((name) => ({
      path: path(name),
      kind: 'program' as const,
      text: '',
    })),
  };
  t.deepEqual(linkedOf(content, log, [{ name: 'musl', version: '1', record }]), {
    'bin/alias': {
      'gcc/lib/libgcc.a': ['x.o'],
      'musl/lib/libc.a': ['puts.lo'],
      'musl/lib/libm.a': ['sin.lo'],
    },
    'bin/unknown': {},
  });
  t.is(linkedOf(content, parseLinkLog(''), []), undefined);
});

test('somebody who swaps directories for links meanwhile leads the reader nowhere', async (t) => {
  const place = temporary(t);
  const secret = join(place, 'secret');
  mkdirSync(join(place, 'work/out', home, 'd'), { recursive: true });
  mkdirSync(secret);
  writeFileSync(join(secret, 'f'), 'secret');
  writeFileSync(join(place, 'work/out', home, 'd/f'), 'open');
  const swap = `cd "$1"; while :; do mv d e; ln -s "$2" d; rm d; mv e d; done`;
  const swapping = spawn('sh', ['-c', swap, 'sh', join(place, 'work/out', home), secret], {
    stdio: 'ignore',
  });
  t.teardown(() => swapping.kill('SIGKILL'));
  let whole = 0;
  for (let round = 0; round < 60; round += 1) {
    const staging = join(place, `staging ${round}`);
    mkdirSync(staging);
    const copy = join(staging, 'c');
    try {
      await readOutput({
        program: collector,
        directory: join(place, 'work'),
        output: 'out',
        trees: [{ path: home.slice(1), copy }],
      });
      whole += 1;
    } catch (error) {
      t.true(error instanceof Fault, String(error));
    }
    for (const name of ['d', 'e']) {
      const stats = lstatSync(join(copy, name), { throwIfNoEntry: false });
      if (stats?.isDirectory() && existsSync(join(copy, name, 'f')))
        t.is(readFileSync(join(copy, name, 'f'), 'utf8'), 'open');
    }
  }
  t.true(whole > 0, 'it is not always noticed, and does not matter');
});

test('a name that is no UTF-8 is kept byte by byte', async (t) => {
  const name = Buffer.from([0x66, 0xff, 0x0a, 0x67]);
  const { tree } = await taken(t, (from) =>
    writeFileSync(Buffer.concat([Buffer.from(`${from}/`), name]), 'x'),
  );
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
