import test, { type ExecutionContext } from 'ava';
import * as fc from 'fast-check';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { Fault } from '../../builder/fault.ts';
import { mayLead, reachOf } from '../../builder/registry/address.ts';
import { chooseChallenge, parseChallenges } from '../../builder/registry/challenge.ts';
import type { Credential } from '../../builder/registry/credential.ts';
import { credentialFiles, findCredential } from '../../builder/registry/credentials.ts';
import {
  parseContentRange,
  parseNextLink,
  parseUploadRange,
  resolveLocation,
  withQuery,
} from '../../builder/registry/header.ts';
import { apiHost, canonicalHost, credentialKey, schemesFor } from '../../builder/registry/host.ts';
import { forgetLogin, keepLogin, tryLogin } from '../../builder/registry/login.ts';
import { makePace } from '../../builder/registry/pace.ts';
import { redactText, redactUrl } from '../../builder/registry/redact.ts';
import { backOff, defaultPolicy, retryAfter } from '../../builder/registry/retry.ts';
import { mergeScopes } from '../../builder/registry/scope.ts';
import { user } from '../support/token-server.ts';
import { type RegistryOptions, startRegistry } from '../support/registries.ts';
import { rootTest } from '../support/root-test.ts';
import { output, temporary } from '../support/tools.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const login = (text: string) => ({ auth: base64(text) });
const password = (username: string, secret = 'p'): Credential => ({
  kind: 'password',
  username,
  password: secret,
});

/** A home with these files, and helpers: programs that answer from a list of hosts. */
function home(
  t: ExecutionContext,
  files: Readonly<Record<string, unknown>>,
  helpers: Readonly<Record<string, string>> = {},
): NodeJS.ProcessEnv {
  const directory = temporary(t);
  const bin = join(directory, 'bin');
  mkdirSync(bin);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), typeof content === 'string' ? content : JSON.stringify(content));
  }
  for (const [name, script] of Object.entries(helpers)) {
    const program = join(bin, `docker-credential-${name}`);
    writeFileSync(program, `#!/bin/sh\n${script}\n`);
    chmodSync(program, 0o755);
  }
  return { HOME: directory, PATH: `${bin}:/usr/bin:/bin`, D: directory };
}

/** A helper that knows one host. */
const knows = (host: string, username: string, secret = 'p') => `
read -r host || [ -n "$host" ]
[ "$1" = get ] && [ "$host" = '${host}' ] && { echo '{"ServerURL":"x","Username":"${username}","Secret":"${secret}"}'; exit 0; }
echo 'credentials not found in native keychain'; exit 1`;

// ---- where credentials come from

type Row = readonly [
  name: string,
  files: Readonly<Record<string, unknown>>,
  environment: (directory: string) => NodeJS.ProcessEnv,
  expected: Credential | undefined,
  helpers?: Readonly<Record<string, string>>,
  image?: readonly [host: string, name: string],
];

const none = () => ({});
const docker = '.docker/config.json';
const at = (host: string, text: string) => ({ auths: { [host]: login(text) } });

/** A login of another user in each file; a, b and so on as the rows have them. */
const everywhere = {
  [docker]: at('r.example', 'a:p'),
  'd/config.json': at('r.example', 'b:p'),
  'run/containers/auth.json': at('r.example', 'd:p'),
  '.config/containers/auth.json': at('r.example', 'e:p'),
  '.dockercfg': { 'r.example': login('g:p') },
};
const variables = (d: string) => ({ DOCKER_CONFIG: join(d, 'd'), XDG_RUNTIME_DIR: join(d, 'run') });

const rows: readonly Row[] = [
  ['nothing at all', {}, none, undefined],
  ['docker at home', { [docker]: at('r.example', 'a:p') }, none, password('a')],
  [
    'DOCKER_CONFIG instead of home',
    { [docker]: at('r.example', 'a:p'), 'd/config.json': at('r.example', 'b:p') },
    (d) => ({ DOCKER_CONFIG: join(d, 'd') }),
    password('b'),
  ],
  [
    'DOCKER_CONFIG without the file: not the one at home',
    { [docker]: at('r.example', 'a:p') },
    (d) => ({ DOCKER_CONFIG: join(d, 'd') }),
    undefined,
  ],
  [
    'REGISTRY_AUTH_FILE',
    { 'x.json': at('r.example', 'c:p') },
    (d) => ({ REGISTRY_AUTH_FILE: join(d, 'x.json') }),
    password('c'),
  ],
  [
    'REGISTRY_AUTH_FILE before everything',
    { ...everywhere, 'x.json': at('r.example', 'c:p') },
    (d) => ({ ...variables(d), REGISTRY_AUTH_FILE: join(d, 'x.json') }),
    password('c'),
  ],
  [
    'REGISTRY_AUTH_FILE in place of what podman has at run time',
    { ...everywhere, 'x.json': at('other.example', 'c:p') },
    (d) => ({ ...variables(d), REGISTRY_AUTH_FILE: join(d, 'x.json') }),
    password('e'),
  ],
  [
    'DOCKER_CONFIG in its place after REGISTRY_AUTH_FILE',
    { ...everywhere, 'x.json': {}, '.config/containers/auth.json': {} },
    (d) => ({ ...variables(d), REGISTRY_AUTH_FILE: join(d, 'x.json') }),
    password('b'),
  ],
  ['DOCKER_CONFIG before all but REGISTRY_AUTH_FILE', everywhere, variables, password('b')],
  [
    'DOCKER_CONFIG in place of what podman has at run time',
    { ...everywhere, 'd/config.json': at('other.example', 'b:p') },
    variables,
    password('e'),
  ],
  [
    'without these podman at run time before podman for good before docker',
    everywhere,
    (d) => ({ XDG_RUNTIME_DIR: join(d, 'run') }),
    password('d'),
  ],
  [
    'podman for good before docker',
    everywhere,
    (d) => ({ XDG_RUNTIME_DIR: join(d, 'empty') }),
    password('e'),
  ],
  [
    'docker before docker of old',
    { [docker]: at('r.example', 'a:p'), '.dockercfg': { 'r.example': login('g:p') } },
    none,
    password('a'),
  ],
  ['docker of old', { '.dockercfg': { 'r.example': login('g:p') } }, none, password('g')],
  [
    'podman at run time',
    { 'run/containers/auth.json': at('r.example', 'd:p') },
    (d) => ({ XDG_RUNTIME_DIR: join(d, 'run') }),
    password('d'),
  ],
  ['podman for good', { '.config/containers/auth.json': at('r.example', 'e:p') }, none, password('e')],
  [
    'podman for good, elsewhere',
    { 'c/containers/auth.json': at('r.example', 'f:p') },
    (d) => ({ XDG_CONFIG_HOME: join(d, 'c') }),
    password('f'),
  ],
  [
    'podman at run time before podman for good',
    {
      'run/containers/auth.json': at('r.example', 'd:p'),
      '.config/containers/auth.json': at('r.example', 'e:p'),
    },
    (d) => ({ XDG_RUNTIME_DIR: join(d, 'run') }),
    password('d'),
  ],
  [
    'a file that has another host is passed over',
    { [docker]: at('other.example', 'a:p'), '.config/containers/auth.json': at('r.example', 'e:p') },
    none,
    password('e'),
  ],
  ['a password with colons', { [docker]: at('r.example', 'a:b:c:') }, none, password('a', 'b:c:')],
  ['padding of docker', { [docker]: at('r.example', 'a:p\0\0') }, none, password('a')],
  ['other letters', { [docker]: at('r.example', 'ä:ö€') }, none, password('ä', 'ö€')],
  [
    'user and password apart',
    { [docker]: { auths: { 'r.example': { username: 'a', password: 'p' } } } },
    none,
    password('a'),
  ],
  ['an empty entry', { [docker]: { auths: { 'r.example': {} } } }, none, undefined],
  ['an empty file', { [docker]: '' }, none, undefined],
  [
    'a refresh token',
    { [docker]: { auths: { 'r.example': { ...login('a:p'), identitytoken: 'tok' } } } },
    none,
    { kind: 'identity', token: 'tok' },
  ],
  [
    'a refresh token as password',
    { [docker]: at('r.example', '<token>:tok') },
    none,
    { kind: 'identity', token: 'tok' },
  ],
  [
    'a token for the registry',
    { [docker]: { auths: { 'r.example': { registrytoken: 'tok' } } } },
    none,
    { kind: 'registry', token: 'tok' },
  ],
  ['a key as address', { [docker]: at('https://r.example/v1/', 'a:p') }, none, password('a')],
  ['a key in capitals', { [docker]: at('R.Example', 'a:p') }, none, password('a')],
  ['the port belongs to the host', { [docker]: at('r.example:5000', 'a:p') }, none, undefined],
  [
    'the longest path',
    {
      [docker]: {
        auths: {
          'r.example': login('h:p'),
          'r.example/a': login('a:p'),
          'r.example/a/b': login('b:p'),
          'r.example/a/b/c/d': login('d:p'),
        },
      },
    },
    none,
    password('b'),
  ],
  ['a path of others', { [docker]: at('r.example/a/bc', 'x:p') }, none, undefined],
  [
    'Docker Hub as docker writes it',
    { [docker]: at('https://index.docker.io/v1/', 'a:p') },
    none,
    password('a'),
    {},
    ['docker.io', 'library/x'],
  ],
  [
    'Docker Hub as podman writes it',
    { [docker]: at('docker.io', 'a:p') },
    none,
    password('a'),
    {},
    ['index.docker.io', 'library/x'],
  ],
  [
    'the helper of the host before that of the file before what is written',
    { [docker]: { credHelpers: { 'r.example': 'one' }, credsStore: 'two', ...at('r.example', 'a:p') } },
    none,
    password('one'),
    { one: knows('r.example', 'one'), two: knows('r.example', 'two') },
  ],
  [
    'the helper of the file',
    { [docker]: { credsStore: 'two', ...at('r.example', 'a:p') } },
    none,
    password('two'),
    { two: knows('r.example', 'two') },
  ],
  [
    'a helper that knows nothing',
    { [docker]: { credsStore: 'two', ...at('r.example', 'a:p') } },
    none,
    password('a'),
    { two: knows('other.example', 'two') },
  ],
  [
    'a helper of the file that is not there',
    { [docker]: { credsStore: 'gone', ...at('r.example', 'a:p') } },
    none,
    password('a'),
  ],
  [
    'a refresh token of a helper',
    { [docker]: { credHelpers: { 'r.example': 'one' } } },
    none,
    { kind: 'identity', token: 'tok' },
    { one: knows('r.example', '<token>', 'tok') },
  ],
  [
    'Docker Hub, asked of a helper by its old name',
    { [docker]: { credsStore: 'one' } },
    none,
    password('hub'),
    { one: knows('https://index.docker.io/v1/', 'hub') },
    ['docker.io', 'library/x'],
  ],
  [
    'a helper for a host does not answer for others',
    { [docker]: { credHelpers: { 'other.example': 'one' }, ...at('r.example', 'a:p') } },
    none,
    password('a'),
    { one: knows('r.example', 'one') },
  ],
];

for (const [name, files, environment, expected, helpers, [host, image] = ['r.example', 'a/b/c']] of rows) {
  test(`credentials: ${name}`, async (t) => {
    const base = home(t, files, helpers);
    const warnings: string[] = [];
    const all = { ...base, ...environment(base['D'] ?? '') };
    const found = await findCredential(host, image, all, { warn: (text) => warnings.push(text) });
    t.deepEqual(found, expected);
    t.is(warnings.length, name.includes('not there') ? 1 : 0);
  });
}

/** What is docker's alone: helpers of a whole file, tokens, user and password apart, capitals. */
const unlikePodman = (files: Readonly<Record<string, unknown>>, expected: Credential | undefined) =>
  /credsStore|"password"|R\.Example/.test(JSON.stringify(files)) ||
  (expected && expected.kind !== 'password');

/** An ordinary user's podman leaves a process behind that keeps its namespaces, one for each such directory. */
function endPause(runtime: string): void {
  const file = join(runtime, 'libpod/tmp/pause.pid');
  if (existsSync(file)) process.kill(Number(readFileSync(file, 'utf8')), 'SIGKILL');
}

test('credentials: podman and skopeo find the same, wherever it is', (t) => {
  for (const [name, files, environment, expected, helpers, image = ['r.example', 'a/b/c']] of rows) {
    if (unlikePodman(files, expected)) continue;
    const base = home(t, files, helpers);
    const directory = base['D'] ?? '';
    // Both look in a directory of root's else, which the machine has for everybody.
    const all = { XDG_RUNTIME_DIR: join(directory, 'none'), ...base, ...environment(directory) };
    mkdirSync(all.XDG_RUNTIME_DIR ?? '', { recursive: true });
    for (const program of ['podman', 'skopeo']) {
      const place = image[0] === 'r.example' ? image.join('/') : 'docker.io';
      const { stdout, stderr } = spawnSync(program, ['login', '--get-login', place], {
        encoding: 'utf8',
        env: all,
      });
      const said = expected?.kind === 'password' ? `${expected.username}\n` : '';
      t.is(stdout, said, `${program}: ${name}: ${stderr}`);
    }
    endPause(all.XDG_RUNTIME_DIR ?? '');
  }
});

test('credentials: docker finds the same, where there is a login of docker alone', async (t) => {
  const users: string[] = [];
  const server = http.createServer(({ headers: { authorization = '' } }, answer) => {
    const [, word = ''] = authorization.split(' ');
    if (word !== '') users.push(Buffer.from(word, 'base64').toString());
    const version = { 'docker-distribution-api-version': 'registry/2.0' };
    answer.writeHead(401, { ...version, 'www-authenticate': 'Basic realm="x"' }).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const host = `127.0.0.1:${port}`;
  for (const [file, named] of [
    [docker, false],
    ['d/config.json', true],
  ] as const) {
    const base = home(t, { [docker]: at(host, 'a:p'), [file]: at(host, 'b:p') });
    const all = { ...base, ...(named && { DOCKER_CONFIG: join(base['D'] ?? '', 'd') }) };
    users.length = 0;
    const child = spawn('docker', ['manifest', 'inspect', '--insecure', `${host}/a/b:1`], {
      env: all,
      stdio: 'ignore',
    });
    await once(child, 'close');
    t.is(users.at(-1), 'b:p');
    t.deepEqual(await findCredential(host, 'a/b', all), password('b'));
  }
});

test('credentials: a login goes where it will be found', async (t) => {
  const places: readonly (readonly [Row[1], Row[2], expected: string])[] = [
    [{}, none, docker],
    [{ [docker]: at('other.example', 'a:p') }, none, docker],
    [{ '.config/containers/auth.json': at('other.example', 'a:p') }, none, docker],
    [{ '.config/containers/auth.json': at('r.example', 'a:p') }, none, '.config/containers/auth.json'],
    [{ '.config/containers/auth.json': at('r.example/a', 'a:p') }, none, docker],
    [{ '.dockercfg': { 'r.example': login('a:p') } }, none, docker],
    [everywhere, variables, 'd/config.json'],
    [everywhere, (d) => ({ ...variables(d), REGISTRY_AUTH_FILE: join(d, 'x.json') }), 'x.json'],
  ];
  for (const [files, environment, expected] of places) {
    const base = home(t, files);
    const directory = base['D'] ?? '';
    const all = { XDG_RUNTIME_DIR: join(directory, 'none'), ...base, ...environment(directory) };
    const { path } = await keepLogin('r.example', password('new'), { environment: all });
    t.is(path, join(directory, expected));
    t.deepEqual(await findCredential('r.example', undefined, all), password('new'));
    t.is((await forgetLogin('r.example', { environment: all }))?.path, path);
  }
});

test('credentials: without a directory of the session, where root logs in with podman', (t) => {
  const files = (environment: NodeJS.ProcessEnv) => credentialFiles({ HOME: '/h', ...environment }, 7);
  t.deepEqual(files({}), [
    '/run/containers/7/auth.json',
    '/h/.config/containers/auth.json',
    '/h/.docker/config.json',
    '/h/.dockercfg',
  ]);
  t.false(files({ XDG_RUNTIME_DIR: '/r' }).includes('/run/containers/7/auth.json'));
});

rootTest("credentials: root's podman has closed its directory to others, who have none there then", (t) => {
  const module = new URL('../../builder/registry/credentials.ts', import.meta.url).href;
  const find = `console.log(await (await import(${JSON.stringify(module)})).findCredential('h', undefined, {HOME: '/'}))`;
  // Another's directory, and no capability to look into it: another user could not read a clone that is root's alone.
  const alone =
    'mount -t tmpfs none /run; mkdir -m 700 /run/containers; chown 65534 /run/containers; exec setpriv "$@"';
  const caller = ['--bounding-set', '-dac_override,-dac_read_search'];
  const node = [process.execPath, '--input-type=module', '-e', find];
  t.is(output('unshare', ['--mount', 'sh', '-ec', alone, 'sh', ...caller, ...node]), 'undefined\n');
});

test('credentials: a helper that is not installed keeps nobody waiting', (t) => {
  const module = new URL('../../builder/registry/credential-helper.ts', import.meta.url).href;
  const script = `(await import(${JSON.stringify(module)})).askHelper('gone', 'h', {}).catch((e) => console.log(e.message))`;
  // Long enough for any machine, and less than a helper may take.
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  t.is(stdout, 'docker-credential-gone is not installed\n');
  t.is(status, 0);
});

test('credentials: one file, and no other', async (t) => {
  const base = home(t, { [docker]: at('r.example', 'a:p'), 'x.json': at('r.example', 'b:p') });
  const file = join(base['D'] ?? '', 'x.json');
  t.deepEqual(await findCredential('r.example', undefined, base, { file }), password('b'));
});

test('credentials: what is wrong is said without what is secret', async (t) => {
  const secret = 'hunter2secret';
  for (const [content, helpers] of [
    [`{"auths": {"r.example": {"auth": "${secret}`],
    [`[${JSON.stringify(secret)}]`],
    [{ auths: { 'r.example': { auth: `!!${secret}` } } }],
    [{ auths: { 'r.example': { auth: base64(secret) } } }],
    [{ auths: { 'r.example': { identitytoken: [secret] } } }],
    [{ credHelpers: { 'r.example': '../evil' } }],
    [{ credHelpers: { 'r.example': 'gone' } }],
    [{ credHelpers: { 'r.example': 'bad' } }, { bad: `echo '{"Username": "u", "Secret": ["${secret}"]}'` }],
    [{ credHelpers: { 'r.example': 'bad' } }, { bad: `echo 'password=${secret}' >&2; exit 3` }],
  ] as const) {
    const base = home(t, { [docker]: content }, helpers);
    const thrown = (await t.throwsAsync(findCredential('r.example', 'x', base), {
      instanceOf: Fault,
    })) as Fault;
    t.false(`${thrown.message}${thrown.hint}`.includes(secret), thrown.message);
    t.notRegex(thrown.message, /\n/);
  }
});

// ---- keeping them

test('login is kept as docker keeps it, and all else in the file stays', async (t) => {
  const before = { auths: { 'other.example': login('o:p') }, HttpHeaders: { a: 'b' }, detachKeys: 'ctrl-a' };
  const base = home(t, { 'real.json': before });
  const path = join(base['D'] ?? '', docker);
  mkdirSync(dirname(path));
  symlinkSync('../real.json', path);
  await keepLogin('r.example', password('user', 'pass:word'), { environment: base });
  t.deepEqual(JSON.parse(readFileSync(path, 'utf8')), {
    ...before,
    auths: { ...before.auths, 'r.example': login('user:pass:word') },
  });
  const real = join(base['D'] ?? '', 'real.json');
  t.is(statSync(real).mode & 0o777, 0o600);
  t.deepEqual(await findCredential('r.example', undefined, base), password('user', 'pass:word'));
  await keepLogin('docker.io', { kind: 'identity', token: 'tok' }, { environment: base });
  t.true('https://index.docker.io/v1/' in JSON.parse(readFileSync(path, 'utf8')).auths);
  t.truthy(await forgetLogin('docker.io', { environment: base }));
  t.truthy(await forgetLogin('r.example', { environment: base }));
  t.falsy(await forgetLogin('r.example', { environment: base }));
  t.deepEqual(JSON.parse(readFileSync(path, 'utf8')), before);
});

test('login goes to the helper, if there is one, and nothing secret into the file', async (t) => {
  const script = 'cat > "$HOME/$1.txt"';
  const base = home(t, { [docker]: { credsStore: 'one' } }, { one: script });
  await keepLogin('r.example', password('user', 'secret'), { environment: base });
  const directory = base['D'] ?? '';
  t.deepEqual(JSON.parse(readFileSync(join(directory, 'store.txt'), 'utf8')), {
    ServerURL: 'r.example',
    Username: 'user',
    Secret: 'secret',
  });
  t.deepEqual(JSON.parse(readFileSync(join(directory, docker), 'utf8')).auths, { 'r.example': {} });
  t.truthy(await forgetLogin('r.example', { environment: base }));
  t.is(readFileSync(join(directory, 'erase.txt'), 'utf8'), 'r.example');
});

test('login is tried before it is kept', async (t) => {
  for (const options of [{ auth: 'basic' }, { auth: 'token' }] satisfies RegistryOptions[]) {
    const running = await startRegistry('docker-registry', options);
    try {
      const settings = { environment: {} };
      await t.notThrowsAsync(tryLogin(running.host, password(user.name, user.password), settings));
      const thrown = await t.throwsAsync(tryLogin(running.host, password(user.name, 'wrong'), settings), {
        instanceOf: Fault,
      });
      t.regex(thrown?.message ?? '', /401/);
    } finally {
      await running.stop();
    }
  }
});

// ---- parsers

test('challenges: several, in one header or many, quoted and not', (t) => {
  const parse = (...headers: string[]) =>
    parseChallenges(headers).map(({ scheme, parameters }) => [scheme, parameters]);
  t.deepEqual(parse('Bearer realm="https://a.example/t?x=1",service="a b",scope="repository:x:pull,push"'), [
    ['bearer', { realm: 'https://a.example/t?x=1', service: 'a b', scope: 'repository:x:pull,push' }],
  ]);
  t.deepEqual(parse('Negotiate, Basic realm="a", Bearer realm="b" , error=invalid_token'), [
    ['negotiate', {}],
    ['basic', { realm: 'a' }],
    ['bearer', { realm: 'b', error: 'invalid_token' }],
  ]);
  t.deepEqual(parse('Negotiate YWJj==, BASIC REALM=x'), [
    ['negotiate', {}],
    ['basic', { realm: 'x' }],
  ]);
  t.deepEqual(parse('Basic realm="a \\"quoted\\", thing"', 'Digest nonce="1"'), [
    ['basic', { realm: 'a "quoted", thing' }],
    ['digest', { nonce: '1' }],
  ]);
  t.deepEqual(parse(''), []);
  t.deepEqual(parse(',,, Basic'), [['basic', {}]]);
  t.is(
    chooseChallenge(parseChallenges(['Negotiate', 'Bearer service="x"', 'Basic realm="y"']))?.scheme,
    'basic',
  );
  t.is(chooseChallenge(parseChallenges(['Bearer realm="r", Basic realm="y"']))?.scheme, 'bearer');
});

test('challenges: whatever is written comes back, and no text makes the parser fail or hang', (t) => {
  const name = fc.stringMatching(/^[a-z][a-z_]{0,8}$/);
  const value = fc.string({ unit: 'grapheme-ascii', maxLength: 20 });
  const challenge = fc.record({
    scheme: name,
    parameters: fc.dictionary(name, value, { minKeys: 1, maxKeys: 4, noNullPrototype: true }),
  });
  fc.assert(
    fc.property(fc.array(challenge, { minLength: 1, maxLength: 4 }), (challenges) => {
      const text = challenges
        .map(
          ({ scheme, parameters }) =>
            `${scheme} ${Object.entries(parameters)
              .map(([key, word]) => `${key}="${word.replaceAll(/[\\"]/g, '\\$&')}"`)
              .join(', ')}`,
        )
        .join(', ');
      t.deepEqual(parseChallenges([text]), challenges);
    }),
  );
  fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => Array.isArray(parseChallenges([text]))));
  t.true(Array.isArray(parseChallenges([`Bearer ${'a="\\'.repeat(100_000)}`])));
});

test('scopes: what the registry asked for first, each once', (t) => {
  t.deepEqual(mergeScopes(undefined, ['repository:a:pull,push', 'repository:b:pull']), [
    'repository:a:pull,push',
    'repository:b:pull',
  ]);
  t.deepEqual(mergeScopes('repository:a:delete repository:c:pull', ['repository:a:pull']), [
    'repository:a:delete,pull',
    'repository:c:pull',
  ]);
  t.deepEqual(mergeScopes('nonsense', ['repository:host:5000/a:pull']), ['repository:host:5000/a:pull']);
});

test('headers of uploads, downloads and lists', (t) => {
  t.is(parseUploadRange('0-0'), 0);
  t.is(parseUploadRange('0-9'), 10);
  t.is(parseUploadRange('bytes=0-9'), 10);
  for (const text of [undefined, '', '5-9', '0-', '0-x', '0-99999999999999999999'])
    t.is(parseUploadRange(text), undefined);
  t.deepEqual(parseContentRange('bytes 5-9/10'), { from: 5, last: 9, size: 10 });
  t.deepEqual(parseContentRange('bytes 5-9/*'), { from: 5, last: 9, size: undefined });
  for (const text of [undefined, 'bytes */10', '5-9/10', 'bytes 5-/10'])
    t.is(parseContentRange(text), undefined);
  t.is(parseNextLink('</v2/a/tags/list?n=1&last=b>; rel="next"'), '/v2/a/tags/list?n=1&last=b');
  t.is(parseNextLink('<x>; rel="prev", <y>; rel=next'), 'y');
  for (const text of [undefined, '', '<x>', '<x>; rel="nextish"', 'x; rel="next"'])
    t.is(parseNextLink(text), undefined);
});

test('a location keeps its query byte for byte, whatever it is relative to', (t) => {
  const answered = new URL('https://r.example/v2/a/blobs/uploads/?x=1');
  for (const [location, expected] of [
    ['/v2/x?_state=a%2Fb+c%3d&&y', 'https://r.example/v2/x?_state=a%2Fb+c%3d&&y'],
    ['https://s.example:8443/u?sig=%7e~', 'https://s.example:8443/u?sig=%7e~'],
    ['//s.example/u', 'https://s.example/u'],
    ['?only=query', 'https://r.example/v2/a/blobs/uploads/?only=query'],
    ['next', 'https://r.example/v2/a/blobs/uploads/next'],
    ['/u#fragment', 'https://r.example/u'],
  ] as const) {
    t.is(resolveLocation(location, answered)?.href, expected);
  }
  t.is(resolveLocation('', answered), undefined);
  t.is(resolveLocation('http://[', answered), undefined);
  t.is(
    withQuery(new URL('https://r/u?_state=a%2Fb'), 'digest', 'sha256:0').href,
    'https://r/u?_state=a%2Fb&digest=sha256%3A0',
  );
  t.is(withQuery(new URL('https://r/u'), 'digest', 'sha256:0').href, 'https://r/u?digest=sha256%3A0');
});

test('hosts: names of Docker Hub, schemes, and where a registry may lead', (t) => {
  for (const name of ['docker.io', 'index.docker.io', 'registry-1.docker.io']) {
    t.deepEqual(
      [canonicalHost(name), apiHost(name), credentialKey(name)],
      ['docker.io', 'registry-1.docker.io', 'https://index.docker.io/v1/'],
    );
  }
  t.is(apiHost('R.example:5000'), 'r.example:5000');
  t.deepEqual(schemesFor('r.example', false), ['https']);
  t.deepEqual(schemesFor('r.example', true), ['https', 'http']);
  for (const local of [
    'localhost',
    'localhost:5000',
    'x.localhost',
    '127.0.0.1:1',
    '127.9.9.9',
    '[::1]:5000',
  ]) {
    t.deepEqual(schemesFor(local, false), ['http', 'https'], local);
  }
  for (const remote of ['localhost.example', '10.0.0.1', '192.168.1.1', 'host.local', '128.0.0.1']) {
    t.deepEqual(schemesFor(remote, false), ['https'], remote);
  }
  for (const [name, reach] of [
    ['[::ffff:127.0.0.1]', 'loopback'],
    ['[::ffff:169.254.169.254]', 'forbidden'],
    ['169.254.169.254', 'forbidden'],
    ['0.0.0.0', 'forbidden'],
    ['[::]', 'forbidden'],
    ['[fe80::1]', 'forbidden'],
    ['[fd00::1]', 'private'],
    ['172.31.0.1', 'private'],
    ['172.32.0.1', 'public'],
    ['localhost.', 'loopback'],
    ['r.example', 'public'],
  ] as const) {
    t.is(reachOf(name), reach, name);
  }
  const may = (from: string, to: string) => mayLead(new URL(from), new URL(to));
  t.true(may('https://r.example', 'https://cdn.example/x'));
  t.false(may('https://r.example', 'http://cdn.example/x'));
  t.false(may('https://r.example', 'https://10.0.0.1/'));
  t.true(may('https://10.0.0.1', 'https://10.0.0.2/'));
  t.false(may('https://10.0.0.1', 'https://127.0.0.1/'));
  t.true(may('http://127.0.0.1:5000', 'http://localhost:5001/token'));
  t.false(may('http://127.0.0.1:5000', 'http://169.254.169.254/'));
  t.true(may('http://127.0.0.1:5000', 'https://auth.example/token'));
});

test('waits: as asked, else a random time that grows to a limit', (t) => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  t.is(retryAfter({ 'retry-after': '7' }, now), 7000);
  t.is(retryAfter({ 'retry-after': 'Thu, 01 Jan 2026 00:00:30 GMT' }, now), 30_000);
  t.is(retryAfter({ 'retry-after': 'Wed, 31 Dec 2025 00:00:00 GMT' }, now), 0);
  t.is(retryAfter({ 'x-retry-after': String(now / 1000 + 5) }, now), 5000);
  t.is(retryAfter({ 'retry-after': 'soon' }, now), undefined);
  t.is(retryAfter({}, now), undefined);
  t.deepEqual(
    [0, 1, 2, 10].map((failures) => backOff(defaultPolicy, failures, 0.5)),
    [500, 1000, 2000, 15_000],
  );
});

test('what looks like a secret is never shown', (t) => {
  const secret = 'c2VjcmV0LXNlY3JldA==';
  for (const text of [
    `Authorization: Bearer ${secret}`,
    `you sent Basic ${secret}`,
    `https://user:${secret}@r.example/x`,
    `see https://s.example/x?X-Amz-Signature=${secret}&a=b for more`,
    `{"token":"${secret}"}`,
    `cannot GET /blobs/1?sig=${secret}`,
    `password=${secret}`,
    `_state=${secret}&x`,
    `eyJhbGciOiJSUzI1NiJ9.${secret}.x`,
  ]) {
    t.false(redactText(text).includes('c2VjcmV0'), redactText(text));
  }
  t.is(redactUrl(new URL('https://u:p@r.example:1/a?b=c#d')), 'https://r.example:1/a?…');
  t.is(redactText('a "plain" word\n\u001b[0m'), 'a "plain" word\\n\\u001b[0m');
});

test('pace: light first, never more than the window, which grows and halves; reads never wait for writes', async (t) => {
  const pace = makePace({ start: 2, most: 3 });
  const order: number[] = [];
  let active = 0;
  let most = 0;
  const task = (weight: number) => async () => {
    most = Math.max(most, ++active);
    order.push(weight);
    await new Promise((resolve) => setImmediate(resolve));
    active -= 1;
  };
  await Promise.all([50, 40, 30, 10, 20].map((weight) => pace.run('write', weight, task(weight))));
  t.is(most, 2);
  t.deepEqual(order, [50, 40, 10, 20, 30]);

  for (let at = 0; at < 20; at++) pace.well();
  most = 0;
  await Promise.all(Array.from({ length: 9 }, () => pace.run('read', 0, task(0))));
  t.is(most, 3);
  for (let at = 0; at < 5; at++) pace.slow(0);
  most = 0;
  await Promise.all(Array.from({ length: 9 }, () => pace.run('read', 0, task(0))));
  t.is(most, 1);
  await pace.run('write', 0, () => pace.run('read', 0, async () => t.pass()));
  await t.throwsAsync(
    pace.run('read', 0, () => Promise.reject(new Error('x'))),
    { message: 'x' },
  );
  await pace.run('read', 0, async () => t.pass());
});
