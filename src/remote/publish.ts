import { setTimeout } from 'node:timers/promises';
import { type Descriptor, mediaTypes } from '../../builder/descriptor.ts';
import { push } from '../../builder/registry/push.ts';
import type { Repository } from '../../builder/registry/repository.ts';
import { putDocument } from '../../builder/store/blob.ts';
import type { CopyEvent } from '../../builder/store/copy.ts';
import { limit } from '../../builder/store/limit.ts';
import type { BlobStore } from '../../builder/store/store.ts';
import { artifactType } from '../layer/package-artifact.ts';
import { type Entry, tagOf } from './entry.ts';
import { type Listing, type ListingOptions, readListing } from './listing.ts';
import { emptyConfig, encodeIndexOf } from './record-index.ts';
import { buildTag, indexTag } from './tag.ts';

/** A package that shall be in a repository; its artifact is in a store. */
export type Publishable = Omit<Entry, 'builds'>;

export type Publishing = ListingOptions & {
  /** What the repository held before; undefined if nothing. */
  readonly before: Listing | undefined;
  /** Records take the place of others of the very same layer too. */
  readonly replace: boolean;
  /** Where the artifacts are. */
  readonly source: BlobStore;
  readonly report: (event: CopyEvent) => void;
};

/** How many packages are sent at once. */
const parallel = 4;

export type Published = {
  /** Those that were not there. */
  readonly sent: readonly Publishable[];
  readonly listing: Listing;
};

/** Whether it is there as it would be sent; without `replace` the very same layer will do, whatever is known of it. */
export const isThere = (there: Publishable | undefined, each: Publishable, replace: boolean): boolean =>
  there !== undefined &&
  there.record.layer.diffID === each.record.layer.diffID &&
  (!replace || there.manifest.digest === each.manifest.digest);

/**
 * Makes the packages those of their tags. What a build's tag leads to already stays as it is, unless it is to be
 * replaced: a build that is there is not sent, whoever made it. The index is the last to change, so what it has is
 * there. Eight publishers at once lose nothing: each goes on until its packages, and all that has a tag, are in it.
 */
export async function publishAll(
  repository: Repository,
  packages: readonly Publishable[],
  publishing: Publishing,
): Promise<Published> {
  const there = new Map(publishing.before?.entries.map((entry) => [tagOf(entry), entry]));
  const news = packages.filter((each) => !isThere(there.get(tagOf(each)), each, publishing.replace));
  if (publishing.before && news.length === 0 && isComplete(publishing.before)) {
    return { sent: [], listing: publishing.before };
  }
  const slots = limit(parallel);
  const tasks = news.map((each) => slots(() => publishOne(repository, each, publishing)));
  await Promise.allSettled(tasks);
  await Promise.all(tasks);
  const own = new Map(news.map((each) => [tagOf(each), each]));
  const doubt = (tag: string, indexed: Entry) => {
    const each = own.get(tag);
    return each !== undefined && !isThere(indexed, each, publishing.replace);
  };
  return { sent: news, listing: await completeIndex(repository, { ...publishing, doubt }) };
}

/** The tag of the build first: who sees the other finds this one. */
async function publishOne(
  repository: Repository,
  each: Publishable,
  { source, report, replace }: Publishing,
): Promise<void> {
  const tag = tagOf(each);
  const { diffID } = each.record.layer;
  const old = await repository.read(buildTag(tag, diffID));
  if (old && (!replace || old.descriptor.digest === each.manifest.digest)) {
    await repository.tagAll([tag], old);
    return;
  }
  const artifact: Descriptor = { mediaType: mediaTypes.manifest, artifactType, ...each.manifest };
  await push(source, artifact, repository, [buildTag(tag, diffID), tag], { report });
}

/** Whether the index has what the tags say. */
const isComplete = ({ index, extra, gone }: Listing): boolean =>
  index !== undefined && extra.length + gone.length === 0;

/** Tries in a row that changed nothing for good: each of so many others may have written in between. */
const mostTries = 40;

/**
 * Writes the index until it has what the tags say. Another publisher may write its own over it, made of what was
 * there before; so it is read back, with the list of tags, and written again. The last to write has seen every
 * tag that was there before, and who comes later reads what the last wrote: in the end nothing is missing.
 */
export async function completeIndex(repository: Repository, options: ListingOptions): Promise<Listing> {
  for (let attempt = 1; ; attempt++) {
    const listing = await readListing(repository, options);
    if (isComplete(listing) || attempt === mostTries) return listing;
    const { manifest, shards } = encodeIndexOf(listing.entries);
    await Promise.all([emptyConfig, ...shards].map((document) => putDocument(repository, document)));
    await repository.tagAll([indexTag], manifest);
    // Those who write at the same time shall not read at the same time.
    if (attempt > 1) await setTimeout(Math.random() * 100 * Math.min(attempt, 10));
  }
}

/** Removes packages, every build of them. The index still has them: complete it. */
export async function removeAll(repository: Repository, entries: readonly Entry[]): Promise<void> {
  for (const entry of entries) {
    const tag = tagOf(entry);
    // By digest, as many registries remove nothing by its tag; their tags go with it.
    const tags = [...entry.builds.map((build) => `${tag}__${build}`), tag];
    const found = await Promise.all(tags.map((each) => repository.resolve(each)));
    const digests = new Set([...found.map((each) => each?.digest), entry.manifest.digest]);
    for (const digest of digests) if (digest !== undefined) await repository.untag(digest);
  }
}
