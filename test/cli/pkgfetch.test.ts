import test, { type ExecutionContext } from 'ava';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fromData } from 'ssri';
import { type Distfile, formatDistfiles, parseDistfiles } from '../../src/source/distfile.ts';
import { type Manner, serve } from '../support/archive-server.ts';
import { makeDebianArchive } from '../support/debian-archive.ts';
import { ended } from '../support/ended.ts';
import { output, root, run, runTool, start, temporary, tool } from '../support/tools.ts';

const body = Buffer.from(Array.from({ length: 60_000 }, (_, at) => (at * at * 31 + at * 7) >> 5));
const other = Buffer.from(body.toReversed());
const name = 'demo_1.0.orig.tar.gz';

const distfile = (urls: readonly string[], bytes = body, file = name): Distfile => ({
  name: file,
  size: bytes.length,
  integrity: fromData(bytes, { algorithms: ['sha512'] }).toString(),
  urls,
});

/** A home, a list and a directory of its own for one test; nothing of the user or the machine is used. */
function setUp(t: ExecutionContext, distfiles: readonly Distfile[]) {
  const base = temporary(t);
  const list = join(base, 'list.json');
  const directory = join(base, 'here');
  writeFileSync(list, formatDistfiles(distfiles));
  const env: Record<string, string | undefined> = {
    STATIC_DISTRO_HOME: join(base, 'home'),
    STATIC_DISTRO_MIRROR: undefined,
    HTTPS_PROXY: undefined,
    HTTP_PROXY: undefined,
    https_proxy: undefined,
    http_proxy: undefined,
  };
  const args = ['--distfiles', list, '-d', directory];
  /** The tool without apt, which has tests of its own. */
  const fetch = (...more: string[]) => runTool('pkgfetch', [...args, '--no-apt', ...more], { env });
  return { base, list, directory, env, args, fetch };
}

async function setUpServer(t: ExecutionContext, manner: Partial<Manner> = {}) {
  const server = await serve(t, { '/x': { body, ...manner } });
  return { server, ...setUp(t, [distfile([`${server.url}/x`])]) };
}

/** Until a server that the test runs itself has to answer, which a synchronous run would not let it. */
async function runApart(
  t: ExecutionContext,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
) {
  const child = start(t, tool('pkgfetch'), args, { env });
  return await ended(child);
}

/** Waits for something that another process does; the test's own time limit ends it. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

const listing = (directory: string): string[] => readdirSync(directory).sort();

test('help has examples, the version is the package’s', (t) => {
  const { stdout, stderr, status } = runTool('pkgfetch', ['--help']);
  t.is(status, 0);
  t.is(stderr, '');
  t.regex(stdout, /Examples:\n {2}pkgfetch musl/);
  t.regex(runTool('pkgfetch', ['--version']).stdout, /^pkgfetch \(static-distro\) \d/);
});

test('the list is printed, for people and as JSON', (t) => {
  const entry = { ...distfile(['https://example.org/x']), source: { package: 'demo', version: '1.0-1' } };
  const { list, fetch } = setUp(t, [entry, distfile([], other, 'other.tar')]);
  t.is(fetch('--list').stdout, 'demo_1.0.orig.tar.gz  60.0 kB  demo=1.0-1\nother.tar             60.0 kB\n');
  t.deepEqual(JSON.parse(fetch('--list', '--json').stdout), JSON.parse(readFileSync(list, 'utf8')));
  t.is(fetch('--list', 'other.tar').stdout, 'other.tar  60.0 kB\n');
});

test('what is wrong with a call is one line and a hint, with the right status', (t) => {
  const { base, list, fetch } = setUp(t, [distfile([])]);
  const cases: [string[], number, RegExp, RegExp][] = [
    [[], 2, /^no distfile is named$/, /--list/],
    [['none.tar'], 1, /^no distfile is called "none.tar"$/, /--list/],
    [['a\nb\x1b'], 1, /^no distfile is called "a\\nb\\u001b"$/, /--list/],
    [['--lst'], 2, /^unknown option '--lst'$/, /Did you mean --list\?/],
    [['--list', '--verify'], 2, /^--list and --verify exclude each other$/, /^$/],
    [['--url', 'https://example.org/'], 2, /belong to --add$/, /^$/],
    [['-j', '0', name], 2, /^-j: "0" is no number from 1 to 16$/, /^$/],
    [['--recipe', base], 1, /^cannot read the control file .*ENOENT/, /pkgbuild --new NAME/],
    [['--add'], 2, /^--add: no file is named$/, /^$/],
    [['--add', list, '--source', 'x'], 2, /^--source: "x" is no source package$/, /PACKAGE=VERSION/],
    [['--distfiles', join(base, 'none'), '--list'], 1, /^cannot read the list of distfiles .*ENOENT/, /^$/],
  ];
  for (const [args, status, message, hint] of cases) {
    const result = fetch(...args);
    const [first = '', second = '', ...rest] = result.stderr.trimEnd().split('\n');
    t.is(result.status, status, result.stderr);
    t.is(result.stdout, '');
    t.regex(first.replace('pkgfetch: ', ''), message);
    t.regex(second.replace('pkgfetch: ', ''), hint);
    t.deepEqual(rest, []);
  }
  writeFileSync(list, '{"distfiles": [{"name": "x"}]}');
  const broken = fetch('--list');
  t.is(broken.status, 2);
  t.regex(broken.stderr, /list.json: distfile 1 \(x\): "size"/);
});

test('a file is fetched once; paths are the output, plain lines the progress', async (t) => {
  const { server, directory, args, env } = await setUpServer(t);
  const path = join(directory, name);
  const first = await runApart(t, [...args, '--no-apt', name], env);
  t.deepEqual(first, {
    status: 0,
    stdout: `${path}\n`,
    stderr: `${name}: 60.0 kB from ${server.url}/x\n`,
  });
  const second = await runApart(t, [...args, '--no-apt', '--all', '--json'], env);
  t.is(second.status, 0);
  t.deepEqual(JSON.parse(second.stdout), { distfiles: [{ name, size: 60_000, path, from: 'present' }] });
  t.is(second.stderr, '');
  t.deepEqual(server.requests, ['GET /x']);
});

test('every failure is a line that names what was tried, and a command to copy', async (t) => {
  const server = await serve(t, { '/wrong': { body: other }, '/b': { body } });
  const { base, args, directory, env } = setUp(t, [
    distfile([`${server.url}/wrong`, `${server.url}/none`]),
    distfile([`${server.url}/b`], body, 'b.tar'),
    distfile([], body, 'c.tar'),
  ]);
  const mirror = { ...env, STATIC_DISTRO_MIRROR: join(base, 'mirror') };
  const call = [...args, '--no-apt', '--from', base, '--all'];
  const { status, stdout, stderr } = await runApart(t, [...call, '--quiet'], mirror);
  t.is(status, 1);
  t.is(stdout, `${join(directory, 'b.tar')}\n`);
  const lines = stderr.trimEnd().split('\n');
  t.is(lines.length, 4);
  t.is(
    lines[0],
    'pkgfetch: c.tar cannot be had: ' +
      `directory "${base}": not there; mirror "${join(base, 'mirror')}": not there`,
  );
  t.regex(lines[1] ?? '', /^pkgfetch: copy it to .*--from$/);
  t.regex(
    lines[2] ?? '',
    /^pkgfetch: demo_1.0.orig.tar.gz cannot be had: .*wrong: other bytes than promised: sha512-.* and not sha512-.*none: HTTP 404$/,
  );
  t.is(
    lines[3],
    `pkgfetch: get it by other means, for example: curl -fL -o ${join(directory, name)} ${server.url}/wrong`,
  );
  t.deepEqual(listing(directory), ['b.tar']);
  const json = JSON.parse((await runApart(t, [...call, '--json'], mirror)).stdout) as {
    distfiles: { name: string; error?: string; tried?: unknown[] }[];
  };
  t.deepEqual(
    json.distfiles.map((each) => [each.name, each.error, each.tried?.length]),
    [
      ['b.tar', undefined, undefined],
      ['c.tar', 'NOT_FOUND', 2],
      [name, 'INTEGRITY', 4],
    ],
  );
});

const control = (sources: string): string =>
  `Source: demo\nVersion: 1.0\nDescription: for a test\nSources:\n ${sources}\n\nPackage: demo\n`;

test('what recipes need is fetched', (t) => {
  const { base, directory, fetch } = setUp(t, [distfile([]), distfile([], other, 'other.tar')]);
  const recipe = join(base, 'recipe');
  mkdirSync(recipe);
  for (const script of ['unpack.sh', 'build.sh']) writeFileSync(join(recipe, script), '');
  writeFileSync(join(base, name), body);
  writeFileSync(join(recipe, 'control'), control(name));
  const { status, stdout, stderr } = fetch('--from', base, '--recipe', recipe);
  t.is(status, 0, stderr);
  t.is(stdout, `${join(directory, name)}\n`);
  writeFileSync(join(recipe, 'control'), control('unlisted.tar'));
  t.regex(fetch('--recipe', recipe).stderr, /no distfile is called "unlisted.tar" \(Sources of demo\)/);

  const own = distfile([], other, 'unlisted.tar');
  writeFileSync(join(recipe, 'distfiles.json'), formatDistfiles([own]));
  writeFileSync(join(base, 'unlisted.tar'), other);
  const listed = fetch('--from', base, '--recipe', recipe);
  t.is(listed.stdout, `${join(directory, 'unlisted.tar')}\n`, listed.stderr);
});

test('the sources of every recipe that comes with us are listed', (t) => {
  const packages = join(root, 'packages');
  const recipes = readdirSync(packages, { recursive: true, encoding: 'utf8' })
    .filter((path) => /^[^/]+\/[^/]+\/control$/.test(path))
    .map((path) => join(packages, path, '..'));
  t.true(recipes.length > 5);
  const { status, stderr } = runTool('pkgfetch', ['--list', '--recipe', ...recipes]);
  t.is(status, 0, stderr);
});

test('without -d files go to the user’s cache, which must be the user’s', (t) => {
  const { base, list, env } = setUp(t, [distfile([])]);
  writeFileSync(join(base, name), body);
  const call = ['--distfiles', list, '--no-apt', '--from', base, name];
  const cache = join(base, 'home/cache/distfiles');
  t.is(runTool('pkgfetch', call, { env }).stdout, `${join(cache, name)}\n`);
  t.is(statSync(cache).mode & 0o777, 0o700);
  chmodSync(cache, 0o777);
  const open = runTool('pkgfetch', call, { env });
  t.is(open.status, 1);
  t.regex(open.stderr, /other users can write/);
});

test('a directory is verified without fetching', (t) => {
  const { directory, fetch } = setUp(t, [
    distfile([]),
    distfile([], other, 'other.tar'),
    distfile([], body, 'z.tar'),
  ]);
  mkdirSync(directory);
  writeFileSync(join(directory, name), body);
  const good = fetch('--verify');
  t.deepEqual([good.status, good.stdout], [0, `${name}: whole\n`]);
  writeFileSync(join(directory, 'other.tar'), body);
  const bad = fetch('--verify');
  t.deepEqual([bad.status, bad.stdout], [1, `${name}: whole\nother.tar: wrong\n`]);
  const all = fetch('--verify', '--all', '--json');
  t.is(all.status, 1);
  t.deepEqual(JSON.parse(all.stdout), {
    directory,
    distfiles: [
      { name, state: 'whole' },
      { name: 'other.tar', state: 'wrong' },
      { name: 'z.tar', state: 'absent' },
    ],
  });
  t.is(fetch('--verify', 'z.tar').status, 1);
  t.deepEqual(listing(directory), [name, 'other.tar']);
});

test('https is spoken with servers whose certificate is trusted, and with no other', async (t) => {
  const { base, list, args, env } = setUp(t, []);
  const [key, cert] = [join(base, 'key.pem'), join(base, 'cert.pem')];
  const request =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost';
  const words = `${request} -addext subjectAltName=IP:127.0.0.1`.split(' ');
  output('openssl', [...words, '-keyout', key, '-out', cert]);
  const server = await serve(
    t,
    { '/x': { body, cut: 50_000 } },
    { key: readFileSync(key), cert: readFileSync(cert) },
  );
  writeFileSync(list, formatDistfiles([distfile([`${server.url}/x`])]));
  const refused = await runApart(t, [...args, '--no-apt', name], env);
  t.is(refused.status, 1);
  t.regex(refused.stderr, /self-signed certificate/);
  const trusting = { ...env, NODE_EXTRA_CA_CERTS: cert };
  const { status, stderr } = await runApart(t, [...args, '--no-apt', name], trusting);
  t.is(status, 0, stderr);
  t.is(server.requests[0], 'GET /x');
  t.regex(server.requests[1] ?? '', /^GET \/x bytes=[1-9]\d+-$/);
});

test('the proxy of the environment is used', async (t) => {
  const { server, args, env, directory } = await setUpServer(t);
  const tunnels: string[] = [];
  const proxy = createServer((_, response) => response.writeHead(405).end());
  proxy.on('connect', (request, socket) => {
    tunnels.push(request.url ?? '');
    const far = connect(Number(new URL(server.url).port), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      far.pipe(socket).pipe(far);
    });
    far.on('error', () => socket.destroy());
    socket.on('error', () => far.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  const { port } = proxy.address() as AddressInfo;
  const list = join(directory, '../list.json');
  writeFileSync(list, formatDistfiles([distfile(['https://sources.example.org/x'])]));
  const far = await runApart(t, [...args, '--no-apt', name], {
    ...env,
    HTTPS_PROXY: `http://127.0.0.1:${port}`,
  });
  // What is behind the tunnel speaks no TLS, so this fails, but only after the proxy was asked.
  t.is(far.status, 1);
  t.true(tunnels.length > 0);
  t.true(tunnels.every((host) => host === 'sources.example.org:443'));
});

test('a killed run leaves a part, and the next one goes on with it', async (t) => {
  const { server, directory, args, env } = await setUpServer(t, { slow: 50 });
  const child = start(t, tool('pkgfetch'), [...args, '--no-apt', name], { env });
  const part = (): string => listing(directory).find((each) => each.endsWith('.part')) ?? '';
  await until(
    () => server.requests.length > 0 && part() !== '' && statSync(join(directory, part())).size > 10_000,
  );
  child.kill('SIGKILL');
  await once(child, 'close');
  t.regex(part(), /^\.demo_1\.0\.orig\.tar\.gz\.\d+-\d+-\d+-\d+\.part$/);
  const { status, stderr } = await runApart(t, [...args, '--no-apt', name], env);
  t.is(status, 0, stderr);
  t.regex(server.requests[1] ?? '', /^GET \/x bytes=[1-9]\d{4}-$/);
  t.deepEqual(listing(directory), [name]);
  t.deepEqual(readFileSync(join(directory, name)), body);
});

test('Ctrl-C leaves a part and nothing else, and is the status', async (t) => {
  for (const [signal, expected] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    const { server, directory, args, env } = await setUpServer(t, { slow: 50 });
    const child = start(t, tool('pkgfetch'), [...args, '--no-apt', name], { env });
    const stderr = text(child.stderr);
    await until(() => server.requests.length > 0 && listing(directory).length > 0);
    await until(() => statSync(join(directory, listing(directory)[0] ?? '')).size > 0);
    child.kill(signal);
    t.deepEqual(await once(child, 'close'), [expected, null]);
    t.is(await stderr, '');
    t.deepEqual(listing(directory), [`.${name}.part`]);
  }
});

test('many processes at once end with one file', async (t) => {
  const { directory, args, env } = await setUpServer(t, { slow: 10 });
  const results = await Promise.all([1, 2, 3, 4].map(() => runApart(t, [...args, '--no-apt', name], env)));
  for (const { status, stderr } of results) t.is(status, 0, stderr);
  t.deepEqual(listing(directory), [name]);
  t.deepEqual(readFileSync(join(directory, name)), body);
});

test('a terminal has one line that is drawn over, dim unless NO_COLOR, and none if it is dumb', async (t) => {
  const { directory, args, env } = await setUpServer(t, { slow: 15 });
  const draw = async (more: Readonly<Record<string, string>>): Promise<string> => {
    const command = [tool('pkgfetch'), ...args, '--no-apt', name].map((word) => `'${word}'`).join(' ');
    const child = start(t, 'script', ['-qec', `${command} >/dev/null`, '/dev/null'], {
      env: { ...env, TERM: 'xterm', NO_COLOR: undefined, ...more },
    });
    child.stdin.end();
    const drawn = await text(child.stdout);
    writeFileSync(join(directory, name), '');
    return drawn;
  };
  // Escape is written as E, so that the patterns can be read.
  const colour = (await draw({})).replaceAll('\x1b', 'E');
  t.regex(colour, /\rE\[2m0\/1 {2}[\d.]+ k?B of 60.0 kB {2}demo_1.0.orig.tar.gz \d+ %E\[22mE\[K/);
  t.regex(colour, /\rE\[Kdemo_1.0.orig.tar.gz: 60.0 kB from http:\S+\r\n$/);
  const plain = await draw({ NO_COLOR: '1' });
  t.regex(plain, /\r0\/1 {2}/);
  t.false(plain.includes('\x1b[2m'));
  t.false((await draw({ TERM: 'dumb' })).includes('\x1b'));
});

// apt

test('an entry is made from a file and the source package that carries it', (t) => {
  const { base, list, env, args } = setUp(t, []);
  const bytes = { name, bytes: body };
  const archive = makeDebianArchive(base, [{ name: 'demo', version: '1.0-1', files: [bytes] }]);
  const file = join(base, name);
  writeFileSync(file, body);
  const add = (...more: string[]) =>
    runTool('pkgfetch', [...args, '--add', file, ...more], { env: { ...archive, ...env } });
  const result = add('--source', 'demo=1.0-1', '--url', 'https://example.org/demo-1.0.tar.gz');
  t.is(result.status, 0, result.stderr);
  const entry = parseDistfiles(readFileSync(list, 'utf8'), list).get(name);
  t.deepEqual(entry, {
    ...distfile(['https://example.org/demo-1.0.tar.gz']),
    source: { package: 'demo', version: '1.0-1' },
  });
  const before = readFileSync(list, 'utf8');
  const cases: [string[], number, RegExp][] = [
    [['--source', 'demo=1.0-2'], 1, /sources have no demo 1.0-2\npkgfetch: they have 1.0-1/],
    [['--source', 'none=1'], 1, /sources have no none 1/],
    [['--url', 'http://example.org/x'], 2, /is not https/],
    [['--url', 'https://example.org/x', list], 2, /name one file only/],
    [[join(base, 'none')], 1, /cannot read/],
  ];
  for (const [more, status, message] of cases) {
    const failed = add(...more);
    t.is(failed.status, status, failed.stderr);
    t.regex(failed.stderr, message);
    t.is(readFileSync(list, 'utf8'), before);
  }
  writeFileSync(file, other);
  t.regex(add('--source', 'demo=1.0-1').stderr, /is not the file that its source package lists/);
  t.regex(add().stderr, /listed with other bytes/);
  t.is(readFileSync(list, 'utf8'), before);
});

test('Ctrl-C ends apt too, and what it brought is kept', async (t) => {
  const { base, list, directory, args, env } = setUp(t, []);
  const archive = makeDebianArchive(base, [
    { name: 'demo', version: '1.0-1', files: [{ name, bytes: body }] },
  ]);
  const files = Object.fromEntries(
    ['Sources', 'Release'].map((each) => [`/./${each}`, { body: readFileSync(join(base, 'archive', each)) }]),
  );
  const server = await serve(t, { ...files, [`/./${name}`]: { body, slow: 100 } });
  const configuration = join(base, 'etc/apt.conf');
  writeFileSync(join(base, 'etc/sources.list'), `deb [trusted=yes] ${server.url} ./\n`);
  writeFileSync(
    configuration,
    `${readFileSync(configuration, 'utf8')}Acquire::http::Proxy::127.0.0.1 "DIRECT";\n`,
  );
  writeFileSync(list, formatDistfiles([{ ...distfile([]), source: { package: 'demo', version: '1.0-1' } }]));
  const child = start(t, tool('pkgfetch'), [...args, name], { env: { ...archive, ...env } });
  const work = (): string => listing(directory).find((each) => each.endsWith('.apt')) ?? '';
  const came = (): number => {
    try {
      return statSync(join(directory, work(), name)).size;
    } catch {
      return 0;
    }
  };
  await until(() => server.requests.some((request) => request.includes(name)) && came() > 10_000);
  child.kill('SIGINT');
  t.deepEqual(await once(child, 'close'), [130, null]);
  t.deepEqual(listing(directory), [`.${name}.part`]);
  t.is(run('pgrep', ['-f', join(base, 'home')]).stdout, '');
  const again = await runApart(t, [...args, name], { ...archive, ...env });
  t.is(again.status, 0, again.stderr);
  t.deepEqual(readFileSync(join(directory, name)), body);
  t.deepEqual(listing(directory), [name]);
});

/** What apt and dpkg have of their own. */
const marks = (): string[] =>
  ['/etc/apt', '/etc/apt/sources.list.d', '/var/lib/apt/lists', '/var/cache/apt', '/var/lib/dpkg'].map(
    (directory) => [directory, statSync(directory).mtimeMs, ...readdirSync(directory)].join(' '),
  );

test('the machine’s own sources carry a small archive of the list, and stay as they are', (t) => {
  const base = temporary(t);
  const before = marks();
  const env = { STATIC_DISTRO_HOME: join(base, 'home'), STATIC_DISTRO_MIRROR: undefined };
  const { status, stdout, stderr } = runTool('pkgfetch', ['mini-httpd_1.30.orig.tar.gz', '--json'], { env });
  t.is(status, 0, stderr);
  const [fetched] = (JSON.parse(stdout) as { distfiles: { path: string; from: string }[] }).distfiles;
  t.regex(fetched?.from ?? '', /^apt-get source mini-httpd=/);
  t.deepEqual(listing(join(base, 'home/cache/distfiles')), ['mini-httpd_1.30.orig.tar.gz']);
  t.deepEqual(marks(), before);
});
