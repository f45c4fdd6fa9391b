import test, { type ExecutionContext } from 'ava';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  createReadStream,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { digester, digestOf, type Sized } from '../../builder/digest.ts';
import { Fault, type FaultCode } from '../../builder/fault.ts';
import { arrange, file } from '../../builder/tar/arrange.ts';
import { assemble, assembledSize, type Member } from '../../builder/tar/assemble.ts';
import { Compressor } from '../../builder/tar/compressor.ts';
import { decode } from '../../builder/tar/decode.ts';
import { type Compressed, type Encoding, head, tail } from '../../builder/tar/encoding.ts';
import { type Layer, makeLayer, measure, planEntries, planTree, type Plan } from '../../builder/tar/layer.ts';
import { compressorBy } from '../support/compressors.ts';
import {
  chunksOf,
  collect,
  compressor,
  compressProgram,
  golden,
  layerPy,
  planGolden,
  tarOf,
  treeMaker,
  wholeTar,
} from '../support/layers.ts';
import { nodeProgram } from '../support/node-versions.ts';
import { output, root, run, temporary } from '../support/tools.ts';

const makeTree = treeMaker();
const compressed = ['gzip-1', 'zstd-1'] as const;
const measured = { 'gzip-1': measure, 'zstd-1': measure };

type Blobs = { readonly layer: Layer<Compressed>; readonly blobs: Readonly<Record<Compressed, Buffer>> };

/** The layer and its blobs, in memory. */
async function inMemory(running: Compressor<Compressed>, plan: Plan): Promise<Blobs> {
  const blobs: Record<Compressed, Buffer> = { 'gzip-1': Buffer.alloc(0), 'zstd-1': Buffer.alloc(0) };
  const sink = (encoding: Compressed) => async (content: AsyncIterable<Uint8Array>) => {
    blobs[encoding] = await collect(content);
    return { digest: digestOf(blobs[encoding]), size: blobs[encoding].length };
  };
  const layer = await makeLayer(plan, running, { 'gzip-1': sink('gzip-1'), 'zstd-1': sink('zstd-1') });
  return { layer, blobs };
}

const asLayer = (name: string): Layer<Compressed> | undefined => {
  const found = golden[name];
  if (!found) return undefined;
  const { diffID, size } = found;
  return { diffID, size, blobs: { 'gzip-1': found['gzip-1'], 'zstd-1': found['zstd-1'] } };
};

/** All awkward trees through one compressor. */
async function checkGolden(t: ExecutionContext, command: readonly string[], names: readonly string[]) {
  const running = compressor(t, command);
  for (const name of names)
    t.deepEqual(await makeLayer(planGolden(name, makeTree(name)), running, measured), asLayer(name), name);
}

test('the blobs of the awkward trees are the ones recorded', (t) =>
  checkGolden(t, [compressProgram], Object.keys(golden)));

for (const threads of ['1', '3', '16'])
  test(`and so with ${threads} threads`, (t) =>
    checkGolden(t, [compressProgram, '--threads', threads], ['plain', 'sizes', 'many_files', 'huge']));

for (const [compiler, flags] of [
  ['gcc', '-O0'],
  ['clang', '-O3'],
] as const)
  test(`and so when ${compiler} ${flags} made the compressor`, (t) =>
    checkGolden(t, [compressorBy(compiler, flags)], ['plain', 'sizes', 'odd_names', 'many_files']));

test('and so on arm64, emulated', (t) =>
  checkGolden(
    t,
    ['qemu-aarch64-static', compressorBy('aarch64-linux-gnu-gcc', '-O2')],
    ['plain', 'sizes', 'odd_names'],
  ));

test('and so on an x86_64 that has none of the newer instructions, emulated', (t) =>
  checkGolden(
    t,
    ['qemu-x86_64-static', '-cpu', 'core2duo', compressProgram],
    ['plain', 'sizes', 'odd_names'],
  ));

test('the library does the same on Node 22 and 26 as on 24, with the recorded layers, archives included', async (t) => {
  const directory = temporary(t);
  const worker = join(directory, 'worker.mjs');
  const { build } = await import('esbuild');
  await build({
    entryPoints: [join(root, 'test/support/node-worker.ts')],
    outfile: worker,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
  const names = ['plain', 'odd_names', 'hard_links', 'sizes'];
  type Layers = readonly { readonly history: string; readonly diffID: string; readonly blobs: unknown }[];
  const results = [process.execPath, nodeProgram('22'), nodeProgram('26')].map((node, at) => {
    const place = join(directory, String(at));
    mkdirSync(place);
    const args = [worker, join(root, 'native/build/lock'), compressProgram, place, ...names.map(makeTree)];
    const found = JSON.parse(output(node, args)) as { layers: Layers; images: object; problems: unknown[] };
    t.deepEqual(found.problems, []);
    for (const { history, diffID, blobs } of found.layers) {
      t.is(diffID, golden[history]?.diffID ?? '');
      t.like(blobs, { 'gzip-1': golden[history]?.['gzip-1'], 'zstd-1': golden[history]?.['zstd-1'] });
    }
    const archives = readdirSync(place).filter((name) => name.endsWith('.tar'));
    t.is(archives.length, 6);
    return [found.images, archives.map((name) => [name, digestOf(readFileSync(join(place, name)))])];
  });
  t.deepEqual(results[1], results[0]);
  t.deepEqual(results[2], results[0]);
});

test('every tool that decompresses gives the tar back', async (t) => {
  const directory = temporary(t);
  const { layer, blobs } = await inMemory(compressor(t), planGolden('sizes', makeTree('sizes')));
  const tools: readonly (readonly [Compressed, string, readonly string[]])[] = [
    ['gzip-1', 'gzip', ['-dc']],
    ['gzip-1', 'pigz', ['-dc']],
    ['gzip-1', 'python3', ['-c', 'import gzip, sys; sys.stdout.buffer.write(gzip.open(sys.argv[1]).read())']],
    ['zstd-1', 'zstd', ['-dcq']],
  ];
  for (const [encoding, program, args] of tools) {
    const blob = join(directory, `${program}.${encoding === 'gzip-1' ? 'gz' : 'zst'}`);
    writeFileSync(blob, blobs[encoding]);
    const sum = output('sh', ['-c', '"$@" | sha256sum', 'sh', program, ...args, blob]);
    t.is(`sha256:${sum.slice(0, 64)}`, layer.diffID, program);
  }
  for (const encoding of compressed) {
    const { update, finish } = digester();
    const kind = encoding === 'gzip-1' ? 'gzip' : 'zstd';
    for await (const chunk of decode(chunksOf(blobs[encoding]), kind, { most: layer.size, where: 'x' }))
      update(chunk);
    t.deepEqual(finish(), { digest: layer.diffID, size: layer.size });
  }
});

test('members and frames: where they are cut, and what their headers say', async (t) => {
  const { layer, blobs } = await inMemory(compressor(t), planGolden('sizes', makeTree('sizes')));
  const segment = layer.size - head.none.length - tail.none.length;
  const pieces = (size: number) => [
    head.none.length,
    ...Array.from({ length: Math.ceil(segment / size) }, (_, i) => Math.min(size, segment - i * size)),
    tail.none.length,
  ];
  const script = `
import json, sys, zlib
data = open(0, "rb").read()
sizes, headers = [], set()
while data:
    headers.add(data[:10].hex())
    member = zlib.decompressobj(31)
    sizes.append(len(member.decompress(data)))
    data = member.unused_data
print(json.dumps([sizes, sorted(headers)]))`;
  const gzip = JSON.parse(output('python3', ['-c', script], { input: blobs['gzip-1'] })) as unknown;
  // Deflate; no flags; MTIME 0; XFL 0; OS 255.
  t.deepEqual(gzip, [pieces(1 << 20), ['1f8b08000000000000ff']]);

  const listed = join(temporary(t), 'layer.zst');
  writeFileSync(listed, blobs['zstd-1']);
  const verbose = output('zstd', ['-lv', listed]);
  t.regex(verbose, new RegExp(`# Zstandard Frames: ${pieces(8 << 20).length}\\n`));
  t.regex(verbose, new RegExp(`Decompressed Size: .*\\(${layer.size} B\\)`));
  t.regex(verbose, /Check: XXH64/);
});

test('HEAD and TAIL are what the compressor makes of them, and start and end every layer', async (t) => {
  const running = compressor(t);
  for (const constant of [head, tail]) {
    const made: Record<Compressed, Buffer[]> = { 'gzip-1': [], 'zstd-1': [] };
    await running.segment(
      [constant.none],
      async (encoding, chunk) => void made[encoding].push(Buffer.from(chunk)),
    );
    for (const encoding of compressed) t.deepEqual(Buffer.concat(made[encoding]), constant[encoding]);
  }
  const { blobs } = await inMemory(running, planGolden('plain', makeTree('plain')));
  for (const encoding of compressed) {
    t.deepEqual(blobs[encoding].subarray(0, head[encoding].length), head[encoding]);
    t.deepEqual(blobs[encoding].subarray(-tail[encoding].length), tail[encoding]);
  }
});

test('a group is put together from the blobs of its packages, and is their layer', async (t) => {
  const running = compressor(t);
  const union = join(temporary(t), 'union');
  // In the order of name bytes: a, a-b, a0, b.
  const packages = ['a0', 'b', 'a', 'a-b'];
  const members: Record<Encoding, Member[]> = { 'gzip-1': [], 'zstd-1': [], none: [] };
  for (const [i, name] of packages.entries()) {
    const tree = makeTree(['plain', 'hard_links', 'sizes', 'odd_names'][i] ?? '');
    mkdirSync(join(union, name), { recursive: true });
    output('cp', ['-a', tree, join(union, name, '1')]);
    const plan = () => planTree(tree, `packages/${name}/1`);
    const { blobs } = await inMemory(running, plan());
    for (const [encoding, blob] of Object.entries({ ...blobs, none: wholeTar(plan()) }) as [
      Encoding,
      Buffer,
    ][])
      for (const size of [7, 1000, 65536].slice(i % 3, (i % 3) + 1))
        members[encoding].push({
          name,
          size: blob.length,
          where: name,
          open: () => chunksOf(blob, size * 100),
        });
  }
  const [script = '', ...args] = layerPy(union, 'packages');
  const expected = output('sh', ['-c', 'python3 "$@" | sha256sum', 'sh', script, ...args]).slice(0, 64);
  for (const encoding of ['gzip-1', 'zstd-1', 'none'] as const) {
    const blob = await collect(assemble(encoding, members[encoding]));
    t.is(blob.length, assembledSize(encoding, members[encoding]));
    t.is(digestOf(await collect(assemble(encoding, members[encoding].toReversed()))), digestOf(blob));
    const kind = encoding === 'none' ? 'none' : encoding === 'gzip-1' ? 'gzip' : 'zstd';
    const tar = await collect(decode(chunksOf(blob), kind, { most: 1e9, where: 'group' }));
    t.is(digestOf(tar), `sha256:${expected}`, encoding);
  }
  // One package alone is its own group.
  const [only] = members['zstd-1'];
  if (only) t.is(digestOf(await collect(assemble('zstd-1', [only]))), digestOf(await collect(only.open())));
});

const refusedAsync = async (
  t: ExecutionContext,
  act: () => Promise<unknown>,
  code: FaultCode,
  says: string,
) => {
  const error = await t.throwsAsync(act, { instanceOf: Fault });
  t.is(error?.code, code, error?.message);
  t.true(error?.message.includes(says), error?.message);
};

const member = (bytes: Buffer, size = bytes.length): Member => ({
  name: 'x',
  size,
  where: 'blob x',
  open: () => chunksOf(bytes, 50),
});

test('what is no package layer in the encoding is put into no group', async (t) => {
  const { blobs } = await inMemory(compressor(t), planGolden('plain', makeTree('plain')));
  const blob = blobs['gzip-1'];
  const cases: readonly Member[] = [
    member(blobs['zstd-1']),
    member(Buffer.concat([blob, Buffer.from('x')])),
    member(blob, blob.length + 1),
    member(blob, blob.length - 1),
    member(blob.subarray(1)),
    member(blob.subarray(0, -1)),
    member(blob.subarray(0, 90)),
    member(Buffer.concat([head['gzip-1'], tail['gzip-1']]).subarray(1)),
    member(Buffer.alloc(0)),
  ];
  for (const bad of cases)
    await refusedAsync(t, () => collect(assemble('gzip-1', [bad])), 'INTEGRITY', 'blob x');
  await t.throwsAsync(() => collect(assemble('gzip-1', [member(blob), member(blob)])), { message: /twice/ });
});

const numbered = (i: number): Plan => planEntries(arrange([file(`f${i}`, `${i}\n`.repeat(i * 100))]));

test('many layers at once through one compressor are each right', async (t) => {
  const running = compressor(t);
  const layers = await Promise.all(Array.from({ length: 100 }, (_, i) => inMemory(running, numbered(i))));
  for (const [i, { layer, blobs }] of layers.entries()) {
    t.is(layer.diffID, digestOf(wholeTar(numbered(i))));
    t.is(layer.blobs['zstd-1'].digest, digestOf(blobs['zstd-1']));
    const { stdout } = run('tar', ['-xzOf', '-', `f${i}`], { input: blobs['gzip-1'] });
    t.is(stdout, `${i}\n`.repeat(i * 100));
  }
});

test('one encoding alone has the same bytes as together with the other', async (t) => {
  for (const encoding of compressed) {
    const alone = new Compressor([compressProgram], [encoding]);
    const layer = await makeLayer(planGolden('sizes', makeTree('sizes')), alone, measured);
    t.deepEqual(layer.blobs[encoding], asLayer('sizes')?.blobs[encoding]);
    t.deepEqual(Object.keys(layer.blobs), [encoding]);
    await alone.close();
  }
});

test('decoding: in pieces of any size; cut off, followed by something, damaged, or too large is an error', async (t) => {
  const plan = planGolden('plain', makeTree('plain'));
  const { layer, blobs } = await inMemory(compressor(t), plan);
  const most = layer.size;
  for (const encoding of compressed) {
    const blob = blobs[encoding];
    const kind = encoding === 'gzip-1' ? 'gzip' : 'zstd';
    const decoded = (bytes: Buffer, limit = most, pieces = 4096) =>
      collect(decode(chunksOf(bytes, pieces), kind, { most: limit, where: 'blob' }));
    for (const pieces of [1, 3, 100, blob.length])
      t.is(digestOf(await decoded(blob, most, pieces)), layer.diffID);
    // Inside each of the members or frames, and inside their headers.
    const inside = [
      1,
      5,
      head[encoding].length + 3,
      200,
      blob.length >> 1,
      blob.length - tail[encoding].length + 4,
      blob.length - 1,
    ];
    for (const cut of inside)
      await refusedAsync(t, () => decoded(blob.subarray(0, cut)), 'INTEGRITY', 'blob: the layer');
    await refusedAsync(t, () => decoded(Buffer.alloc(0)), 'INTEGRITY', 'blob: the layer');
    for (const after of ['\0', 'x', '\0\0\0\0\0\0\0\0\0', 'more of it'])
      await refusedAsync(
        t,
        () => decoded(Buffer.concat([blob, Buffer.from(after)])),
        'INTEGRITY',
        'blob: the layer',
      );
    await refusedAsync(t, () => decoded(blob, most - 1), 'INTEGRITY', 'more than');
    await refusedAsync(
      t,
      () => decoded(Buffer.from('this is no layer at all')),
      'INTEGRITY',
      'blob: the layer',
    );
    for (let at = 12; at < blob.length - 1; at += 97) {
      const damaged = Buffer.from(blob);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      await t.throwsAsync(() => decoded(damaged), { instanceOf: Fault }, `${encoding} at ${at}`);
    }
  }
  t.deepEqual(await collect(decode(chunksOf(wholeTar(plan)), 'none', { most, where: 'x' })), wholeTar(plan));
  await refusedAsync(
    t,
    () => collect(decode(chunksOf(wholeTar(plan)), 'none', { most: 10, where: 'x' })),
    'INTEGRITY',
    'more than',
  );
});

test('bombs end at the size that was recorded, and a huge window is refused', async (t) => {
  const directory = temporary(t);
  const bombs = [
    ['gzip', 'head -c 200000000 /dev/zero | gzip -9'],
    ['zstd', 'head -c 200000000 /dev/zero | zstd -q -19'],
  ] as const;
  for (const [kind, command] of bombs) {
    const bomb = join(directory, kind);
    output('sh', ['-c', `${command} >"$1"`, 'sh', bomb]);
    let seen = 0;
    const read = async () => {
      for await (const chunk of decode(createReadStream(bomb), kind, { most: 1_000_000, where: 'bomb' }))
        seen += chunk.length;
    };
    await refusedAsync(t, read, 'INTEGRITY', 'more than 1000000');
    t.true(seen <= 1_000_000);
  }
  const wide = join(directory, 'wide');
  output('sh', ['-c', 'head -c 100000000 /dev/urandom | zstd -q -1 --ultra --long=27 >"$1"', 'sh', wide]);
  const read = () => collect(decode(createReadStream(wide), 'zstd', { most: 1e9, where: 'wide' }));
  await refusedAsync(t, read, 'INTEGRITY', 'wide: the layer');
});

test('errors of the source reach the reader, and a reader that stops closes the source', async (t) => {
  const { layer, blobs } = await inMemory(compressor(t), planGolden('sizes', makeTree('sizes')));
  async function* broken() {
    yield blobs['gzip-1'].subarray(0, 5000);
    throw new Fault('NETWORK', 'the line is dead');
  }
  await refusedAsync(
    t,
    () => collect(decode(broken(), 'gzip', { most: layer.size, where: 'x' })),
    'NETWORK',
    'dead',
  );
  const { promise: closed, resolve: close } = Promise.withResolvers<true>();
  async function* source() {
    try {
      yield* chunksOf(blobs['gzip-1'], 1000);
    } finally {
      close(true);
    }
  }
  for await (const chunk of decode(source(), 'gzip', { most: layer.size, where: 'x' })) {
    t.true(chunk.length > 0);
    break;
  }
  t.true(await closed);
});

test('a layer that cannot be made fails with the reason, and ends everything that was started for it', async (t) => {
  const tree = join(temporary(t), 'tree');
  cpSync(makeTree('sizes'), tree, { recursive: true });
  const plan = () => planTree(tree, 'packages/t/1');
  const fails = async (
    running: Compressor<Compressed>,
    act: () => Promise<unknown>,
    code: FaultCode,
    says: string,
  ) => {
    await refusedAsync(t, act, code, says);
    // It says so again rather than hang.
    await t.throwsAsync(() => makeLayer(plan(), running, measured));
    await running.close();
  };

  const missing = new Compressor<Compressed>(['/nonexistent/compress'], compressed);
  await fails(missing, () => makeLayer(plan(), missing, measured), 'IO', '/nonexistent/compress');

  const wrong = new Compressor<Compressed>(['cat'], compressed);
  await fails(wrong, () => makeLayer(plan(), wrong, measured), 'IO', 'cat');

  const early = new Compressor<Compressed>(
    ['sh', '-c', 'head -c 9 >&2; echo no room >&2; exit 3'],
    compressed,
  );
  await fails(early, () => makeLayer(plan(), early, measured), 'IO', 'no room');

  const killer = join(temporary(t), 'killed');
  writeFileSync(killer, `#!/bin/sh\n(sleep 0.05; kill -9 $$) & exec ${compressProgram} "$@"\n`);
  chmodSync(killer, 0o755);
  const killed = new Compressor<Compressed>([killer], compressed);
  const endless = planEntries(
    (function* () {
      for (let i = 0; ; i++) yield file(`f${i}`, Buffer.alloc(100_000, String(i)));
    })(),
  );
  await fails(killed, () => makeLayer(endless, killed, measured), 'IO', 'SIGKILL');

  // The tree changes while it is packed: the first file is sent, a later one has another size.
  const changed = compressor(t);
  const entries = [...plan().entries];
  truncateSync(join(tree, '9000001'), 5);
  await fails(changed, () => makeLayer({ shared: true, entries }, changed, measured), 'INTEGRITY', '9000001');

  const full = compressor(t);
  const sinks = {
    'gzip-1': measure,
    'zstd-1': async (content: AsyncIterable<Uint8Array>): Promise<Sized> => {
      for await (const chunk of content) if (chunk.length > 0) throw new Fault('IO', 'no space left');
      return measure(content);
    },
  };
  await fails(full, () => makeLayer(plan(), full, sinks), 'IO', 'no space left');

  let told: unknown;
  const stops = compressor(t);
  const keeps = {
    'gzip-1': async (content: AsyncIterable<Uint8Array>): Promise<Sized> =>
      measure(content).catch((error: unknown) => {
        told = error;
        throw error;
      }),
    'zstd-1': async (): Promise<Sized> => Promise.reject(new Fault('BUSY', 'not now')),
  };
  await fails(stops, () => makeLayer(plan(), stops, keeps), 'BUSY', 'not now');
  // The other sink was not left with half a blob that looks whole.
  t.truthy(told);
});

test('a file that changes after it was listed is told of as whoever reads the tree in this process tells it', async (t) => {
  const tree = temporary(t);
  const path = join(tree, 'f');
  const told = (error: unknown) => {
    const { code, message, hint } = error as Fault;
    return { code, message, hint };
  };
  const changes: readonly (readonly [FaultCode, (size: number) => void])[] = [
    ['INTEGRITY', () => appendFileSync(path, 'x')],
    ['INTEGRITY', (size) => truncateSync(path, size - 1)],
    ['INTEGRITY', () => output('sh', ['-c', 'rm "$1"; mkfifo "$1"', 'sh', path])],
    ['NOT_FOUND', () => rmSync(path)],
    ['IO', () => output('ln', ['-sf', '/etc/passwd', path])],
    ['IO', () => output('sh', ['-c', 'rm "$1"; mkdir "$1"', 'sh', path])],
  ];
  // Two parents and the tree itself come before its header. One file ends with a frame, one goes on in the next.
  const frame = (8 << 20) - 4 * 512;
  for (const size of [1, 512, frame, frame + 1, 9_000_000]) {
    for (const [code, change] of changes) {
      rmSync(path, { recursive: true, force: true });
      writeFileSync(path, Buffer.alloc(size));
      writeFileSync(join(tree, 'g'), 'the next one');
      const entries = [...planTree(tree, 'packages/t/1/x').entries];
      change(size);
      const plan = { shared: true, entries };
      const here = t.throws(() => [...tarOf(plan)], { instanceOf: Fault });
      const there = await t.throwsAsync(() => makeLayer(plan, compressor(t), measured), {
        instanceOf: Fault,
      });
      t.is(here?.code, code, here?.message);
      t.deepEqual(told(there), told(here));
    }
  }
  rmSync(tree, { recursive: true });
  for (const [named, code] of [
    ['x'.repeat(5000), 'IO'],
    ['a\0b', 'IO'],
    ['/nonexistent/ä', 'NOT_FOUND'],
  ] as const) {
    const plan = planEntries([file('ü', { file: named, size: 3 })]);
    t.is((t.throws(() => [...tarOf(plan)]) as Fault).code, code);
    await refusedAsync(t, () => makeLayer(plan, compressor(t), measured), code, 'packed as "ü"');
  }
});

test('the compressor says what it is, and refuses what it does not understand', (t) => {
  t.regex(output(compressProgram, ['--version']), /libdeflate 1\.14.*zstd 1\.5\.4/);
  t.regex(output(compressProgram, ['--help']), /Example:/);
  for (const args of [
    [],
    ['gzip'],
    ['--threads', '0', 'gzip-1'],
    ['--threads', 'gzip-1'],
    ['gzip-1', '--fast'],
  ])
    t.is(run(compressProgram, args).status, 2, args.join(' '));
  const cut = run(compressProgram, ['gzip-1'], { input: 'B\t\0\0\0xx' });
  t.is(cut.status, 1);
  t.regex(cut.stderr, /ends within a segment/);
  t.is(run(compressProgram, ['gzip-1'], { input: '' }).status, 0);
  t.is([...tarOf(planEntries([]))].length, 1);
});
