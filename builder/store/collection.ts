import type { Descriptor } from '../descriptor.ts';
import { digestOf, hexOf } from '../digest.ts';
import { Fault } from '../fault.ts';
import { decodeIndex, encodeIndex } from '../manifest.ts';
import { putDocument, readBlob } from './blob.ts';
import type { FileStore } from './file-store.ts';
import { giveName, rootsOf, takeName, withName } from './layout.ts';
import type { BlobStore } from './store.ts';

/**
 * Many named things behind one entry of `index.json`: an index of shards, each an index of the entries whose
 * keys' SHA-256 starts with the shard's prefix, so that changing one entry rewrites one shard, the index above
 * it and `index.json`. The digest is a function of the entries alone. Keys are any text; an entry carries its
 * key, a shard its prefix, in the annotation `org.opencontainers.image.ref.name`.
 */
export const collectionType = 'application/vnd.static-distro.collection.v1';

/** How many entries there are, on the index of shards. */
const countName = 'static-distro.entries';

export type Entries = ReadonlyMap<string, Descriptor>;

type Shards = { readonly count: number; readonly shards: ReadonlyMap<string, Descriptor> };

/** Hex digits of a prefix for so many entries: a shard holds 8 to 256 of 60,000, and few are one shard. */
const prefixLength = (count: number): number => (count <= 128 ? 0 : count <= 4096 ? 1 : 2);

const prefixOf = (key: string, length: number): string => hexOf(digestOf(key)).slice(0, length);

/** The entry of one key. */
export async function getEntry(
  store: BlobStore,
  collection: Descriptor,
  key: string,
): Promise<Descriptor | undefined> {
  const { count, shards } = await readShards(store, collection);
  const shard = shards.get(prefixOf(key, prefixLength(count)));
  return shard && (await readEntries(store, shard)).get(key);
}

/** All entries, in no promised order. */
export async function* allEntries(
  store: BlobStore,
  collection: Descriptor,
): AsyncGenerator<readonly [key: string, descriptor: Descriptor], void> {
  const { shards } = await readShards(store, collection);
  for (const shard of shards.values()) yield* await readEntries(store, shard);
}

/**
 * Puts the documents of the collection with `changes` made to it (undefined removes a key), and gives its
 * descriptor; the store's names are not touched. The same object, if nothing changes.
 */
export async function changeEntries(
  store: BlobStore,
  collection: Descriptor | undefined,
  changes: ReadonlyMap<string, Descriptor | undefined>,
): Promise<Descriptor> {
  const old: Shards = collection ? await readShards(store, collection) : { count: 0, shards: new Map() };
  const length = prefixLength(old.count);
  const touched = new Map<string, Map<string, Descriptor>>();
  let { count } = old;
  for (const [key, descriptor] of changes) {
    const prefix = prefixOf(key, length);
    const shard = old.shards.get(prefix);
    const entries = touched.get(prefix) ?? new Map(shard ? await readEntries(store, shard) : []);
    touched.set(prefix, entries);
    count -= entries.delete(key) ? 1 : 0;
    if (!descriptor) continue;
    entries.set(key, descriptor);
    count++;
  }
  if (prefixLength(count) !== length) return reshard(store, old, touched, count);
  const shards = new Map(old.shards);
  for (const [prefix, entries] of touched) {
    if (entries.size === 0) shards.delete(prefix);
    else shards.set(prefix, await putEntries(store, entries));
  }
  const changed = await putShards(store, { count, shards });
  return collection?.digest === changed.digest ? collection : changed;
}

async function reshard(
  store: BlobStore,
  old: Shards,
  touched: ReadonlyMap<string, Entries>,
  count: number,
): Promise<Descriptor> {
  const length = prefixLength(count);
  const all = new Map<string, Map<string, Descriptor>>();
  for (const prefix of new Set([...old.shards.keys(), ...touched.keys()])) {
    const shard = old.shards.get(prefix);
    const entries = touched.get(prefix) ?? (shard ? await readEntries(store, shard) : new Map());
    for (const [key, descriptor] of entries) {
      const shorter = prefixOf(key, length);
      all.set(shorter, (all.get(shorter) ?? new Map<string, Descriptor>()).set(key, descriptor));
    }
  }
  const shards = new Map<string, Descriptor>();
  for (const [prefix, entries] of all) shards.set(prefix, await putEntries(store, entries));
  return putShards(store, { count, shards });
}

/**
 * Makes `changes` to the collection that the store has under `name`, and makes the collection where there is
 * none. Safe against other processes that do the same: no change is lost. All or nothing, and what the new
 * entries lead to must be in the store.
 */
export async function updateCollection(
  store: FileStore,
  name: string,
  changes: ReadonlyMap<string, Descriptor | undefined>,
): Promise<void> {
  await store.update(async (index) => {
    const old = rootsOf(index).find((root) => root.name === name)?.descriptor;
    const collection = await changeEntries(store, old, changes);
    const added = [...changes.values()].filter((descriptor) => descriptor !== undefined);
    return { index: collection === old ? index : withName(index, name, collection), added };
  });
}

export async function readShards(store: BlobStore, collection: Descriptor): Promise<Shards> {
  const bytes = await readBlob(store, collection);
  const index = decodeIndex(bytes, collection.mediaType, collection.digest);
  const count = Number(index.annotations?.[countName]);
  if (index.artifactType !== collectionType || !Number.isSafeInteger(count)) {
    throw new Fault('INPUT', `${collection.digest} is no collection of entries`);
  }
  return { count, shards: keyed(index.manifests, collection) };
}

export async function readEntries(store: BlobStore, shard: Descriptor): Promise<Entries> {
  const { manifests } = decodeIndex(await readBlob(store, shard), shard.mediaType, shard.digest);
  return keyed(manifests, shard);
}

function keyed(descriptors: readonly Descriptor[], where: Descriptor): Map<string, Descriptor> {
  return new Map(
    descriptors.map((entry) => {
      const { name, descriptor } = takeName(entry);
      if (name === undefined) throw new Fault('INPUT', `${where.digest}: an entry has no name`);
      return [name, descriptor];
    }),
  );
}

const putEntries = (store: BlobStore, entries: Entries): Promise<Descriptor> =>
  putDocument(store, encodeIndex({ artifactType: collectionType, manifests: named(entries) }));

async function putShards(store: BlobStore, { count, shards }: Shards): Promise<Descriptor> {
  const annotations = { [countName]: String(count) };
  const index = encodeIndex({ artifactType: collectionType, manifests: named(shards), annotations });
  return { ...(await putDocument(store, index)), artifactType: collectionType };
}

/** In the order of the names' bytes. */
const named = (entries: Entries): Descriptor[] =>
  [...entries]
    .toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map(([name, descriptor]) => giveName(name, descriptor));
