import { type Descriptor, isForeign } from '../descriptor.ts';
import type { Digest } from '../digest.ts';
import { childrenOf, hasChildren } from '../manifest.ts';
import { readBlob } from './blob.ts';
import { limit } from './limit.ts';
import type { BlobStore } from './store.ts';

/**
 * What happens to one blob: it was there; or reading it begins, from 0 or, once more, from where it broke off;
 * goes on; and it has been stored. What a store gets in another way ends without a beginning.
 */
export type CopyEvent =
  | { readonly type: 'exists' | 'end'; readonly descriptor: Descriptor }
  | { readonly type: 'begin'; readonly descriptor: Descriptor; readonly from: number }
  | { readonly type: 'bytes'; readonly descriptor: Descriptor; readonly bytes: number };

export type CopyOptions = {
  /** Blobs under way at once. */
  readonly parallel?: number;
  readonly report?: (event: CopyEvent) => void;
};

/**
 * Makes `root` and everything below it exist in `destination`: what is there already is not sent, each digest
 * is sent once, and a document comes after everything that it needs. Give it a name afterwards. The first
 * failure is thrown when what was under way has ended; nothing new is begun after it, and doing it again sends
 * only what is missing.
 */
export async function copy(
  source: BlobStore,
  destination: BlobStore,
  root: Descriptor,
  { parallel = 4, report = () => undefined }: CopyOptions = {},
): Promise<void> {
  const begun = new Map<Digest, Promise<void>>();
  const slots = limit(parallel);
  let failure: { readonly error: unknown } | undefined;

  const task = <T>(run: () => Promise<T>): Promise<T> =>
    slots(async () => {
      if (failure) throw failure.error;
      try {
        return await run();
      } catch (error) {
        throw (failure ??= { error }).error;
      }
    });

  const visit = (descriptor: Descriptor): Promise<void> => {
    const known = begun.get(descriptor.digest);
    if (known) return known;
    const done = hasChildren(descriptor) ? sendDocument(descriptor) : task(() => sendLeaf(descriptor));
    begun.set(descriptor.digest, done);
    return done;
  };

  const sendDocument = async (descriptor: Descriptor): Promise<void> => {
    const bytes = await task(async () => {
      if (!destination.keepsWhole || !(await destination.exists(descriptor)))
        return readBlob(source, descriptor);
      report({ type: 'exists', descriptor });
      return undefined;
    });
    if (!bytes) return;
    const children = await task(async () => childrenOf(descriptor, bytes, descriptor.digest));
    const results = await Promise.allSettled(children.map(visit));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    await task(() => send(descriptor, bytes));
  };

  const sendLeaf = async (descriptor: Descriptor): Promise<void> => {
    if (!isForeign(descriptor) || (await source.exists(descriptor))) await send(descriptor);
  };

  const send = async (descriptor: Descriptor, document?: Uint8Array): Promise<void> => {
    const sent = await destination.put(descriptor, document ?? ((from) => content(descriptor, from)));
    report({ type: sent ? 'end' : 'exists', descriptor });
  };

  /** Not verified here: every `put` does that. */
  async function* content(descriptor: Descriptor, from: number): AsyncGenerator<Uint8Array, void> {
    report({ type: 'begin', descriptor, from });
    for await (const chunk of source.open(descriptor, { from })) {
      report({ type: 'bytes', descriptor, bytes: chunk.length });
      yield chunk;
    }
  }

  await visit(root);
}
