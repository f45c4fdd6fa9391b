import test, { type ExecutionContext } from 'ava';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { digester } from '../../builder/digest.ts';
import { scan } from '../../builder/tar/scan.ts';
import { places } from '../../src/cli/context.ts';
import { makeEntry } from '../../src/source/entry.ts';
import { formatDistfiles } from '../../src/source/distfile.ts';
import { type Demo, makeDemo, namesIn, processesWith } from '../support/demo.ts';
import { rootTest } from '../support/root-test.ts';
import { output, quickstart, root, run, start, temporary, tool } from '../support/tools.ts';

const control = `Source: demo
Version: 1.0
Description: A small thing
Homepage: https://example.org/demo
License: MIT
Sources: demo-1.0.tar.gz

Package: demo
Depends-Run: demo-doc

Package: demo-doc
Description: What the small thing is for
Layer-Rank: 900
`;

const unpackScript = `set -e
tar xzf demo-1.0.tar.gz
(cd demo-1.0 && patch -p1 <../change.patch)
`;

const buildScript = `set -e
cd demo-1.0
mkdir -p "$PKG_INSTDIR$PKG_DIR/bin" "$PKG_INSTDIR/packages/demo-doc/\${PKG_DIR##*/}/share"
$CC -static -s -o "$PKG_INSTDIR$PKG_DIR/bin/demo" demo.c
ln -s demo "$PKG_INSTDIR$PKG_DIR/bin/small"
cp README "$PKG_INSTDIR/packages/demo-doc/\${PKG_DIR##*/}/share/README"
chmod 600 "$PKG_INSTDIR/packages/demo-doc/\${PKG_DIR##*/}/share/README"
`;

const patch = `Say what it is.

--- a/README
+++ b/README
@@ -1 +1 @@
-nothing
+a demo
`;

/** With a source archive, which is in a list of its own. */
async function demo(
  t: ExecutionContext,
  scripts: { unpack?: string; build?: string; control?: string } = {},
): Promise<Demo> {
  const made = makeDemo(
    t,
    {
      control: scripts.control ?? control,
      'unpack.sh': scripts.unpack ?? unpackScript,
      'build.sh': scripts.build ?? buildScript,
      'change.patch': patch,
    },
    (place) => ['-d', join(place, 'distfiles'), '--distfiles', join(place, 'list.json')],
  );
  const { place } = made;
  for (const directory of ['distfiles', 'source/demo-1.0'])
    mkdirSync(join(place, directory), { recursive: true });
  writeFileSync(join(place, 'source/demo-1.0/README'), 'nothing\n');
  writeFileSync(join(place, 'source/demo-1.0/demo.c'), 'int main(void) { return 42; }\n');
  const archive = join(place, 'distfiles/demo-1.0.tar.gz');
  output('tar', ['czf', archive, '-C', join(place, 'source'), 'demo-1.0']);
  writeFileSync(
    join(place, 'list.json'),
    formatDistfiles([
      await makeEntry(archive, { urls: [], source: undefined, published: undefined, debian: false }),
    ]),
  );
  return made;
}

/** A digest over everything that a layer of the tree would hold. */
function treeDigest(tree: string): string {
  const digest = digester();
  for (const entry of scan(tree, 'packages/x')) {
    const { path, type, mode } = entry;
    digest.update(
      Buffer.from(
        `${path.toString('latin1')} ${type} ${mode} ${'target' in entry ? entry.target.toString('latin1') : ''}\n`,
      ),
    );
    if (entry.type === 'file' && 'file' in entry.body) digest.update(readFileSync(entry.body.file));
  }
  return digest.finish().digest;
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let tries = 0; !condition(); tries += 1) {
    if (tries > 1200) throw new Error(`waited too long: ${what}`);
    await sleep(50);
  }
}

test('a source becomes its binary packages, finished, with controls and records', async (t) => {
  const { repository, work, recipe, pkgbuild } = await demo(t);
  const { status, stdout, stderr } = pkgbuild('--json', recipe);
  t.is(status, 0, stderr);
  const { packages, log } = JSON.parse(stdout) as { packages: { name: string; tree: string }[]; log: string };
  t.deepEqual(
    packages.map(({ name, tree }) => [name, tree]),
    [
      ['demo', join(repository, 'demo/1.0')],
      ['demo-doc', join(repository, 'demo-doc/1.0')],
    ],
  );
  const tree = join(repository, 'demo/1.0');
  t.deepEqual(namesIn(tree), ['bin', 'control']);
  t.is(run(join(tree, 'bin/small'), []).status, 42, 'what was compiled runs');
  t.is(
    readFileSync(join(tree, 'control'), 'utf8'),
    `Package: demo
Version: 1.0
Source: demo 1.0
Architecture: ${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}
Description: A small thing
Homepage: https://example.org/demo
License: MIT
Depends-Run:
  demo-doc
`,
  );
  const readme = join(repository, 'demo-doc/1.0/share/README');
  t.is(readFileSync(readme, 'utf8'), 'a demo\n', 'the patch is applied');
  t.is(statSync(readme).mode & 0o777, 0o644);
  for (const path of [tree, join(tree, 'control'), join(tree, 'bin/small'), readme]) {
    t.is(lstatSync(path).mtimeMs, 315532800000, path);
    t.is(lstatSync(path).uid, process.getuid?.() ?? -1, 'it belongs to the caller');
  }
  const record = JSON.parse(readFileSync(join(repository, '.records/demo/1.0.json'), 'utf8')) as Record<
    string,
    unknown
  >;
  t.is(record['origin'], 'host');
  t.is(record['control'], readFileSync(join(tree, 'control'), 'utf8'));
  t.regex(String(record['buildKey']), /^[0-9a-f]{64}$/);
  t.true(JSON.stringify(record['links']).includes('bin/small'));
  t.deepEqual(namesIn(work), [], 'the work directory is gone');
  t.regex(readFileSync(log, 'utf8'), /unpack\.sh[^]*patching file README[^]*build\.sh/);
  t.regex(stderr, /demo 1\.0: unpacking\ndemo 1\.0: building\ndemo 1\.0: packing\n/);
});

test('scripts see the documented environment, and of the machine no more than its programs', async (t) => {
  const script = `set -e
out=$PKG_INSTDIR$PKG_DIR
mkdir -p "$out"
env >"$out/env"
{ id -u; id -g; id -un; pwd; cat /etc/passwd; ls -A / /home /root /packages /work 2>&1 || :; ls /proc; } >"$out/seen"
for place in /usr/x /x /packages/x /etc/x /bin/x; do
	if (echo x >$place) 2>/dev/null; then echo "wrote $place" >>"$out/seen"; fi
done
chmod 4755 "$out/seen" 2>/dev/null && echo set-id >>"$out/seen" || :
`;
  const { place, repository, recipe, pkgbuild } = await demo(t, {
    build: script,
    control: control
      .replace(/\nPackage: demo-doc[^]*/, '')
      .replace('Depends-Run: demo-doc\n', '')
      .replace('Sources:', 'Allow: build-path\nSources:'),
  });
  process.env['MY_SECRET'] = 'secret value';
  const { status, stderr } = pkgbuild('-v', '2.0', '-V', '-~~stage1', '-j', '3', recipe);
  t.is(status, 0, stderr);
  const tree = join(repository, 'demo/2.0-~~stage1');
  const environment = Object.fromEntries(
    readFileSync(join(tree, 'env'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(/=(.*)/s)),
  ) as Record<string, string>;
  const expected = {
    PKG_NAME: 'demo',
    PKG_SRCVERSION: '1.0',
    PKG_VERSION: '2.0-~~stage1',
    PKG_DIR: '/packages/demo/2.0-~~stage1',
    PKG_INSTDIR: '/work/out',
    MAKE_JOBS: '',
    MAKEFLAGS: ' -j --jobserver-auth=9,9',
    HOME: '/work',
    USER: 'user',
    LC_ALL: 'C',
    LANG: 'C.UTF-8',
    TZ: 'UTC0',
    SOURCE_DATE_EPOCH: '315532800',
  };
  for (const [name, value] of Object.entries(expected)) t.is(environment[name], value, name);
  t.regex(environment['ARCH'] ?? '', /^(x86_64|aarch64)-linux-musl$/);
  t.is(environment['ARCH_TARGET'], environment['ARCH']);
  t.is(environment['ARCH_BUILD'], output('cc', ['-dumpmachine']).trim());
  t.is(environment['MY_SECRET'], undefined);
  const seen = readFileSync(join(tree, 'seen'), 'utf8');
  t.regex(seen, /^1000\n1000\nuser\n\/work\nroot:x:0:0:[^\n]*\nuser:x:1000:1000:[^\n]*\nnobody:[^\n]*\n/);
  t.false(/wrote|set-id/.test(seen), seen);
  t.false(seen.includes(place));
  t.regex(readFileSync(join(tree, 'control'), 'utf8'), /^Version: 2\.0-~~stage1\nSource: demo 1\.0$/m);
});

test('with -p the scripts run in roots of what they depend on, and of nothing else', async (t) => {
  const { repository, recipe, pkgbuild } = await demo(t, {
    unpack: `${unpackScript}ls /packages >unpacked\nls /usr /bin/gcc >>unpacked 2>&1 || :\n`,
    build: `${buildScript}{ echo "$CC $PATH $ARCH_BUILD"; ls /packages; } >built\ncp built ../unpacked "$PKG_INSTDIR$PKG_DIR/bin/"\n`,
    control: control.replace(
      'Sources:',
      'Depends-Unpack: mksh, sbase\nDepends-Build: mksh, sbase, gcc | tcc, musl\nSources:',
    ),
  });
  const { status, stderr } = pkgbuild('-p', quickstart, recipe);
  t.is(status, 0, stderr);
  const tree = join(repository, 'demo/1.0');
  t.is(run(join(tree, 'bin/demo'), []).status, 42);
  t.is(
    readFileSync(join(tree, 'bin/unpacked'), 'utf8'),
    'mksh\nsbase\nls: /bin/gcc: No such file or directory\n/usr:\nbin\ninclude\nlib\n',
  );
  const [first, ...packages] = readFileSync(join(tree, 'bin/built'), 'utf8').trim().split('\n');
  t.regex(first ?? '', /^cc \/bin (x86_64|aarch64)-linux-musl$/);
  t.deepEqual(packages, ['mksh', 'musl', 'sbase', 'tcc']);
  const record = JSON.parse(readFileSync(join(repository, '.records/demo/1.0.json'), 'utf8')) as {
    origin: string;
    builtFrom: { name: string }[];
  };
  t.deepEqual(
    record.builtFrom.map(({ name }) => name),
    ['mksh', 'musl', 'sbase', 'tcc'],
  );
  t.is(record.origin, 'host', "what the machine's compiler made is in its root");
});

test('a build has no network, not even the loopback of the machine', async (t) => {
  let visitors = 0;
  const server = createServer(() => (visitors += 1)).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const connect = `import socket; socket.create_connection(("127.0.0.1", ${port}), 2)`;
  t.is(run('python3', ['-c', connect]).status, 0, 'it can be reached from outside');
  await until(() => visitors === 1, 'the visitor from outside');
  const { recipe, pkgbuild } = await demo(t, { build: `python3 -c '${connect}'\n` });
  const { status, stderr } = pkgbuild(recipe);
  t.is(status, 1);
  t.regex(stderr, /refused|unreachable/i);
  t.is(visitors, 1);
});

test('a script that fails: the end of its log, where the log is, and the work directory, which stays', async (t) => {
  const { place, repository, work, recipe, write, pkgbuild } = await demo(t, {
    build: 'seq 1 500\nprintf "\\033[31mred\\033[0m \\a\\r end\\n" >&2\nexit 3\n',
  });
  const { status, stdout, stderr } = pkgbuild(recipe);
  t.is(status, 1);
  t.is(stdout, '');
  t.regex(stderr, /\n {2}500\n {2}red {2}end\n/);
  t.false(/\n {2}400\n/.test(stderr), 'only the end');
  t.regex(stderr, /pkgbuild: demo 1\.0: build\.sh ended with status 3\n/);
  t.regex(
    stderr,
    /pkgbuild: log: "[^"]+demo\/1\.0\.log"; work directory: "[^"]+demo-1\.0\.failed"; a shell in its root: pkgbuild --shell demo=1\.0\n$/,
  );
  t.is(readFileSync(join(place, 'home/cache/builds/logs/demo/1.0.log'), 'utf8').split('\n').length, 506);
  t.deepEqual(namesIn(work), ['demo-1.0.failed', 'demo-1.0.failed.json']);
  t.true(existsSync(join(work, 'demo-1.0.failed/demo-1.0/README')));
  t.deepEqual(namesIn(join(repository, 'demo')), []);

  write('unpack.sh', 'kill -SEGV $$\n');
  const killed = pkgbuild(recipe);
  t.is(killed.status, 1);
  t.regex(killed.stderr, /unpack\.sh was killed by signal 11/);
  t.deepEqual(namesIn(work), ['demo-1.0.failed', 'demo-1.0.failed.json'], 'one of each version is kept');

  const shown = pkgbuild('--verbose', recipe);
  t.regex(shown.stderr, /unpack\.sh was killed/);

  write('unpack.sh', unpackScript);
  write('build.sh', buildScript);
  t.is(pkgbuild(recipe).status, 0);
  t.deepEqual(namesIn(work), [], 'a success takes the traces of failures away');
});

const badOutputs: Record<string, readonly [script: string, says: RegExp]> = {
  'outside of the packages': [
    'mkdir -p $PKG_INSTDIR/etc; echo x >$PKG_INSTDIR/etc/x',
    /installed "\/etc", which belongs to none/,
  ],
  'for a package that is not declared': ['mkdir -p $PKG_INSTDIR/packages/other/1.0', /"\/packages\/other"/],
  'for another version': ['mkdir -p $PKG_INSTDIR/packages/demo/9', /"\/packages\/demo\/9"/],
  'nothing for a package': [
    'rm -r $PKG_INSTDIR/packages/demo-doc',
    /demo-doc 1\.0: build\.sh installed nothing for it/,
  ],
  'a link in the place of a package': [
    'rm -r $PKG_INSTDIR/packages/demo-doc; ln -s demo $PKG_INSTDIR/packages/demo-doc',
    /demo-doc 1\.0: build\.sh installed nothing/,
  ],
  'a link in the place of the output': [
    'cd /work; mv out other; ln -s other out',
    /the build took away "out"/,
  ],
  'a fifo': ['mkfifo $PKG_INSTDIR$PKG_DIR/pipe', /demo 1\.0: "pipe" is a fifo/],
  'a link to the machine': [
    'ln -s /etc/shadow $PKG_INSTDIR$PKG_DIR/l',
    /demo 1\.0: "l" is a link to "\/etc\/shadow", outside/,
  ],
};

for (const [what, [script, says]] of Object.entries(badOutputs)) {
  test(`a build that installs ${what} is refused, naming it`, async (t) => {
    const { repository, recipe, pkgbuild } = await demo(t, { build: `${buildScript}${script}\n` });
    const { status, stderr } = pkgbuild(recipe);
    t.is(status, 1, stderr);
    t.regex(stderr, says);
    t.regex(stderr, /work directory: "/);
    t.deepEqual(
      namesIn(repository).filter((name) => !name.startsWith('.')),
      [],
    );
  });
}

test('a build that installs what its Mode and Link fields do not name is refused', async (t) => {
  const { recipe, write, pkgbuild } = await demo(t);
  write('control', control.replace('Package: demo\n', 'Package: demo\nMode: bin/none 4755\n'));
  t.regex(pkgbuild(recipe).stderr, /Mode names "bin\/none", which build\.sh did not install/);
  write('control', control.replace('Package: demo\n', 'Package: demo\nLink: etc/none\n'));
  t.regex(pkgbuild(recipe).stderr, /Link names "etc\/none"/);
});

test('processes that a build leaves are dead before its output is read', async (t) => {
  const word = `left-${process.pid}-${Date.now()}`;
  const late = `(setsid sh -c 'sleep 0.5; echo late >>"$0"; sleep 1000; : ${word}' "$PKG_INSTDIR$PKG_DIR/late" >/dev/null 2>&1 </dev/null &)`;
  const { repository, recipe, pkgbuild } = await demo(t, { build: `${buildScript}${late}\n` });
  const { status, stderr } = pkgbuild(recipe);
  t.is(status, 0, stderr);
  t.deepEqual(processesWith(word), []);
  t.false(existsSync(join(repository, 'demo/1.0/late')));
});

test('a distfile that cannot be had, or is another one, is named', async (t) => {
  const { place, repository, recipe, write, pkgbuild } = await demo(t);
  write('control', control.replace('demo-1.0.tar.gz', 'other-1.0.tar.gz'));
  const unlisted = pkgbuild(recipe);
  t.is(unlisted.status, 1);
  t.regex(unlisted.stderr, /no distfile is called "other-1\.0\.tar\.gz" \(Sources of demo\)/);

  write('control', control);
  writeFileSync(join(place, 'distfiles/demo-1.0.tar.gz'), 'something else');
  const wrong = pkgbuild(recipe);
  t.is(wrong.status, 1);
  t.regex(
    wrong.stderr,
    /demo-1\.0\.tar\.gz cannot be had: ".*demo-1\.0\.tar\.gz": other bytes than the list says/,
  );
  t.regex(wrong.stderr, /, or name a directory that has it with -d$/m);
  t.is(readFileSync(join(place, 'distfiles/demo-1.0.tar.gz'), 'utf8'), 'something else');
  t.deepEqual(namesIn(repository), []);
});

test('a recipe may bring its own list of distfiles', async (t) => {
  const { place, recipe, env, repository } = await demo(t);
  writeFileSync(join(recipe, 'distfiles.json'), readFileSync(join(place, 'list.json')));
  const args = ['-r', repository, '-d', join(place, 'distfiles'), '--no-apt', recipe];
  const { status, stderr } = run(tool('pkgbuild'), args, { env });
  t.is(status, 0, stderr);
});

test('errors in a control file have their place, and bad options their reason', async (t) => {
  const { place, recipe, write, pkgbuild } = await demo(t);
  write('control', control.replace('Version: 1.0', 'Version: one two'));
  const bad = pkgbuild(recipe);
  t.is(bad.status, 2);
  t.regex(bad.stderr, /demo\/control"?:2:10: Version: /);

  write('control', control);
  const cases: readonly (readonly [args: string[], status: number, says: RegExp])[] = [
    [['nosuch'], 1, /no recipe is called "nosuch"/],
    [['lua=9'], 1, /no recipe is called "lua=9"[^]*it has lua 5\.4\.4/],
    [['./nosuch'], 1, /there is no recipe "\.\/nosuch"/],
    [[place], 1, /cannot read the control file.*\n.*name one of its versions: ".*\/demo"/],
    [[join(place, 'distfiles')], 1, /cannot read the control file.*\n.*pkgbuild --new NAME/],
    [[join(root, 'packages/lua')], 1, /\n.*name one of its versions: ".*packages\/lua\/5\.4\.4"/],
    [
      ['-r', join(recipe, 'control/x'), recipe],
      1,
      /^pkgbuild: cannot write to the repository .*\n.*name another/,
    ],
    [
      ['--update', '--lock-file', join(place, 'none/x'), recipe],
      1,
      /^pkgbuild: cannot write ".*none\/x": there is no such/,
    ],
    [[], 2, /missing required argument/],
    [['-B', 'lua'], 2, /needed for -B/],
    [['-o', '../x', 'lua'], 2, /-o "\.\.\/x"/],
    [['-p', join(place, 'none'), 'lua'], 1, /there is no repository ".*none"/],
    [['-p', quickstart, 'musl'], 1, /there is no package "gcc" \(Depends-Build of musl\)/],
    [['-w', join(place, 'none'), recipe], 1, /-w .*none.*there is no such directory/],
    [['-w', '/', recipe], 1, /would show the whole machine/],
    [['-v', '1_0', 'lua'], 2, /"1_0" is no version/],
    [['-r', 'oci:x', 'lua'], 2, /--repository "oci:x" is no directory/],
    [['-j', '0', 'lua'], 2, /-j "0"/],
    [['-r', place, 'lua'], 1, /lua is built with "musl", which .* does not have/],
  ];
  for (const [args, status, says] of cases) {
    const result = pkgbuild(...args);
    t.is(result.status, status, `${args.join(' ')}: ${result.stderr}`);
    t.regex(result.stderr, says);
    t.is(result.stdout, '');
  }
  t.false(existsSync(join(place, 'none')));
  write('control', control.replace('License', 'Depends-Build: nosuchthing\nLicense'));
  t.regex(pkgbuild('-p', quickstart, recipe).stderr, /name the repository that has "nosuchthing" with -p$/m);
  rmSync(join(recipe, 'unpack.sh'));
  t.regex(pkgbuild(recipe).stderr, /has no unpack\.sh/);
});

test('recipes are found by the name of a source and of a package', (t) => {
  const shown = run(tool('pkgbuild'), ['sbase=9']);
  t.regex(shown.stderr, /it has sbase 1\.35\.0/);
  t.regex(output(tool('pkgbuild'), ['--help']), /Examples:\n {2}pkgbuild .*lua/);
});

test('the steps one by one in a work directory that stays', async (t) => {
  const { place, repository, work, recipe, write, pkgbuild } = await demo(t);
  const own = join(place, 'mine');
  mkdirSync(own);
  t.is(pkgbuild('-B', '-w', 'mine', recipe).status, 0);
  t.true(existsSync(join(own, 'demo-1.0/README')));
  t.false(existsSync(join(own, 'out')));

  writeFileSync(join(own, 'demo-1.0/README'), 'edited\n');
  const kept = pkgbuild('-U', '-C', '-w', 'mine', '-o', 'inst', recipe);
  t.is(kept.status, 0, kept.stderr);
  t.deepEqual(namesIn(join(own, 'inst/packages')), ['demo', 'demo-doc']);
  t.deepEqual(namesIn(repository), []);

  write('build.sh', buildScript.replace('$CC', ': $CC').replace('ln -s', ': '));
  const again = pkgbuild('-U', '-w', 'mine', '-o', 'inst', recipe);
  t.is(again.status, 0, again.stderr);
  t.deepEqual(namesIn(join(repository, 'demo/1.0/bin')), [], 'nothing of the build before is in the package');
  t.is(readFileSync(join(repository, 'demo-doc/1.0/share/README'), 'utf8'), 'edited\n');
  t.true(existsSync(join(own, 'demo-1.0')));
  t.deepEqual(namesIn(work), []);
  t.is(statSync(join(own, 'demo-1.0')).uid, statSync(own).uid);
});

rootTest(
  'a work directory of somebody else: files belong to them, and links in it lead root nowhere',
  async (t) => {
    const { place, repository, recipe, pkgbuild } = await demo(t);
    const own = join(place, 'theirs');
    const victim = join(place, 'victim');
    mkdirSync(own);
    writeFileSync(victim, 'precious');
    output('ln', ['-s', victim, join(own, 'build.sh')]);
    output('ln', ['-s', victim, join(own, 'out')]);
    output('chown', ['-hR', '12345:12346', own]);
    const { status, stderr } = pkgbuild('-w', own, recipe);
    t.is(status, 0, stderr);
    t.is(readFileSync(victim, 'utf8'), 'precious');
    for (const path of [
      'build.sh',
      'demo-1.0.tar.gz',
      'demo-1.0',
      'demo-1.0/README',
      'out/packages/demo/1.0/bin/demo',
    ]) {
      const { uid, gid } = lstatSync(join(own, path));
      t.deepEqual([uid, gid], [12345, 12346], path);
    }
    t.is(lstatSync(join(repository, 'demo/1.0/bin/demo')).uid, 0, 'packages belong to the caller');
  },
);

test.serial('Ctrl-C, kill and a lost terminal leave nothing half done', async (t) => {
  for (const [signal, expected] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    const word = `interrupted-${process.pid}-${signal}`;
    const { repository, work, recipe, options, env, pkgbuild } = await demo(t, {
      build: `mkdir -p "$PKG_INSTDIR$PKG_DIR"; trap '' TERM INT HUP; sh -c 'sleep 1000; : ${word}'\n`,
    });
    const child = start(t, tool('pkgbuild'), [...options, recipe], { env });
    await until(() => processesWith(word).length > 0, 'the script to run');
    child.kill(signal);
    const [status] = (await once(child, 'exit')) as [number | null];
    t.is(status, expected);
    await until(() => processesWith(word).length === 0, 'the script to be gone');
    t.deepEqual(namesIn(work), []);
    t.deepEqual(
      namesIn(repository).filter((name) => !name.startsWith('.')),
      [],
    );
    t.regex(pkgbuild('--help').stdout, /Usage/);
  }
});

test.serial('killed without warning, its processes die with it, and the next run tidies up', async (t) => {
  const word = `killed-${process.pid}`;
  const { repository, work, place, recipe, options, env, write, pkgbuild } = await demo(t, {
    build: `mkdir -p x/y; chmod 0 x; (setsid sh -c 'sleep 1000; : ${word}' &) ; sleep 1000\n`,
  });
  const child = start(t, tool('pkgbuild'), [...options, recipe], { env });
  await until(() => processesWith(word).length > 0, 'the script to run');
  child.kill('SIGKILL');
  await once(child, 'exit');
  await until(() => processesWith(word).length === 0, 'the script to be gone');
  t.is(namesIn(work).length, 1);
  t.deepEqual(
    namesIn(repository).filter((name) => !name.startsWith('.')),
    [],
  );

  write('build.sh', buildScript);
  const { status, stderr } = pkgbuild(recipe);
  t.is(status, 0, stderr);
  t.deepEqual(namesIn(work), []);
  t.deepEqual(namesIn(join(place, 'home/cache/builds/logs/demo')), ['1.0.log']);
});

test.serial('two builds of one package at once both end, and the package is whole', async (t) => {
  const { repository, work, place, recipe, write, options, env } = await demo(t, {
    build: `${buildScript}sleep 1\n`,
  });
  const children = [1, 2, 3].map(() => start(t, tool('pkgbuild'), [...options, recipe], { env }));
  const ended = await Promise.all(children.map((child) => once(child, 'exit') as Promise<[number | null]>));
  t.deepEqual(
    ended.map(([status]) => status),
    [0, 0, 0],
  );
  t.is(run(join(repository, 'demo/1.0/bin/demo'), []).status, 42);
  t.deepEqual(namesIn(work), []);
  t.deepEqual(namesIn(join(repository, 'demo')), ['1.0']);
  t.deepEqual(namesIn(join(place, 'home/cache/builds/logs/demo')), ['1.0.log']);

  const own = join(place, 'mine');
  mkdirSync(own);
  write('build.sh', `${buildScript}until [ -e /work/go ]; do sleep 0.1; done\n`);
  const first = start(t, tool('pkgbuild'), [...options, '-w', own, recipe], { env });
  await until(() => existsSync(join(own, 'out')), 'the first one to build');
  const second = run(tool('pkgbuild'), [...options, '-w', own, recipe], { env });
  t.is(second.status, 1);
  t.regex(second.stderr, /another pkgbuild is at work in/);
  writeFileSync(join(own, 'go'), '');
  t.deepEqual(await once(first, 'exit'), [0, null]);
});

test('building a version again replaces it, and a failure leaves the old one', async (t) => {
  const { repository, recipe, write, pkgbuild } = await demo(t);
  t.is(pkgbuild(recipe).status, 0);
  write('build.sh', `${buildScript}false\n`);
  t.is(pkgbuild(recipe).status, 1);
  t.true(existsSync(join(repository, 'demo/1.0/bin/demo')));
  write('build.sh', `${buildScript}echo new >"$PKG_INSTDIR$PKG_DIR/new"\n`);
  const { status, stderr } = pkgbuild(recipe);
  t.is(status, 0, stderr);
  t.true(existsSync(join(repository, 'demo/1.0/new')));
});

test.serial(
  'mksh built twice, with other times, jobs, umask, zone and places, is the same bytes',
  async (t) => {
    const place = temporary(t);
    const { distfiles } = places(root, process.env).cache;
    const builds = [
      { jobs: '1', umask: '022', env: {} },
      { jobs: '2', umask: '077', env: { TZ: 'Asia/Tokyo', LC_ALL: 'C.UTF-8', SOURCE_DATE_EPOCH: '1' } },
    ];
    const trees = await Promise.all(
      builds.map(async ({ jobs, umask, env }, index) => {
        await sleep(index * 1500);
        const repository = join(place, `repository ${index}`);
        mkdirSync(repository);
        output('cp', ['-a', join(quickstart, 'musl'), join(quickstart, '.records'), repository]);
        const words = [tool('pkgbuild'), '-r', repository, '-d', distfiles, '-j', jobs, 'mksh'];
        const child = start(t, 'sh', ['-c', `umask ${umask}; exec "$@"`, 'sh', ...words], {
          env: { STATIC_DISTRO_HOME: join(place, `home ${index}`), ...env },
        });
        let said = '';
        child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
        const [status] = (await once(child, 'exit')) as [number | null];
        t.is(status, 0, said);
        return treeDigest(join(repository, 'mksh/59c'));
      }),
    );
    t.is(trees[0], trees[1]);
    t.is(trees[0], treeDigest(join(quickstart, 'mksh/59c')), 'the quick start built it too');
  },
);
