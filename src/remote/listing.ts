import type { Descriptor } from '../../builder/descriptor.ts';
import type { Digest } from '../../builder/digest.ts';
import { Fault } from '../../builder/fault.ts';
import { labelOf } from '../../builder/registry/place.ts';
import type { Repository } from '../../builder/registry/repository.ts';
import { limit } from '../../builder/store/limit.ts';
import { readArtifact } from './artifact.ts';
import { type Entry, tagOf } from './entry.ts';
import { decodeIndexOf, decodeShard } from './record-index.ts';
import { indexTag, type ParsedTag, parseTag } from './tag.ts';

/** What a repository in a registry holds. The tags are the truth, and the index, where it knows them, spares reading them. */
export type Listing = {
  /** What the tag of the index leads to; undefined if there is none. */
  readonly index: Digest | undefined;
  readonly shards: readonly Descriptor[];
  /** What the index does not have, or has otherwise. */
  readonly extra: readonly Entry[];
  /** Tags of packages that the index has and that are not there any more. */
  readonly gone: readonly string[];
  readonly entries: readonly Entry[];
};

export type ListingOptions = {
  /** The bytes of a shard, verified; from somewhere nearer if they are there. */
  readonly shard: (descriptor: Descriptor) => Promise<Uint8Array>;
  /** Packages of the index that are to be compared with their tags all the same. */
  readonly doubt?: (tag: string, indexed: Entry) => boolean;
  /** What has a tag of ours and is no package: it is passed over. */
  readonly warn: (text: string) => void;
};

/** How many artifacts are read at once. */
const parallel = 8;

/**
 * Reads the index, the list of tags, and what the index lacks: for a repository whose index is complete that is
 * one request each, and one for each shard that is not near. Throws NOT_FOUND if there is no such repository.
 */
export async function readListing(repository: Repository, options: ListingOptions): Promise<Listing> {
  // The index first, so that no package is taken for removed whose tag came after the list.
  const { index, shards, entries } = await readIndexed(repository, indexTag, options);
  const tags = await repository.tags();
  if (tags.length === 0) {
    throw new Fault(
      'NOT_FOUND',
      `${labelOf(repository.place)}: there is no such repository, or nothing is in it`,
      {
        hint: 'check its name, and log in if it may be hidden; pkgrepo publish fills one',
      },
    );
  }
  if (index === undefined && !tags.some(parseTag)) {
    throw new Fault('NOT_FOUND', `${labelOf(repository.place)}: there are no packages, only other tags`, {
      hint: 'if these are images: pkgimage pull; packages are where pkgrepo publish has put them',
    });
  }
  const indexed = new Map(entries.map((entry) => [tagOf(entry), entry]));
  const there = group(tags);
  const gone = [...indexed.keys()].filter((tag) => !there.has(tag));
  const slots = limit(parallel);
  const read = [...there].map(([tag, builds]) =>
    slots(async (): Promise<readonly Entry[]> => {
      const known = indexed.get(tag);
      const news = !known || builds.some((build) => !known.builds.includes(build));
      if (!news && !(known && options.doubt?.(tag, known))) return [];
      const found = await readTagged(repository, tag, options);
      if (!found) return [];
      const all = [...new Set([...(known?.builds ?? []), ...builds])].sort();
      return !news && known?.manifest.digest === found.manifest.digest ? [] : [{ ...found, builds: all }];
    }),
  );
  const extra = (await Promise.all(read)).flat();
  return { index, shards, extra, gone, entries: merge(entries, extra, gone) };
}

/** The packages of the index that a digest names, as it is: no tag is looked at. */
export async function readPinned(
  repository: Repository,
  digest: Digest,
  options: ListingOptions,
): Promise<Listing> {
  const { index, shards, entries } = await readIndexed(repository, digest, options);
  if (index) return { index, shards, extra: [], gone: [], entries };
  throw new Fault('NOT_FOUND', `${labelOf(repository.place)}: there is no index ${digest}`, {
    hint: 'pkgrepo index prints the digest of the one that is there now; look at what has changed before you use it',
  });
}

async function readIndexed(repository: Repository, reference: string, { shard }: ListingOptions) {
  const document = await repository.read(reference);
  if (!document) return { index: undefined, shards: [], entries: [] };
  const where = `${labelOf(repository.place)}: ${reference}`;
  const shards = decodeIndexOf(document, where);
  const parts = await Promise.all(shards.map(async (each) => decodeShard(await shard(each), where)));
  return { index: document.descriptor.digest, shards, entries: parts.flat() };
}

/** The tags of packages, and the builds of each. A build whose package has no tag is not published yet. */
function group(tags: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const parsed = tags.map(parseTag).filter((tag) => tag !== undefined);
  const packages = new Map<string, string[]>();
  for (const { tag, build } of parsed) if (build === undefined) packages.set(tag, []);
  for (const { tag, build } of parsed) if (build !== undefined) packages.get(tag)?.push(build);
  return packages;
}

/** Undefined, and a warning, for what is no package; undefined if the tag has gone meanwhile. */
export async function readTagged(
  repository: Repository,
  tag: string,
  { warn }: Pick<ListingOptions, 'warn'>,
): Promise<Omit<Entry, 'builds'> | undefined> {
  const where = `${labelOf(repository.place)}: ${tag}`;
  const document = await repository.read(tag);
  if (!document) return undefined;
  try {
    const found = await readArtifact(repository, document.descriptor, where);
    const said = parseTag(tag) satisfies ParsedTag | undefined;
    if (said?.tag === tagOf(found)) return found;
    throw new Fault('INPUT', `${where}: is ${found.name} ${found.version}, which belongs to another tag`);
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'INPUT') throw error;
    warn(error.message);
    return undefined;
  }
}

/** What is read anew takes the place of what the index has. */
export function merge(
  indexed: readonly Entry[],
  extra: readonly Entry[],
  gone: readonly string[],
): readonly Entry[] {
  const all = new Map(indexed.map((entry) => [tagOf(entry), entry]));
  for (const tag of gone) all.delete(tag);
  for (const entry of extra) all.set(tagOf(entry), entry);
  return [...all.values()];
}
