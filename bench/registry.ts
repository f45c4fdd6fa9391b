/**
 * Push and pull of the same images by us, skopeo, crane and podman: with an empty other side, with nothing
 * changed, and with one layer changed; over loopback, and with 20 ms more for each round trip. Times are
 * medians of whole processes, which take turns; requests are counted in the registry's own log, bytes by a
 * relay, both in runs of their own. Ours is the tool as users call it, Node's start included. podman packs layers
 * anew when it pushes, and unpacks them when it pulls.
 *
 * A run without options takes several minutes, one part of it less than three: `--layers 100 --delay 20 --case pull`.
 * A line that begins with `misses` tells which limit of ours does not hold; then the status is 1.
 *
 * usage: node bench/registry.ts [--runs 3] [--layers 10,100] [--delay 0,20] [--case push,pull,...] [--tools ours,...]
 *        (the tools must be built; podman needs root; crane needs Go; a case is `push`, or `pull cold`, and so on)
 */
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { describe, mediaTypes } from '../builder/descriptor.ts';
import { digestOf } from '../builder/digest.ts';
import { encodeConfig, encodeManifest } from '../builder/manifest.ts';
import { putDocument } from '../builder/store/blob.ts';
import { openStore } from '../builder/store/open-store.ts';
import { goProgram } from '../test/support/go-programs.ts';
import { tarOf } from '../test/support/images.ts';
import { startProxy } from '../test/support/proxy.ts';
import { startRegistry } from '../test/support/registries.ts';

const root = new URL('..', import.meta.url).pathname.replace(/\/$/, '');
const lockProgram = join(root, 'native/build/lock');
const { values: chosen } = parseArgs({
  options: {
    runs: { type: 'string', default: '3' },
    layers: { type: 'string', default: '10,100' },
    delay: { type: 'string', default: '0,20' },
    case: { type: 'string', default: 'push,pull' },
    tools: { type: 'string', default: 'ours,skopeo,crane,podman' },
  },
});
const listed = (text: string): readonly string[] => text.split(',').map((word) => word.trim());
const runs = Number(chosen.runs);
/** Of all layers together, in bytes. */
const imageSize = 64 << 20;
const work = mkdtempSync(join(tmpdir(), 'bench-registry-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

type Command = readonly string[];
type Tool = {
  readonly name: string;
  /** What has to be done, and is not measured, so that a layout can be pushed, and what takes that back. */
  readonly prepare?: (layout: string) => Promise<unknown>;
  readonly release?: (layout: string) => Promise<unknown>;
  readonly push: (layout: string, host: string) => Command;
  /** `place` is empty, or what an earlier pull has left. */
  readonly pull: (host: string, place: string) => Command;
  /** So that nothing of an earlier run is left. */
  readonly empty?: () => Promise<unknown>;
};

async function run(command: Command): Promise<number> {
  const [program = '', ...args] = command;
  const env = { ...process.env, HOME: work, XDG_DATA_HOME: join(work, 'data') };
  const began = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env });
  const [complaint, [status]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  const time = performance.now() - began;
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${String(status)}: ${complaint}`);
  return time;
}

const policy = join(work, 'policy.json');
writeFileSync(policy, '{"default":[{"type":"insecureAcceptAnything"}]}');
const pkgimage = join(root, 'bin/pkgimage');

const skopeo = (...args: readonly string[]): Command => ['skopeo', '--policy', policy, 'copy', ...args];
const crane = (...args: readonly string[]): Command => [goProgram('crane'), ...args];

const storage = [join(work, 'podman/root'), join(work, 'podman/run')] as const;
const podman = (verb: string, ...args: readonly string[]): Command => [
  ...['podman', '--root', storage[0], '--runroot', storage[1], '--storage-driver', 'overlay', verb],
  ...(verb === 'rmi' ? [] : ['--tls-verify=false', '--signature-policy', policy]),
  ...args,
];
const nameOf = (layout: string): string => `localhost/${basename(layout)}:1`;
const stored = (layout: string): string =>
  `containers-storage:[overlay@${storage.join('+')}]${nameOf(layout)}`;

const allTools: readonly Tool[] = [
  {
    name: 'ours',
    push: (layout, host) => [pkgimage, 'push', '--quiet', `oci:${layout}:image`, `${host}/app:1`],
    pull: (host) => [pkgimage, 'pull', '--quiet', `${host}/app:1`],
  },
  {
    name: 'skopeo',
    push: (layout, host) =>
      skopeo('--dest-tls-verify=false', `oci:${layout}:image`, `docker://${host}/app:1`),
    pull: (host, place) => skopeo('--src-tls-verify=false', `docker://${host}/app:1`, `oci:${place}:image`),
  },
  {
    name: 'crane',
    push: (layout, host) => crane('push', layout, `${host}/app:1`),
    pull: (host, place) => crane('pull', '--format=oci', `${host}/app:1`, place),
  },
  ...(process.getuid?.() === 0
    ? [
        {
          name: 'podman',
          prepare: (layout: string) => run(skopeo(`oci:${layout}:image`, stored(layout))),
          release: (layout: string) => run(podman('rmi', nameOf(layout))),
          push: (layout: string, host: string) => podman('push', nameOf(layout), `${host}/app:1`),
          pull: (host: string) => podman('pull', `${host}/app:1`),
          empty: () => run(podman('rmi', '--all', '--force')),
        },
      ]
    : []),
];

const tools = allTools.filter(({ name }) => listed(chosen.tools).includes(name));

/** Two layouts, whose images differ in one layer. */
async function layouts(count: number): Promise<readonly [string, string]> {
  const size = Math.floor(imageSize / count);
  const tars = await Promise.all(
    Array.from({ length: count + 1 }, (_, at) => tarOf({ [`file-${at}`]: randomBytes(size) })),
  );
  const make = async (name: string, chosen: readonly Buffer[]): Promise<string> => {
    const layout = join(work, `${name}-${count}`);
    const store = await openStore(layout, { lockProgram, create: true });
    const layers = await Promise.all(
      chosen.map((tar) => putDocument(store, describe(mediaTypes.layerGzip, gzipSync(tar, { level: 1 })))),
    );
    const rootfs = { type: 'layers', diff_ids: chosen.map((tar) => digestOf(tar)) } as const;
    const config = encodeConfig({ architecture: 'amd64', os: 'linux', rootfs });
    const manifest = encodeManifest({ config: await putDocument(store, config), layers });
    await store.tag('image', await putDocument(store, manifest));
    store.close();
    return layout;
  };
  const changed = tars.slice(0, count).with(Math.floor(count / 2), tars.at(-1) ?? Buffer.alloc(0));
  return [await make('a', tars.slice(0, count)), await make('b', changed)];
}

type Step = (tool: Tool, host: string, place: string) => Promise<void>;

/** `before` is not measured. */
type Situation = {
  readonly name: string;
  readonly before: Step;
  readonly measured: (tool: Tool, host: string, place: string) => Command;
};

function situations(a: string, b: string): readonly Situation[] {
  const pushed =
    (layout: string): Step =>
    async (tool, host) => {
      await tool.prepare?.(layout);
      await run(tool.push(layout, host));
      await tool.release?.(layout);
    };
  const pulled: Step = async (tool, host, place) => void (await run(tool.pull(host, place)));
  const ready =
    (layout: string): Step =>
    async (tool) =>
      void (await tool.prepare?.(layout));
  const steps =
    (...all: readonly Step[]): Step =>
    async (...args) => {
      for (const step of all) await step(...args);
    };
  const push =
    (layout: string): Situation['measured'] =>
    (tool, host) =>
      tool.push(layout, host);
  const pull: Situation['measured'] = (tool, host, place) => tool.pull(host, place);
  return [
    { name: 'push cold', before: ready(a), measured: push(a) },
    { name: 'push unchanged', before: steps(pushed(a), ready(a)), measured: push(a) },
    { name: 'push one layer changed', before: steps(pushed(a), ready(b)), measured: push(b) },
    { name: 'pull cold', before: pushed(a), measured: pull },
    { name: 'pull unchanged', before: steps(pushed(a), pulled), measured: pull },
    { name: 'pull one layer changed', before: steps(pushed(a), pulled, pushed(b)), measured: pull },
  ];
}

type Figures = { readonly times: number[]; requests: number; up: number; down: number };

/** `delay` in ms, each way; with `counting` it is not the time that is of interest. */
async function measure(
  situation: Situation,
  tool: Tool,
  figures: Figures,
  { delay, counting }: { readonly delay: number; readonly counting: boolean },
): Promise<void> {
  const running = await startRegistry('docker-registry');
  const proxy = delay > 0 || counting ? await startProxy(running.host, delay) : undefined;
  const host = proxy?.host ?? running.host;
  const place = mkdtempSync(join(work, 'place-'));
  rmSync(join(work, 'data'), { recursive: true, force: true });
  try {
    await tool.empty?.();
    await situation.before(tool, host, place);
    if (counting) await running.requests();
    // What the steps before have left to be written is not what is measured.
    spawnSync('sync');
    proxy?.reset();
    const time = await run(situation.measured(tool, host, place));
    if (counting && proxy)
      Object.assign(figures, proxy.bytes, { requests: (await running.requests()).length });
    else figures.times.push(time);
  } finally {
    proxy?.stop();
    await running.stop();
    rmSync(place, { recursive: true, force: true });
  }
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((x, y) => x - y)[Math.floor(numbers.length / 2)] ?? Number.NaN;

type Row = { readonly tool: string; readonly time: number } & Omit<Figures, 'times'>;

/** What we have set out to hold, and do not: the medians are compared, in ms. */
function misses(situation: string, layers: number, rows: readonly Row[]): readonly string[] {
  const [ours, skopeo, crane] = ['ours', 'skopeo', 'crane'].map((name) =>
    rows.find(({ tool }) => tool === name),
  );
  if (!ours) return [];
  const found: string[] = [];
  if (situation.endsWith('cold')) {
    const best = Math.min(...rows.filter((row) => row !== ours).map(({ time }) => time));
    if (ours.time > best) found.push(`${(ours.time - best).toFixed(0)} ms slower than the best of them`);
    return found;
  }
  if (crane && ours.time > crane.time + 60)
    found.push(`${(ours.time - crane.time).toFixed(0)} ms over crane`);
  if (crane && ours.requests > crane.requests) found.push('more requests than crane');
  if (crane && ours.up + ours.down > crane.up + crane.down) found.push('more bytes than crane');
  if (skopeo && layers >= 100 && skopeo.time < 3 * ours.time)
    found.push('not three times faster than skopeo');
  return found;
}

for (const count of listed(chosen.layers).map(Number)) {
  const images = await layouts(count);
  for (const delay of listed(chosen.delay).map(Number)) {
    const cases = situations(...images).filter(({ name }) =>
      listed(chosen.case).some((word) => name.startsWith(word)),
    );
    for (const situation of cases) {
      const all = tools.map((tool) => ({
        tool,
        figures: { times: [], requests: 0, up: 0, down: 0 } as Figures,
      }));
      for (let turn = 0; turn < runs; turn++) {
        for (const { tool, figures } of all) {
          await measure(situation, tool, figures, { delay: delay / 2, counting: false });
        }
      }
      for (const { tool, figures } of all)
        await measure(situation, tool, figures, { delay: 0, counting: true });
      const rows = all.map(({ tool, figures: { times, requests, up, down } }) => ({
        tool: tool.name,
        time: median(times),
        requests,
        up,
        down,
      }));
      console.log(`\n${count} layers, ${delay === 0 ? 'loopback' : `${delay} ms more`}: ${situation.name}`);
      for (const { tool, time, requests, up, down } of rows) {
        const cells = [
          tool.padEnd(8),
          `${time.toFixed(0)} ms`.padStart(9),
          `x ${(time / (rows[0]?.time ?? Number.NaN)).toFixed(2)}`.padStart(8),
          `${requests} requests`.padStart(14),
          `${up} up`.padStart(13),
          `${down} down`.padStart(15),
        ];
        console.log(cells.join(''));
      }
      for (const text of misses(situation.name, count, rows)) {
        console.log(`misses: ${text}`);
        process.exitCode = 1;
      }
    }
  }
}
