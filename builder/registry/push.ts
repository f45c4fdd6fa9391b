import { type Descriptor, isIndex } from '../descriptor.ts';
import { Fault } from '../fault.ts';
import { childrenOf, hasChildren } from '../manifest.ts';
import { readBlob } from '../store/blob.ts';
import { copy, type CopyOptions } from '../store/copy.ts';
import type { BlobStore } from '../store/store.ts';
import { problemCode } from './problem.ts';
import type { Repository } from './repository.ts';

/** More platforms than this are not looked into for what they share with what is pushed. */
const mostPlatforms = 16;

/** How many bodies a push has under way; the pace of the host holds back what is too much for it. */
const parallel = 24;

/**
 * Makes the image and everything below it exist in the repository, and gives it the tags, last of all. Where
 * they lead to it already, that is all there is to ask: with one tag, one request after the ping. What the
 * image that a tag led to before has is neither sent nor asked for.
 */
export async function push(
  source: BlobStore,
  root: Descriptor,
  repository: Repository,
  tags: readonly string[],
  options: CopyOptions = {},
): Promise<void> {
  const found = await Promise.all(tags.map((tag) => repository.resolve(tag)));
  if (tags.length > 0 && found.every((descriptor) => descriptor?.digest === root.digest)) {
    options.report?.({ type: 'exists', descriptor: root });
    return;
  }
  const left = tags.filter((_, at) => found[at]?.digest !== root.digest);
  const before = found.find((descriptor) => descriptor && descriptor.digest !== root.digest);
  const [there] = await Promise.all([repository.exists(root), before && learn(repository, before)]);
  try {
    await send(source, root, repository, left, { ...options, there });
  } catch (error) {
    if (problemCode(error) !== 'MANIFEST_BLOB_UNKNOWN') throw error;
    // What it had may have been collected meanwhile; or it has not noticed yet what it has.
    repository.forget();
    await repository.place.registry.pause(0, 'the registry misses something');
    await send(source, root, repository, left, options);
  }
}

async function send(
  source: BlobStore,
  root: Descriptor,
  repository: Repository,
  tags: readonly string[],
  { there, ...options }: CopyOptions & { readonly there?: boolean },
): Promise<void> {
  let tagged = false;
  const tagAll = async (bytes: Uint8Array) => {
    const { mediaType, digest, size } = root;
    await repository.tagAll(tags, { descriptor: { mediaType, digest, size }, bytes });
    tagged = true;
  };
  /** The root is sent under its tags at once. */
  const destination: BlobStore = {
    keepsWhole: true,
    // Asked for already, together with other things.
    exists: async (descriptor) =>
      there !== undefined && descriptor.digest === root.digest ? there : repository.exists(descriptor),
    open: repository.open,
    async put(descriptor, content) {
      const byTag = descriptor.digest === root.digest && tags.length > 0 && hasChildren(root);
      if (!byTag) return repository.put(descriptor, content);
      await tagAll(await readBlob(source, root));
      return true;
    },
  };
  await copy(source, destination, root, { parallel, ...options });
  if (!tagged && tags.length > 0) await tagAll(await readBlob(source, root));
}

/** Everything below what is there already is known to be there; that it cannot be read is no reason to fail. */
async function learn(repository: Repository, descriptor: Descriptor): Promise<void> {
  try {
    const document = await repository.read(descriptor.digest);
    if (!document || !isIndex(descriptor.mediaType)) return;
    const platforms = childrenOf(document.descriptor, document.bytes, descriptor.digest);
    if (platforms.length > mostPlatforms) return;
    await Promise.all(platforms.filter(hasChildren).map((platform) => repository.read(platform.digest)));
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
  }
}
