import { type Descriptor, isForeign } from '../descriptor.ts';
import type { Digest } from '../digest.ts';
import { Fault } from '../fault.ts';
import { readChildren } from './blob.ts';
import { collectionType } from './collection.ts';
import type { FileStore } from './file-store.ts';
import type { BlobFault, BlobState } from './inspect.ts';
import { type LayoutIndex, rootsOf, takeName } from './layout.ts';

/** A blob that something needs. `fault`: it is a document, and cannot be understood. */
export type Need = { readonly descriptor: Descriptor; readonly foreign: boolean; readonly fault?: BlobFault };

/** What the names of a store need, as far as its documents can be read. */
export type Needs = {
  readonly names: readonly string[];
  readonly blobs: ReadonlyMap<Digest, Need>;
  /** The names that lead to a blob, sorted. */
  hurtBy(digest: Digest): readonly string[];
};

/** A document in whose graph a collection's names begin: `shards` says at which level below it. */
type Visit = { readonly descriptor: Descriptor; readonly collection?: { name: string; shards: boolean } };

export async function needsOf(
  store: FileStore,
  index: LayoutIndex,
  states: ReadonlyMap<string, BlobState>,
): Promise<Needs> {
  const blobs = new Map<Digest, Need>();
  const names = new Map<Digest, Set<string>>();
  const users = new Map<Digest, Set<Digest>>();

  const queue: Visit[] = [];
  for (const [at, { name = `entry ${at} of index.json`, descriptor }] of rootsOf(index).entries()) {
    add(names, descriptor.digest, name);
    const isCollection = descriptor.artifactType === collectionType;
    queue.push(isCollection ? { descriptor, collection: { name, shards: false } } : { descriptor });
  }
  for (let visit = queue.pop(); visit; visit = queue.pop()) {
    const { descriptor, collection } = visit;
    if (blobs.has(descriptor.digest)) continue;
    const { children, fault } = await look(store, descriptor, states);
    blobs.set(descriptor.digest, { descriptor, foreign: isForeign(descriptor), ...(fault ? { fault } : {}) });
    for (const child of children) {
      const key = collection?.shards ? takeName(child).name : undefined;
      if (key === undefined) add(users, child.digest, descriptor.digest);
      else add(names, child.digest, `${collection?.name} ${key}`);
      const below = collection && !collection.shards ? { name: collection.name, shards: true } : undefined;
      queue.push(below ? { descriptor: child, collection: below } : { descriptor: child });
    }
  }

  const hurtBy = (digest: Digest): readonly string[] => {
    const seen = new Set([digest]);
    for (const at of seen) for (const user of users.get(at) ?? []) seen.add(user);
    const found = new Set<string>();
    for (const at of seen) for (const name of names.get(at) ?? []) found.add(name);
    return [...found].sort();
  };
  const all = rootsOf(index).flatMap(({ name }) => name ?? []);
  return { names: all.toSorted(), blobs, hurtBy };
}

const add = <T>(map: Map<Digest, Set<T>>, digest: Digest, value: T) =>
  map.set(digest, (map.get(digest) ?? new Set()).add(value));

/** A blob that is known to be damaged is not read again. */
async function look(
  store: FileStore,
  descriptor: Descriptor,
  states: ReadonlyMap<string, BlobState>,
): Promise<{ readonly children: readonly Descriptor[]; readonly fault?: BlobFault }> {
  const state = states.get(descriptor.digest);
  if (!state || state.fault || state.size !== descriptor.size) return { children: [] };
  try {
    return { children: await readChildren(store, descriptor) };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const kind = error.code === 'INPUT' ? 'document' : 'digest';
    return { children: [], fault: { kind, message: error.message } };
  }
}
