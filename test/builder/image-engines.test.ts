import test, { type ExecutionContext } from 'ava';
import { chmodSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Descriptor } from '../../builder/descriptor.ts';
import { Fault, type FaultCode } from '../../builder/fault.ts';
import { exportImage } from '../../builder/image/export.ts';
import { openImage } from '../../builder/image/image.ts';
import { importImage } from '../../builder/image/import.ts';
import { mostLayers } from '../../builder/image/layering.ts';
import { loadContainerd } from '../../builder/image/load-containerd.ts';
import { loadDocker } from '../../builder/image/load-docker.ts';
import { loadPodman } from '../../builder/image/load-podman.ts';
import { parsePlace } from '../../builder/image/transport.ts';
import { validate } from '../../builder/image/validate.ts';
import { parseReference } from '../../builder/reference.ts';
import type { FileStore } from '../../builder/store/file-store.ts';
import { directory, file } from '../../builder/tar/arrange.ts';
import { type Engine, startEngine } from '../support/engines.ts';
import {
  baseLayers,
  lockProgram,
  newStore,
  putAssembled,
  putLayers,
  showProgram,
} from '../support/images.ts';
import { serialRootTest } from '../support/root-test.ts';
import { isRoot, output, temporary } from '../support/tools.ts';

const home = mkdtempSync(join(tmpdir(), 'static-distro-engines-'));
const engines: Partial<Record<Engine['name'], Engine>> = {};
let program = { file: '', size: 0 };

test.before(async () => {
  if (!isRoot) return;
  program = showProgram(home);
  for (const name of ['docker', 'podman', 'containerd'] as const) engines[name] = await startEngine(name);
});
test.after.always(async () => {
  for (const engine of Object.values(engines)) await engine.stop();
  rmSync(home, { recursive: true, force: true });
});

function engine(name: Engine['name']): Engine {
  const found = engines[name];
  if (!found) throw new Error(`${name} did not start`);
  return found;
}

const transports = {
  docker: 'docker-daemon',
  podman: 'containers-storage',
  containerd: 'containerd',
} as const;
/** What `web:TAG` is called there. */
const nameIn = { docker: 'web', podman: 'localhost/web', containerd: 'docker.io/library/web' } as const;

const commands = () =>
  Object.fromEntries(Object.values(engines).map(({ name, command }) => [transports[name], command]));

async function fails(t: ExecutionContext, code: FaultCode, act: () => Promise<unknown>, words?: RegExp) {
  const error = await t.throwsAsync(act, { instanceOf: Fault });
  t.is(error?.code, code, error?.message);
  if (words) t.regex(`${error?.message} ${error?.hint}`, words);
}

const settings = {
  entrypoint: ['/bin/show', 'first word'],
  cmd: ['second'],
  env: { GREETING: 'hello world' },
  user: 'user',
  workdir: '/data',
  ports: ['80'],
  volumes: ['/volume'],
  labels: { 'com.example': 'label' },
  stopSignal: 'SIGINT',
};

type Sample = { readonly store: FileStore; readonly out: string; readonly image: Descriptor };

/** `extra` makes the top layer another one. */
async function sample(
  t: ExecutionContext,
  { encoding = 'gzip-1', extra = 'text' }: { encoding?: 'gzip-1' | 'zstd-1'; extra?: string } = {},
): Promise<Sample> {
  const out = temporary(t);
  const store = await newStore(join(out, 'store'));
  return { store, out, image: await put(store, extra, encoding) };
}

const put = async (store: FileStore, extra: string, encoding: 'gzip-1' | 'zstd-1' = 'gzip-1') =>
  putAssembled(
    store,
    `web:${extra.length}`,
    {
      platform: { os: 'linux', architecture: 'amd64' },
      layers: await putLayers(store, {
        ...baseLayers(program),
        settings: [
          directory('data', { uid: 1000, gid: 1000, mode: 0o700 }),
          file('data/file', extra, { uid: 1000, gid: 1000, mode: 0o640 }),
          file('bin/setuid', extra, { mode: 0o4755 }),
          file('etc/größe', ''),
        ],
      }),
      created: 0,
      settings,
    },
    encoding,
  );

const load = (
  { store, image }: { store: FileStore; image: Descriptor },
  name: Engine['name'],
  reference: string,
) =>
  exportImage(
    store,
    image,
    parseReference('unused'),
    { transport: transports[name], reference: parseReference(reference) },
    { lockProgram, commands: commands() },
  );

/** Runs it, and compares how the program was started and what it sees with what the image says. */
function runs(t: ExecutionContext, name: Engine['name'], image: string): void {
  const { status, stdout, stderr } = engine(name).run(image);
  t.is(status, 7, `${stderr}${stdout}`);
  const lines = stdout.trim().split('\n');
  t.deepEqual(
    lines.filter((line) => /^(ids|cwd|arg)/.test(line)),
    ['ids 1000:1000', 'cwd /data', 'arg /bin/show', 'arg first word', 'arg second'],
  );
  t.true(lines.includes('env PATH=/bin'));
  t.true(lines.includes('env GREETING=hello world'));
}

for (const name of ['docker', 'podman', 'containerd'] as const) {
  for (const encoding of ['gzip-1', 'zstd-1'] as const) {
    serialRootTest(
      `${name} runs an image loaded into it (${encoding}), with the same ID, and gives it back`,
      async (t) => {
        const it = await sample(t, { encoding, extra: `${name} ${encoding}` });
        const { store, image } = it;
        const view = await openImage(store, image);
        const { sent = 0, present = 0 } = (await load(it, name, 'web:1')) ?? {};
        t.is(sent + present, 3);
        runs(t, name, `${nameIn[name]}:1`);

        const { stdout } = engine(name).run(
          `${nameIn[name]}:1`,
          name === 'containerd'
            ? ['/bin/show', '/data', '/bin', '/etc/größe']
            : ['/data', '/bin', '/etc/größe'],
        );
        const seen = stdout.split('\n').filter((line) => line.startsWith('path '));
        for (const line of [
          'path /data 40700 1000:1000 0 ',
          `path /data/file 100640 1000:1000 ${name.length + 1 + encoding.length} `,
          `path /bin/setuid 104755 0:0 ${name.length + 1 + encoding.length} `,
          'path /bin/show 120777 0:0 0 ../packages/show/1/bin/show',
          'path /etc/größe 100644 0:0 0 ',
        ]) {
          t.true(seen.includes(line), `${line} in ${seen.join('\n')}`);
        }

        // What it is called there, and what comes back.
        if (name === 'docker')
          t.is(engine(name).output('inspect', '--format', '{{.Id}}', 'web:1').trim(), view.id);
        if (name === 'podman')
          t.is(`sha256:${engine(name).output('inspect', '--format', '{{.Id}}', 'web:1').trim()}`, view.id);
        if (name !== 'docker') {
          const listed =
            name === 'podman'
              ? engine(name).output('images', '--digests', '--no-trunc')
              : engine(name).output('images', 'ls');
          t.true(listed.includes(image.digest), listed);
          t.false(listed.includes('static-distro-'), listed);
        }
        const back = await newStore(join(it.out, 'back'));
        const place = parsePlace(`${transports[name]}:web:1`);
        if (place.transport !== transports[name]) return t.fail();
        const taken = await importImage(back, place, { lockProgram, commands: commands() });
        const again = await openImage(back, taken);
        t.deepEqual(
          again.layers.map(({ diffID }) => diffID),
          view.layers.map(({ diffID }) => diffID),
        );
        t.deepEqual(again.config.config, view.config.config);
        t.deepEqual(await validate(back, taken, { content: true }), []);
        if (name === 'docker') t.is(again.id, view.id);
        if (name === 'containerd') t.is(taken.digest, image.digest);
      },
    );
  }
}

serialRootTest(
  `docker load takes docker archives, podman load and ctr import archives and layouts`,
  async (t) => {
    for (const encoding of ['gzip-1', 'zstd-1'] as const) {
      const it = await sample(t, { encoding, extra: `archives ${encoding}` });
      const { store, image, out } = it;
      const write = async (place: string) => {
        const to = parsePlace(place);
        if (!('path' in to)) throw new Error(place);
        await exportImage(store, image, parseReference('web:9'), to, { lockProgram });
      };
      await write(`docker-archive:${out}/d.tar:web:d-${encoding}`);
      await write(`oci-archive:${out}/o.tar:localhost/web:o-${encoding}`);
      engine('docker').output('load', '-i', join(out, 'd.tar'));
      runs(t, 'docker', `web:d-${encoding}`);
      // A gzip docker archive is a layout too, and names the image for containerd, as docker's own does.
      const docker = encoding === 'gzip-1' ? 'docker.io/library' : 'localhost';
      for (const [archive, called] of [
        ['d', `${docker}/web:d-${encoding}`],
        ['o', `localhost/web:o-${encoding}`],
      ] as const) {
        engine('podman').output('load', '-i', join(out, `${archive}.tar`));
        runs(t, 'podman', called);
        if (archive === 'd' && encoding === 'zstd-1') continue;
        engine('containerd').output('images', 'import', join(out, `${archive}.tar`));
        runs(t, 'containerd', called);
      }
    }
  },
);

serialRootTest(`docker is sent only what is above the layers that it has`, async (t) => {
  const it = await sample(t, { extra: 'docker, first' });
  const { store } = it;
  await load(it, 'docker', 'first');
  const second = await put(store, 'docker, the second');
  // Layers below are not even read.
  const { layers } = await openImage(store, second);
  const hidden = layers.slice(0, 2).map(({ descriptor }) => store.blobPath(descriptor.digest));
  for (const path of hidden) renameSync(path, `${path}.hidden`);
  t.deepEqual(await load({ store, image: second }, 'docker', 'web:second'), { sent: 1, present: 2 });
  runs(t, 'docker', 'web:second');
  t.deepEqual(await load({ store, image: second }, 'docker', 'web:again'), { sent: 0, present: 3 });
  runs(t, 'docker', 'web:again');
  for (const path of hidden) renameSync(`${path}.hidden`, path);

  // The images on which it counted are removed before the archive arrives.
  const wrapper = join(it.out, 'docker');
  const { command } = engine('docker');
  writeFileSync(
    wrapper,
    `#!/bin/sh
    if [ "$1" = load ] && [ ! -e "$0.done" ]; then
      : >"$0.done"
      ${command.join(' ')} rmi -f $(${command.join(' ')} images -aq) >/dev/null
    fi
    exec ${command.join(' ')} "$@"
  `,
  );
  chmodSync(wrapper, 0o755);
  const third = await put(store, 'docker, and a third one');
  const loaded = await loadDocker(store, await openImage(store, third), [parseReference('web:third')], {
    command: [wrapper],
  });
  t.deepEqual(loaded, { sent: 3, present: 0 });
  runs(t, 'docker', 'web:third');
});

for (const name of ['podman', 'containerd'] as const) {
  serialRootTest(`${name} is sent only the blobs that it has not`, async (t) => {
    const it = await sample(t, { extra: `${name}, first` });
    const { store } = it;
    await load(it, name, 'web:first');
    const second = await put(store, `${name}, the second`);
    const { layers } = await openImage(store, second);
    const hidden = layers.slice(0, 2).map(({ descriptor }) => store.blobPath(descriptor.digest));
    for (const path of hidden) renameSync(path, `${path}.hidden`);
    t.deepEqual(await load({ store, image: second }, name, 'web:second'), { sent: 1, present: 2 });
    runs(t, name, `${nameIn[name]}:second`);
    for (const path of hidden) renameSync(`${path}.hidden`, path);
  });
}

serialRootTest(`containerd collects what an import counts on: it is sent after all`, async (t) => {
  const it = await sample(t, { extra: 'collected meanwhile' });
  const { command } = engine('containerd');
  await load(it, 'containerd', 'web:gone');
  const script = join(it.out, 'ctr');
  const asked = join(it.out, 'asked');
  const ctr = command.map((word) => `'${word}'`).join(' ');
  writeFileSync(
    script,
    `#!/bin/sh -e
case "$*" in *import*)
  test -e ${asked} || ${ctr} images rm --sync docker.io/library/web:gone >&2
  echo >>${asked} ;;
esac
exec ${ctr} "$@"
`,
  );
  chmodSync(script, 0o755);
  const view = await openImage(it.store, it.image);
  const names = [parseReference('web:collected')];
  const { sent } = await loadContainerd(it.store, view, names, { command: [script] });
  t.true(sent > 0, 'not what was there at first');
  t.is(readFileSync(asked, 'utf8'), '\n\n', 'tried twice');
  runs(t, 'containerd', 'docker.io/library/web:collected');
});

serialRootTest(`an image gets several names, or none`, async (t) => {
  const { store, image } = await sample(t, { extra: 'names' });
  const view = await openImage(store, image);
  const names = ['a.example/x/web:2', 'web'].map(parseReference);
  const { docker, podman, containerd } = engines;
  if (!docker || !podman || !containerd) return t.fail();
  await loadDocker(store, view, names, docker);
  await loadPodman(store, view, names, podman);
  await loadContainerd(store, view, names, containerd);
  runs(t, 'docker', 'a.example/x/web:2');
  runs(t, 'docker', 'web:latest');
  runs(t, 'podman', 'a.example/x/web:2');
  runs(t, 'podman', 'localhost/web:latest');
  runs(t, 'containerd', 'a.example/x/web:2');
  runs(t, 'containerd', 'docker.io/library/web:latest');

  const nameless = await openImage(store, await put(store, 'without a name'));
  await loadDocker(store, nameless, [], docker);
  await loadPodman(store, nameless, [], podman);
  await loadContainerd(store, nameless, [], containerd);
  runs(t, 'docker', nameless.id);
  runs(t, 'podman', nameless.id.slice(7));
  t.regex(containerd.output('images', 'ls', '-q'), new RegExp(`image:${nameless.id.slice(7, 19)}`));
});

serialRootTest(`the most layers that an image may have run everywhere`, async (t) => {
  const out = temporary(t);
  const store = await newStore(join(out, 'store'));
  const filler = Object.fromEntries(
    Array.from({ length: mostLayers - 2 }, (_, at) => [`p${at} 1`, [file(`packages/p${at}/1/f`, `${at}`)]]),
  );
  const image = await putAssembled(store, 'web:many', {
    platform: { os: 'linux', architecture: 'amd64' },
    layers: await putLayers(store, { ...filler, ...baseLayers(program) }),
    created: 0,
    settings: { ...settings, workdir: '/', user: '1000:1000' },
  });
  for (const name of ['docker', 'podman', 'containerd'] as const) {
    await load({ store, image }, name, 'web:many');
    const { status, stdout, stderr } = engine(name).run(`${nameIn[name]}:many`);
    t.is(status, 7, stderr);
    t.regex(stdout, /^ids 1000:1000$/m);
  }
});

serialRootTest(`the root as a tar is one that docker and podman import and run`, async (t) => {
  const { store, image, out } = await sample(t, { extra: 'root' });
  const path = join(out, 'root.tar');
  await exportImage(store, image, parseReference('x'), { transport: 'rootfs', path }, { lockProgram });
  for (const name of ['docker', 'podman'] as const) {
    engine(name).output('import', path, `root-${name}:1`);
    const { status, stdout, stderr } = engine(name).run(`root-${name}:1`, ['/bin/show', '/data', '/bin']);
    t.is(status, 7, stderr);
    t.regex(stdout, /^path \/data\/file 100640 1000:1000 4 $/m);
    t.regex(stdout, /^path \/bin\/setuid 104755 0:0 4 $/m);
  }
});

test('an engine that is not there, or does not answer, is named', async (t) => {
  const out = temporary(t);
  const store = await newStore(join(out, 'store'));
  const [layer] = await putLayers(store, { a: [file('a', 'a')] });
  if (!layer) return t.fail();
  const image = await putAssembled(store, 'a', {
    platform: { os: 'linux', architecture: 'amd64' },
    layers: [layer],
    created: 0,
    settings: {},
  });
  const view = await openImage(store, image);
  const names = [parseReference('a')];
  for (const act of [loadDocker, loadPodman, loadContainerd]) {
    await fails(
      t,
      'NOT_FOUND',
      () => act(store, view, names, { command: ['no-such-engine'] }),
      /^no-such-engine is not installed/,
    );
  }
  const silent = ['docker', '-H', `unix://${out}/none`];
  await fails(t, 'IO', () => loadDocker(store, view, names, { command: silent }), /^docker -H unix:.*none/);
  await fails(
    t,
    'IO',
    () => loadContainerd(store, view, names, { command: ['ctr', '--address', `${out}/none`] }),
    /^ctr --address/,
  );
  // Podman that is called docker knows no such question, and gets the whole archive.
  const alias = join(out, 'alias');
  writeFileSync(alias, `#!/bin/sh\ncase $1 in info) exit 125 ;; load) cat >${out}/loaded.tar ;; esac\n`);
  chmodSync(alias, 0o755);
  t.deepEqual(await loadDocker(store, view, names, { command: [alias] }), { sent: 1, present: 0 });
  t.regex(output('tar', ['-tf', join(out, 'loaded.tar')]), /^manifest\.json$/m);
  // One that ends without reading what it is sent.
  const deaf = join(out, 'deaf');
  writeFileSync(deaf, '#!/bin/sh\n[ "$1" != load ] || { echo "out of $1" >&2; exit 3; }\n');
  chmodSync(deaf, 0o755);
  await fails(t, 'IO', () => loadDocker(store, view, names, { command: [deaf] }), /"out of load"/);
  // What goes wrong here is told, and not how the engine took it.
  rmSync(store.blobPath(layer.blobs['gzip-1']?.digest ?? view.id));
  writeFileSync(deaf, '#!/bin/sh\n[ "$1" != load ] || { cat >/dev/null; echo fine; }\n');
  await fails(t, 'NOT_FOUND', () => loadDocker(store, view, names, { command: [deaf] }), /sha256:/);
  const place = { transport: 'docker-daemon' as const, reference: parseReference('a') };
  const options = { lockProgram, commands: { 'docker-daemon': silent } };
  await fails(t, 'IO', () => importImage(store, place, options), /^docker -H/);
  t.is(readFileSync(join(store.directory, 'oci-layout'), 'utf8'), '{"imageLayoutVersion":"1.0.0"}');
});
