import test from 'ava';
import { array, assert, dictionary, integer, jsonValue, option, property, string } from 'fast-check';
import { type Descriptor, describe, mediaTypes } from '../../builder/descriptor.ts';
import { digestOf } from '../../builder/digest.ts';
import { Fault } from '../../builder/fault.ts';
import { assembleImage, assembleIndex, type ImageDescription } from '../../builder/image/assemble.ts';
import { mostLayers, planLayers, type Part } from '../../builder/image/layering.ts';
import { runConfig, type Settings } from '../../builder/image/settings.ts';
import { parsePlace } from '../../builder/image/transport.ts';
import { canonicalJson, type Json, quote } from '../../builder/json.ts';
import {
  decodeConfig,
  decodeIndex,
  decodeManifest,
  encodeConfig,
  encodeIndex,
  encodeManifest,
} from '../../builder/manifest.ts';
import { completeReference, formatReference, isTag, parseReference } from '../../builder/reference.ts';
import { changeEntries } from '../../builder/store/collection.ts';
import { giveName, layoutFile } from '../../builder/store/layout.ts';
import { memoryStore } from '../../builder/store/memory-store.ts';
import { readBlob } from '../../builder/store/blob.ts';
import { reach } from '../../builder/store/graph.ts';
import type { Encoding } from '../../builder/tar/encoding.ts';
import { accepts, valid } from '../support/schemas.ts';

const layer = (text: string) => ({
  diffID: digestOf(text),
  history: `${text} 1`,
  blobs: {
    'gzip-1': { digest: digestOf(`${text} gzip`), size: 100 },
    'zstd-1': { digest: digestOf(`${text} zstd`), size: 90 },
    none: { digest: digestOf(text), size: 1000 },
  },
});

const description: ImageDescription = {
  platform: { os: 'linux', architecture: 'amd64' },
  layers: [layer('musl'), layer('mksh'), { ...layer('profile'), annotations: { 'com.example': 'ä' } }],
  created: 1_700_000_000,
  author: 'somebody',
  settings: {
    entrypoint: ['/bin/mksh', '-c'],
    cmd: ['echo "$0"', ''],
    env: { LANG: 'C.UTF-8', EMPTY: '', WITH: 'a=b c' },
    user: 'user:1000',
    workdir: '/work',
    ports: ['8080', '53/udp'],
    volumes: ['/data'],
    labels: { 'org.example': '"quoted" \u2028', '10': 'ten', '9': 'nine' },
    stopSignal: 'SIGRTMIN+3',
  },
  annotations: { 'org.opencontainers.image.title': 'web' },
};

test('JSON has one form, which RFC 8785 describes', (t) => {
  const value = {
    '\u20ac': 'Euro Sign',
    '\r': 'Carriage Return',
    '\ufb33': 'Hebrew Letter Dalet With Dagesh',
    '1': 'One',
    '\ud83d\ude00': 'Emoji: Grinning Face',
    '\u0080': 'Control',
    '\u00f6': 'Latin Small Letter O With Diaeresis',
    '10': undefined,
    list: [3, { b: 1, a: -0 }, null, true, '\u001f"\\/'],
  };
  // The order is that of the example in section 3.2.3.
  t.is(
    canonicalJson(value).toString(),
    '{"\\r":"Carriage Return","1":"One","list":[3,{"a":0,"b":1},null,true,"\\u001f\\"\\\\/"],"\u0080":"Control",' +
      '"ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign","😀":"Emoji: Grinning Face",' +
      '"\ufb33":"Hebrew Letter Dalet With Dagesh"}',
  );
  for (const wrong of [1.5, 2 ** 53, Number.NaN, Infinity, '\ud800', { '\udc00': 1 }]) {
    t.throws(() => canonicalJson(wrong), { instanceOf: RangeError }, String(wrong));
  }
  assert(
    property(jsonValue({ noUnicodeString: false, maxDepth: 4 }), (any) => {
      const integers = JSON.parse(JSON.stringify(any), (_, value: unknown) =>
        typeof value === 'number' && !Number.isSafeInteger(value) ? 0 : value,
      ) as Json;
      let text: string;
      try {
        text = canonicalJson(integers).toString();
      } catch {
        // Only a lone surrogate is left that JSON cannot carry.
        return /\\ud[89a-f]/.test(JSON.stringify(integers));
      }
      t.deepEqual(JSON.parse(text), integers);
      return canonicalJson(JSON.parse(text) as Json).toString() === text;
    }),
  );
});

test('what comes from a file is printed without moving the cursor or turning the text', (t) => {
  t.is(quote('a\u001b[2J\n"\u202e\u200b\u0085'), '"a\\u001b[2J\\n\\"\\u202e\\u200b\\u0085"');
});

const reversed = <T>(object: Readonly<Record<string, T>> = {}) =>
  Object.fromEntries(Object.entries(object).toReversed());

test('what has no order makes no difference to the image ID, and everything else does', (t) => {
  const image = (change: Partial<ImageDescription> = {}, encoding: Encoding = 'gzip-1') => {
    const { config, manifest } = assembleImage({ ...description, ...change }, encoding);
    return { id: config.descriptor.digest, digest: manifest.descriptor.digest };
  };
  const { id, digest } = image();
  const { settings } = description;
  const shuffled: Settings = {
    ...reversed(settings as Record<string, never>),
    env: reversed(settings.env),
    labels: reversed(settings.labels),
    ports: ['53/udp', '8080/tcp'],
  };
  t.deepEqual(image({ settings: shuffled }), { id, digest });
  for (const encoding of ['zstd-1', 'none'] as const) {
    t.is(image({}, encoding).id, id);
    t.not(image({}, encoding).digest, digest);
  }
  t.is(image({ annotations: {} }).id, id);
  t.not(image({ annotations: {} }).digest, digest);
  for (const change of [
    { created: 0 },
    { settings: { ...settings, cmd: [] } },
    { layers: description.layers.toReversed() },
    { platform: { os: 'linux', architecture: 'arm64' } },
  ]) {
    t.not(image(change).id, id, JSON.stringify(change));
  }
});

test('an image without settings runs as root in / with PATH=/bin, and says so', (t) => {
  t.deepEqual(JSON.parse(canonicalJson(runConfig({})).toString()), {
    Env: ['PATH=/bin'],
    User: '0',
    WorkingDir: '/',
  });
  t.deepEqual(runConfig({ env: { PATH: '/x', A: '1' } }).Env, ['A=1', 'PATH=/x']);
  const { config } = assembleImage({ ...description, created: 0, settings: {} }, 'gzip-1');
  const document = decodeConfig(config.bytes, 'config');
  t.is(document.created, '1970-01-01T00:00:00Z');
  t.deepEqual(document.history?.[0], { created: '1970-01-01T00:00:00Z', created_by: 'musl 1' });
});

test('every document that we write is what the specification’s schemas accept', async (t) => {
  const store = memoryStore();
  for (const encoding of ['gzip-1', 'zstd-1', 'none'] as const) {
    for (const settings of [description.settings, {}]) {
      const { config, manifest } = assembleImage({ ...description, settings }, encoding);
      accepts(t, 'config', config.bytes);
      accepts(t, 'image-manifest', manifest.bytes);
    }
  }
  const arm = { ...description, platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } };
  const images = [assembleImage(description, 'gzip-1'), assembleImage(arm, 'gzip-1')];
  accepts(t, 'image-index', assembleIndex(images, { 'a.b': 'c' }).bytes);
  accepts(t, 'image-layout', layoutFile);
  const entry = images[0]?.manifest.descriptor;
  if (!entry) return t.fail();
  const keys = Array.from({ length: 300 }, (_, at) => `key ${at}`);
  const collection = await changeEntries(store, undefined, new Map(keys.map((key) => [key, entry])));
  accepts(t, 'image-index', await readBlob(store, collection));
  const shards: Descriptor[] = [];
  // Below the shards are manifests, which are not in this store.
  await t.throwsAsync(async () => {
    for await (const descriptor of reach(store, [collection])) shards.push(descriptor);
  });
  t.is(shards.length, 17);
  for (const shard of shards) accepts(t, 'image-index', await readBlob(store, shard));
  accepts(t, 'image-index', encodeIndex({ manifests: [giveName('web:latest', entry)] }).bytes);
});

test('the schemas would refuse what is wrong', (t) => {
  const { config, manifest } = assembleImage(description, 'gzip-1');
  const changed = (bytes: Uint8Array, from: string | RegExp, to: string): unknown => {
    const text = Buffer.from(bytes).toString();
    t.regex(text, from instanceof RegExp ? from : new RegExp(from));
    return JSON.parse(text.replace(from, to));
  };
  t.false(valid.config(changed(config.bytes, '"os":"linux",', '')));
  t.false(valid.config(changed(config.bytes, '"2023-', '"23-')));
  t.false(valid.config(changed(config.bytes, '"Volumes":{"/data":{}}', '"Volumes":{"/data":1}')));
  t.false(valid['image-manifest'](changed(manifest.bytes, /"layers":\[.*?\],/, '"layers":[],')));
  t.false(valid['image-manifest'](changed(manifest.bytes, '"size":100', '"size":"100"')));
  t.false(valid['image-layout']({ imageLayoutVersion: '2' }));
});

test('documents are read back as they were written', (t) => {
  const { config, manifest, platform } = assembleImage(description, 'gzip-1');
  const read = decodeManifest(manifest.bytes, mediaTypes.manifest, 'm');
  t.deepEqual(encodeManifest(read), manifest);
  t.deepEqual(encodeConfig(decodeConfig(config.bytes, 'c')), config);
  const index = assembleIndex([{ config, manifest, platform }], { a: 'b' });
  t.deepEqual(encodeIndex(decodeIndex(index.bytes, mediaTypes.index, 'i')), index);
  t.deepEqual(read.layers[2]?.annotations, { 'com.example': 'ä' });
});

/** Members that the cases below change; what they are is what is tested. */
type Fields = Readonly<Record<string, unknown>> & {
  readonly config: object;
  readonly manifests: readonly object[];
};

test('documents that are wrong are refused with the field that is', (t) => {
  const { config, manifest } = assembleImage(description, 'gzip-1');
  const index = assembleIndex([assembleImage(description, 'gzip-1')]);
  const kinds = {
    manifest: [manifest.bytes, (bytes: Buffer) => decodeManifest(bytes, mediaTypes.manifest, 'DOC')],
    index: [index.bytes, (bytes: Buffer) => decodeIndex(bytes, mediaTypes.index, 'DOC')],
    config: [config.bytes, (bytes: Buffer) => decodeConfig(bytes, 'DOC')],
  } as const;
  const cases: readonly (readonly [keyof typeof kinds, (document: Fields) => unknown, string])[] = [
    ['manifest', (d) => ({ ...d, schemaVersion: 1 }), 'DOC: schemaVersion: expected 2, found "1"'],
    [
      'manifest',
      (d) => ({ ...d, schemaVersion: undefined }),
      'DOC: schemaVersion: expected 2, found "nothing"',
    ],
    [
      'manifest',
      (d) => ({ ...d, mediaType: mediaTypes.index }),
      'DOC: mediaType: expected application/vnd.oci.image.manifest',
    ],
    ['manifest', (d) => ({ ...d, manifests: [] }), 'DOC: manifests: expected no such field'],
    ['index', (d) => ({ ...d, layers: [] }), 'DOC: layers: expected no such field'],
    ['manifest', (d) => ({ ...d, layers: {} }), 'DOC: layers: expected a list, found "{}"'],
    [
      'manifest',
      (d) => ({ ...d, layers: [{}] }),
      'DOC: layers[0].mediaType: expected a string, found "nothing"',
    ],
    ['manifest', (d) => ({ ...d, layers: [null] }), 'DOC: layers[0]: expected an object, found "null"'],
    [
      'manifest',
      (d) => ({ ...d, config: { ...d.config, size: -1 } }),
      'DOC: config.size: expected an integer',
    ],
    [
      'manifest',
      (d) => ({ ...d, config: { ...d.config, size: 1.5 } }),
      'DOC: config.size: expected an integer',
    ],
    [
      'manifest',
      (d) => ({ ...d, config: { ...d.config, size: 2 ** 60 } }),
      'DOC: config.size: expected an integer',
    ],
    [
      'manifest',
      (d) => ({ ...d, config: { ...d.config, digest: 'sha256:AB' } }),
      'DOC: config.digest: "sha256:AB" is no',
    ],
    [
      'manifest',
      (d) => ({ ...d, config: { ...d.config, digest: '../../etc/passwd' } }),
      'DOC: config.digest: ',
    ],
    [
      'manifest',
      (d) => ({ ...d, config: { ...d.config, mediaType: 'x' } }),
      'DOC: config.mediaType: expected a media type',
    ],
    [
      'manifest',
      (d) => ({ ...d, annotations: { a: 1 } }),
      'DOC: annotations.a: expected a string, found "1"',
    ],
    ['index', (d) => ({ ...d, manifests: 'x' }), 'DOC: manifests: expected a list'],
    [
      'index',
      (d) => ({ ...d, manifests: [{ ...d.manifests[0], platform: { os: 1 } }] }),
      'DOC: manifests[0].platform.architecture',
    ],
    ['config', (d) => ({ ...d, os: undefined }), 'DOC: os: expected a string'],
    [
      'config',
      (d) => ({ ...d, rootfs: { type: 'none', diff_ids: [] } }),
      'DOC: rootfs.type: expected "layers", found "\\"none\\""',
    ],
    ['config', (d) => ({ ...d, rootfs: { type: 'layers', diff_ids: ['x'] } }), 'DOC: rootfs.diff_ids[0]: '],
    ['config', (d) => ({ ...d, config: { Env: 'PATH' } }), 'DOC: config.Env: expected a list'],
    [
      'config',
      (d) => ({ ...d, config: { Volumes: { '/x': 1 } } }),
      'DOC: config.Volumes./x: expected an object',
    ],
    [
      'config',
      (d) => ({ ...d, history: [{ empty_layer: 'no' }] }),
      'DOC: history[0].empty_layer: expected true or false',
    ],
    ['config', () => [], 'DOC: expected an object, found "[]"'],
    ['config', () => 'x'.repeat(500), 'DOC: expected an object, found "\\"xxxx'],
  ];
  for (const [kind, change, message] of cases) {
    const [bytes, decode] = kinds[kind];
    const document = change(JSON.parse(Buffer.from(bytes).toString()) as Fields);
    const error = t.throws(() => decode(Buffer.from(JSON.stringify(document))), { instanceOf: Fault });
    t.is(error?.code, 'INPUT');
    t.true(error?.message.startsWith(message), error?.message);
    t.false((error?.message ?? '').includes('\n'));
    t.true((error?.message.length ?? 0) < 300);
  }
  for (const bytes of [
    Buffer.from('{'),
    Buffer.from([0xff]),
    Buffer.alloc(0),
    Buffer.from('{"a":"\u0001"}'),
  ]) {
    t.throws(() => decodeConfig(bytes, 'DOC'), { instanceOf: Fault, message: /^DOC: no JSON/ });
  }
  const nulls = {
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [] },
    config: null,
    history: null,
    created: null,
  };
  t.deepEqual(decodeConfig(canonicalJson(nulls), 'DOC').config, undefined, 'null is as good as absent');
  const hostile = Buffer.from(
    '{"schemaVersion":2,"manifests":[],"annotations":{"__proto__":"x","constructor":"y"}}',
  );
  const { annotations } = decodeIndex(hostile, mediaTypes.index, 'DOC');
  t.deepEqual(Object.entries(annotations ?? {}), [
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ]);
});

const complete = (text: string) => formatReference(completeReference(parseReference(text)));

test('names of images', (t) => {
  const digest = digestOf('x');
  const good: Readonly<Record<string, ReturnType<typeof parseReference>>> = {
    web: { host: undefined, name: 'web', tag: undefined, digest: undefined },
    'web:1.0': { host: undefined, name: 'web', tag: '1.0', digest: undefined },
    'a/b/c': { host: undefined, name: 'a/b/c', tag: undefined, digest: undefined },
    'localhost/web': { host: 'localhost', name: 'web', tag: undefined, digest: undefined },
    'localhost:5000/a/web:x': { host: 'localhost:5000', name: 'a/web', tag: 'x', digest: undefined },
    'quay.io/web': { host: 'quay.io', name: 'web', tag: undefined, digest: undefined },
    'HOST/web': { host: 'HOST', name: 'web', tag: undefined, digest: undefined },
    '[::1]:5000/web': { host: '[::1]:5000', name: 'web', tag: undefined, digest: undefined },
    [`web:1@${digest}`]: { host: undefined, name: 'web', tag: '1', digest },
    [`1.2.3.4:80/w@${digest}`]: { host: '1.2.3.4:80', name: 'w', tag: undefined, digest },
    'a__b--c.d': { host: undefined, name: 'a__b--c.d', tag: undefined, digest: undefined },
    [`web:${'x'.repeat(128)}`]: { host: undefined, name: 'web', tag: 'x'.repeat(128), digest: undefined },
    'web:_': { host: undefined, name: 'web', tag: '_', digest: undefined },
  };
  for (const [text, reference] of Object.entries(good)) {
    t.deepEqual(parseReference(text), reference, text);
    t.is(formatReference(parseReference(text)), text);
  }
  const bad = [
    '',
    ':',
    'web:',
    'web:-x',
    'web:.x',
    `web:${'x'.repeat(129)}`,
    'Web',
    'web/',
    '/web',
    'a//b',
    'a___b',
    '-a',
    'a-',
    'web@',
    'web@sha256:1',
    `web@${digest}@${digest}`,
    'web@sha512:00',
    'ho st/web',
    'a..b/c',
    'web x',
    'web\n',
    'localhost:x/web',
    'a:1:2',
    `${'a/'.repeat(200)}b`,
    'x:5000/',
    '[::1/web',
    'a.b:5000/W',
    'web:1 ',
    '~/x',
  ];
  for (const text of bad) {
    const error = t.throws(() => parseReference(text), { instanceOf: Fault }, text);
    t.is(error?.code, 'INPUT');
    t.true((error?.message ?? '').includes(JSON.stringify(text)), error?.message);
  }
  t.is(complete('web'), 'docker.io/library/web:latest');
  t.is(complete('me/web:1'), 'docker.io/me/web:1');
  t.is(complete('index.docker.io/web'), 'docker.io/library/web:latest');
  t.is(complete('quay.io/web'), 'quay.io/web:latest');
  t.is(complete(`web@${digest}`), `docker.io/library/web@${digest}`);
  assert(property(string(), (text) => isTag(text) === /^\w[\w.-]{0,127}$/.test(text)));
});

test('places of images', (t) => {
  t.deepEqual(parsePlace('oci:out'), { transport: 'oci', path: 'out' });
  t.deepEqual(parsePlace('oci:out:a/b:1'), { transport: 'oci', path: 'out', name: 'a/b:1' });
  t.deepEqual(parsePlace('oci-archive:/x.tar:'), { transport: 'oci-archive', path: '/x.tar' });
  t.deepEqual(parsePlace('docker-archive:x.tar:web'), {
    transport: 'docker-archive',
    path: 'x.tar',
    name: 'web',
  });
  t.deepEqual(parsePlace('rootfs:a:b'), { transport: 'rootfs', path: 'a:b' });
  for (const [text, transport] of [
    ['docker-daemon:web:1', 'docker-daemon'],
    ['containers-storage:web:1', 'containers-storage'],
    ['containerd:web:1', 'containerd'],
    ['docker://web:1', 'docker'],
    ['web:1', 'store'],
  ] as const) {
    t.deepEqual(parsePlace(text), { transport, reference: parseReference('web:1') });
  }
  for (const text of [
    'oci:',
    'oci',
    'rootfs:',
    'docker:web',
    'docker-archive::x',
    'docker://',
    'dir:x y',
    'OCI:x',
  ]) {
    if (text === 'oci') t.is(parsePlace(text).transport, 'store');
    else t.throws(() => parsePlace(text), { instanceOf: Fault }, text);
  }
});

test('settings that an engine could not use are refused with their name', (t) => {
  const cases: readonly (readonly [Settings, RegExp])[] = [
    [{ env: { 'A=B': '1' } }, /^environment: "A=B"/],
    [{ env: { '': '1' } }, /^environment: ""/],
    [{ env: { A: 'x\0y' } }, /^environment A: /],
    [{ user: 'a:b:c' }, /^user: /],
    [{ user: '' }, /^user: /],
    [{ user: '-1' }, /^user: /],
    [{ user: '0:4294967295' }, /^user: /],
    [{ volumes: ['//'] }, /^volume: /],
    [{ workdir: 'work' }, /^workdir: "work"/],
    [{ ports: ['0'] }, /^port: "0"/],
    [{ ports: ['65536'] }, /^port: /],
    [{ ports: ['80/http'] }, /^port: "80\/http"/],
    [{ ports: ['80-90'] }, /^port: /],
    [{ volumes: ['data'] }, /^volume: "data"/],
    [{ stopSignal: 'TERM' }, /^stop signal: "TERM"/],
    [{ entrypoint: [''] }, /^entrypoint: ""/],
    [{ cmd: ['a\0b'] }, /^command: /],
    [{ labels: { '': 'x' } }, /^label: /],
  ];
  for (const [settings, message] of cases) {
    t.throws(() => runConfig(settings), { instanceOf: Fault, message }, JSON.stringify(settings));
  }
  t.throws(() => assembleImage({ ...description, created: 1.5 }, 'gzip-1'), {
    message: /1\.5 is no time of creation/,
  });
  t.throws(() => assembleImage({ ...description, created: -1 }, 'gzip-1'), { instanceOf: Fault });
  t.throws(() => assembleImage({ ...description, created: 1e12 }, 'gzip-1'), { instanceOf: Fault });
  const many = Array.from({ length: mostLayers + 1 }, () => layer('x'));
  t.throws(() => assembleImage({ ...description, layers: many }, 'gzip-1'), { message: /126 layers/ });
  const blobs = { 'gzip-1': layer('x').blobs['gzip-1'] };
  t.throws(() => assembleImage({ ...description, layers: [{ ...layer('x'), blobs }] }, 'zstd-1'), {
    message: /^the layer x 1 \(sha256:.*\) has no blob in zstd-1$/,
  });
  const image = assembleImage(description, 'gzip-1');
  t.throws(() => assembleIndex([image, image]), { message: /two images are for linux\/amd64/ });
});

test('the order of an index does not depend on the order of its images', (t) => {
  const images = ['arm64', 'amd64', 'riscv64'].map((architecture) =>
    assembleImage({ ...description, platform: { os: 'linux', architecture } }, 'gzip-1'),
  );
  const index = assembleIndex(images);
  t.deepEqual(assembleIndex(images.toReversed()), index);
  t.deepEqual(
    decodeIndex(index.bytes, mediaTypes.index, 'i').manifests.map(({ platform }) => platform?.architecture),
    ['amd64', 'arm64', 'riscv64'],
  );
});

// Layers under a budget

const part = (name: string, size = 1000, rank = 500, version = '1'): Part => ({ name, version, rank, size });
const large = 5 << 20;
const parts = array(
  option(integer({ min: 0, max: 3 }), { nil: 0 }).map((kind) => kind ?? 0),
  { maxLength: 600 },
).map((kinds) =>
  kinds.map((kind, at) =>
    part(`package-${at}`, kind === 3 ? large + at : 1000 * at, [100, 500, 900, 500][kind]),
  ),
);

const key = (layer: readonly Part[]) => layer.map(({ name, version }) => `${name} ${version}`).join(',');

test('layers: within the budget each part has its own, lowest ranks first', (t) => {
  const planned = planLayers(
    [part('z', 1, 100), part('b'), part('a', 1, 900), part('ä'), part('b', 1, 500, '0'), part('A')],
    8,
  );
  t.deepEqual(
    planned.map((layer) => layer.map(({ name, version }) => `${name} ${version}`)),
    [['z 1'], ['A 1'], ['b 0'], ['b 1'], ['ä 1'], ['a 1']],
  );
  t.deepEqual(planLayers([], 32), []);
});

test('layers: every part is in exactly one layer, and there are never too many', (t) => {
  assert(
    property(parts, integer({ min: 3, max: 125 }), (all, budget) => {
      const planned = planLayers(all, budget);
      t.true(planned.length <= budget - 2);
      t.true(planned.every((layer) => layer.length > 0));
      const names = planned.flat().map(({ name }) => name);
      t.is(new Set(names).size, names.length);
      t.deepEqual(names.toSorted(), all.map(({ name }) => name).toSorted());
      t.deepEqual(planLayers(all.toReversed(), budget), planned, 'the order given makes no difference');
    }),
  );
  for (const budget of [2, 126, 3.5, Number.NaN]) {
    t.throws(() => planLayers([], budget), { instanceOf: Fault, message: /a layer budget of/ });
  }
});

test('layers: past the budget a small part that comes, changes or goes changes one layer', (t) => {
  for (const budget of [8, 32, 125]) {
    const all = Array.from({ length: 500 }, (_, at) =>
      part(`p${at}`, at % 20 === 0 ? large : 5000, [100, 500, 900][at % 3]),
    );
    const before = planLayers(all, budget).map(key);
    const differs = (other: readonly Part[]) => {
      const after = new Set(planLayers(other, budget).map(key));
      return before.filter((layer) => !after.has(layer)).length;
    };
    t.is(differs([...all, part('one-more')]), 1);
    t.is(differs([...all, part('one-more', 10, 900)]), 1);
    t.is(differs(all.with(7, { ...part('p7'), version: '2', rank: all[7]?.rank ?? 0 })), 1);
    t.is(differs(all.toSpliced(11, 1)), 1);
    t.is(differs(all.with(0, { ...part('p0', large + 1, 100), version: '2' })), 1, 'a large one too');
  }
});

test('layers: large parts keep a layer while eight places are left, applications above what is shared', (t) => {
  const all = [
    ...Array.from({ length: 4 }, (_, at) => part(`base-${at}`, large, 100)),
    ...Array.from({ length: 2 }, (_, at) => part(`app-${at}`, large, 900)),
    ...Array.from({ length: 100 }, (_, at) => part(`small-${at}`)),
  ];
  const planned = planLayers(all, 32).map((layer) => (layer.length === 1 ? layer[0]?.name : layer.length));
  t.deepEqual(planned.slice(0, 4), ['base-0', 'base-1', 'base-2', 'base-3']);
  t.deepEqual(planned.slice(-2), ['app-0', 'app-1']);
  t.is(planned.length, 4 + 16 + 2, '16 buckets fit into the 24 places that are left');
  const many = planLayers(
    [...Array.from({ length: 30 }, (_, at) => part(`large-${at}`, large)), part('small'), part('tiny')],
    32,
  );
  t.is(many.filter((layer) => layer.length === 1 && layer[0]?.name.startsWith('large')).length >= 22, true);
  t.true(many.length <= 30);
  // A budget of 8 has 6 places: no part has one to itself.
  t.is(planLayers(all, 8).length, 4);
  t.deepEqual(
    planLayers(all, 3).map((layer) => layer.length),
    [106],
  );
});

test('layers: two images that differ in one application share every layer below it', (t) => {
  const common = Array.from({ length: 60 }, (_, at) => part(`lib-${at}`, at % 10 === 0 ? large : 1000));
  const a = planLayers([...common, part('app-a', large, 900)], 32);
  const b = planLayers([...common, part('app-b', large, 900)], 32);
  t.deepEqual(a.slice(0, -1), b.slice(0, -1));
  t.notDeepEqual(a.at(-1), b.at(-1));
});

test('canonical descriptors: what a reader adds to one is not part of what it names', (t) => {
  const { descriptor, bytes } = describe(mediaTypes.config, Buffer.from('{}'));
  t.deepEqual(Object.keys(descriptor).toSorted(), ['digest', 'mediaType', 'size']);
  t.is(descriptor.digest, digestOf(bytes));
  assert(
    property(dictionary(string(), string()), (annotations) => {
      if (Object.keys(annotations).some((name) => !name.isWellFormed())) return;
      if (Object.values(annotations).some((value) => !value.isWellFormed())) return;
      const { bytes } = encodeIndex({ manifests: [{ ...descriptor, annotations }], annotations });
      const read = decodeIndex(bytes, mediaTypes.index, 'i');
      t.deepEqual(Object.entries(read.annotations ?? {}).toSorted(), Object.entries(annotations).toSorted());
    }),
  );
});
