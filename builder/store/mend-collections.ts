import type { Descriptor } from '../descriptor.ts';
import { Fault } from '../fault.ts';
import { changeEntries, collectionType, readEntries, readShards } from './collection.ts';
import type { FileStore } from './file-store.ts';
import { requireComplete } from './graph.ts';
import { rootsOf, withName, withoutName } from './layout.ts';

/**
 * Takes out of every collection what is not whole: entries that need a blob which is not there, shards that cannot be
 * read, and a collection of which nothing can. What an entry is called and needs is known to whoever made it, who can
 * enter it again, while one that leads nowhere stops whoever reads the collection. Gives the names of collections that
 * are others now. Blobs that are there are taken to be right: remove those that are not before.
 */
export async function mendCollections(store: FileStore): Promise<readonly string[]> {
  const mended: string[] = [];
  await store.update(async (index) => {
    let changed = index;
    for (const { name, descriptor } of rootsOf(index)) {
      if (name === undefined || descriptor.artifactType !== collectionType) continue;
      const entries = await wholeEntries(store, descriptor);
      const collection = entries && (await changeEntries(store, undefined, entries));
      if (collection?.digest === descriptor.digest) continue;
      changed = collection ? withName(changed, name, collection) : withoutName(changed, name);
      mended.push(name);
    }
    return { index: changed, added: [] };
  });
  return mended;
}

/** Undefined if not even the names of the shards can be read. */
async function wholeEntries(
  store: FileStore,
  collection: Descriptor,
): Promise<ReadonlyMap<string, Descriptor> | undefined> {
  const shards = await unlessFault(() => readShards(store, collection));
  if (!shards) return undefined;
  const whole = new Map<string, Descriptor>();
  for (const shard of shards.shards.values()) {
    for (const [key, entry] of (await unlessFault(() => readEntries(store, shard))) ?? []) {
      if (await unlessFault(() => requireComplete(store, entry).then(() => true))) whole.set(key, entry);
    }
  }
  return whole;
}

async function unlessFault<T>(act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof Fault && error.code !== 'IO') return undefined;
    throw error;
  }
}
