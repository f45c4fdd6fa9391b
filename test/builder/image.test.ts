import test, { type ExecutionContext } from 'ava';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pack } from 'tar-stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { type Descriptor, describe, mediaTypes } from '../../builder/descriptor.ts';
import { type Digest, digestOf, hexOf } from '../../builder/digest.ts';
import { Fault, type FaultCode } from '../../builder/fault.ts';
import { assembleImage, assembleIndex, type ImageDescription } from '../../builder/image/assemble.ts';
import { diffImages } from '../../builder/image/diff.ts';
import { exportImage } from '../../builder/image/export.ts';
import { chainIDs, openImage, openImages } from '../../builder/image/image.ts';
import { importArchive } from '../../builder/image/import-archive.ts';
import { importImage } from '../../builder/image/import.ts';
import { inspect } from '../../builder/image/inspect.ts';
import { parsePlace } from '../../builder/image/transport.ts';
import { validate } from '../../builder/image/validate.ts';
import { canonicalJson } from '../../builder/json.ts';
import { encodeConfig, encodeIndex, encodeManifest, type ImageConfig } from '../../builder/manifest.ts';
import { parseReference } from '../../builder/reference.ts';
import { putDocument, readBlob } from '../../builder/store/blob.ts';
import { check } from '../../builder/store/check.ts';
import { copy } from '../../builder/store/copy.ts';
import type { FileStore } from '../../builder/store/file-store.ts';
import { openStore } from '../../builder/store/open-store.ts';
import { directory, file, symlink } from '../../builder/tar/arrange.ts';
import { decode } from '../../builder/tar/decode.ts';
import type { Encoding } from '../../builder/tar/encoding.ts';
import type { Entry } from '../../builder/tar/entry.ts';
import { planTree } from '../../builder/tar/layer.ts';
import { lockProgram, newStore, putAssembled, putImage, putLayers } from '../support/images.ts';
import { describeTree, wholeTar } from '../support/layers.ts';
import { isRoot, output, root, temporary } from '../support/tools.ts';

const fixtures = join(root, 'registry-fixtures/layouts');

async function fails(t: ExecutionContext, code: FaultCode, act: () => Promise<unknown>, words?: RegExp) {
  const error = await t.throwsAsync(act, { instanceOf: Fault });
  t.is(error?.code, code, error?.message);
  if (words) t.regex(`${error?.message} ${error?.hint}`, words);
}

const base: readonly Entry[] = [
  directory('packages/one/1'),
  file('packages/one/1/bin/one', '#!/bin/one\n', { mode: 0o755 }),
  { ...symlink('packages/one/1/bin/uno', 'one') },
  {
    type: 'link',
    path: Buffer.from('packages/one/1/bin/zwei'),
    target: Buffer.from('packages/one/1/bin/one'),
    mode: 0o755,
    uid: 0,
    gid: 0,
  },
];
const layers = {
  'one 1': base,
  profile: [
    symlink('bin/one', '../packages/one/1/bin/one'),
    file('etc/passwd', 'root:x:0:0::/:\n'),
    directory('tmp', { mode: 0o1777 }),
  ],
  settings: [
    file('data/größe', 'text', { uid: 1000, gid: 100, mode: 0o600 }),
    directory('empty', { mode: 0o700 }),
  ],
};

const descriptionOf = async (
  store: FileStore,
  change: Partial<ImageDescription> = {},
): Promise<ImageDescription> => ({
  platform: { os: 'linux', architecture: 'amd64' },
  layers: await putLayers(store, layers),
  created: 0,
  settings: { entrypoint: ['/bin/one'], env: { A: 'b' }, ports: ['80'], labels: { k: 'v' } },
  annotations: { 'org.opencontainers.image.title': 'web' },
  ...change,
});

type Sample = { readonly store: FileStore; readonly image: Descriptor; readonly out: string };

async function sample(t: ExecutionContext, encoding: Encoding = 'gzip-1'): Promise<Sample> {
  const out = temporary(t);
  const store = await newStore(join(out, 'store'));
  const description = await descriptionOf(store);
  if (encoding === 'none') {
    for (const { blobs } of description.layers) {
      const [gzip, plain] = [blobs['gzip-1'], blobs.none];
      if (!gzip || !plain) throw new Error('a layer lacks an encoding');
      const blob = store.open({ mediaType: mediaTypes.layerGzip, ...gzip });
      await store.put({ mediaType: mediaTypes.layer, ...plain }, () =>
        decode(blob, 'gzip', { most: plain.size, where: gzip.digest }),
      );
    }
  }
  return { store, out, image: await putAssembled(store, 'web:1', description, encoding) };
}

const web = parseReference('web:1');
const sendTo = ({ store, image }: Sample, place: string, options = {}) => {
  const to = parsePlace(place);
  if (!('path' in to)) throw new Error(`${place} is no file`);
  return exportImage(store, image, web, to, { lockProgram, ...options });
};

const takeFrom = (store: FileStore, place: string, options = {}) => {
  const from = parsePlace(place);
  if (!('path' in from) || from.transport === 'rootfs') throw new Error(`${place} holds no image`);
  return importImage(store, from, { lockProgram, ...options });
};

const filesOf = (directory: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [relative(directory, path), digestOf(readFileSync(path))]),
  );

test('the golden layout comes out byte by byte, here and by the second implementation', async (t) => {
  const directory = temporary(t);
  const golden = JSON.parse(readFileSync(join(fixtures, 'digests.json'), 'utf8')) as Record<
    Encoding | 'id',
    Digest
  >;
  t.deepEqual(JSON.parse(output('python3', [join(fixtures, 'make.py'), join(directory, 'python')])), golden);

  const trees: Readonly<Record<string, readonly [path: string, files: Readonly<Record<string, string>>]>> = {
    'hello 1.0': ['packages/hello/1.0', { 'bin/hello': '#!/bin/sh\necho hello\n', 'share/grüße': 'hallo\n' }],
    'sh 2~rc1': ['packages/sh/2~rc1', { 'bin/sh': '-> ../../../hello/1.0/bin/hello' }],
  };
  const store = await newStore(join(directory, 'store'));
  const sources = [];
  for (const [history, [path, files]] of Object.entries(trees)) {
    const tree = join(directory, path);
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(tree, name)), { recursive: true });
      if (text.startsWith('-> ')) symlinkSync(text.slice(3), join(tree, name));
      else writeFileSync(join(tree, name), text, { mode: name.startsWith('bin/') ? 0o700 : 0o600 });
    }
    const tar = wholeTar(planTree(tree, path));
    const { descriptor } = describe(mediaTypes.layer, tar);
    await store.put(descriptor, tar);
    const madeUp = (encoding: string) => ({ digest: digestOf(`${history} ${encoding}`), size: 100 });
    sources.push({
      history,
      diffID: descriptor.digest,
      blobs: { none: descriptor, 'gzip-1': madeUp('gzip-1'), 'zstd-1': madeUp('zstd-1') },
    });
  }
  const description: ImageDescription = {
    platform: { os: 'linux', architecture: 'amd64' },
    layers: sources,
    created: 1_700_000_000,
    author: 'somebody',
    settings: {
      entrypoint: ['/bin/hello', '-c'],
      cmd: ['echo "$0"', ''],
      env: { WITH: 'a=b c', LANG: 'C.UTF-8', EMPTY: '' },
      user: 'user:1000',
      workdir: '/work',
      ports: ['8080', '53/udp'],
      volumes: ['/data'],
      labels: { 'org.example': '"quoted" \u2028 ä', '10': 'ten', '9': 'nine' },
      stopSignal: 'SIGRTMIN+3',
    },
    annotations: { 'org.opencontainers.image.title': 'web' },
  };
  for (const encoding of ['none', 'gzip-1', 'zstd-1'] as const) {
    const { config, manifest } = assembleImage(description, encoding);
    t.is(config.descriptor.digest, golden.id, encoding);
    t.is(manifest.descriptor.digest, golden[encoding], encoding);
  }
  const image = await putAssembled(store, 'hello:1.0', description, 'none');
  t.deepEqual(filesOf(store.directory), filesOf(join(fixtures, 'golden')));
  const opened = await openStore(join(fixtures, 'golden'));
  t.deepEqual(await opened.resolve('hello:1.0'), image);
  t.deepEqual(await validate(opened, image, { content: true }), []);
  t.deepEqual(await check(join(fixtures, 'golden')), []);
});

test('the same image comes out under another umask, time zone, locale and directory', async (t) => {
  const script = `import { newStore, putAssembled, putLayers } from ${JSON.stringify(new URL('../support/images.ts', import.meta.url).href)};
    import { file, symlink } from ${JSON.stringify(new URL('../../builder/tar/arrange.ts', import.meta.url).href)};
    const store = await newStore(process.argv[1]);
    const layers = await putLayers(store, { 'a 1': [file('packages/a/1/bin/a', 'a'.repeat(100000)), symlink('packages/a/1/b', 'bin/ä')] });
    const platform = { os: 'linux', architecture: 'amd64' };
    console.log((await putAssembled(store, 'x', { platform, layers, created: 86400, settings: { env: { B: '1', A: '2' } } })).digest);`;
  const made = (umask: string, env: Record<string, string>) =>
    output(
      'sh',
      [
        '-c',
        `umask ${umask}; exec "$@"`,
        'sh',
        process.execPath,
        '--input-type=module',
        '-e',
        script,
        join(temporary(t), 's'),
      ],
      { env },
    );
  const first = made('022', {});
  t.regex(first, /^sha256:/);
  t.is(made('077', { TZ: 'Asia/Kathmandu', LC_ALL: 'tr_TR.UTF-8', HOME: '/nonexistent' }), first);
  t.is(made('000', { TZ: 'America/St_Johns', LC_ALL: 'C', UV_THREADPOOL_SIZE: '1' }), first);
});

/** Without the option it compresses what is not. */
const skopeo = (from: string, to: string) => output('skopeo', ['copy', '-q', '--preserve-digests', from, to]);

for (const encoding of ['gzip-1', 'zstd-1', 'none'] as const) {
  test(`a layout (${encoding}) goes through skopeo and back with the same digest`, async (t) => {
    const it = await sample(t, encoding);
    const { store, image, out } = it;
    t.deepEqual(await validate(store, image, { content: true }), []);
    await sendTo(it, `oci:${out}/layout:name/of:1`);
    await sendTo(it, `oci-archive:${out}/a.tar`);
    skopeo(`oci:${out}/layout:name/of:1`, `oci:${out}/back:x`);
    skopeo(`oci-archive:${out}/a.tar:web:1`, `oci:${out}/back:y`);
    skopeo(`oci:${out}/layout:name/of:1`, `oci-archive:${out}/b.tar:z`);
    const other = await newStore(join(out, 'other'));
    for (const place of [
      `oci:${out}/back:x`,
      `oci:${out}/back:y`,
      `oci-archive:${out}/b.tar`,
      `oci-archive:${out}/a.tar:web:1`,
    ]) {
      const taken = await takeFrom(other, place);
      t.is(taken.digest, image.digest, place);
      await other.tag('web:1', taken);
    }
    t.deepEqual(await check(other.directory), []);
    t.deepEqual(readdirSync(join(out, 'layout')).toSorted(), ['blobs', 'index.json', 'oci-layout']);
  });
}

test('a layout keeps what it holds, and its names move', async (t) => {
  const it = await sample(t);
  await sendTo(it, `oci:${it.out}/layout:a`);
  const other = await putImage(it.store, ['other']);
  await exportImage(
    it.store,
    other,
    web,
    { transport: 'oci', path: join(it.out, 'layout') },
    { lockProgram },
  );
  await exportImage(
    it.store,
    other,
    web,
    { transport: 'oci', path: join(it.out, 'layout'), name: 'a' },
    { lockProgram },
  );
  const layout = await openStore(join(it.out, 'layout'));
  const names = (await layout.list()).map(({ name, descriptor }) => [name, descriptor.digest]);
  t.deepEqual(names, [
    ['a', other.digest],
    ['latest', other.digest],
  ]);
  t.true(await layout.exists(it.image));
  await fails(t, 'NOT_FOUND', () => takeFrom(it.store, `oci:${it.out}/none`));
  await fails(
    t,
    'NOT_FOUND',
    () => takeFrom(it.store, `oci:${it.out}/layout:b`),
    /"b".*there are "a", "latest"/,
  );
  t.is(
    (await takeFrom(it.store, `oci:${it.out}/layout`)).digest,
    other.digest,
    'two names of one image are no choice',
  );
  await sendTo(it, `oci:${it.out}/layout:b`);
  await fails(t, 'INPUT', () => takeFrom(it.store, `oci:${it.out}/layout`), /several.*"a", "latest", "b"/);
});

test('umoci unpacks what we make', async (t) => {
  const it = await sample(t);
  await sendTo(it, `oci:${it.out}/layout:latest`);
  output('umoci', [
    'unpack',
    ...(isRoot ? [] : ['--rootless']),
    '--image',
    `${it.out}/layout:latest`,
    join(it.out, 'bundle'),
  ]);
  await sendTo(it, `rootfs:${it.out}/root.tar`);
  mkdirSync(join(it.out, 'root'));
  output('tar', ['-x', '--no-same-owner', '-p', '-f', join(it.out, 'root.tar'), '-C', join(it.out, 'root')]);
  const unpacked = describeTree(join(it.out, 'root'), { times: false });
  t.deepEqual(unpacked, describeTree(join(it.out, 'bundle/rootfs'), { times: false }));
  t.true(
    unpacked.some((line) => line.startsWith('/packages/one/1/bin/zwei link to /packages/one/1/bin/one')),
  );
  // Owners as the archive has them.
  const listing = output('tar', ['-tvf', join(it.out, 'root.tar'), '--numeric-owner']);
  t.regex(listing, /^-rw------- 1000\/100 +4 1980-01-01 .* data\/gr/m);
  t.regex(listing, /^drwxrwxrwt 0\/0 .* tmp\/$/m);
});

test('what docker loads is also a layout, and keeps image ID, layers and digest', async (t) => {
  const it = await sample(t);
  const { out, store, image } = it;
  await sendTo(it, `docker-archive:${out}/d.tar`);
  const listing = output('tar', ['-tf', join(out, 'd.tar')]).split('\n');
  t.deepEqual(listing.slice(0, 4), ['manifest.json', 'repositories', 'oci-layout', 'blobs/']);
  const config = await readBlob(store, (await openImage(store, image)).manifest.config);
  t.is(output('skopeo', ['inspect', '--config', '--raw', `docker-archive:${out}/d.tar`]), config.toString());
  t.is(
    output('skopeo', ['inspect', '--config', '--raw', `docker-archive:${out}/d.tar:web:1`]),
    config.toString(),
  );
  const raw = output('skopeo', ['inspect', '--raw', `oci-archive:${out}/d.tar:web:1`]);
  t.is(digestOf(raw), image.digest);
  // skopeo unpacks every layer to compare it with the config.
  output('skopeo', ['copy', '-q', `docker-archive:${out}/d.tar`, `dir:${out}/dir`]);
  const again = readFileSync(join(out, 'd.tar'));
  await sendTo(it, `docker-archive:${out}/d.tar`);
  t.true(readFileSync(join(out, 'd.tar')).equals(again), 'the same bytes every time');

  const zstd = await sample(t, 'zstd-1');
  await sendTo(zstd, `docker-archive:${out}/z.tar:example.com/z:2`);
  t.is(output('skopeo', ['inspect', '--config', '--raw', `docker-archive:${out}/z.tar`]), config.toString());
  output('skopeo', ['copy', '-q', `docker-archive:${out}/z.tar`, `dir:${out}/zdir`]);
  const members = output('tar', ['-tf', join(out, 'z.tar')])
    .split('\n')
    .filter(Boolean);
  t.is(members.filter((name) => name.endsWith('.tar')).length, 3);
  t.false(members.includes('index.json'));
  const other = await newStore(join(out, 'other'));
  const taken = await openImage(other, await takeFrom(other, `docker-archive:${out}/z.tar:example.com/z:2`));
  t.is(taken.id, (await openImage(store, image)).id);
  t.deepEqual(await validate(other, taken.descriptor, { content: true }), []);
});

test('archives of other tools are taken in with the config they have', async (t) => {
  const it = await sample(t);
  const { out, store, image } = it;
  const { id, layers: ours } = await openImage(store, image);
  await sendTo(it, `oci:${out}/layout:x`);
  output('skopeo', ['copy', '-q', `oci:${out}/layout:x`, `docker-archive:${out}/s.tar:web:1`]);
  const other = await newStore(join(out, 'other'));
  const taken = await openImage(other, await takeFrom(other, `docker-archive:${out}/s.tar`));
  t.deepEqual(
    taken.layers.map(({ diffID }) => diffID),
    ours.map(({ diffID }) => diffID),
  );
  t.is(taken.manifest.layers[0]?.mediaType, mediaTypes.layer);
  const raw = output('skopeo', ['inspect', '--config', '--raw', `docker-archive:${out}/s.tar`]);
  t.is(taken.id, digestOf(raw));
  t.is(taken.id, id);
  await other.tag('s', taken.descriptor);
  t.deepEqual(await validate(other, taken.descriptor, { content: true }), []);
  // Several names, and names that there are not.
  await fails(t, 'NOT_FOUND', () => takeFrom(other, `docker-archive:${out}/s.tar:web:2`), /"web:1"|web:1/);
});

const dockerManifest = (fields: object) =>
  JSON.stringify([{ Config: 'c.json', RepoTags: null, Layers: ['l.tar'], ...fields }]);

test('an archive that is damaged, or lies, is refused and names nothing', async (t) => {
  const it = await sample(t);
  const { out } = it;
  await sendTo(it, `docker-archive:${out}/d.tar`);
  const store = await newStore(join(out, 'other'));
  const whole = readFileSync(join(out, 'd.tar'));
  const broken = join(out, 'broken.tar');
  for (const [what, bytes, code] of [
    ['cut in the middle', whole.subarray(0, whole.length >> 1), 'INTEGRITY'],
    ['cut at the end', whole.subarray(0, whole.length - 1024), 'INTEGRITY'],
    ['empty', Buffer.alloc(0), 'INTEGRITY'],
    ['no tar', Buffer.from('hello '.repeat(1000)), 'INTEGRITY'],
    ['no image', Buffer.alloc(1024), 'INPUT'],
  ] as const) {
    writeFileSync(broken, bytes);
    await fails(t, code, () => takeFrom(store, `docker-archive:${broken}`), new RegExp(`broken\\.tar`));
    t.log(what);
  }
  const flipped = Buffer.from(whole);
  const at = whole.lastIndexOf(Buffer.from([0x1f, 0x8b])) + 20;
  flipped[at] = (flipped[at] ?? 0) ^ 1;
  writeFileSync(broken, flipped);
  const fresh = await newStore(join(out, 'fresh'));
  await fails(t, 'INTEGRITY', () => takeFrom(fresh, `oci-archive:${broken}`), /sha256:/);
  await fails(t, 'NOT_FOUND', () => takeFrom(store, `oci-archive:${out}/none.tar`));

  const archive = (files: Readonly<Record<string, string | Buffer>>) => {
    const tar = pack();
    for (const [name, content] of Object.entries(files)) tar.entry({ name }, content);
    tar.finalize();
    return importArchive(store, tar as unknown as AsyncIterable<Uint8Array>, 'ARCHIVE');
  };
  const config = canonicalJson({
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [digestOf('x')] },
  });
  await fails(
    t,
    'INTEGRITY',
    () => archive({ 'manifest.json': dockerManifest({}), 'c.json': config }),
    /ARCHIVE: "l\.tar".*not in it/,
  );
  await fails(
    t,
    'INTEGRITY',
    () => archive({ 'manifest.json': dockerManifest({}), 'c.json': config, 'l.tar': 'y' }),
    /unpacks to .* the config says/,
  );
  await fails(
    t,
    'INTEGRITY',
    () =>
      archive({
        'manifest.json': dockerManifest({ Layers: ['l.tar', 'l.tar'] }),
        'c.json': config,
        'l.tar': 'x',
      }),
    /says nothing of it/,
  );
  await fails(
    t,
    'INPUT',
    () => archive({ 'manifest.json': '{}', 'c.json': config }),
    /ARCHIVE: manifest\.json: expected a list/,
  );
  await fails(
    t,
    'INPUT',
    () => archive({ 'manifest.json': dockerManifest({ Config: 3 }) }),
    /\[0\]\.Config: expected a string/,
  );
  await fails(t, 'UNSAFE', () => archive({ '../x': 'y' }));
  await fails(t, 'INTEGRITY', () => archive({ [`blobs/sha256/${'a'.repeat(64)}`]: 'not that' }));
  const [named] = await archive({ 'manifest.json': dockerManifest({}), 'c.json': config, 'l.tar': 'x' });
  t.is(named?.name, '');
  t.deepEqual(await store.list(), []);
  t.deepEqual(await check(store.directory), []);
});

test('old archives of docker save, with links between layers, are taken in', async (t) => {
  const store = await newStore(join(temporary(t), 'store'));
  const layer = Buffer.alloc(1024);
  const config = canonicalJson({
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [digestOf(layer), digestOf(layer)] },
  });
  const tar = pack();
  const id = hexOf(digestOf(config));
  tar.entry({ name: 'aaa/', type: 'directory' });
  tar.entry({ name: 'aaa/layer.tar' }, layer);
  tar.entry({ name: 'aaa/VERSION' }, '1.0');
  tar.entry({ name: 'bbb/layer.tar', type: 'symlink', linkname: '../aaa/layer.tar' });
  tar.entry({ name: `${id}.json` }, config);
  tar.entry(
    { name: 'manifest.json' },
    JSON.stringify([
      { Config: `${id}.json`, RepoTags: ['a:1', 'b:2'], Layers: ['aaa/layer.tar', 'bbb/layer.tar'] },
    ]),
  );
  tar.finalize();
  const images = await importArchive(store, tar as unknown as AsyncIterable<Uint8Array>, 'old.tar');
  t.deepEqual(
    images.map(({ name }) => name),
    ['a:1', 'b:2'],
  );
  const image = await openImage(store, images[0]?.descriptor ?? t.fail());
  t.is(image.id, digestOf(config));
  t.is(image.layers.length, 2);
});

test('output files are whole or not there', async (t) => {
  const it = await sample(t);
  const { store, image, out } = it;
  const { layers: all } = await openImage(store, image);
  const top = all.at(-1)?.descriptor.digest ?? t.fail();
  const path = store.blobPath(top);
  const bytes = readFileSync(path);
  rmSync(path);
  for (const place of ['docker-archive', 'oci-archive', 'rootfs']) {
    writeFileSync(join(out, 'f.tar'), 'what was there');
    await fails(t, 'NOT_FOUND', () => sendTo(it, `${place}:${out}/f.tar`), new RegExp(top));
    t.is(readFileSync(join(out, 'f.tar'), 'utf8'), 'what was there');
  }
  await fails(t, 'NOT_FOUND', () => sendTo(it, `oci:${out}/layout:x`));
  t.deepEqual(await (await openStore(join(out, 'layout'))).list(), []);
  writeFileSync(path, bytes.with(20, 1 ^ (bytes[20] ?? 0)));
  await fails(t, 'INTEGRITY', () => sendTo(it, `docker-archive:${out}/f.tar`), new RegExp(top));
  t.deepEqual(
    readdirSync(out).filter((name) => name.startsWith('.')),
    [],
  );
  await fails(t, 'INPUT', () => sendTo(it, `oci-archive:${out}`), /a directory of that name/);
  await fails(t, 'NOT_FOUND', () => sendTo(it, `oci-archive:${out}/none/x.tar`));
});

// Roots of several layers

const foreign = async (store: FileStore, tars: readonly (Buffer | string)[]) => {
  const blobs = tars.map((tar) => Buffer.from(tar));
  const manifests = await Promise.all(
    blobs.map((tar) => putDocument(store, describe(mediaTypes.layerGzip, gzipSync(tar)))),
  );
  const config: ImageConfig = {
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: blobs.map((tar) => digestOf(tar)) },
  };
  return putDocument(
    store,
    encodeManifest({ config: await putDocument(store, encodeConfig(config)), layers: manifests }),
  );
};

type Simple = {
  readonly name: string;
  readonly to?: string;
  readonly kind?: 'symlink' | 'link' | 'directory';
  readonly text?: string;
  readonly mode?: number;
};

async function simpleTar(entries: readonly Simple[]): Promise<Buffer> {
  const tar = pack();
  for (const { name, to, kind, text = '', mode } of entries) {
    const header = {
      name,
      mtime: new Date(315532800_000),
      uid: process.getuid?.() ?? 0,
      gid: process.getgid?.() ?? 0,
      ...(mode === undefined ? {} : { mode }),
    };
    if (kind === undefined) tar.entry(header, text);
    else tar.entry({ ...header, type: kind, ...(to === undefined ? {} : { linkname: to }) });
  }
  tar.finalize();
  return buffer(tar);
}

test('the root of an image with whiteouts, replaced files and hard links is what umoci unpacks', async (t) => {
  const out = temporary(t);
  const store = await newStore(join(out, 'store'));
  const tars = [
    [
      { name: 'keep/', kind: 'directory' },
      { name: 'keep/a', text: 'a' },
      { name: 'keep/b', text: 'b' },
      { name: 'gone/', kind: 'directory' },
      { name: 'gone/deep/', kind: 'directory' },
      { name: 'gone/deep/x', text: 'x' },
      { name: 'opaque/', kind: 'directory' },
      { name: 'opaque/old', text: 'old' },
      { name: 'file-to-dir', text: 'f' },
      { name: 'dir-to-file/', kind: 'directory' },
      { name: 'dir-to-file/inside', text: 'i' },
      { name: 'links/', kind: 'directory' },
      { name: 'links/1-file', text: 'shared content' },
      { name: 'links/2-heir', kind: 'link', to: 'links/1-file' },
      { name: 'links/3-other', kind: 'link', to: 'links/2-heir' },
      { name: 'links/4-alive', text: 'alive' },
      { name: 'links/5-dead', kind: 'link', to: 'links/4-alive' },
      { name: 'links/6-through', kind: 'link', to: 'links/5-dead' },
      { name: 'sym', kind: 'symlink', to: 'keep/a' },
      { name: 'dot.wh.name', text: 'no whiteout' },
    ],
    [
      { name: '.wh.gone' },
      { name: 'keep/.wh.b' },
      { name: 'opaque/.wh..wh..opq' },
      { name: 'opaque/new', text: 'new' },
      { name: 'file-to-dir/', kind: 'directory' },
      { name: 'file-to-dir/below', text: 'below' },
      { name: 'dir-to-file', text: 'now a file' },
      { name: 'links/1-file', text: 'replaced' },
      { name: 'links/.wh.5-dead' },
      { name: 'sym', kind: 'symlink', to: 'keep/a2' },
      { name: 'keep/', kind: 'directory', mode: 0o700 },
    ],
    [
      { name: 'opaque/.wh.never' },
      { name: 'keep/a', text: 'a again' },
      { name: 'keep/c', kind: 'link', to: 'keep/a' },
    ],
  ] as const satisfies readonly (readonly Simple[])[];
  const image = await foreign(store, await Promise.all(tars.map(simpleTar)));
  await store.tag('foreign', image);
  await sendTo({ store, image, out }, `rootfs:${out}/root.tar`);
  mkdirSync(join(out, 'root'));
  output('tar', ['-xpf', join(out, 'root.tar'), '-C', join(out, 'root')]);
  output('umoci', [
    'unpack',
    ...(isRoot ? [] : ['--rootless']),
    '--image',
    `${store.directory}:foreign`,
    join(out, 'bundle'),
  ]);
  const lines = describeTree(join(out, 'root'), { times: false });
  t.deepEqual(lines, describeTree(join(out, 'bundle/rootfs'), { times: false }));
  t.true(lines.includes('/links/3-other link to /links/2-heir 644'), lines.join('\n'));
  t.true(lines.includes('/links/6-through link to /links/4-alive 644'));
  t.true(lines.some((line) => line.startsWith('/dot.wh.name ')));
  t.is(readFileSync(join(out, 'root/links/2-heir'), 'utf8'), 'shared content');
});

test('layers that reach out of the root are not made into one', async (t) => {
  const out = temporary(t);
  const store = await newStore(join(out, 'store'));
  for (const entries of [
    [{ name: '../x', text: 'x' }],
    [{ name: '/etc/x', text: 'x' }],
    [
      { name: 'a', kind: 'symlink', to: '/etc' },
      { name: 'a/x', text: 'x' },
    ],
    [
      { name: 'x', text: '' },
      { name: 'x', text: '' },
    ],
  ] as const satisfies readonly (readonly Simple[])[]) {
    const image = await foreign(store, [await simpleTar(entries)]);
    await fails(t, 'UNSAFE', () => sendTo({ store, image, out }, `rootfs:${out}/root.tar`));
    t.false(existsSync(join(out, 'root.tar')));
  }
  // What a lower layer has as a link is a directory above it, as engines make of it.
  const image = await foreign(store, [
    await simpleTar([{ name: 'a', kind: 'symlink', to: '/etc' }]),
    await simpleTar([{ name: 'a/x', text: 'x' }]),
  ]);
  await sendTo({ store, image, out }, `rootfs:${out}/root.tar`);
  t.deepEqual(
    output('tar', ['-tf', join(out, 'root.tar')])
      .split('\n')
      .filter(Boolean),
    ['a/', 'a/x'],
  );
});

// Several platforms

async function twoPlatforms(t: ExecutionContext) {
  const out = temporary(t);
  const store = await newStore(join(out, 'store'));
  const description = await descriptionOf(store);
  const made = ['amd64', 'arm64'].map((architecture) =>
    assembleImage({ ...description, platform: { os: 'linux', architecture } }, 'gzip-1'),
  );
  for (const { config, manifest } of made) {
    await putDocument(store, config);
    await putDocument(store, manifest);
  }
  const index = await putDocument(store, assembleIndex(made, { 'org.opencontainers.image.title': 'web' }));
  await store.tag('web:1', index);
  return { out, store, image: index, made };
}

test('an image for several platforms: one for each, all in a layout, one where only one can be', async (t) => {
  const it = await twoPlatforms(t);
  const { store, image, out, made } = it;
  t.deepEqual(await validate(store, image, { content: true }), []);
  const arm = { os: 'linux', architecture: 'arm64' };
  t.is(made[1]?.manifest.descriptor.digest, (await openImage(store, image, arm)).descriptor.digest);
  t.is((await openImages(store, image)).length, 2);
  await fails(
    t,
    'NOT_FOUND',
    () => openImage(store, image, { os: 'linux', architecture: 'mips' }),
    /mips.*linux\/amd64, linux\/arm64/,
  );
  await fails(t, 'NOT_FOUND', () => openImage(store, image));

  await sendTo(it, `oci:${out}/layout:x`);
  await sendTo(it, `oci-archive:${out}/a.tar:x`);
  for (const place of [`oci:${out}/layout:x`, `oci-archive:${out}/a.tar:x`]) {
    t.is(digestOf(output('skopeo', ['inspect', '--raw', place])), image.digest);
    for (const architecture of ['amd64', 'arm64']) {
      const config = output('skopeo', [
        '--override-arch',
        architecture,
        'inspect',
        '--config',
        '--raw',
        place,
      ]);
      t.is((JSON.parse(config) as ImageConfig).architecture, architecture);
    }
  }
  await sendTo(it, `docker-archive:${out}/d.tar`, { platform: arm });
  const config = output('skopeo', ['inspect', '--config', '--raw', `docker-archive:${out}/d.tar`]);
  t.is(made[1]?.config.descriptor.digest, digestOf(config));
  const other = await newStore(join(out, 'other'));
  t.is((await takeFrom(other, `oci-archive:${out}/a.tar`)).digest, image.digest);
  await other.tag('x', image);

  const seen = await inspect(store, image);
  t.deepEqual(
    seen.images.map(({ platform }) => platform),
    ['linux/amd64', 'linux/arm64'],
  );
  t.is(seen.digest, image.digest);
});

test('what is told of an image', async (t) => {
  const { store, image } = await sample(t);
  const {
    images: [seen],
  } = await inspect(store, image);
  const view = await openImage(store, image);
  t.like(seen, {
    digest: image.digest,
    id: view.id,
    platform: 'linux/amd64',
    created: '1970-01-01T00:00:00Z',
    annotations: { 'org.opencontainers.image.title': 'web' },
  });
  t.deepEqual(seen?.settings.Entrypoint, ['/bin/one']);
  t.deepEqual(
    seen?.layers.map(({ history }) => history),
    ['one 1', 'profile', 'settings'],
  );
  const sizes = [view.descriptor, view.manifest.config, ...view.manifest.layers].map(({ size }) => size);
  t.is(
    seen?.size,
    sizes.reduce((a, b) => a + b),
  );
  await fails(t, 'INPUT', () => inspect(store, view.manifest.config), /is no image/);
  // image-spec, config.md, "Layer ChainID"
  const [a, b, c] = view.layers.map(({ diffID }) => diffID);
  const ab = digestOf(`${a} ${b}`);
  t.deepEqual(chainIDs(view.layers.map(({ diffID }) => diffID)), [a, ab, digestOf(`${ab} ${c}`)]);
});

test('what differs between two images, by layer and by field', async (t) => {
  const { store, image } = await sample(t);
  const [one, profile, settings] = await putLayers(store, layers);
  const [two] = await putLayers(store, { 'two 2': [file('packages/two/2/x', 'x'.repeat(1000))] });
  if (!one || !profile || !settings || !two) return t.fail();
  const other = await putAssembled(store, 'web:2', {
    ...(await descriptionOf(store)),
    layers: [one, two, profile],
    settings: { entrypoint: ['/bin/two'], env: { A: 'c', N: '' }, ports: ['80'] },
    annotations: {},
  });
  const before = await openImage(store, image);
  const after = await openImage(store, other);
  const diff = diffImages(before, after);
  t.deepEqual(
    diff.kept.map(({ layer, moved }) => [layer.history, moved]),
    [
      ['one 1', false],
      ['profile', true],
    ],
  );
  t.deepEqual(
    diff.removed.map(({ history }) => history),
    ['settings'],
  );
  t.deepEqual(
    diff.added.map(({ history }) => history),
    ['two 2'],
  );
  t.is(two.blobs['gzip-1']?.size, diff.fetch);
  t.deepEqual(diff.fields, [
    { field: 'Entrypoint', before: ['/bin/one'], after: ['/bin/two'] },
    { field: 'Env A', before: 'b', after: 'c' },
    { field: 'Env N', before: undefined, after: '' },
    { field: 'Labels k', before: 'v', after: undefined },
    { field: 'annotations org.opencontainers.image.title', before: 'web', after: undefined },
  ]);
  const none = diffImages(before, before);
  t.deepEqual([none.removed, none.added, none.fields, none.fetch], [[], [], [], 0]);
  const zstd = await openImage(store, await putAssembled(store, 'z', await descriptionOf(store), 'zstd-1'));
  const encoded = diffImages(before, zstd);
  t.deepEqual(
    [encoded.removed, encoded.added, encoded.fields],
    [[], [], []],
    'another encoding is no other image',
  );
  t.true(encoded.fetch > 0);
});

const many = <T>(item: T) => Array.from({ length: 126 }, () => item);

test('whatever an image must be is checked', async (t) => {
  const { store, image } = await sample(t);
  const { manifest, config } = await openImage(store, image);
  const [first, second, third] = manifest.layers;
  if (!first || !second || !third) return t.fail();
  const put = async (changed: Partial<ImageConfig>, layers = manifest.layers) =>
    putDocument(
      store,
      encodeManifest({
        ...manifest,
        layers,
        config: await putDocument(store, encodeConfig({ ...config, ...changed })),
      }),
    );
  const { diff_ids: ids } = config.rootfs;
  const rootfs = (diff_ids: typeof ids) => ({ rootfs: { type: 'layers' as const, diff_ids } });
  const document = (mediaType: string, text: string) =>
    putDocument(store, describe(mediaType, Buffer.from(text)));
  const cases: readonly (readonly [Promise<Descriptor>, RegExp])[] = [
    [put(rootfs(ids.slice(1))), /3 layers, and its config 2/],
    [put({}, manifest.layers.slice(1)), /2 layers, and its config 3/],
    [put(rootfs(ids.toReversed())), /^it unpacks to sha256:.*, and the config says sha256:/],
    [put({}, [first, third, second]), /^it unpacks to/],
    [put({ history: [] }), /history tells of 0 layers, and there are 3/],
    [put({ history: [...(config.history ?? []), { created_by: 'x' }] }), /history tells of 4 layers/],
    [put({ created: 'yesterday' }), /"yesterday" is no date/],
    [put({ created: '2023-13-41T25:00:00Z' }), /is no date/],
    [put({ ...rootfs(many(digestOf('x'))), history: undefined }, many(first)), /126 layers; docker runs 125/],
    [put({}, [first, second, { ...third, mediaType: 'application/zip' }]), /is a application\/zip/],
    [put({}, [first, second, { ...third, mediaType: mediaTypes.layerZstd }]), /no zstd|zstd frame/],
    [put({}, [first, second, { ...third, mediaType: mediaTypes.layer }]), /^it unpacks to/],
    [put({}, [first, second, { ...third, size: third.size + 1 }]), /should have \d+ bytes and has \d+/],
    [put({}, [first, second, { ...third, digest: digestOf('nowhere') }]), /no such file/],
    [document(mediaTypes.manifest, '{}'), /schemaVersion: expected 2/],
    [document(mediaTypes.manifest, 'x'), /no JSON/],
    [document(mediaTypes.layer, 'x'), /is no image/],
    [document(mediaTypes.index, '{"schemaVersion":2,"manifests":[{}]}'), /manifests\[0\]\.mediaType/],
  ];
  for (const [descriptor, message] of cases) {
    const found = await validate(store, await descriptor, { content: true });
    t.is(found.length > 0, true, String(message));
    t.true(
      found.some((violation) => message.test(violation.message)),
      `${message} in ${JSON.stringify(found)}`,
    );
    t.true(found.every(({ subject }) => subject.startsWith('sha256:')));
  }
  const amd = { ...image, platform: { os: 'linux', architecture: 'amd64' } };
  const index = (manifests: readonly Descriptor[]) => putDocument(store, encodeIndex({ manifests }));
  t.deepEqual(await validate(store, await index([amd]), { content: true }), []);
  t.like(await validate(store, await index([amd, amd])), [{ message: 'two images are for linux/amd64' }]);
  t.like(
    await validate(store, await index([{ ...image, platform: { os: 'linux', architecture: 'arm64' } }])),
    [{ message: 'the index says linux/arm64, the config linux/amd64' }],
  );
  t.is(
    (await validate(store, await put({}, [first, third, second]))).length,
    0,
    'layers are read only if asked for',
  );
  const [bomb] = await validate(store, image, { content: true, most: 100 });
  t.regex(bomb?.message ?? '', /more than 100 bytes/);
});

test('images that carry attestations and artifacts are no trouble', async (t) => {
  const { store, image } = await sample(t);
  const empty = await putDocument(store, describe(mediaTypes.empty, Buffer.from('{}')));
  const statement = await putDocument(
    store,
    describe('application/vnd.in-toto+json', Buffer.from('{"a":1}')),
  );
  const attestation = await putDocument(
    store,
    encodeManifest({ config: empty, layers: [statement], artifactType: 'application/x', subject: image }),
  );
  const index = await putDocument(
    store,
    encodeIndex({
      manifests: [
        { ...image, platform: { os: 'linux', architecture: 'amd64' } },
        { ...attestation, platform: { os: 'unknown', architecture: 'unknown' } },
      ],
    }),
  );
  await store.tag('attested', index);
  t.is((await openImages(store, index)).length, 1);
  t.deepEqual(await validate(store, index, { content: true }), []);
  const other = await newStore(join(temporary(t), 'store'));
  await copy(store, other, index);
  await other.tag('attested', index);
  t.true(await other.exists(statement));
});

test('an image of 100 layers is made, named and inspected without a layer being opened', async (t) => {
  const directory = join(temporary(t), 'store');
  const store = await newStore(directory);
  const blobs = await Promise.all(
    Array.from({ length: 100 }, (_, at) =>
      putDocument(store, describe(mediaTypes.layerGzip, Buffer.from(`layer ${at}`))),
    ),
  );
  const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
  const script = `import { newStore, putAssembled } from ${url('../support/images.ts')};
    import { inspect } from ${url('../../builder/image/inspect.ts')};
    import { digestOf } from ${url('../../builder/digest.ts')};
    const blobs = ${JSON.stringify(blobs)};
    const store = await newStore(${JSON.stringify(directory)});
    const layers = blobs.map((blob, at) => ({ diffID: digestOf('tar ' + at), history: 'p ' + at, blobs: { 'gzip-1': blob } }));
    const image = await putAssembled(store, 'web:1', { platform: { os: 'linux', architecture: 'amd64' }, layers, created: 0, settings: {} });
    console.log((await inspect(store, image)).images[0].layers.length);`;
  const log = join(directory, 'log');
  const traced = [
    '-f',
    '-e',
    'trace=open,openat,openat2',
    '-o',
    log,
    process.execPath,
    '--input-type=module',
    '-e',
    script,
  ];
  t.is(output('strace', traced), '100\n');
  const opened = readFileSync(log, 'utf8');
  t.regex(opened, /index\.json/);
  const manifest = (await store.resolve('web:1')) ?? t.fail();
  t.true(opened.includes(hexOf(manifest.digest)));
  for (const { digest } of blobs) t.false(opened.includes(hexOf(digest)), digest);
});

test('the example of the library’s README works as it is written', (t) => {
  const directory = temporary(t);
  const readme = readFileSync(join(root, 'builder/README.md'), 'utf8');
  const [, example = ''] = /```ts\n(.*?)```/s.exec(readme) ?? [];
  const script = example.replaceAll("'./index.ts'", JSON.stringify(join(root, 'builder/index.ts')));
  symlinkSync(join(root, 'native'), join(directory, 'native'));
  writeFileSync(join(directory, 'example.ts'), script);
  const printed = output(process.execPath, [join(directory, 'example.ts')], { cwd: directory });
  t.regex(printed, /^docker-daemon sha256:[0-9a-f]{64}\n$/);
  const raw = output('skopeo', ['inspect', '--raw', `oci-archive:${directory}/hello.tar:hello:1.0`]);
  t.is(`docker-daemon ${digestOf(raw)}\n`, printed);
});
