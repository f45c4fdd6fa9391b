import ava, { type ExecutionContext } from 'ava';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Descriptor, describe, mediaTypes } from '../../builder/descriptor.ts';
import { digestOf } from '../../builder/digest.ts';
import { Fault } from '../../builder/fault.ts';
import { encodeConfig, encodeIndex, encodeManifest } from '../../builder/manifest.ts';
import { resolveDocument, sendDocument } from '../../builder/registry/documents.ts';
import { pull } from '../../builder/registry/pull.ts';
import { push } from '../../builder/registry/push.ts';
import { listReferrers } from '../../builder/registry/referrers.ts';
import { Registry } from '../../builder/registry/registry.ts';
import { openRepository } from '../../builder/registry/repository.ts';
import type { RegistryEvent, RegistrySettings } from '../../builder/registry/settings.ts';
import { upload } from '../../builder/registry/upload.ts';
import { putDocument, readBlob } from '../../builder/store/blob.ts';
import { check } from '../../builder/store/check.ts';
import { copy, type CopyEvent } from '../../builder/store/copy.ts';
import { limit } from '../../builder/store/limit.ts';
import { memoryStore } from '../../builder/store/memory-store.ts';
import type { BlobStore } from '../../builder/store/store.ts';
import { newStore, putImage } from '../support/images.ts';
import { crane, podman, skopeo } from '../support/peer-tools.ts';
import {
  type RegistryKind,
  type RegistryOptions,
  type RunningRegistry,
  registryFor,
  startRegistry,
} from '../support/registries.ts';
import { user } from '../support/token-server.ts';
import { rootTest } from '../support/root-test.ts';
import { temporary } from '../support/tools.ts';

/** One after the other: each starts real registries. */
const test = ava.serial;

type Peer = {
  readonly running: RunningRegistry;
  readonly registry: Registry;
  readonly events: RegistryEvent[];
};

/** A registry and our client of it, for one test. */
async function peer(
  t: ExecutionContext,
  kind: RegistryKind,
  options: RegistryOptions = {},
  settings: Partial<RegistrySettings> = {},
): Promise<Peer> {
  const running = await registryFor(t, kind, options);
  const events: RegistryEvent[] = [];
  const password = { kind: 'password', username: user.name, password: user.password } as const;
  const registry = new Registry(running.host, {
    environment: {},
    certificates: [running.certificates],
    credential: async () => (options.auth ? password : undefined),
    report: (event) => events.push(event),
    ...settings,
  });
  t.teardown(() => registry.close());
  return { running, registry, events };
}

/** An image of these blobs, which are no tars: no registry looks. */
async function imageOf(
  store: BlobStore,
  blobs: readonly Buffer[],
  architecture = 'amd64',
): Promise<Descriptor> {
  const layers = await Promise.all(
    blobs.map((blob) => putDocument(store, describe(mediaTypes.layerGzip, blob))),
  );
  const config = encodeConfig({
    architecture,
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
  });
  return putDocument(store, encodeManifest({ config: await putDocument(store, config), layers }));
}

const count = (requests: readonly string[], pattern: RegExp): number =>
  requests.filter((request) => pattern.test(request)).length;

const manners: readonly (readonly [RegistryKind, RegistryOptions, string])[] = [
  ['docker-registry', {}, 'plain'],
  ['docker-registry', { auth: 'basic', tls: true }, 'Basic over TLS'],
  ['docker-registry', { auth: 'token' }, 'tokens'],
  ['distribution', { auth: 'basic' }, 'Basic'],
  ['distribution', { auth: 'token', tls: true }, 'tokens over TLS'],
  ['distribution', { tls: true }, 'TLS'],
  ['crane', {}, 'plain'],
];

for (const [kind, options, name] of manners) {
  test(`${kind}, ${name}: images go there and back, with skopeo and crane and without`, async (t) => {
    const { running, registry } = await peer(t, kind, options);
    const store = memoryStore();
    const image = await putImage(store, ['one', 'two', 'three']);
    await push(store, image, openRepository(registry, 'some/image', { access: 'push' }), ['1.0', 'latest']);

    const ours = openRepository(registry, 'some/image');
    t.deepEqual((await ours.tags()).toSorted(), ['1.0', 'latest']);
    t.is((await ours.resolve('latest'))?.digest, image.digest);
    t.is(await ours.resolve('nothing'), undefined);
    await copy(ours, memoryStore(), image);

    for (const make of [skopeo, crane]) {
      const directory = temporary(t);
      const client = make(directory, running, options);
      t.is(digestOf(await client.manifest('some/image:1.0')), image.digest);

      // What they pull and push themselves is the same image to us.
      const layout = join(directory, 'layout');
      await client.pull('some/image:1.0', layout);
      await client.push(layout, `${make.name}/image:theirs`);
      const theirs = openRepository(registry, `${make.name}/image`);
      const found = await theirs.resolve('theirs');
      if (!found) return t.fail(`${make.name} pushed nothing`);
      const back = memoryStore();
      await copy(theirs, back, found);
      t.deepEqual(await layersOf(back, found), await layersOf(store, image));
    }
  });
}

/** The layers below a document: crane wraps the image that it pulls in an index. */
async function layersOf(store: BlobStore, descriptor: Descriptor): Promise<readonly string[]> {
  const { layers, manifests } = JSON.parse((await readBlob(store, descriptor)).toString()) as {
    layers?: Descriptor[];
    manifests?: Descriptor[];
  };
  if (manifests) return (await Promise.all(manifests.map((one) => layersOf(store, one)))).flat();
  return (layers ?? []).map(({ digest }) => digest);
}

rootTest('podman pulls what we pushed, with the same digest', async (t) => {
  for (const [kind, options] of manners.slice(1, 5)) {
    const running = await startRegistry(kind, options);
    try {
      const password = { kind: 'password', username: user.name, password: user.password } as const;
      const registry = new Registry(running.host, {
        environment: {},
        certificates: [running.certificates],
        credential: async () => (options.auth ? password : undefined),
      });
      const store = memoryStore();
      const image = await putImage(store, ['one', 'two']);
      await push(store, image, openRepository(registry, 'some/image', { access: 'push' }), ['1.0']);
      t.is(await podman(temporary(t), running, options).pull('some/image:1.0'), image.digest);
      registry.close();
    } finally {
      await running.stop();
    }
  }
});

test('an image for several platforms goes whole, and comes back from skopeo', async (t) => {
  const { running, registry } = await peer(t, 'distribution');
  const store = memoryStore();
  const shared = randomBytes(1000);
  const images = [
    await imageOf(store, [shared, randomBytes(2000)], 'amd64'),
    await imageOf(store, [shared, randomBytes(2000)], 'arm64'),
  ];
  const [amd, arm] = images as [Descriptor, Descriptor];
  const index = encodeIndex({
    manifests: [
      { ...amd, platform: { os: 'linux', architecture: 'amd64' } },
      { ...arm, platform: { os: 'linux', architecture: 'arm64' } },
    ],
  });
  const root = await putDocument(store, index);
  await push(store, root, openRepository(registry, 'multi', { access: 'push' }), ['v1']);

  const requests = await running.requests();
  t.is(count(requests, /^PUT .*\/blobs\//), 5, 'three layers and two configs');
  t.true((requests.at(-1) ?? '').startsWith('PUT /v2/multi/manifests/v1 '), 'the tag comes last');
  const layout = join(temporary(t), 'layout');
  await skopeo(temporary(t), running, {}).pull('multi:v1', layout);
  t.true(readdirSync(join(layout, 'blobs/sha256')).includes(root.digest.slice(7)));
  await copy(openRepository(registry, 'multi'), memoryStore(), root);
});

for (const options of [{}, { auth: 'basic' }, { auth: 'token' }] satisfies RegistryOptions[]) {
  test(`an unchanged image costs two requests after authentication: ${options.auth ?? 'open'}`, async (t) => {
    const first = await peer(t, 'docker-registry', options);
    const store = memoryStore();
    const image = await putImage(
      store,
      Array.from({ length: 10 }, (_, at) => `layer ${at}`),
    );
    await push(store, image, openRepository(first.registry, 'app', { access: 'push' }), ['1']);
    await first.running.requests();

    const password = { kind: 'password', username: user.name, password: user.password } as const;
    const registry = new Registry(first.running.host, {
      environment: {},
      credential: async () => (options.auth ? password : undefined),
    });
    await push(store, image, openRepository(registry, 'app', { access: 'push' }), ['1']);
    registry.close();
    const requests = await first.running.requests();
    t.deepEqual(requests, [`GET /v2/ ${options.auth ? 401 : 200}`, 'HEAD /v2/app/manifests/1 200']);
  });
}

test('one package changed: its layer, profile, config and manifest are sent, and nothing else is asked for', async (t) => {
  const { running, registry } = await peer(t, 'docker-registry');
  const store = memoryStore();
  const blobs = Array.from({ length: 30 }, () => randomBytes(500));
  const before = await imageOf(store, blobs);
  await push(store, before, openRepository(registry, 'app', { access: 'push' }), ['1']);
  await running.requests();

  const after = await imageOf(store, blobs.with(3, randomBytes(500)).with(29, randomBytes(500)));
  const events: CopyEvent[] = [];
  await push(store, after, openRepository(registry, 'app', { access: 'push' }), ['1'], {
    report: (event) => events.push(event),
  });
  const requests = await running.requests();
  t.is(count(requests, /^PUT .*\/blobs\//), 3);
  t.is(count(requests, /^PUT .*\/manifests\//), 1);
  // What begins an upload asks as well whether it is needed, as this registry is known to mount.
  t.is(count(requests, /^HEAD .*\/blobs\//), 0);
  t.is(requests.length, 10);
  t.is(events.filter(({ type }) => type === 'exists').length, 28);
});

test('what another repository of the registry has is mounted: no body of it is sent', async (t) => {
  for (const options of [{}, { auth: 'token' }] satisfies RegistryOptions[]) {
    const { running, registry } = await peer(t, 'docker-registry', options);
    const store = memoryStore();
    const blobs = Array.from({ length: 5 }, () => randomBytes(500));
    await push(store, await imageOf(store, blobs), openRepository(registry, 'packages', { access: 'push' }), [
      'a',
    ]);
    await running.requests();

    const profile = randomBytes(100);
    const image = await imageOf(store, [...blobs, profile]);
    const known = new Set(blobs.map((blob) => digestOf(blob)));
    const repository = openRepository(registry, 'app', {
      access: 'push',
      sources: ({ digest }) => (known.has(digest) ? ['packages'] : []),
    });
    await push(store, image, repository, ['1']);
    const requests = await running.requests();
    t.is(count(requests, /^POST .*mount=.*from=packages 201$/), 5);
    t.is(count(requests, /^PUT .*\/blobs\/uploads/), 2, 'profile and config');
    await copy(openRepository(registry, 'app'), memoryStore(), image);
  }
});

test('a source that does not have the blob costs nothing but the question', async (t) => {
  const { running, registry } = await peer(t, 'docker-registry');
  const store = memoryStore();
  const image = await imageOf(store, [randomBytes(500), Buffer.alloc(0)]);
  await push(
    store,
    image,
    openRepository(registry, 'app', { access: 'push', sources: () => ['nothing/here'] }),
    ['1'],
  );
  const requests = await running.requests();
  t.is(count(requests, /^POST .*\/uploads\/\?mount/), 3);
  t.is(count(requests, /^POST /), 3, 'the upload that was begun instead is used');
  await copy(openRepository(registry, 'app'), memoryStore(), image);
});

for (const kind of ['docker-registry', 'distribution', 'crane'] as const) {
  test(`${kind}: chunks, and blobs of no and of one byte`, async (t) => {
    const { registry } = await peer(t, kind, {}, { chunk: 70_000 });
    const store = memoryStore();
    const image = await imageOf(store, [
      randomBytes(300_000),
      randomBytes(70_000),
      Buffer.alloc(0),
      Buffer.from('x'),
    ]);
    await push(store, image, openRepository(registry, 'chunked', { access: 'push' }), ['1']);
    const back = memoryStore();
    await copy(openRepository(registry, 'chunked'), back, image);
    t.true(await back.exists(image));
  });

  test(`${kind}: what refers to an image is found, by API or by tag`, async (t) => {
    const { registry } = await peer(t, kind);
    const store = memoryStore();
    const image = await putImage(store, ['one']);
    const repository = openRepository(registry, 'signed', { access: 'push' });
    await push(store, image, repository, ['1']);
    const empty = await putDocument(store, describe(mediaTypes.empty, Buffer.from('{}')));
    const referrers = ['application/x.first', 'application/x.second'].map((artifactType) =>
      encodeManifest({
        artifactType,
        config: empty,
        layers: [empty],
        subject: image,
        annotations: { a: artifactType },
      }),
    );
    for (const referrer of referrers) {
      await push(store, await putDocument(store, referrer), repository, []);
    }
    const all = await listReferrers(repository.place, image.digest);
    t.deepEqual(
      all.map(({ digest }) => digest).toSorted(),
      referrers.map(({ descriptor }) => descriptor.digest).toSorted(),
    );
    const some = await listReferrers(repository.place, image.digest, 'application/x.second');
    t.deepEqual(
      some.map(({ digest }) => digest),
      [referrers[1]?.descriptor.digest],
    );
    t.is(some[0]?.annotations?.['a'], 'application/x.second');
    t.deepEqual(await listReferrers(repository.place, digestOf('nobody')), []);
  });
}

test('several who refer to one image at once lose nobody, though the registry knows only tags', async (t) => {
  const { registry } = await peer(t, 'docker-registry');
  const store = memoryStore();
  const image = await putImage(store, ['one']);
  await push(store, image, openRepository(registry, 'signed', { access: 'push' }), ['1']);
  const empty = await putDocument(store, describe(mediaTypes.empty, Buffer.from('{}')));
  const refer = async (at: number) => {
    const artifactType = `application/x.number-${at}`;
    const referrer = encodeManifest({ artifactType, config: empty, layers: [empty], subject: image });
    const repository = openRepository(registry, 'signed', { access: 'push' });
    await push(store, await putDocument(store, referrer), repository, []);
  };
  // The first brings the blob that all have, so that what the others race for is the list alone.
  await refer(0);
  await Promise.all([1, 2, 3, 4].map(refer));
  const { place } = openRepository(registry, 'signed');
  t.is((await listReferrers(place, image.digest)).length, 5);
});

test('documents are stored while others send the blob that all of them need, again and again', async (t) => {
  const { registry } = await peer(t, 'docker-registry', {}, { retry: { base: 50 } });
  const { place } = openRepository(registry, 'busy', { access: 'push' });
  const store = memoryStore();
  const empty = await putDocument(store, describe(mediaTypes.empty, Buffer.from('{}')));
  const sent = { place, descriptor: empty, content: Buffer.from('{}'), sessions: undefined };
  await upload(sent, undefined);
  const over = new AbortController();
  const senders = Array.from({ length: 4 }, async () => {
    while (!over.signal.aborted) await upload(sent, undefined);
  });
  const documents = Array.from({ length: 150 }, (_, at) =>
    encodeManifest({ config: empty, layers: [empty], annotations: { at: String(at) } }),
  );
  const slots = limit(2);
  await Promise.all(
    documents.map((document) => slots(() => sendDocument(place, document.descriptor.digest, document))),
  ).finally(() => over.abort());
  await Promise.all(senders);
  for (const { descriptor } of documents) t.truthy(await resolveDocument(place, descriptor.digest));
});

test('a token is asked for once, by password or by refresh token, and for what is needed', async (t) => {
  const { running, registry } = await peer(t, 'docker-registry', { auth: 'token' });
  const store = memoryStore();
  const image = await putImage(store, ['one', 'two']);
  await push(store, image, openRepository(registry, 'app', { access: 'push' }), ['1']);
  const asked = running.tokens?.requests ?? [];
  t.is(asked.length, 1);
  t.is(asked[0]?.fields.get('scope'), 'repository:app:pull,push');
  t.is(asked[0]?.fields.get('service'), 'registry.test');
  t.is(asked[0]?.fields.get('account'), user.name);

  const identity = { kind: 'identity', token: user.refresh } as const;
  const other = new Registry(running.host, { environment: {}, credential: async () => identity });
  t.is((await openRepository(other, 'app').resolve('1'))?.digest, image.digest);
  t.is(asked.at(-1)?.method, 'POST');
  t.is(asked.at(-1)?.fields.get('grant_type'), 'refresh_token');
  t.is(asked.at(-1)?.fields.get('scope'), 'repository:app:pull');
  other.close();

  const nobody = new Registry(running.host, { environment: {}, credential: async () => undefined });
  t.is((await openRepository(nobody, 'app').resolve('1'))?.digest, image.digest);
  const denied = await t.throwsAsync(
    push(store, await putImage(store, ['three']), openRepository(nobody, 'app', { access: 'push' }), ['2']),
    { instanceOf: Fault, code: 'NETWORK' },
  );
  t.regex(denied?.message ?? '', /app: .* status 401 UNAUTHORIZED/);
  t.is((denied as Fault).hint, `log in to ${running.host} first`);
  nobody.close();
});

test('wrong passwords: one line that says whose they are, without them', async (t) => {
  for (const options of [{ auth: 'basic' }, { auth: 'token' }] satisfies RegistryOptions[]) {
    const wrong = { kind: 'password', username: 'somebody', password: 'hunter2-is-secret' } as const;
    const { registry, running, events } = await peer(t, 'docker-registry', options, {
      credential: async () => wrong,
    });
    const fault = (await t.throwsAsync(openRepository(registry, 'app').tags(), {
      instanceOf: Fault,
    })) as Fault;
    t.is(fault.code, 'NETWORK');
    t.true(fault.message.includes(running.host), fault.message);
    t.regex(fault.message, /401/);
    t.regex(fault.hint ?? '', /log in/);
    t.false(`${fault.message}${fault.hint}${JSON.stringify(events)}`.includes('hunter2'));
  }
});

test('a registry that is not there, or is none, or does not have it', async (t) => {
  const { running, registry } = await peer(t, 'docker-registry');
  const repository = openRepository(registry, 'no/such');
  t.deepEqual(await repository.tags(), []);
  const blob = describe(mediaTypes.layer, Buffer.from('nothing')).descriptor;
  t.false(await repository.exists(blob));
  const missing = await t.throwsAsync(readBlob(repository, blob), { instanceOf: Fault, code: 'NOT_FOUND' });
  t.true(missing?.message.startsWith(`${running.host}/no/such: `), missing?.message);

  const nobody = new Registry('127.0.0.1:1', { environment: {} });
  const dead = (await t.throwsAsync(openRepository(nobody, 'x').tags(), { instanceOf: Fault })) as Fault;
  t.regex(dead.message, /^127\.0\.0\.1:1\/x: reaching the registry: GET: nobody answers/);
  t.regex(dead.hint ?? '', /check host and port/);
});

test('TLS of an authority that nobody knows is refused, unless the user insists', async (t) => {
  const { running, registry } = await peer(t, 'distribution', { tls: true }, { certificates: [] });
  const refused = (await t.throwsAsync(openRepository(registry, 'x').tags(), { instanceOf: Fault })) as Fault;
  t.regex(refused.message, /its certificate is not to be trusted: [^;]+$/, 'without what Node advises');
  t.regex(refused.hint ?? '', /certs\.d\/127\.0\.0\.1/);
  const insecure = new Registry(running.host, { environment: {}, certificates: [], insecure: true });
  t.deepEqual(await openRepository(insecure, 'x').tags(), []);
  insecure.close();
});

test('a tag is moved, and nothing is tagged before everything below is there', async (t) => {
  const { registry } = await peer(t, 'distribution');
  const store = memoryStore();
  const first = await putImage(store, ['one']);
  const second = await putImage(store, ['two']);
  const repository = openRepository(registry, 'app', { access: 'push' });
  await push(store, first, repository, ['1']);
  await push(store, second, repository, ['1', '2', '3']);
  for (const tag of ['1', '2', '3']) t.is((await repository.resolve(tag))?.digest, second.digest);

  const broken = memoryStore();
  const image = await imageOf(broken, [randomBytes(10)]);
  const bytes = await readBlob(broken, image);
  const early = await t.throwsAsync(repository.tagAll(['1'], { descriptor: image, bytes }), {
    instanceOf: Fault,
  });
  t.is((early as Fault).code, 'INTEGRITY');
  t.is((await repository.resolve('1'))?.digest, second.digest);
});

test('thousands of tags come page by page', async (t) => {
  const { registry } = await peer(t, 'crane');
  const store = memoryStore();
  const image = await putImage(store, ['one']);
  const repository = openRepository(registry, 'many', { access: 'push' });
  const tags = Array.from({ length: 1200 }, (_, at) => `tag-${at}`);
  await push(store, image, repository, ['tag-0']);
  const bytes = await readBlob(store, image);
  for (let at = 0; at < tags.length; at += 100) {
    await Promise.all(
      tags.slice(at, at + 100).map((tag) => repository.tagAll([tag], { descriptor: image, bytes })),
    );
  }
  const found = new Set(await repository.tags());
  t.is(found.size, tags.length);
  t.true(tags.every((tag) => found.has(tag)));
});

test('into and out of a store on disk', async (t) => {
  const { registry } = await peer(t, 'distribution');
  const directory = temporary(t);
  mkdirSync(join(directory, 'a'));
  const store = await newStore(join(directory, 'a'));
  const image = await putImage(store, ['one', 'x'.repeat(3 << 20)]);
  await push(store, image, openRepository(registry, 'disk', { access: 'push' }), ['1']);
  const back = await newStore(join(directory, 'b'));
  await copy(openRepository(registry, 'disk'), back, image);
  await back.tag('image', image);
  t.is((await back.resolve('image'))?.digest, image.digest);
});

for (const tls of [false, true]) {
  test(`long layers are what they were, though memory is used again${tls ? ' (TLS)' : ''}`, async (t) => {
    const { registry } = await peer(t, 'docker-registry', { tls });
    const directory = temporary(t);
    const [source, back] = await Promise.all(['a', 'b'].map((name) => newStore(join(directory, name))));
    if (!source || !back) return t.fail();
    const texts = Array.from({ length: 8 }, () => randomBytes(5 << 20).toString('latin1'));
    const image = await putImage(source, texts);
    await push(source, image, openRepository(registry, 'long', { access: 'push' }), ['1']);
    const further = openRepository(registry, 'further', { access: 'push' });
    await push(openRepository(registry, 'long'), image, further, ['1']);
    t.deepEqual((await pull(further, '1', back)).digest, image.digest);
    await back.tag('image', image);
    t.deepEqual(await check(join(directory, 'b')), []);
  });
}
