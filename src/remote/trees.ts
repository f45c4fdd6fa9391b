import { renameSync, rmSync } from 'node:fs';
import { compressionOf } from '../../builder/descriptor.ts';
import { hexOf } from '../../builder/digest.ts';
import { Fault } from '../../builder/fault.ts';
import { isLost } from '../../builder/registry/network-fault.ts';
import type { FileStore } from '../../builder/store/file-store.ts';
import { limit } from '../../builder/store/limit.ts';
import type { BlobStore } from '../../builder/store/store.ts';
import type { Compressed } from '../../builder/tar/encoding.ts';
import { decode } from '../../builder/tar/decode.ts';
import { unpackTree } from '../../builder/tar/unpack.ts';
import { syncTree } from '../build/sync.ts';
import { blobOf, encodings, type KnownLayer } from '../layer/workshop.ts';
import { parseBinaryControl } from '../package/binary-control.ts';
import { packagePath } from '../package/name.ts';
import { modesOf } from '../package/tree-digest.ts';
import { removeLeftovers, temporaryName } from '../run/cache.ts';
import { ensurePrivate, hasPrivateTree } from '../run/private.ts';
import { markUsed } from '../run/used.ts';
import type { Entry } from './entry.ts';

/** How many blobs are fetched at once. */
const parallel = 6;

/** The directory that holds the tree of a package from elsewhere; by its content, so every repository has the same. */
export const treeOf = (trees: string, { diffID }: Pick<KnownLayer, 'diffID'>): string =>
  `${trees}/${hexOf(diffID)}`;

const isThere = (trees: string, layer: Pick<KnownLayer, 'diffID'>): boolean =>
  hasPrivateTree(treeOf(trees, layer));

export type Bringing = {
  /** Where the blobs are. */
  readonly source: Pick<BlobStore, 'open'>;
  /** The user's own: blobs come here first, so that what breaks off is gone on with, and nothing is fetched twice. */
  readonly store: FileStore;
  /** A private cache of trees. */
  readonly trees: string;
  /** Called with each number of bytes that has come from the source. */
  readonly report: (bytes: number) => void;
};

/** The packages whose trees are not there yet. */
export const missingTrees = (trees: string, entries: readonly Entry[]): readonly Entry[] =>
  entries.filter(({ record }) => !isThere(trees, record.layer));

/**
 * Sees to it that the tree of each package is there: its layer, in one encoding, is fetched and unpacked out of sight, and
 * appears when it is whole, on disk, and known to be what the record says. Throws UNSAFE or INTEGRITY, naming
 * the package, for a layer that breaks the rules or is another one.
 */
export async function bringTrees(entries: readonly Entry[], bringing: Bringing): Promise<void> {
  const { trees } = bringing;
  ensurePrivate(trees);
  const missing = missingTrees(trees, entries);
  if (missing.length > 0) removeLeftovers(trees);
  const slots = limit(parallel);
  await settle(missing.map((entry) => slots(() => bringTree(entry, bringing))));
}

/** Sees to it that the layer of each package is in the store, in both encodings, as images need it. */
export async function bringLayers(entries: readonly Entry[], bringing: Bringing): Promise<void> {
  const slots = limit(parallel);
  const bringOne = async (entry: Entry, encoding: Compressed) => {
    try {
      await bringBlob(entry, encoding, bringing);
    } catch (error) {
      // It can be made of the tree, too.
      if (!isLost(error) || !isThere(bringing.trees, entry.record.layer)) throw error;
    }
  };
  await settle(
    entries.flatMap((entry) => encodings.map((encoding) => slots(() => bringOne(entry, encoding)))),
  );
}

/** What is under way ends before the first failure is told. */
async function settle(tasks: readonly Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(tasks);
  await Promise.all(tasks);
}

async function bringTree(entry: Entry, bringing: Bringing): Promise<void> {
  const { name, version, record } = entry;
  const { layer } = record;
  const { store, trees } = bringing;
  const there = await Promise.all(encodings.map((encoding) => store.exists(blobOf(layer, encoding))));
  const encoding = encodings[there.indexOf(true)] ?? 'zstd-1';
  const blob = await bringBlob(entry, encoding, bringing);
  const where = `${name} ${version}: ${blob.digest}`;
  const modes = modesOf(parseBinaryControl(record.control, where));
  const tar = decode(store.open(blob), compressionOf(blob.mediaType) ?? 'none', { most: layer.size, where });
  const draft = `${trees}/${temporaryName()}`;
  try {
    await unpackTree(tar, draft, layer, { path: packagePath(name, version), modes, where });
    await syncTree(draft);
    place(draft, treeOf(trees, layer), () => isThere(trees, layer));
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Of several that bring the same tree one wins, and all have the same. */
function place(draft: string, path: string, isThere: () => boolean): void {
  markUsed(path);
  try {
    renameSync(draft, path);
  } catch (error) {
    if (!isThere()) throw error;
  }
}

async function bringBlob(
  { name, version, record }: Entry,
  encoding: Compressed,
  { source, store, report }: Bringing,
) {
  const blob = blobOf(record.layer, encoding);
  try {
    await store.put(blob, async function* (from) {
      for await (const chunk of source.open(blob, { from })) {
        report(chunk.length);
        yield chunk;
      }
    });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const { code, message, hint, cause } = error;
    throw new Fault(code, `fetching ${name} ${version}: ${message}`, {
      cause,
      ...(hint !== undefined && { hint }),
    });
  }
  return blob;
}
