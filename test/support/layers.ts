import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Digest, digester, digestOf, type Sized } from '../../builder/digest.ts';
import { Compressor } from '../../builder/tar/compressor.ts';
import { type Compressed, head, tail } from '../../builder/tar/encoding.ts';
import { planTree, type Plan } from '../../builder/tar/layer.ts';
import { writeTar } from '../../builder/tar/write.ts';
import { output, root } from './tools.ts';

const fixtures = join(root, 'registry-fixtures');

/** What an awkward tree must become; see registry-fixtures/README.md. */
export type Golden = {
  readonly modes?: Readonly<Record<string, string>>;
  readonly diffID: Digest;
  readonly size: number;
} & Readonly<Record<Compressed, Sized>>;

export const golden = JSON.parse(readFileSync(join(fixtures, 'trees/digests.json'), 'utf8')) as Record<
  string,
  Golden
>;

/** Where every awkward tree is in its layer. */
export const place = 'packages/t/1';

/** Where each awkward tree is; made when it is first asked for, by one file of tests, which must not change it. */
export function treeMaker(): (name: string) => string {
  const made = mkdtempSync(join(tmpdir(), 'static-distro-trees-'));
  test.after.always(() => rmSync(made, { recursive: true, force: true }));
  return (name) => {
    const tree = join(made, name);
    if (!existsSync(tree)) output('sh', [join(fixtures, 'trees/make.sh'), name, tree]);
    return tree;
  };
}

export const modesOf = (name: string): ReadonlyMap<string, number> =>
  new Map(Object.entries(golden[name]?.modes ?? {}).map(([path, mode]) => [path, Number.parseInt(mode, 8)]));

export const planGolden = (name: string, tree: string): Plan =>
  planTree(tree, place, { modes: modesOf(name) });

/** The layer as the second implementation of the format writes it. */
export const layerPy = (
  tree: string,
  path: string,
  modes: ReadonlyMap<string, number> = new Map(),
): string[] => [
  join(fixtures, 'trees/layer.py'),
  tree,
  path,
  ...[...modes].map(([name, mode]) => `${mode.toString(8)}=${name}`),
];

/** The whole tar of a plan, in batches that are good until the next. */
export function* tarOf({ shared, entries }: Plan): Generator<Buffer, void> {
  if (shared) yield head.none;
  yield* writeTar(entries);
  yield tail.none;
}

export function sizedTar(plan: Plan): Sized {
  const digest = digester();
  for (const chunk of tarOf(plan)) digest.update(chunk);
  return digest.finish();
}

/** In memory; for small ones. */
export const wholeTar = (plan: Plan): Buffer =>
  Buffer.concat(Array.from(tarOf(plan), (batch) => Buffer.from(batch)));

/** Built by the set-up of the tests. */
export const compressProgram = join(root, 'native/build/compress');

/** A compressor in all encodings, closed at the end of the test. */
export function compressor(t: ExecutionContext, command: readonly string[] = [compressProgram]) {
  if (!existsSync(compressProgram))
    throw new Error('native/build/compress is missing: make -C native compress');
  const running = new Compressor(command, ['gzip-1', 'zstd-1']);
  t.teardown(() => running.close());
  return running;
}

export async function* chunksOf(bytes: Uint8Array, size = 65536): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

/** All that a layer keeps of a tree: one line for each name, hard links by the first name of their file. */
export function describeTree(tree: string, { times = true }: { times?: boolean } = {}): string[] {
  const inodes = new Map<string, string>();
  const lines: string[] = [];
  const visit = (host: Buffer, path: Buffer) => {
    for (const name of readdirSync(host, { encoding: 'buffer' }).sort((a, b) => Buffer.compare(a, b))) {
      const place = Buffer.concat([host, Buffer.from('/'), name]);
      const at = Buffer.concat([path, Buffer.from('/'), name]);
      const stats = lstatSync(place);
      const mode = (stats.mode & 0o7777).toString(8);
      const time = times ? ` ${stats.mtimeMs / 1000}` : '';
      if (stats.isDirectory()) {
        lines.push(`${at.toString('latin1')} directory ${mode}${time}`);
        visit(place, at);
      } else if (stats.isSymbolicLink()) {
        lines.push(
          `${at.toString('latin1')} -> ${readlinkSync(place, { encoding: 'buffer' }).toString('latin1')}${time}`,
        );
      } else {
        const first = inodes.get(`${stats.dev}:${stats.ino}`) ?? digestOf(readFileSync(place));
        inodes.set(`${stats.dev}:${stats.ino}`, `link to ${at.toString('latin1')}`);
        lines.push(`${at.toString('latin1')} ${first} ${mode}${time}`);
      }
    }
  };
  visit(Buffer.from(tree), Buffer.alloc(0));
  return lines;
}
