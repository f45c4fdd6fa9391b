import { type Descriptor, isForeign } from '../descriptor.ts';
import type { Digest } from '../digest.ts';
import { Fault } from '../fault.ts';
import { readChildren } from './blob.ts';
import type { BlobStore } from './store.ts';

/** How many documents are read at once. */
const width = 16;

/**
 * Everything at and below the roots, level by level, each digest once; what is in `seen` is left out together
 * with what is below it, and `seen` grows by what is given. Throws as reading a document does.
 */
export async function* reach(
  store: BlobStore,
  roots: readonly Descriptor[],
  seen: Set<Digest> = new Set(),
): AsyncGenerator<Descriptor, void> {
  const fresh = (descriptors: readonly Descriptor[]) =>
    descriptors.filter(({ digest }) => !seen.has(digest) && seen.add(digest));
  for (let level = fresh(roots); level.length > 0;) {
    const below: Descriptor[] = [];
    for (let at = 0; at < level.length; at += width) {
      const slice = level.slice(at, at + width);
      const children = await Promise.all(slice.map((descriptor) => readChildren(store, descriptor)));
      yield* slice;
      below.push(...fresh(children.flat()));
    }
    level = below;
  }
}

/**
 * Throws INTEGRITY, naming the blob, unless everything at and below `root` is in the store. Layers that may be
 * kept elsewhere are not asked for.
 */
export async function requireComplete(store: BlobStore, root: Descriptor, seen?: Set<Digest>): Promise<void> {
  let waiting: Promise<void>[] = [];
  const settle = async () => {
    const results = await Promise.allSettled(waiting);
    waiting = [];
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  };
  try {
    for await (const descriptor of reach(store, [root], seen)) {
      if (isForeign(descriptor)) continue;
      waiting.push(requireBlob(store, root, descriptor));
      if (waiting.length >= width) await settle();
    }
  } catch (error) {
    if (error instanceof Fault && error.code === 'NOT_FOUND') throw incomplete(root, error.message);
    throw error;
  } finally {
    await settle();
  }
}

const incomplete = ({ digest }: Descriptor, what: string): Fault =>
  new Fault('INTEGRITY', `${digest} cannot be named: ${what}`, {
    hint: 'a part of it was removed or never put; put it again, then name it',
  });

async function requireBlob(store: BlobStore, root: Descriptor, descriptor: Descriptor): Promise<void> {
  if (await store.exists(descriptor)) return;
  throw incomplete(root, `it needs ${descriptor.digest}, which is not in the store`);
}
