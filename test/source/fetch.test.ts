import test from 'ava';
import * as fc from 'fast-check';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { fromData } from 'ssri';
import { Fault } from '../../builder/fault.ts';
import { ensurePrivate } from '../../src/run/private.ts';
import type { AptOptions } from '../../src/source/aptlists.ts';
import { deb822Sources, oneLineSources } from '../../src/source/aptsources.ts';
import { checkUrl, type Distfile, formatDistfiles, parseDistfiles } from '../../src/source/distfile.ts';
import { fetchAll, fetchDistfiles, type FetchOptions, type Outcome } from '../../src/source/fetch.ts';
import { addDistfiles } from '../../src/source/list.ts';
import { serve } from '../support/archive-server.ts';
import { makeDebianArchive, type MadeSource } from '../support/debian-archive.ts';
import { root, temporary } from '../support/tools.ts';

/** Bytes that repeat nowhere, so that a part put in the wrong place is seen. */
function bytesOf(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let at = 0; at < length; at += 1) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    bytes[at] = state >> 16;
  }
  return bytes;
}

const body = bytesOf(100_000);
const other = bytesOf(100_000, 2);
const integrity = (bytes: Buffer): string => fromData(bytes, { algorithms: ['sha512'] }).toString();

const distfile = (urls: readonly string[], name = 'demo_1.0.orig.tar.gz', bytes = body): Distfile => ({
  name,
  size: bytes.length,
  integrity: integrity(bytes),
  urls,
});

const patience = { idle: 20_000, attempts: 3, backoff: 1 };

async function one(file: Distfile, options: FetchOptions): Promise<Outcome> {
  const [outcome] = await fetchAll([file], { patience, ...options });
  if (!outcome) throw new Error('no outcome');
  return outcome;
}

/** The reasons of a failure, or what it came from. */
const tell = (outcome: Outcome): string =>
  'fault' in outcome
    ? outcome.tried.map(({ kind, reason }) => `${kind}: ${reason}`).join('\n')
    : `from ${outcome.from}`;

test('the tracked list reads, and prints to the same bytes', (t) => {
  const path = join(root, 'distfiles/distfiles.json');
  const text = readFileSync(path, 'utf8');
  const list = parseDistfiles(text, path);
  t.true(list.size > 40);
  t.is(formatDistfiles(list.values()), text);
  for (const { name, urls, source } of list.values()) {
    t.truthy(source, `${name} has no source package`);
    t.true(urls.length > 0, `${name} has no public address`);
    for (const url of urls) t.regex(url, /^https:\/\//);
  }
});

test('any list prints and reads to the same', (t) => {
  const name = fc
    .stringMatching(/^[A-Za-z0-9][A-Za-z0-9+._~-]{0,20}$/)
    .filter((text) => !text.endsWith('.part'));
  const entry = fc.record(
    {
      name,
      size: fc.nat(),
      integrity: fc.uint8Array({ minLength: 1, maxLength: 9 }).map((bytes) => integrity(Buffer.from(bytes))),
      urls: fc.array(
        fc.stringMatching(/^[a-z0-9+~.-]{1,60}$/).map((path) => new URL(path, 'https://example.org/a/').href),
      ),
      source: fc.record({
        package: fc.stringMatching(/^[a-z0-9][a-z0-9+.-]{0,9}$/),
        version: fc.stringMatching(/^([0-9]:)?[0-9][0-9A-Za-z.+~]{0,8}(-[0-9A-Za-z.+~]{1,5})?$/),
      }),
    },
    { requiredKeys: ['name', 'size', 'integrity', 'urls'] },
  );
  fc.assert(
    fc.property(fc.uniqueArray(entry, { selector: (each) => each.name }), (entries) => {
      const text = formatDistfiles(entries as Distfile[]);
      const read = [...parseDistfiles(text, 'list').values()];
      t.deepEqual(
        read,
        (entries as Distfile[]).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      );
      t.is(formatDistfiles(read), text);
    }),
  );
});

test('a list with an error is refused, naming file, entry and field', (t) => {
  const good = distfile(['https://example.org/x']);
  const cases: [unknown, RegExp][] = [
    [{}, /no list "distfiles"/],
    [{ distfiles: [{ ...good, name: '../x' }] }, /distfile 1: "..\/x" is no file name/],
    [{ distfiles: [{ ...good, name: '.x' }] }, /is no file name/],
    [{ distfiles: [{ ...good, name: 'x.part' }] }, /is no file name/],
    [{ distfiles: [{ ...good, size: -1 }] }, /\(demo_1.0.orig.tar.gz\): "size"/],
    [{ distfiles: [{ ...good, size: 1.5 }] }, /"size"/],
    [{ distfiles: [{ ...good, integrity: 'sha256-AAAA' }] }, /"integrity"/],
    [{ distfiles: [{ ...good, integrity: `${good.integrity} sha512-AAAA` }] }, /"integrity"/],
    [{ distfiles: [{ ...good, urls: 'https://example.org/x' }] }, /"urls" is no list/],
    [{ distfiles: [{ ...good, urls: ['http://example.org/x'] }] }, /is not https/],
    [{ distfiles: [{ ...good, urls: ['file:///etc/passwd'] }] }, /is not https/],
    [{ distfiles: [{ ...good, source: { package: 'a b', version: '1' } }] }, /no package name/],
    [{ distfiles: [{ ...good, source: { package: 'demo' } }] }, /"source"/],
    [{ distfiles: [good, good] }, /listed twice/],
  ];
  for (const [value, message] of cases) {
    const error = t.throws(() => parseDistfiles(JSON.stringify(value), 'a-list.json'), { instanceOf: Fault });
    t.is(error?.code, 'INPUT');
    t.regex(error?.message ?? '', message);
    t.regex(error?.message ?? '', /^a-list.json/);
  }
  t.regex(t.throws(() => parseDistfiles('{', 'a-list.json'))?.message ?? '', /^a-list.json: /);
});

test('an address must be https or this machine, and hold no secret', (t) => {
  for (const url of [
    'https://example.org/x',
    'http://127.0.0.1:80/x',
    'http://[::1]/x',
    'http://localhost:1/x',
  ]) {
    t.is(checkUrl(url, 'here').href, new URL(url).href);
  }
  for (const url of [
    'http://127.0.0.1.example.org/',
    'http://localhost.example.org/',
    'ftp://localhost/x',
    'x',
    7,
  ]) {
    t.throws(() => checkUrl(url, 'here'), { instanceOf: Fault, message: /^here: / });
  }
  const error = t.throws(() => checkUrl('https://user:hunter2@example.org/x', 'here'));
  t.regex(error?.message ?? '', /name or password/);
  t.notRegex(error?.message ?? '', /hunter2/);
});

test('adding to a list keeps what is there, and never changes the bytes behind a name', async (t) => {
  const path = join(temporary(t), 'list.json');
  await addDistfiles(path, [distfile(['https://example.org/a'], 'b.tar')]);
  await addDistfiles(path, [distfile([], 'a.tar'), distfile(['https://example.org/b'], 'b.tar')]);
  const list = parseDistfiles(readFileSync(path, 'utf8'), path);
  t.deepEqual([...list.keys()], ['a.tar', 'b.tar']);
  t.deepEqual(list.get('b.tar')?.urls, ['https://example.org/b', 'https://example.org/a']);
  const before = readFileSync(path);
  await t.throwsAsync(addDistfiles(path, [distfile([], 'b.tar', other)]), {
    message: /listed with other bytes/,
  });
  t.deepEqual(readFileSync(path), before);
  t.deepEqual(readdirSync(join(path, '..')), ['list.json']);
});

test('what is there and whole stays; what is not whole is replaced', async (t) => {
  const directory = temporary(t);
  const server = await serve(t, { '/x': { body } });
  const file = distfile([`${server.url}/x`]);
  const path = join(directory, file.name);
  writeFileSync(path, body);
  t.is(tell(await one(file, { directory })), 'from present');
  t.deepEqual(server.requests, []);
  for (const wrong of [other, body.subarray(1), Buffer.alloc(0)]) {
    writeFileSync(path, wrong);
    t.is(tell(await one(file, { directory })), `from ${server.url}/x`);
    t.deepEqual(readFileSync(path), body);
  }
  writeFileSync(path, other);
  const outcome = await one(distfile([`${server.url}/none`]), { directory, option: '-x' });
  t.true('fault' in outcome);
  if (!('fault' in outcome)) return;
  t.is(outcome.fault.code, 'INTEGRITY');
  t.true(outcome.fault.message.includes(`${JSON.stringify(path)}: other bytes than the list says`));
  t.deepEqual(readFileSync(path), other, 'it may be all that its owner has');
  t.deepEqual(readdirSync(directory), [file.name]);
});

test('what is no file in the place of a distfile is an error', async (t) => {
  const directory = temporary(t);
  const file = distfile([]);
  mkdirSync(join(directory, file.name));
  await t.throwsAsync(one(file, { directory }), { instanceOf: Fault, message: /in the way/ });
});

test('local directories come first, then the mirror, then the URLs', async (t) => {
  const base = temporary(t);
  const server = await serve(t, { '/mirror/demo_1.0.orig.tar.gz': { body }, '/x': { body } });
  const file = distfile([`${server.url}/x`]);
  const local = join(base, 'local');
  mkdirSync(local);
  writeFileSync(join(local, file.name), body);
  const mirror = `${server.url}/mirror`;
  const from = [join(base, 'none'), local];
  t.is(tell(await one(file, { directory: join(base, '1'), from, mirror })), `from directory "${local}"`);
  t.deepEqual(server.requests, []);
  t.is(tell(await one(file, { directory: join(base, '2'), mirror })), `from mirror ${mirror}/`);
  t.deepEqual(server.requests, ['GET /mirror/demo_1.0.orig.tar.gz']);
  t.is(tell(await one(file, { directory: join(base, '3'), mirror: local })), `from mirror "${local}"`);
  t.is(tell(await one(file, { directory: join(base, '4') })), `from ${server.url}/x`);
  for (const number of [1, 2, 3, 4]) {
    t.deepEqual(readdirSync(join(base, String(number))), [file.name]);
    t.deepEqual(readFileSync(join(base, String(number), file.name)), body);
  }
});

test('a mirror gets the name escaped, and one that cannot be used is a usage error', async (t) => {
  const name = 'demo_1.0+git~1.tar.gz';
  const server = await serve(t, { [`/${name}`]: { body } });
  const directory = temporary(t);
  t.is(tell(await one(distfile([], name), { directory, mirror: server.url })), `from mirror ${server.url}/`);
  t.deepEqual(server.requests, ['GET /demo_1.0%2Bgit~1.tar.gz']);
  for (const mirror of ['http://mirror.example.org/x', 'ftp://example.org', 'https://a:b@example.org/']) {
    const error = await t.throwsAsync(one(distfile([]), { directory, mirror }), { instanceOf: Fault });
    t.is(error?.code, 'USAGE');
    t.regex(error?.message ?? '', /STATIC_DISTRO_MIRROR/);
  }
});

test('wrong bytes are refused from every kind of place and never kept', async (t) => {
  const base = temporary(t);
  const directory = join(base, 'here');
  const local = join(base, 'local');
  mkdirSync(local);
  writeFileSync(join(local, 'demo_1.0.orig.tar.gz'), other);
  const server = await serve(t, {
    '/demo_1.0.orig.tar.gz': { body: other },
    '/short': { body: body.subarray(0, 99_999) },
    '/long': { body: Buffer.concat([body, Buffer.from('x')]) },
    '/short-chunked': { body: body.subarray(0, 99_999), chunked: true },
    '/long-chunked': { body: Buffer.concat([body, Buffer.from('x')]), chunked: true },
    '/packed': { body: other, headers: { 'Content-Encoding': 'gzip' } },
  });
  const file = distfile(
    ['demo_1.0.orig.tar.gz', 'short', 'long', 'long-chunked', 'short-chunked', 'packed'].map(
      (path) => `${server.url}/${path}`,
    ),
  );
  const outcome = await one(file, { directory, from: [local], mirror: server.url });
  t.true('fault' in outcome);
  if (!('fault' in outcome)) return;
  t.is(outcome.fault.code, 'INTEGRITY');
  t.deepEqual(
    outcome.tried.map(({ kind, reason }) => [
      kind,
      /^(other bytes|has \d+ bytes|ended after|more than)/.exec(reason)?.[0],
    ]),
    [
      ['directory', 'other bytes'],
      ['mirror', 'other bytes'],
      ['url', 'other bytes'],
      ['url', 'has 99999 bytes'],
      ['url', 'has 100001 bytes'],
      ['url', 'more than'],
      ['url', 'has 99999 bytes'],
      ['url', 'other bytes'],
    ],
  );
  t.true(outcome.fault.message.includes(integrity(other)));
  t.false(outcome.fault.message.includes('\n'));
  t.regex(outcome.fault.hint ?? '', /curl -fL -o \S+demo_1.0.orig.tar.gz http:/);
  t.deepEqual(readdirSync(directory), []);
});

test('bytes are taken as they are on the wire, whatever a server says of their encoding', async (t) => {
  const server = await serve(t, { '/x': { body, headers: { 'Content-Encoding': 'gzip' } } });
  const directory = temporary(t);
  t.is(tell(await one(distfile([`${server.url}/x`]), { directory })), `from ${server.url}/x`);
});

test('a broken connection goes on where it broke', async (t) => {
  const server = await serve(t, { '/x': { body, cut: 30_000 } });
  const directory = temporary(t);
  t.is(tell(await one(distfile([`${server.url}/x`]), { directory })), `from ${server.url}/x`);
  t.deepEqual(readFileSync(join(directory, 'demo_1.0.orig.tar.gz')), body);
  t.deepEqual(server.requests, [
    'GET /x',
    'GET /x bytes=30000-',
    'GET /x bytes=60000-',
    'GET /x bytes=90000-',
  ]);
});

test('a server without ranges is asked again, and not for ever; nothing is thrown away', async (t) => {
  const server = await serve(t, {
    '/x': { body, cut: 30_000, ranges: false },
    '/y': { body, ranges: false },
  });
  const directory = temporary(t);
  const failed = await one(distfile([`${server.url}/x`]), { directory });
  t.regex(tell(failed), /^url: the connection broke/);
  t.is(server.requests.length, 4);
  t.deepEqual(readdirSync(directory), ['.demo_1.0.orig.tar.gz.part']);
  server.requests.length = 0;
  t.is(tell(await one(distfile([`${server.url}/y`]), { directory })), `from ${server.url}/y`);
  t.deepEqual(server.requests, ['GET /y bytes=30000-']);
  t.deepEqual(readFileSync(join(directory, 'demo_1.0.orig.tar.gz')), body);
});

test('a part of another run is gone on with; a wrong or too long one does no harm', async (t) => {
  const server = await serve(t, { '/x': { body } });
  const file = distfile([`${server.url}/x`]);
  const cases: [Buffer, string[]][] = [
    [body.subarray(0, 70_000), ['GET /x bytes=70000-']],
    [other.subarray(0, 70_000), ['GET /x bytes=70000-', 'GET /x']],
    [other, ['GET /x']],
    [Buffer.concat([body, body]), ['GET /x']],
    [body, []],
  ];
  for (const [part, requests] of cases) {
    const directory = temporary(t);
    writeFileSync(join(directory, `.${file.name}.part`), part);
    server.requests.length = 0;
    t.is(tell(await one(file, { directory })), `from ${server.url}/x`);
    t.deepEqual(server.requests, requests);
    t.deepEqual(readdirSync(directory), [file.name]);
    t.deepEqual(readFileSync(join(directory, file.name)), body);
  }
});

test('parts of dead owners are taken over, those of living ones and links are not', async (t) => {
  const server = await serve(t, { '/x': { body } });
  const file = distfile([`${server.url}/x`]);
  const directory = temporary(t);
  const space = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  const stat = readFileSync('/proc/self/stat', 'latin1');
  const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  const living = `.${file.name}.${space}-${process.pid}-${start}-99.part`;
  const reused = `.${file.name}.${space}-${process.pid}-1-99.part`;
  const unseen = `.${file.name}.1-1-1-1.part`;
  for (const name of [living, reused, unseen]) writeFileSync(join(directory, name), body.subarray(0, 40_000));
  writeFileSync(join(directory, 'outside'), body.subarray(0, 50_000));
  symlinkSync('outside', join(directory, `.${file.name}.part`));
  t.is(tell(await one(file, { directory })), `from ${server.url}/x`);
  t.deepEqual(server.requests, ['GET /x bytes=40000-']);
  t.deepEqual(
    readdirSync(directory).sort(),
    [`.${file.name}.part`, living, unseen, file.name, 'outside'].sort(),
  );
  t.deepEqual(readFileSync(join(directory, 'outside')), body.subarray(0, 50_000));
  // A process of another PID namespace cannot be seen; after an hour of silence it counts as dead.
  await utimes(join(directory, unseen), 1, 1);
  writeFileSync(join(directory, file.name), '');
  server.requests.length = 0;
  t.is(tell(await one(file, { directory })), `from ${server.url}/x`);
  t.deepEqual(server.requests, ['GET /x bytes=40000-']);
  t.false(existsSync(join(directory, unseen)));
});

test('a server that is busy is asked again, one that refuses is not', async (t) => {
  const server = await serve(t, {
    '/busy': { body, unavailable: 2 },
    '/down': { body, unavailable: 9 },
    '/gone': { body, status: 410 },
  });
  const directory = temporary(t);
  const failed = await one(distfile([`${server.url}/down`, `${server.url}/gone`, `${server.url}/none`]), {
    directory,
  });
  t.is(tell(failed), 'url: HTTP 503 (3 attempts)\nurl: HTTP 410\nurl: HTTP 404');
  t.is('fault' in failed && failed.fault.code, 'NETWORK');
  t.deepEqual(server.requests, ['GET /down', 'GET /down', 'GET /down', 'GET /gone', 'GET /none']);
  t.is(tell(await one(distfile([`${server.url}/busy`]), { directory })), `from ${server.url}/busy`);
});

test('a silent server is given up, and the bytes that came are not fetched again', async (t) => {
  const server = await serve(t, { '/x': { body, stalls: 1 } });
  const directory = temporary(t);
  const outcome = await one(distfile([`${server.url}/x`]), {
    directory,
    patience: { ...patience, idle: 500 },
  });
  t.is(tell(outcome), `from ${server.url}/x`);
  t.is(server.requests[0], 'GET /x');
  t.is(server.requests[1], 'GET /x bytes=50000-');
});

test('redirects are followed, but not to where we would not go by ourselves, nor for ever', async (t) => {
  const second = await serve(t, { '/y': { body } });
  const server = await serve(t, {
    '/relative': { body, redirect: 'x' },
    '/x': { body, redirect: `${second.url}/y` },
    '/plain': { body, redirect: 'http://example.org/x' },
    '/file': { body, redirect: 'file:///etc/passwd' },
    '/secret': { body, redirect: 'https://user:hunter2@example.org/x' },
    '/round': { body, redirect: '/round' },
  });
  const directory = temporary(t);
  const paths = ['plain', 'file', 'secret', 'round', 'relative'];
  const outcome = await one(distfile(paths.map((path) => `${server.url}/${path}`)), { directory });
  t.is(tell(outcome), `from ${server.url}/relative`);
  const failed = await one(
    distfile(
      paths.slice(0, 4).map((path) => `${server.url}/${path}`),
      'b.tar',
    ),
    { directory },
  );
  const reasons = tell(failed).split('\n');
  t.regex(reasons[0] ?? '', /redirected by 127.0.0.1: .*is not https/);
  t.regex(reasons[1] ?? '', /is not https/);
  t.regex(reasons[2] ?? '', /name or password/);
  t.regex(reasons[3] ?? '', /more than 8 redirects/);
  t.notRegex(tell(failed), /hunter2/);
});

test('nobody there is a reason, not a crash', async (t) => {
  const outcome = await one(distfile(['http://127.0.0.1:1/x']), { directory: temporary(t) });
  t.is(tell(outcome), 'url: nobody answers there (3 attempts)');
});

test('one failure does not hide the others, and paths come in the order of names', async (t) => {
  const server = await serve(t, { '/a': { body }, '/b': { body: other } });
  const list = new Map(
    [
      distfile([`${server.url}/a`], 'a.tar'),
      distfile([`${server.url}/b`], 'b.tar', other),
      distfile([`${server.url}/c`], 'c.tar'),
    ].map((file) => [file.name, file]),
  );
  const directory = temporary(t);
  const options = { directory, patience, jobs: 2 };
  t.deepEqual(
    await fetchDistfiles(list, ['b.tar', 'a.tar', 'b.tar'], options),
    ['b.tar', 'a.tar', 'b.tar'].map((name) => join(directory, name)),
  );
  const error = await t.throwsAsync(fetchDistfiles(list, ['c.tar', 'a.tar'], options), { instanceOf: Fault });
  t.regex(error?.message ?? '', /^c.tar cannot be had: http.*: HTTP 404$/);
  await t.throwsAsync(fetchDistfiles(list, ['z.tar'], options), { message: 'no distfile is called "z.tar"' });
});

test('an abort leaves a part to go on with, and nothing else', async (t) => {
  const server = await serve(t, { '/x': { body, slow: 30 }, '/y': { body } });
  const directory = temporary(t);
  const controller = new AbortController();
  const file = distfile([`${server.url}/x`]);
  const stopped = one(file, {
    directory,
    signal: controller.signal,
    listen: (event) => {
      if (event.event === 'bytes' && event.bytes > 20_000) controller.abort();
    },
  });
  const error = await t.throwsAsync(stopped);
  t.is(error, controller.signal.reason);
  t.deepEqual(readdirSync(directory), [`.${file.name}.part`]);
  t.is(tell(await one(distfile([`${server.url}/y`]), { directory })), `from ${server.url}/y`);
  t.regex(server.requests[1] ?? '', /^GET \/y bytes=[1-9]\d+-$/);
  t.deepEqual(readdirSync(directory), [file.name]);
});

test('two at once in one directory do not disturb each other', async (t) => {
  const server = await serve(t, { '/x': { body, slow: 2 } });
  const directory = temporary(t);
  const file = distfile([`${server.url}/x`]);
  const outcomes = await Promise.all([1, 2, 3].map(() => one(file, { directory })));
  for (const outcome of outcomes) t.regex(tell(outcome), /^from (http|present)/);
  t.deepEqual(readdirSync(directory), [file.name]);
  t.deepEqual(readFileSync(join(directory, file.name)), body);
});

test('a directory that cannot be written to is named', async (t) => {
  const directory = join(temporary(t), 'a-file/below');
  writeFileSync(join(directory, '..'), '');
  const error = await t.throwsAsync(one(distfile([]), { directory }), { instanceOf: Fault });
  t.true(error?.message.includes(directory));
});

// apt itself, with an archive made for the test and nothing of the machine's configuration

const orig = { name: 'demo_1.0.orig.tar.gz', bytes: body };
const missing = (name: string): MadeSource['files'][number] => ({
  name,
  bytes: Buffer.from(name),
  missing: true,
});
const demo: MadeSource = {
  name: 'demo',
  version: '1:1.0-2',
  files: [
    missing('demo_1.0-2.dsc'),
    orig,
    missing('demo_1.0.orig-more.tar.gz'),
    missing('demo_1.0-2.debian.tar.xz'),
  ],
};

const aptOf = (directory: string, env: NodeJS.ProcessEnv): AptOptions => ({
  directory: join(directory, 'apt'),
  env,
  ensure: ensurePrivate,
});

const fromApt = (version = '1:1.0-2', name = 'demo'): Distfile => ({
  ...distfile([]),
  source: { package: name, version },
});

test('apt brings the archive, although nothing else of the package can be had', async (t) => {
  for (const style of ['one-line', 'deb822'] as const) {
    const base = temporary(t);
    const apt = aptOf(base, makeDebianArchive(base, [demo], style));
    const directory = join(base, 'here');
    t.is(tell(await one(fromApt(), { directory, apt })), 'from apt-get source demo=1:1.0-2');
    t.deepEqual(readdirSync(directory), ['demo_1.0.orig.tar.gz']);
    t.deepEqual(readFileSync(join(directory, orig.name)), body);
  }
});

test('another version that carries the same file will do; none is a reason', async (t) => {
  const base = temporary(t);
  const apt = aptOf(base, makeDebianArchive(base, [demo]));
  t.regex(tell(await one(fromApt('1:1.0-1'), { directory: join(base, '1'), apt })), /^from apt-get/);
  const cases: [Distfile, RegExp][] = [
    [fromApt('1:1.0-2', 'none'), /^apt: no version of none in this machine's sources carries it$/],
    [{ ...fromApt(), name: 'demo_2.0.orig.tar.gz' }, /^apt: no version of demo /],
    [distfile([]), /^apt: the list names no source package for it$/],
  ];
  for (const [file, reason] of cases) {
    t.regex(tell(await one(file, { directory: join(base, '2'), apt })), reason);
  }
  t.deepEqual(readdirSync(join(base, '2')), []);
});

test('the exact version comes first', async (t) => {
  const base = temporary(t);
  const old = { ...demo, version: '1:0.9-1', files: [{ ...orig, bytes: other }] };
  // Both versions claim the file by name and size, and only one can have its bytes in this flat archive.
  const apt = aptOf(base, makeDebianArchive(base, [old, demo]));
  t.regex(
    tell(await one(fromApt(), { directory: join(base, '1'), apt })),
    /^from apt-get source demo=1:1.0-2/,
  );
});

test('an archive whose bytes are others than the list says is refused, although apt is content', async (t) => {
  const base = temporary(t);
  const server = await serve(t, { '/x': { body } });
  const apt = aptOf(base, makeDebianArchive(base, [{ ...demo, files: [{ ...orig, bytes: other }] }]));
  const directory = join(base, 'here');
  const file = { ...fromApt(), urls: [`${server.url}/x`] };
  t.is(tell(await one(file, { directory, apt })), `from ${server.url}/x`);
  t.deepEqual(readFileSync(join(directory, orig.name)), body);
  const failed = await one({ ...fromApt(), name: orig.name }, { directory: join(base, '2'), apt });
  t.regex(tell(failed), /^apt: other bytes than promised/);
  t.deepEqual(readdirSync(join(base, '2')), []);
});

test('what apt cannot fetch is a reason that says why', async (t) => {
  const base = temporary(t);
  const apt = aptOf(base, makeDebianArchive(base, [{ ...demo, files: [missing(orig.name)] }]));
  const file = { ...fromApt(), size: orig.name.length };
  t.regex(
    tell(await one(file, { directory: join(base, 'here'), apt })),
    /^apt: version 1:1.0-2: .*[Ff]ile not found/,
  );
  t.deepEqual(readdirSync(join(base, 'here')), []);
});

test('a part is handed to apt, and what it cannot use is fetched anew', async (t) => {
  const base = temporary(t);
  const apt = aptOf(base, makeDebianArchive(base, [demo]));
  for (const [number, part] of [body.subarray(0, 1000), other.subarray(0, 1000)].entries()) {
    const directory = join(base, String(number));
    mkdirSync(directory);
    writeFileSync(join(directory, `.${orig.name}.part`), part);
    t.regex(tell(await one(fromApt(), { directory, apt })), /^from apt-get/);
    t.deepEqual(readFileSync(join(directory, orig.name)), body);
    t.deepEqual(readdirSync(directory), [orig.name]);
  }
});

test('the lists are fetched once, and again when the configuration is another', async (t) => {
  const base = temporary(t);
  const apt = aptOf(base, makeDebianArchive(base, [demo]));
  const sets = (): string[] => readdirSync(apt.directory).sort();
  await one(fromApt(), { directory: join(base, '1'), apt });
  const [first = ''] = sets();
  t.regex(first, /^[0-9a-f]{16}-\d+-\d+$/);
  await one(fromApt(), { directory: join(base, '2'), apt });
  await one(fromApt('1:1.0-2', 'none'), { directory: join(base, '3'), apt });
  t.deepEqual(sets(), [first]);
  writeFileSync(join(base, 'etc/sources.list'), `deb [trusted=yes allow-weak=no] file:${base}/archive ./\n`);
  t.regex(tell(await one(fromApt(), { directory: join(base, '4'), apt })), /^from apt-get/);
  t.is(sets().length, 2);
  t.true(sets().includes(first));
});

test('without apt, sources or a directory for the lists the step is skipped with its reason', async (t) => {
  const base = temporary(t);
  const directory = join(base, 'here');
  mkdirSync(join(base, 'bin'));
  const none = { ...process.env, PATH: join(base, 'bin') };
  t.is(
    tell(await one(fromApt(), { directory, apt: aptOf(base, none) })),
    'apt: apt-config is not on this machine',
  );
  const env = makeDebianArchive(base, [demo]);
  writeFileSync(join(base, 'etc/sources.list'), '# nothing\n');
  t.is(
    tell(await one(fromApt(), { directory, apt: aptOf(base, env) })),
    'apt: apt is configured without any source',
  );
  writeFileSync(join(base, 'etc/sources.list'), 'deb [trusted=yes] file:/nowhere ./\n');
  t.regex(
    tell(await one(fromApt(), { directory, apt: aptOf(base, env) })),
    /^apt: the lists of source packages did not come: ./,
  );
  const taken = { ...aptOf(base, env), directory: join(base, 'etc/apt.conf') };
  t.regex(tell(await one(fromApt(), { directory, apt: taken })), /^apt: .* is no directory/);
});

test('the two forms of apt sources are asked for source packages', (t) => {
  t.is(
    oneLineSources(
      [
        '# deb http://a.example x y',
        'deb http://a.example/debian bookworm main # comment',
        '  deb\t[arch=amd64 signed-by=/k] http://b.example x y z',
        'deb-src http://a.example/debian bookworm main',
        'deb cdrom:[Debian]/ bookworm main',
        '',
      ].join('\n'),
    ),
    'deb-src http://a.example/debian bookworm main\ndeb-src [arch=amd64 signed-by=/k] http://b.example x y z\n',
  );
  t.is(
    deb822Sources(
      [
        'Types: deb deb-src',
        '# comment',
        'URIs: http://a.example/debian',
        'Suites: bookworm bookworm-updates',
        'Components: main',
        'Signed-By:',
        ' -----BEGIN PGP PUBLIC KEY BLOCK-----',
        ' .',
        ' abc',
        '',
        'types: deb',
        'uris: http://b.example/',
        'enabled: No',
        '  ',
        'URIs: http://c.example/',
        'Types: deb',
        'Suites: ./',
        '',
        '# only a comment',
        '',
      ].join('\n'),
    ),
    'Types: deb-src\nURIs: http://a.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\n' +
      'Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n\n' +
      'Types: deb-src\nURIs: http://c.example/\nSuites: ./\n\n',
  );
});
