import { isLost } from '../../builder/registry/network-fault.ts';
import type { Problem } from '../../builder/registry/problem.ts';
import { openRepository, type Repository } from '../../builder/registry/repository.ts';
import { Fault } from '../../builder/fault.ts';
import type { Descriptor } from '../../builder/descriptor.ts';
import { readBlob } from '../../builder/store/blob.ts';
import type { Elsewhere } from '../package/elsewhere.ts';
import { ensurePrivate } from '../run/private.ts';
import { bringFrom } from './bring.ts';
import { checkKnown, readKnown, writeKnown } from './known.ts';
import { type Listing, readListing, readPinned } from './listing.ts';
import { type RegistryPlace, registryLabel } from './place.ts';
import { farRepository } from './repository.ts';
import { isAskedLately, lastAsked, writeTried } from './last-asked.ts';
import { readShard, readState, writeShard, writeState } from './state.ts';
import type { Surroundings } from './surroundings.ts';

/** What a repository of a registry holds, or held: `stale` if it has not been asked just now. */
export type Asked = { readonly listing: Listing; readonly stale: boolean };

/**
 * The packages in a registry (DESIGN section 9): those of one index, if the place names it; else what is there
 * now, or was there not long ago, or, if the registry does not answer, was there when it last did. What was seen
 * before must be what it was. Throws NOT_FOUND, NETWORK, INTEGRITY, INPUT.
 */
export async function openRegistry(place: RegistryPlace, surroundings: Surroundings): Promise<Elsewhere> {
  const label = registryLabel(place);
  const { listing, stale } = await listingOf(place, surroundings);
  return farRepository({
    label,
    remote: true,
    stale: stale && place.index === undefined,
    entries: listing.entries,
    architecture: surroundings.architecture,
    trees: surroundings.trees,
    bring: bringFrom(surroundings, () => repositoryAt(place, surroundings)),
    published: { repository: registryLabel({ ...place, index: undefined }), index: listing.index },
  });
}

/** The repository itself, as a store of blobs. */
export const repositoryAt = ({ host, name }: RegistryPlace, { client }: Surroundings): Repository =>
  openRepository(client(host, false), name);

export async function listingOf(place: RegistryPlace, surroundings: Surroundings): Promise<Asked> {
  const { indexes, refresh, tell } = surroundings;
  const label = registryLabel(place);
  ensurePrivate(indexes);
  const asked = lastAsked(indexes, label);
  const known = asked && readState(indexes, label);
  if (known && (place.index !== undefined || isAskedLately(indexes, label, asked, refresh))) {
    return { listing: known, stale: true };
  }
  try {
    return { listing: await ask(place, surroundings, known !== undefined), stale: false };
  } catch (error) {
    if (!known || !isSilent(error)) throw error;
    writeTried(indexes, label);
    tell(`${error.message}; what it held at ${new Date(asked.time).toISOString()} is used`);
    return { listing: known, stale: false };
  }
}

/** Whether the registry, as opposed to a registry that says no, cannot answer now. */
function isSilent(error: unknown): error is Fault {
  if (isLost(error)) return true;
  const { status } =
    (error instanceof Fault ? (error.cause as Partial<Problem> | undefined) : undefined) ?? {};
  return status !== undefined && (status >= 500 || status === 429);
}

/** Asks the registry, and remembers what it said once that may be trusted. */
async function ask(place: RegistryPlace, surroundings: Surroundings, hurried: boolean): Promise<Listing> {
  const { client, indexes, tell } = surroundings;
  const label = registryLabel(place);
  const repository = openRepository(client(place.host, hurried), place.name);
  const options = { shard: shardReader(indexes, repository), warn: tell };
  if (place.index !== undefined) {
    const pinned = await readPinned(repository, place.index, options);
    writeState(indexes, label, pinned);
    return pinned;
  }
  const listing = await readListing(repository, options);
  trust(label, listing, surroundings);
  writeState(indexes, label, listing);
  return listing;
}

/** Throws INTEGRITY where something is another than it was. What is there for the first time is told. */
export function trust(
  label: string,
  { index, entries }: Listing,
  { known, tell }: Pick<Surroundings, 'known' | 'tell'>,
): void {
  ensurePrivate(known);
  const before = readKnown(known, label);
  checkKnown(before, entries, label);
  if (!before) {
    const what = `${entries.length} packages, ${index === undefined ? 'without an index' : `index ${index}`}`;
    tell(`${label} is used for the first time and taken on trust: ${what}`);
  }
  writeKnown(known, label, before, entries);
}

/** A shard is read once, whatever index it is of. */
export const shardReader =
  (indexes: string, repository: Repository) =>
  async (shard: Descriptor): Promise<Uint8Array> => {
    const there = readShard(indexes, shard);
    if (there) return there;
    const bytes = await readBlob(repository, shard);
    writeShard(indexes, shard, bytes);
    return bytes;
  };
