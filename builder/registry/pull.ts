import type { Descriptor, Platform } from '../descriptor.ts';
import { Fault } from '../fault.ts';
import { openImage } from '../image/image.ts';
import { requireImage } from '../image/require-image.ts';
import { hasChildren } from '../manifest.ts';
import { copy, type CopyOptions } from '../store/copy.ts';
import type { BlobStore } from '../store/store.ts';
import { blame, labelOf } from './place.ts';
import type { Repository } from './repository.ts';

/** How many bodies a pull has under way. */
const parallel = 16;

export type PullOptions = CopyOptions & {
  /** What the reference led to the last time: if it still does, there is one request, which no registry counts. */
  readonly last?: Descriptor | undefined;
  /** Only the image for it, of an index of several; without it all of them, so that the digest is the same. */
  readonly platform?: Platform | undefined;
  /** Nothing but images: packages, charts and other artifacts are refused. */
  readonly imageOnly?: boolean;
};

/**
 * Makes what a tag or digest leads to, and everything below it, exist in the store, and tells what it is; to
 * name it is the caller's business. Throws NOT_FOUND if there is no such thing, INPUT if it may not be what it is.
 */
export async function pull(
  repository: Repository,
  reference: string,
  store: BlobStore,
  options: PullOptions = {},
): Promise<Descriptor> {
  const { last, platform, imageOnly, ...copying } = options;
  const found =
    last && (await store.exists(last))
      ? await repository.resolve(reference)
      : (await repository.read(reference))?.descriptor;
  if (!found) {
    throw new Fault('NOT_FOUND', `${labelOf(repository.place)}: there is no ${reference}`, {
      hint: 'check the name and the tag; log in if it may be hidden',
    });
  }
  const source = localFirst(store, repository);
  if (imageOnly) await requireImage(source, found, `${labelOf(repository.place)}: ${reference}`);
  const { descriptor } = platform ? await openImage(repository, found, platform) : { descriptor: found };
  try {
    await copy(source, store, descriptor, { parallel, ...copying });
  } catch (error) {
    throw blame(error, repository.place);
  }
  return descriptor;
}

/** A document that is in the store already, as when nothing has changed, is not asked for to see what is below it. */
function localFirst(store: BlobStore, repository: BlobStore): BlobStore {
  return {
    exists: repository.exists,
    async *open(descriptor, range) {
      const local = hasChildren(descriptor) && (await store.exists(descriptor));
      yield* (local ? store : repository).open(descriptor, range);
    },
    put: repository.put,
  };
}
