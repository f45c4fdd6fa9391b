import type { Descriptor } from '../descriptor.ts';
import { Fault } from '../fault.ts';
import { copy, type CopyOptions } from '../store/copy.ts';
import type { BlobStore } from '../store/store.ts';
import { labelOf } from './place.ts';
import type { Repository } from './repository.ts';

/** How many bodies a pull has under way. */
const parallel = 8;

export type PullOptions = CopyOptions & {
  /** What the reference led to the last time: if it still does, there is one request, which no registry counts. */
  readonly last?: Descriptor | undefined;
};

/**
 * Makes what a tag or digest leads to, and everything below it, exist in the store, and tells what it is; to
 * name it is the caller's business. Throws NOT_FOUND if there is no such thing.
 */
export async function pull(
  repository: Repository,
  reference: string,
  store: BlobStore,
  options: PullOptions = {},
): Promise<Descriptor> {
  const { last, ...copying } = options;
  const found =
    last && (await store.exists(last))
      ? await repository.resolve(reference)
      : (await repository.read(reference))?.descriptor;
  if (!found) {
    throw new Fault('NOT_FOUND', `${labelOf(repository.place)}: there is no ${reference}`, {
      hint: 'check the name and the tag; log in if it may be hidden',
    });
  }
  await copy(repository, store, found, { parallel, ...copying });
  return found;
}
