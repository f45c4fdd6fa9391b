import ava, { type ExecutionContext } from 'ava';
import { spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Descriptor, describe, mediaTypes } from '../../builder/descriptor.ts';
import { digestOf } from '../../builder/digest.ts';
import { encodeConfig, encodeIndex, encodeManifest } from '../../builder/manifest.ts';
import { putDocument } from '../../builder/store/blob.ts';
import { openStore } from '../../builder/store/open-store.ts';
import { type Ended, ended } from '../support/ended.ts';
import { startEngine } from '../support/engines.ts';
import { lockProgram, tarOf } from '../support/images.ts';
import { crane, finish, podman, skopeo } from '../support/peer-tools.ts';
import { startProxy } from '../support/proxy.ts';
import { type RegistryKind, type RegistryOptions, registryFor } from '../support/registries.ts';
import { type Move, type Seen, startHostile } from '../support/registry-hostile.ts';
import { user } from '../support/token-server.ts';
import { rootTest } from '../support/root-test.ts';
import { quickstart, root, run, runTool, temporary, tool } from '../support/tools.ts';

/** One after the other: each starts registries, and some count what these are asked. */
const test = ava.serial;

type Env = Readonly<Record<string, string | undefined>>;

const home = mkdtempSync(join(tmpdir(), 'static-distro-pkgimage-registry-'));
test.after.always(() => rmSync(home, { recursive: true, force: true }));

/** Nobody's credentials, and a store with images that are only read. */
const own: Env = {
  STATIC_DISTRO_HOME: home,
  HOME: join(home, 'nobody'),
  SOURCE_DATE_EPOCH: undefined,
  DOCKER_CONFIG: undefined,
  REGISTRY_AUTH_FILE: undefined,
  XDG_RUNTIME_DIR: undefined,
  XDG_CONFIG_HOME: undefined,
};

/** Somebody with nothing at all. */
const newcomer = (t: ExecutionContext): Env => {
  const directory = temporary(t);
  return { ...own, STATIC_DISTRO_HOME: join(directory, 'home'), HOME: directory };
};

/** Never synchronously: servers may be played by this process. */
async function call(
  args: readonly string[],
  env: Env = own,
  input?: string,
  program = 'pkgimage',
): Promise<Ended> {
  const child = spawn(tool(program), args, {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(input);
  return await ended(child);
}

/** The digest that a call prints, which must succeed. */
async function must(t: ExecutionContext, args: readonly string[], env: Env = own): Promise<string> {
  const { status, stdout, stderr } = await call(args, env);
  t.is(status, 0, stderr);
  return stdout.trimEnd();
}

const packages = (names: readonly string[]) => ['-d', quickstart, '-p', ...names, '--entrypoint', '/bin/sh'];
let tiny = '';
let other = '';

test.before(() => {
  const build = (names: readonly string[], name: string) => {
    const { status, stdout, stderr } = runTool('pkgimage', ['build', ...packages(names), '-t', name], {
      env: own,
    });
    if (status !== 0) throw new Error(stderr);
    return stdout.trimEnd();
  };
  tiny = build(['mksh', 'sbase'], 'tiny');
  other = build(['mksh', 'sbase', 'lua'], 'other');
});

const count = (requests: readonly string[], pattern: RegExp): number =>
  requests.filter((request) => pattern.test(request)).length;

/** An OCI layout with an image for two platforms, which share a layer. */
async function layoutOfTwo(
  directory: string,
): Promise<{ readonly layout: string; readonly index: Descriptor }> {
  const layout = join(directory, 'layout');
  const store = await openStore(layout, { lockProgram, create: true });
  const shared = await tarOf({ 'etc/shared': 'for both' });
  const layerOf = (tar: Buffer) => putDocument(store, describe(mediaTypes.layer, tar));
  const manifests = [];
  for (const architecture of ['amd64', 'arm64']) {
    const tar = await tarOf({ 'etc/arch': architecture });
    const config = encodeConfig({
      architecture,
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: [digestOf(shared), digestOf(tar)] },
    });
    const layers = [await layerOf(shared), await layerOf(tar)];
    const manifest = await putDocument(
      store,
      encodeManifest({ config: await putDocument(store, config), layers }),
    );
    manifests.push({ ...manifest, platform: { os: 'linux', architecture } });
  }
  const index = await putDocument(store, encodeIndex({ manifests }));
  await store.tag('two', index);
  store.close();
  return { layout, index };
}

// ---- there and back

type Manner = readonly [RegistryKind, RegistryOptions];

/** Each registry plain, over TLS of an authority of its own, and with a password over that. */
const manners: readonly Manner[] = (['docker-registry', 'distribution'] as const).flatMap(
  (kind): readonly Manner[] => [
    [kind, {}],
    [kind, { tls: true }],
    [kind, { auth: 'basic', tls: true }],
  ],
);

const wordsOf = ([kind, { auth, tls }]: Manner): string =>
  [kind, auth ?? 'open', tls ? 'TLS' : 'plain'].join(', ');

for (const manner of [
  ...manners,
  ['docker-registry', { auth: 'token' }],
  ['distribution', { auth: 'token', tls: true }],
  ['distribution', { auth: 'basic' }],
] satisfies readonly Manner[]) {
  const [kind, options] = manner;
  const { auth, tls } = options;
  const words = wordsOf(manner);

  test(`${words}: login, push and pull; skopeo and crane see the same digest, and we see theirs`, async (t) => {
    const running = await registryFor(t, kind, options);
    const { host } = running;
    const env = newcomer(t);
    const trust = tls ? ['--cert-dir', running.certificates] : [];
    if (auth) {
      const wrong = await call(
        ['login', host, '-u', user.name, '--password-stdin', ...trust],
        env,
        'wrong\n',
      );
      t.is(wrong.status, 1);
      t.false(existsSync(join(env['HOME'] ?? '', '.docker/config.json')));
      const right = await call(
        ['login', host, '-u', user.name, '--password-stdin', ...trust],
        env,
        user.password,
      );
      t.is(right.status, 0, right.stderr);
      t.false(right.stderr.includes(user.password));
      t.is(statSync(join(env['HOME'] ?? '', '.docker/config.json')).mode & 0o777, 0o600);
    }
    const pushing = { ...own, HOME: env['HOME'] };
    t.is(await must(t, ['push', 'tiny', `${host}/some/tiny:1`, ...trust], pushing), tiny);
    t.is(await must(t, ['pull', `${host}/some/tiny:1`, ...trust], env), tiny);
    t.is(await must(t, ['pull', `${host}/some/tiny@${tiny}`, '--as', 'by-digest', ...trust], env), tiny);
    t.is(await must(t, ['tags', `${host}/some/tiny`, ...trust], env), '1');
    t.deepEqual((await must(t, ['list'], env)).match(/^\S+/gm), [`${host}/some/tiny:1`, 'by-digest:latest']);

    const directory = temporary(t);
    const { layout, index } = await layoutOfTwo(directory);
    t.is(await must(t, ['push', `oci:${layout}`, `${host}/two`, ...trust], pushing), index.digest);
    for (const make of [skopeo, crane]) {
      const client = make(directory, running, options);
      t.is(digestOf(await client.manifest('some/tiny:1')) as string, tiny);
      t.is(digestOf(await client.manifest('two:latest')), index.digest);
      const place = join(directory, `${make.name}-layout`);
      await client.pull('two:latest', place);
      await client.push(place, `${make.name}/two:1`);
      const name = `${host}/${make.name}/two:1`;
      const theirs: string = digestOf(await client.manifest(`${make.name}/two:1`));
      t.is(await must(t, ['pull', name, ...trust], env), theirs);
      const only = await must(t, ['pull', name, '--platform', 'linux/arm64', '--as', 'arm', ...trust], env);
      t.not(only, theirs);
      const { images } = JSON.parse(await must(t, ['inspect', '--json', 'arm'], env)) as {
        images: readonly { readonly platform: string }[];
      };
      t.deepEqual(
        images.map(({ platform }) => platform),
        ['linux/arm64'],
      );
    }
    if (!auth) return;
    t.is((await call(['logout', host], env)).status, 0);
    const refused = await call(['push', 'tiny', `${host}/some/tiny:2`, ...trust], pushing);
    t.is(refused.status, 1);
    t.true(refused.stderr.includes(`log in to ${host} first: pkgimage login ${host}\n`), refused.stderr);
  });
}

/** docker asks for no certificate of this machine's own addresses, so nothing below /etc has to be touched. */
rootTest('docker and podman pull what we pushed and run it, and we pull what they pushed', async (t) => {
  const engine = await startEngine('docker');
  t.teardown(() => engine.stop());
  for (const manner of manners) {
    const [kind, options] = manner;
    const running = await registryFor(t, kind, options);
    const { host } = running;
    const env = newcomer(t);
    const home = env['HOME'] ?? '';
    const pushing = { ...own, HOME: home };
    const trust = options.tls ? ['--cert-dir', running.certificates] : [];
    if (options.auth) {
      // docker finds what our login has kept.
      const args = ['login', host, '-u', user.name, '--password-stdin', ...trust];
      const login = await call(args, env, user.password);
      t.is(login.status, 0, login.stderr);
    }
    const docker = (...args: string[]) =>
      finish(engine.command[0] ?? '', [
        '--config',
        join(home, '.docker'),
        ...engine.command.slice(1),
        ...args,
      ]);
    const directory = temporary(t);
    const pod = podman(directory, running, options);
    const seen = skopeo(temporary(t), running, options);
    const digestAt = async (name: string): Promise<string> => digestOf(await seen.manifest(name));
    const words = wordsOf(manner);

    await must(t, ['push', 'tiny', `${host}/tiny:1`, ...trust], pushing);
    t.regex(await docker('pull', `${host}/tiny:1`), new RegExp(`Digest: ${tiny}`), words);
    const command = ['-c', 'echo "hello from $PWD"'];
    const said = await docker('run', '--rm', '--network', 'none', `${host}/tiny:1`, ...command);
    t.is(said, 'hello from /\n');
    t.is(await pod.pull('tiny:1'), tiny, words);
    t.is(await pod.run('tiny:1', ...command), 'hello from /\n');

    // Manifests of their own making; docker's with media types of its own.
    await docker('tag', `${host}/tiny:1`, `${host}/docker/tiny:2`);
    const pushed = await docker('push', `${host}/docker/tiny:2`);
    const theirs = {
      'docker/tiny:2': /digest: (sha256:[0-9a-f]{64})/.exec(pushed)?.[1] ?? '',
      'podman/tiny:2': await pod.push('tiny:1', 'podman/tiny:2'),
    };
    for (const [name, digest] of Object.entries(theirs)) {
      t.is(await must(t, ['pull', `${host}/${name}`, ...trust], env), digest, `${words}: ${name}`);
      const rootfs = join(directory, 'rootfs.tar');
      await must(t, ['export', `${host}/${name}`, `rootfs:${rootfs}`], env);
      t.true(run('tar', ['tf', rootfs]).stdout.includes('packages/mksh/'));
    }

    // Several platforms: what we pushed comes as it is; what they make of its images comes to us.
    const { layout, index } = await layoutOfTwo(directory);
    await must(t, ['push', `oci:${layout}`, `${host}/two:1`, ...trust], pushing);
    t.regex(await docker('pull', `${host}/two:1`), new RegExp(`Digest: ${index.digest}`), words);
    t.is(await pod.pull('two:1'), index.digest, words);
    const { manifests } = JSON.parse(await seen.manifest('two:1')) as { manifests: Descriptor[] };
    const parts = manifests.map(({ digest }) => `two@${digest}`);
    await pod.pushAll(parts, 'two:podman');
    const indexes = ['two:podman'];
    // `docker manifest push` speaks nothing but plain http to this machine's own addresses.
    if (!options.tls) {
      const made = `${host}/two:docker`;
      await docker('manifest', 'create', '--insecure', made, ...parts.map((part) => `${host}/${part}`));
      await docker('manifest', 'push', '--insecure', made);
      indexes.push('two:docker');
    }
    for (const name of indexes) {
      const digest = await must(t, ['pull', `${host}/${name}`, ...trust], env);
      t.is(digest, await digestAt(name), `${words}: ${name}`);
      const { images } = JSON.parse(await must(t, ['inspect', '--json', `${host}/${name}`], env)) as {
        images: readonly { readonly platform: string }[];
      };
      t.deepEqual(images.map(({ platform }) => platform).toSorted(), ['linux/amd64', 'linux/arm64'], name);
    }
    await docker('image', 'rm', '--force', `${host}/tiny:1`, `${host}/docker/tiny:2`, `${host}/two:1`);
    await running.stop();
  }
});

// ---- what is asked and sent

test('unchanged: two requests, also of an image for several platforms; and two of a pull', async (t) => {
  const running = await registryFor(t);
  const { host } = running;
  const { layout } = await layoutOfTwo(temporary(t));
  const env = newcomer(t);
  for (const [source, name] of [
    ['tiny', 'tiny:1'],
    [`oci:${layout}`, 'two:1'],
  ] as const) {
    await must(t, ['push', source, `${host}/${name}`]);
    await running.requests();
    await must(t, ['push', source, `${host}/${name}`]);
    const path = `/v2/${name.replace(':', '/manifests/')}`;
    t.deepEqual(await running.requests(), ['GET /v2/ 200', `HEAD ${path} 200`]);
    await must(t, ['pull', `${host}/${name}`], env);
    await running.requests();
    await must(t, ['pull', `${host}/${name}`], env);
    t.deepEqual(await running.requests(), ['GET /v2/ 200', `HEAD ${path} 200`]);
  }
});

test('one package changed: its layer, the profile, the config and the manifest, and no other body', async (t) => {
  const running = await registryFor(t);
  const { host } = running;
  const env = newcomer(t);
  const trees = join(temporary(t), 'trees');
  cpSync(quickstart, trees, { recursive: true, filter: (path) => !path.includes('/.records') });
  const build = async (tag: string) => {
    const args = ['build', '-d', trees, '-p', 'mksh', 'sbase', 'lua', '-t', tag];
    return must(t, args, env);
  };
  await build('app:1');
  await must(t, ['push', 'app:1', `${host}/app:1`], env);
  // The same version with one more program, so that the profile has one more link.
  const [version = ''] = readdirSync(join(trees, 'lua'));
  const bin = join(trees, 'lua', version, 'bin');
  cpSync(join(bin, 'lua'), join(bin, 'another-lua'));
  await build('app:2');
  await running.requests();
  const { status, stdout, stderr } = await call(['push', 'app:2', `${host}/app:1`, '--json'], env);
  t.is(status, 0, stderr);
  const requests = await running.requests();
  t.is(count(requests, /^PUT \S*\/blobs\//), 3);
  t.is(count(requests, /^(PATCH|PUT \S*\/manifests\/)/), 1);
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; digest: string });
  t.is(events.filter(({ event }) => event === 'moved').length, 4);
  t.is(events.at(-1)?.event, 'done');
});

test('push to the registry that holds the packages: no body of a layer of a package', async (t) => {
  const running = await registryFor(t);
  const { host } = running;
  const publisher = newcomer(t);
  const names = ['mksh', 'sbase', 'lua'];
  const published = await call(
    ['publish', quickstart, `registry:${host}/packages`, ...names],
    publisher,
    '',
    'pkgrepo',
  );
  t.is(published.status, 0, published.stderr);
  const sent = (requests: readonly string[]) => ({
    bodies: count(requests, /^(PUT|PATCH) \S*\/blobs\//),
    mounted: count(requests, /^POST \S*mount=\S*from=packages 201/),
  });

  // Who has published needs no word; nor who takes packages from there.
  await must(t, ['build', ...packages(names), '-t', 'app'], publisher);
  await running.requests();
  await must(t, ['push', 'app', `${host}/mine/app`], publisher);
  t.deepEqual(sent(await running.requests()), { bodies: 2, mounted: names.length });

  const user = newcomer(t);
  const from = [
    'build',
    '-d',
    `registry:${host}/packages`,
    '-p',
    ...names,
    '--entrypoint',
    '/bin/sh',
    '-t',
    'app',
  ];
  t.is(await must(t, from, user), other);
  await running.requests();
  t.is(await must(t, ['push', 'app', `${host}/user/app`], user), other);
  t.deepEqual(sent(await running.requests()), { bodies: 2, mounted: names.length });

  // Who has built them alone has to say it.
  const builder = newcomer(t);
  await must(t, ['build', ...packages(names), '-t', 'app'], builder);
  await must(t, ['push', 'app', `${host}/builder/app`, '--mount-from', `${host}/packages`], builder);
  t.deepEqual(sent(await running.requests()), { bodies: 2, mounted: names.length });
  const elsewhere = await call(
    ['push', 'app', `${host}/builder/app:2`, '--mount-from', 'r.example/packages'],
    builder,
  );
  t.is(elsewhere.status, 2);
  t.true(elsewhere.stderr.includes(`is not on ${host}`));
});

test('past the budget groups are sent beside profile, config and manifest, and packages mounted', async (t) => {
  const running = await registryFor(t);
  const { host } = running;
  const env = newcomer(t);
  const names = ['mksh', 'sbase', 'lua', 'musl', 'mini-httpd'].filter((name) =>
    existsSync(join(quickstart, name)),
  );
  const published = await call(['publish', quickstart, `registry:${host}/packages`], env, '', 'pkgrepo');
  t.is(published.status, 0, published.stderr);
  await must(t, ['build', '-d', quickstart, '-p', ...names, '--budget', '4', '-t', 'grouped'], env);
  const { images } = JSON.parse(await must(t, ['inspect', '--json', 'grouped'], env)) as {
    images: readonly { readonly layers: readonly { readonly history: string }[] }[];
  };
  const layers = images[0]?.layers ?? [];
  await running.requests();
  await must(t, ['push', 'grouped', `${host}/grouped`], env);
  const requests = await running.requests();
  const mounted = count(requests, /^POST \S*mount=\S*from=packages 201/);
  t.is(count(requests, /^PUT \S*\/blobs\//), layers.length - mounted + 1);
});

test('a version is tagged with its series, unless a newer one is there', async (t) => {
  const { host } = await registryFor(t);
  const digestAt = (tag: string) => must(t, ['pull', `${host}/app:${tag}`, '--as', 'x']);
  await must(t, ['push', 'tiny', `${host}/app:1.2.3`, '--also-tag', '--tag', 'stable']);
  t.is(
    await must(t, ['tags', `${host}/app`]).then((tags) => tags.split('\n').sort().join()),
    '1,1.2,1.2.3,stable',
  );
  await must(t, ['push', 'other', `${host}/app:1.3.0`, '--also-tag']);
  t.deepEqual(await Promise.all(['1', '1.2', '1.3', 'stable'].map(digestAt)), [other, tiny, other, tiny]);
  // An old line is mended.
  await must(t, ['push', 'other', `${host}/app:1.2.4`, '--also-tag']);
  t.deepEqual(await Promise.all(['1', '1.2', '1.3'].map(digestAt)), [other, other, other]);
  await must(t, ['push', 'tiny', `${host}/app:1.2.0`, '--also-tag']);
  t.is(await digestAt('1.2'), other);
  await must(t, ['push', 'tiny', `${host}/early:0.4.1`, '--also-tag']);
  await must(t, ['push', 'tiny', `${host}/early:2.0.0-rc.1`, '--also-tag']);
  await must(t, ['push', 'tiny', `${host}/early:v3.1.4`, '--also-tag']);
  const early = (await must(t, ['tags', `${host}/early`])).split('\n').sort();
  t.deepEqual(early, ['0.4', '0.4.1', '2.0.0-rc.1', 'v3', 'v3.1', 'v3.1.4']);
  const none = await call(['push', 'tiny', `${host}/app`, '--also-tag']);
  t.is(none.status, 2);
  t.regex(none.stderr, /the tag "latest" is no version/);
});

test('copy: to, from and between registries, and only what is missing; a lock and a whole store', async (t) => {
  const running = await registryFor(t);
  const second = await registryFor(t, 'crane');
  const env = newcomer(t);
  const directory = temporary(t);
  const at = (name: string, host = running.host) => `docker://${host}/${name}`;
  await must(t, ['copy', 'tiny', at('tiny:1')]);
  await must(t, ['copy', at('tiny:1'), `oci:${join(directory, 'out')}:x`], env);
  t.true(readFileSync(join(directory, 'out/index.json'), 'utf8').includes(tiny));
  await must(t, ['copy', at('tiny:1'), 'mine:2'], env);
  t.regex(await must(t, ['list'], env), /^mine:2 +sha256/);
  await running.requests();
  await must(t, ['copy', at('tiny:1'), at('moved/tiny:1')], env);
  const requests = await running.requests();
  t.is(count(requests, /^PUT \S*\/blobs\//), 0, 'one registry moves no bytes through us');
  t.is(count(requests, /^GET \S*\/blobs\//), 0);
  await must(t, ['copy', at('tiny:1'), at('tiny:1', second.host)], env);
  t.is(await must(t, ['pull', `${second.host}/tiny:1`], env), tiny);

  const lock = join(directory, 'app.lock');
  await must(t, ['build', ...packages(['mksh', 'sbase']), '--lock', lock], env);
  t.is(await must(t, ['push', lock, `${running.host}/locked`], env), tiny);
  const stranger = await call(['push', `lock:${lock}`, `${running.host}/locked`], newcomer(t));
  t.is(stranger.status, 1);
  t.regex(stranger.stderr, /the image of "[^"]*app\.lock" is not in the store/);

  await must(t, ['push', '--all', `${running.host}/all`]);
  t.deepEqual(
    await Promise.all(['tiny', 'other'].map((name) => must(t, ['tags', `${running.host}/all/${name}`]))),
    ['latest', 'latest'],
  );
});

// ---- how it is told

test('lines where there is no terminal, bars where there is one, and neither where nothing moves', async (t) => {
  const { host } = await registryFor(t);
  const first = await call(['push', 'tiny', `${host}/tiny:1`]);
  t.regex(first.stderr, /^([0-9a-f]{12} +[\d.]+ k?B {2}sent\n){4}$/);
  t.is((await call(['push', 'tiny', `${host}/tiny:1`])).stderr, '');
  t.is((await call(['push', 'tiny', `${host}/quiet:1`, '--quiet'])).stderr, '');
  const { layout } = await bigLayout(temporary(t), [12 << 20]);
  // Long enough for a bar to be drawn while an answer is on its way, however fast the bytes are.
  const proxy = await startProxy(host, 300);
  t.teardown(() => proxy.stop());
  const args = JSON.stringify([]);
  const command = [tool('pkgimage'), 'push', `oci:${layout}`, `${proxy.host}/big`];
  const env = { ...own, TERM: 'xterm', NO_COLOR: '1' };
  const shown = JSON.parse(
    await finish('python3', [join(root, 'test/support/terminal.py'), args, ...command], env),
  ) as {
    readonly shown: string;
  };
  t.regex(shown.shown, /[0-9a-f]{12} {2}\[#*-*\] [\d.]+ [kM]?B of 12\.6 MB/);
  t.regex(shown.shown, /\d of \d done/);
});

/** An OCI layout with one image of such layers, which are no tars: no registry looks. */
async function bigLayout(
  directory: string,
  sizes: readonly number[],
): Promise<{ readonly layout: string; readonly image: Descriptor }> {
  const layout = join(directory, 'layout');
  const store = await openStore(layout, { lockProgram, create: true });
  const blobs = sizes.map((size) => describe(mediaTypes.layerGzip, randomBytes(size)));
  const layers = await Promise.all(blobs.map((blob) => putDocument(store, blob)));
  const rootfs = { type: 'layers', diff_ids: layers.map(({ digest }) => digest) } as const;
  const config = await putDocument(store, encodeConfig({ architecture: 'amd64', os: 'linux', rootfs }));
  const image = await putDocument(store, encodeManifest({ config, layers }));
  await store.tag('big', image);
  store.close();
  return { layout, image };
}

/** Bytes in the files of a directory, at any depth; none if it is not there. */
const sizeBelow = (directory: string): number =>
  existsSync(directory)
    ? readdirSync(directory, { recursive: true, encoding: 'utf8' })
        .map((name) => statSync(join(directory, name)))
        .reduce((sum, entry) => sum + (entry.isFile() ? entry.size : 0), 0)
    : 0;

test('a push and a pull that are killed go on where they were', async (t) => {
  const { host } = await registryFor(t, 'distribution');
  const proxy = await startProxy(host);
  t.teardown(() => proxy.stop());
  const size = 8 << 20;
  const { layout, image } = await bigLayout(temporary(t), [size]);
  const env = newcomer(t);
  const killed = async (args: readonly string[], way: 'up' | 'down'): Promise<number> => {
    proxy.reset();
    const child = spawn(tool('pkgimage'), args, { env: { ...process.env, ...env }, stdio: 'ignore' });
    const limit = (1 << 20) + randomInt(6 << 20);
    proxy.watch = () => {
      if (proxy.bytes[way] >= limit) child.kill('SIGKILL');
    };
    await once(child, 'close');
    proxy.watch = undefined;
    const { bytes } = proxy;
    return bytes[way];
  };
  const push = ['push', `oci:${layout}`, `${proxy.host}/big`, '--quiet'];
  const pull = ['pull', `${proxy.host}/big`, '--quiet'];
  for (const [args, way] of [
    [push, 'up'],
    [pull, 'down'],
  ] as const) {
    const before = await killed(args, way);
    if (way === 'down') t.is((await call(['list'], env)).stdout, '', 'nothing half-done has a name');
    else t.is((await call(['tags', `${host}/big`])).status, 1, 'nothing half-done has a tag');
    // What had not been read when the end came was never on disk.
    const kept = way === 'down' ? sizeBelow(join(env['STATIC_DISTRO_HOME'] ?? '', 'data/store')) : before;
    proxy.reset();
    t.is(await must(t, args, env), image.digest);
    const after = proxy.bytes[way];
    t.true(kept + after <= size + (2 << 20), `${way}: ${before}, ${kept} kept, then ${after}`);
  }
  t.deepEqual(readdirSync(join(env['STATIC_DISTRO_HOME'] ?? '', 'cache/uploads')), []);
});

// ---- what goes wrong

const problem = (status: number, code: string, message = ''): Move => ({
  status,
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ errors: [{ code, message }] }),
});

const on =
  (pattern: RegExp, move: Move) =>
  ({ method, path }: Seen): Move | undefined =>
    pattern.test(`${method} ${path}`) ? move : undefined;

/** What a registry does to a push of `tiny` to `app:1`, and what the user is told in two lines. */
const refusals: readonly (readonly [
  name: string,
  move: (request: Seen) => Move | undefined,
  said: RegExp,
  hint: RegExp,
])[] = [
  [
    'may not push',
    on(/^POST /, problem(403, 'DENIED', 'requested access to the resource is denied')),
    /app: beginning to send sha256:[0-9a-f]{64}: POST: status 403 DENIED: requested access/,
    /this account may not do that/,
  ],
  [
    'repository missing',
    on(/^POST /, problem(404, 'NAME_UNKNOWN', 'The repository with name app does not exist')),
    /app: beginning to send sha256:[0-9a-f]{64}: POST: status 404 NAME_UNKNOWN/,
    /the repository does not exist; check its name, or create it first/,
  ],
  [
    'read-only',
    on(/^POST /, problem(405, 'UNSUPPORTED')),
    /POST: status 405 UNSUPPORTED/,
    /it may be read-only/,
  ],
  [
    'full',
    on(/^PUT .*blobs/, problem(507, 'UNKNOWN', 'no space left')),
    /PUT: status 507/,
    /the registry is full/,
  ],
  [
    'immutable tag',
    on(/^PUT .*manifests/, problem(400, 'TAG_INVALID', 'the tag 1 is immutable')),
    /app: storing 1: PUT: status 400 TAG_INVALID/,
    /that tag may not be moved; choose another one/,
  ],
  [
    'leads into the network of the user',
    on(/^POST /, { status: 202, headers: { Location: 'http://169.254.169.254/latest' } }),
    /leads to http:\/\/169\.254\.169\.254\/latest; refused/,
    /a registry may not lead/,
  ],
];

for (const [name, move, said, hint] of refusals) {
  test(`a push that is refused: ${name}`, async (t) => {
    const server = await startHostile(t, { move });
    const { status, stdout, stderr } = await call(['push', 'tiny', `${server.host}/app:1`, '--quiet']);
    t.is(status, 1, stderr);
    t.is(stdout, '');
    const [first = '', second = '', ...more] = stderr.trimEnd().split('\n');
    t.deepEqual(more, []);
    t.true(first.startsWith(`pkgimage: ${server.host}`), first);
    t.regex(first, said);
    t.regex(second, hint);
    t.false([...server.manifests.keys()].includes('1'), 'nothing is tagged');
  });
}

test('a registry that lies: nothing of it has a name, and nothing wrong is kept', async (t) => {
  const server = await startHostile(t, {});
  await must(t, ['push', 'tiny', `${server.host}/app:1`, '--quiet']);
  const manifest = server.manifests.get('1')?.bytes.toString() ?? '';
  const layer =
    /"digest":"(sha256:[0-9a-f]{64})","mediaType":"application\/vnd.oci.image.layer[^}]*"size":(\d+)/.exec(
      manifest,
    );
  const lies: Readonly<Record<string, () => void>> = {
    'another digest': () => server.blobs.set(layer?.[1] ?? '', Buffer.alloc(Number(layer?.[2]))),
    'fewer bytes': () => server.blobs.set(layer?.[1] ?? '', Buffer.alloc(3)),
    'more bytes': () => server.blobs.set(layer?.[1] ?? '', Buffer.alloc(Number(layer?.[2]) + 1)),
    'another size in the manifest': () =>
      server.manifests.set('1', {
        type: mediaTypes.manifest,
        bytes: Buffer.from(manifest.replace(/"size":\d+/, '"size":1')),
      }),
    'another type': () => server.manifests.set('1', { type: mediaTypes.index, bytes: Buffer.from(manifest) }),
    'a type that nobody knows': () =>
      server.manifests.set('1', {
        type: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
        bytes: Buffer.from('{}'),
      }),
    'no JSON': () => server.manifests.set('1', { type: mediaTypes.manifest, bytes: Buffer.from('nonsense') }),
  };
  for (const [name, lie] of Object.entries(lies)) {
    const env = newcomer(t);
    lie();
    const { status, stdout, stderr } = await call(['pull', `${server.host}/app:1`, '--quiet'], env);
    t.true(status === 1 || status === 2, `${name}: ${stderr}`);
    t.is(stdout, '');
    t.is(
      stderr
        .trimEnd()
        .split('\n')
        .filter((line) => !line.startsWith('pkgimage: ')).length,
      0,
      stderr,
    );
    // The user's own store has nothing to do with it.
    t.true(stderr.startsWith(`pkgimage: ${server.host}/app: `) || name === 'no JSON', `${name}: ${stderr}`);
    t.is((await call(['list'], env)).stdout, '', name);
    const kept = readdirSync(join(env['STATIC_DISTRO_HOME'] ?? '', 'data/store/blobs/sha256'));
    for (const blob of kept) {
      t.is(
        digestOf(readFileSync(join(env['STATIC_DISTRO_HOME'] ?? '', 'data/store/blobs/sha256', blob))),
        `sha256:${blob}`,
      );
    }
  }
});

test('who is not there, who does not answer, what does not exist, what is no name', async (t) => {
  const { host } = await registryFor(t);
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    silent.closeAllConnections();
    silent.close();
  });
  const page = createServer((_, response) => response.writeHead(500).end('<html>it is me</html>'));
  await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
  t.teardown(() => page.close());
  const rows: readonly (readonly [args: readonly string[], status: number, said: RegExp])[] = [
    [
      ['pull', '127.0.0.1:1/app'],
      1,
      /127\.0\.0\.1:1\/app: reaching the registry: GET: nobody answers there \(ECONNREFUSED\)\n.*check host and port/,
    ],
    [
      ['pull', 'no-such-host.invalid/app'],
      1,
      /no-such-host\.invalid\/app: reaching the registry: GET: the host name/,
    ],
    [['pull', `${host}/nothing`], 1, /\/nothing: there is no latest\n.*check the name and the tag/],
    [['pull', `${host}/nothing@${tiny}`], 1, /\/nothing: there is no sha256/],
    [['tags', `${host}/nothing`], 1, /\/nothing: there are no tags/],
    [['tags', `${host}/nothing:1`], 2, /a tag or digest is given/],
    [['pull', 'busybox'], 2, /names no registry\n.*docker\.io\/library\/busybox/],
    [['push', 'tiny'], 2, /names no registry/],
    [['push', 'nothing', `${host}/app`], 1, /there is no image "nothing"/],
    [['push', 'tiny', `${host}/app@${other}`], 2, /is not what is pushed/],
    [['push', 'tiny', `${host}/UPPER/app`], 2, /is no name/],
    [['push', 'tiny', `${host}/app`, '--chunk', 'big'], 2, /--chunk "big" is no size/],
    [['push', 'rootfs:x.tar', `${host}/app`], 2, /cannot be pushed/],
    [['login', host, '--password-stdin'], 2, /no user name is given/],
    [['login', host, '-u', 'me', '--password-stdin'], 2, /no password is given/],
    [['login', 'not a host'], 2, /is no (host|name)/],
    [['export', 'tiny', `docker://${host}/x`], 2, /is in a registry\n.*pkgimage push/],
  ];
  for (const [args, status, said] of rows) {
    const result = await call(args);
    t.is(result.status, status, `${args.join(' ')}: ${result.stderr}`);
    t.regex(result.stderr, said);
    t.false(result.stderr.includes('this is a bug'));
  }
  const { port } = page.address() as AddressInfo;
  const { status, stderr } = await call(['push', 'tiny', `127.0.0.1:${port}/app`, '--quiet']);
  t.is(status, 1);
  t.regex(stderr, /status 500; that is no registry that can be used\n.*try again later/);
});

test('no credential, token or signed query in any output; none for another host', async (t) => {
  const secret = 'hunter2-is-a-secret';
  const signed = 'X-Signature-0123456789abcdef';
  const seen: string[] = [];
  const far = createServer((request, response) => {
    seen.push(JSON.stringify([request.method, request.headers]));
    response.writeHead(403, { 'Content-Type': 'application/json' });
    response.end(
      JSON.stringify({ errors: [{ code: 'DENIED', message: `Bearer ${secret} and ${request.url}` }] }),
    );
  });
  await new Promise<void>((resolve) => far.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    far.closeAllConnections();
    far.close();
  });
  const there = `http://127.0.0.1:${(far.address() as AddressInfo).port}/blob?sig=${signed}&token=${secret}`;
  const basic = Buffer.from(`me:${secret}`).toString('base64');
  const server = await startHostile(t, {
    move: ({ method, path, headers }) => {
      if (headers.authorization === undefined) {
        return { ...problem(401, 'UNAUTHORIZED'), headers: { 'WWW-Authenticate': 'Basic realm="x"' } };
      }
      if (method === 'GET' && path.includes('/blobs/')) return { status: 307, headers: { Location: there } };
      return { replace: { Warning: `299 - "you sent ${headers.authorization} and token=${secret}"` } };
    },
  });
  const env = newcomer(t);
  mkdirSync(join(env['HOME'] ?? '', '.docker'));
  const config = { auths: { [server.host]: { auth: basic } } };
  writeFileSync(join(env['HOME'] ?? '', '.docker/config.json'), JSON.stringify(config));
  const pushed = await call(['push', 'tiny', `${server.host}/app:1`, '--verbose'], {
    ...own,
    HOME: env['HOME'],
  });
  t.is(pushed.status, 0, pushed.stderr);
  for (const flags of [[], ['--verbose'], ['--json'], ['--json', '--verbose'], ['--quiet']]) {
    const { status, stdout, stderr } = await call(['pull', `${server.host}/app:1`, ...flags], env);
    t.is(status, 1);
    for (const text of [pushed.stderr, stdout, stderr]) {
      for (const word of [secret, basic, signed]) t.false(text.includes(word), `${word} in ${text}`);
    }
  }
  t.true(server.requests.some(({ headers }) => headers.authorization === `Basic ${basic}`));
  t.true(seen.length > 0);
  for (const request of seen) t.false(request.includes('authorization'), request);
  // Nor in what is kept for later.
  const kept = run('grep', ['-r', secret, env['STATIC_DISTRO_HOME'] ?? '']);
  t.is(kept.stdout, '');
});

test('what is no image is not pulled, and is no reason for a list to fail', async (t) => {
  const { host } = await registryFor(t);
  const env = newcomer(t);
  const published = await call(['publish', quickstart, `registry:${host}/packages`], env, '', 'pkgrepo');
  t.is(published.status, 0, published.stderr);
  const listed = await call(['tags', `${host}/packages`], env);
  const tag = /^lua__[^\s]+/m.exec(listed.stdout)?.[0] ?? '';
  const { status, stderr } = await call(['pull', `${host}/packages:${tag}`], env);
  t.is(status, 2);
  t.regex(stderr, /packages: lua__\S+ is no image, but "application\/vnd\.static-distro/);
  t.is(await must(t, ['list'], env), '');
  // Nor is it called one by copy, while a mirror of it is not.
  const layout = `oci:${join(temporary(t), 'layout')}:chart`;
  await must(t, ['copy', `docker://${host}/packages:${tag}`, `docker://${host}/mirror:${tag}`], env);
  await must(t, ['copy', `docker://${host}/packages:${tag}`, layout], env);
  for (const place of [`docker://${host}/packages:${tag}`, layout]) {
    const refused = await call(['copy', place, 'chart'], env);
    t.is(refused.status, 2);
    t.regex(refused.stderr, /is no image, but "application\/vnd\.static-distro/);
  }
  t.is(await must(t, ['list'], env), '');
  // Others' tools may do it.
  const theirs = `oci:${join(env['STATIC_DISTRO_HOME'] ?? '', 'data/store')}`;
  for (const name of ['chart:latest', 'chart:2']) {
    await must(t, ['copy', `docker://${host}/packages:${tag}`, `${theirs}:${name}`], env);
  }
  t.regex(await must(t, ['list'], env), /^chart:2 .*\nchart:latest +sha256:\S+ +no image$/m);
});

test('a user in a name is refused without being told', async (t) => {
  const secret = 'hunter2/is=a:secret';
  const name = `me:${secret}@localhost:1/app`;
  const env = newcomer(t);
  for (const [program, args, more] of [
    ['pkgimage', ['pull', name]],
    ['pkgimage', ['pull', `https://${name}`]],
    ['pkgimage', ['pull', `docker://${name}:1`]],
    ['pkgimage', ['login', `https://me:${secret}@localhost:1`, '--username', 'x', '--password-stdin']],
    ['pkgimage', ['copy', 'store:tiny', `docker://${name}`]],
    ['pkgimage', ['push', 'tiny', 'localhost:1/app', '--mount-from', name]],
    ['pkgimage', ['pull', 'docker.io/x', '--quiet'], { STATIC_DISTRO_MIRRORS: `docker.io=me:${secret}@h` }],
    ['withpkgs', ['-d', `registry:${name}`, '-p', 'mksh', '--', 'true']],
    ['withpkgs', ['-d', name, '-p', 'mksh', '--', 'true']],
    ['pkgrepo', ['list', `https://${name}`]],
    ['pkgrepo', ['list', `registry:${name}`]],
  ] as const) {
    const { status, stderr } = await call(
      args,
      { ...(args[0] === 'push' ? own : env), ...more },
      '',
      program,
    );
    t.not(status, 0, args.join(' '));
    t.regex(stderr, /user/, args.join(' '));
    t.notRegex(stderr, /hunter2/, args.join(' '));
  }
});

test('login keeps what docker, skopeo and crane find, tells where, and logout forgets it', async (t) => {
  const running = await registryFor(t, 'docker-registry', { auth: 'basic' });
  const { host } = running;
  const env = newcomer(t);
  const { layout } = await layoutOfTwo(temporary(t));
  const docker = join(env['HOME'] ?? '', '.docker');
  const login = await call(['login', host, '-u', user.name, '--password-stdin'], env, `${user.password}\n`);
  t.is(login.status, 0, login.stderr);
  t.true(login.stderr.includes(join(docker, 'config.json')));
  await finish(
    'skopeo',
    [
      '--insecure-policy',
      'copy',
      '--all',
      '--dest-tls-verify=false',
      `oci:${layout}:two`,
      `docker://${host}/two:1`,
    ],
    {
      HOME: env['HOME'],
      XDG_RUNTIME_DIR: env['HOME'],
      REGISTRY_AUTH_FILE: join(docker, 'config.json'),
    },
  );
  // What podman keeps is found as well, where docker has nothing.
  const auth = Buffer.from(`${user.name}:${user.password}`).toString('base64');
  const podmans = newcomer(t);
  mkdirSync(join(podmans['HOME'] ?? '', '.config/containers'), { recursive: true });
  const file = join(podmans['HOME'] ?? '', '.config/containers/auth.json');
  writeFileSync(file, JSON.stringify({ auths: { [host]: { auth } } }));
  await must(t, ['pull', `${host}/two:1`], podmans);
  // Of two logins the one that counts goes first: podman's.
  const dockers = join(podmans['HOME'] ?? '', '.docker/config.json');
  mkdirSync(dirname(dockers), { recursive: true });
  copyFileSync(file, dockers);
  const told: string[] = [];
  for (let times = 0; times < 3; times++) {
    const { status, stderr } = await call(['logout', host], podmans);
    t.is(status, 0);
    told.push(stderr);
  }
  t.true(told[0]?.includes(`it was in "${file}"`) && told[0].includes(`"${dockers}" still has one`), told[0]);
  t.true(told[1]?.includes(`it was in "${dockers}"`), told[1]);
  t.true(told[2]?.includes('there was no login to'), told[2]);
  t.false(told[1]?.includes('still has'), told[1]);
  t.is((await call(['pull', `${host}/two:1`], podmans)).status, 1);

  const named = join(env['HOME'] ?? '', 'named.json');
  const kept = await call(
    ['login', host, '-u', user.name, '--password-stdin', '--authfile', named],
    env,
    user.password,
  );
  t.is(kept.status, 0, kept.stderr);
  t.is((await call(['logout', host], env)).status, 0);
  t.is((await call(['pull', `${host}/two:1`], env)).status, 1);
  await must(t, ['pull', `${host}/two:1`, '--authfile', named], env);
});

test('a stored password that is refused is told with its file and its user', async (t) => {
  const { host } = await registryFor(t, 'docker-registry', { auth: 'basic' });
  const env = newcomer(t);
  const file = join(env['HOME'] ?? '', 'auth.json');
  writeFileSync(file, JSON.stringify({ auths: { [host]: { auth: btoa('me:stale-secret') } } }));
  const { status, stderr } = await call(['pull', `${host}/x:1`, '--authfile', file], env);
  t.is(status, 1);
  t.true(stderr.includes(`the credential of "me" in "${file}" is refused; log in to ${host} again`), stderr);
  t.false(stderr.includes('stale-secret'));
});

test('login asks on a terminal, and does not show what is typed as password', async (t) => {
  const { host } = await registryFor(t, 'docker-registry', { auth: 'basic' });
  const env: Env = { ...newcomer(t), TERM: 'xterm' };
  const ask = async (password: string) => {
    const steps = JSON.stringify([
      ['User name', `${user.name}\n`, 'cooked'],
      ['Password of', password, 'raw'],
    ]);
    const command = [
      'python3',
      join(root, 'test/support/terminal.py'),
      steps,
      tool('pkgimage'),
      'login',
      host,
    ];
    return JSON.parse(await finish(command[0] ?? '', command.slice(1), env)) as Readonly<
      Record<string, unknown>
    >;
  };
  const wrong = await ask('not-it\r');
  t.true(String(wrong['shown']).includes('the user name or the password is wrong'), JSON.stringify(wrong));
  // With a slip of the finger.
  const right = await ask(`${user.password}x\x7f\r`);
  t.true(String(right['shown']).includes(`logged in to ${host} as "${user.name}"`), JSON.stringify(right));
  for (const { shown } of [wrong, right]) {
    for (const word of ['not-it', user.password]) t.false(String(shown).includes(word));
  }
  t.true(existsSync(join(env['HOME'] ?? '', '.docker/config.json')));
});

test('a proxy is used where the environment names one, and not for what NO_PROXY names', async (t) => {
  const seen: string[] = [];
  const proxy = createServer((request, response) => {
    seen.push(request.url ?? '');
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  const { host } = await registryFor(t);
  const env = { ...own, http_proxy: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` };
  const through = await call(['pull', `${host}/app`], { ...env, no_proxy: undefined, NO_PROXY: undefined });
  t.is(through.status, 1);
  t.true(seen.length > 0);
  seen.length = 0;
  await must(t, ['push', 'tiny', `${host}/app`], { ...env, no_proxy: '127.0.0.1' });
  t.deepEqual(seen, []);
});

test('a proxy that does not answer is named, and one that cannot be used is not gone around', async (t) => {
  const server = await startHostile(t, {});
  const pull = (more: Env) =>
    call(['pull', `${server.host}/app:1`], { ...newcomer(t), no_proxy: '', ...more });
  const both = (value: string): Env => ({ http_proxy: value, https_proxy: value });
  const gone = await pull(both('http://me:hunter2@127.0.0.1:1'));
  t.is(gone.status, 1);
  t.regex(gone.stderr, /through the proxy http:\/\/127\.0\.0\.1:1\n/);
  for (const value of ['socks5://me:hunter2@127.0.0.1:1', 'hunter2']) {
    const { status, stderr } = await pull(both(value));
    t.is(status, 2, stderr);
    t.regex(stderr, /_proxy names no proxy that can be used/);
    t.notRegex(stderr, /hunter2/);
  }
  t.is(server.requests.length, 0);
  const around = await pull({ ...both('socks5://127.0.0.1:1'), no_proxy: '127.0.0.1' });
  t.regex(around.stderr, /there is no 1/);
});

/** An address of this machine that is not its loopback's, so that it is treated as any other host. */
function otherAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const found = all.find(({ internal, family }) => !internal && family === 'IPv4');
  if (!found) throw new Error('needs a network address beside loopback');
  return found.address;
}

test('plain http beyond this machine is spoken only if that was asked for, by option or by environment', async (t) => {
  const running = await registryFor(t);
  // The registry listens on loopback alone: what comes to the other address is passed on to it.
  const passed = await startProxy(running.host, 0, otherAddress());
  t.teardown(() => passed.stop());
  const { host } = passed;
  const published = await call(
    ['publish', quickstart, `registry:${running.host}/packages`, 'mksh'],
    newcomer(t),
    '',
    'pkgrepo',
  );
  t.is(published.status, 0, published.stderr);
  await must(t, ['push', 'tiny', `${running.host}/app:1`]);

  const env = newcomer(t);
  const place = `registry:${host}/packages`;
  for (const [program, ...args] of [
    ['pkgimage', 'pull', `${host}/app:1`],
    ['pkgsolve', '-d', place, 'mksh'],
    ['pkgrepo', 'list', place],
  ] as const) {
    const { status, stderr } = await call(args, env, '', program);
    t.is(status, 1, stderr);
    t.regex(
      stderr,
      new RegExp(`: ${host}/(?:app|packages): reaching the registry: GET: it does not speak TLS`),
    );
    t.true(stderr.includes(`has to be allowed: --insecure, or STATIC_DISTRO_INSECURE=${host}\n`), stderr);
    const other = await call(args, { ...env, STATIC_DISTRO_INSECURE: 'other.example' }, '', program);
    t.is(other.status, 1, 'of another host');
  }
  const asked = { ...env, STATIC_DISTRO_INSECURE: `other.example, ${host}` };
  t.is(await must(t, ['pull', `${host}/app:1`], asked), tiny);
  t.is(await must(t, ['pull', `${host}/app:1`, '--insecure', '--as', 'again'], env), tiny);
  const solved = await call(['-d', place, 'mksh'], asked, '', 'pkgsolve');
  t.is(solved.stdout, 'mksh,59c\n', solved.stderr);
  const misspelt = await call(['pull', `${host}/app:1`], { ...env, STATIC_DISTRO_INSECURE: 'http://x' });
  t.is(misspelt.status, 2);
  t.regex(misspelt.stderr, /STATIC_DISTRO_INSECURE: "http:\/\/x" is no host/);
});

test('mirrors are asked first, and passed over where they have it not or lie', async (t) => {
  const [origin, mirror] = [await registryFor(t), await registryFor(t)];
  await must(t, ['push', 'tiny', `${origin.host}/app:1`]);
  await must(t, ['push', 'tiny', `${mirror.host}/hub/app:1`]);
  await origin.requests();
  const env = (place: string): Env => ({
    ...newcomer(t),
    STATIC_DISTRO_MIRRORS: `x.example=y.example ${origin.host}=${place}`,
  });
  const good = env(`${mirror.host}/hub`);
  t.is(await must(t, ['pull', `${origin.host}/app:1`], good), tiny);
  t.deepEqual(await origin.requests(), []);
  t.regex(
    await must(t, ['list'], good),
    new RegExp(`^${origin.host}/app:1 `),
    'it is called as it was asked for',
  );

  const liar = await startHostile(t, {
    move: ({ path }) =>
      path.includes('/blobs/') ? { change: (body) => Buffer.alloc(body.length) } : undefined,
  });
  await must(t, ['push', 'tiny', `${liar.host}/app:1`, '--quiet']);
  for (const place of [`${mirror.host}/nothing`, '127.0.0.1:1', liar.host]) {
    const { status, stdout, stderr } = await call(['pull', `${origin.host}/app:1`], env(place));
    t.is(status, 0, stderr);
    t.is(stdout.trimEnd(), tiny);
    t.true(stderr.includes('the mirror is passed over: '), stderr);
  }
  const wrong = await call(['pull', `${origin.host}/app:1`], env('='));
  t.is(wrong.status, 2);
  t.regex(wrong.stderr, /names no mirror/);
});

test('help of every command has an example', async (t) => {
  for (const command of ['push', 'pull', 'copy', 'tags', 'login', 'logout']) {
    const { status, stdout } = await call([command, '--help']);
    t.is(status, 0);
    t.regex(stdout, /Examples:\n {2}pkgimage/);
  }
});
