import { Fault } from '../../../builder/fault.ts';
import { openRepository as openFar } from '../../../builder/registry/repository.ts';
import type { CopyEvent } from '../../../builder/store/copy.ts';
import { openStore } from '../../../builder/store/open-store.ts';
import { existsSync } from 'node:fs';
import { openRepository } from '../../package/repository.ts';
import { type Entry, tagOf } from '../../remote/entry.ts';
import { readKnown, writeKnown } from '../../remote/known.ts';
import { type Listing, readListing } from '../../remote/listing.ts';
import { layoutEntries } from '../../remote/open-layout.ts';
import { shardReader, trust } from '../../remote/open-registry.ts';
import { type RegistryPlace, registryLabel } from '../../remote/place.ts';
import { isThere, type Publishable, publishAll } from '../../remote/publish.ts';
import { writeState } from '../../remote/state.ts';
import type { Surroundings } from '../../remote/surroundings.ts';
import { buildOf } from '../../remote/tag.ts';
import { putIntoDirectory } from '../../remote/to-directory.ts';
import { putIntoLayout } from '../../remote/to-layout.ts';
import { ensurePrivate } from '../../run/private.ts';
import type { RepoPlace } from './place.ts';
import type { Source } from './source.ts';

export type PutOptions = {
  readonly lockProgram: string;
  /** Builds may take the place of others of the same version. */
  readonly replace: boolean;
  readonly report: (event: CopyEvent) => void;
};

/** Puts packages into a repository, and gives those that were not there. Throws INTEGRITY where one is there as another build. */
export function put(
  place: RepoPlace,
  source: Source,
  options: PutOptions,
  surroundings: Surroundings,
): Promise<readonly Publishable[]> {
  if (place.kind === 'registry') return intoRegistry(place.registry, source, options, surroundings);
  return place.kind === 'layout'
    ? intoLayout(place.path, source, options, surroundings)
    : intoDirectory(place.path, source, options, surroundings);
}

async function intoRegistry(
  place: RegistryPlace,
  { packages, blobs }: Source,
  { replace, report }: PutOptions,
  surroundings: Surroundings,
): Promise<readonly Publishable[]> {
  const { client, indexes, known, tell } = surroundings;
  const label = registryLabel(place);
  for (const directory of [indexes, known]) ensurePrivate(directory);
  const repository = openFar(client(place.host, false), place.name, { access: 'push' });
  const options = { shard: shardReader(indexes, repository), warn: tell };
  const before = await listingIfAny(() => readListing(repository, options));
  if (before) trust(label, before, surroundings);
  if (!replace) requireSame(label, before?.entries ?? [], packages, tell);
  const { sent, listing } = await publishAll(repository, packages, {
    ...options,
    before,
    replace,
    source: blobs,
    report,
  });
  // Who publishes need not be told that these are others now.
  writeKnown(known, label, readKnown(known, label), packages.map(alone));
  writeState(indexes, label, listing);
  return sent;
}

async function listingIfAny(read: () => Promise<Listing>): Promise<Listing | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Fault && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

/** What is the same may have another origin in its record, which is told, as without `--replace` it stays. */
function requireSame(
  label: string,
  there: readonly Entry[],
  packages: readonly Publishable[],
  tell: Surroundings['tell'],
): void {
  const known = new Map(there.map((entry) => [tagOf(entry), entry.record]));
  const others: string[] = [];
  for (const { name, version, record, ...each } of packages) {
    const before = known.get(tagOf({ name, version, ...each }));
    if (!before) continue;
    if (before.layer.diffID !== record.layer.diffID) {
      throw new Fault('INTEGRITY', `${label}: there is another build of ${name} ${version}`, {
        hint: 'who uses it already will refuse the new one; give it another version, or write --replace',
      });
    }
    if (before.origin !== record.origin) others.push(`${name} ${version}`);
  }
  tellOrigins(label, others, tell);
}

function tellOrigins(label: string, others: readonly string[], tell: Surroundings['tell']): void {
  if (others.length === 0) return;
  tell(
    `${label}: ${listOf(others)} ${others.length === 1 ? 'is' : 'are'} there, the same bytes with another origin in the record, which stays; --replace takes the new one`,
  );
}

/** A few of them by name. */
const listOf = (names: readonly string[]): string =>
  names.length > 3 ? `${names.slice(0, 2).join(', ')} and ${names.length - 2} others` : names.join(', ');

async function intoLayout(
  path: string,
  { packages, blobs }: Source,
  { lockProgram, replace, report }: PutOptions,
  { tell }: Surroundings,
): Promise<readonly Publishable[]> {
  const store = await openStore(path, { create: true, lockProgram });
  try {
    const there = await layoutEntries(store, tell);
    if (!replace) requireSame(`oci:${path}`, there, packages, tell);
    const known = new Map(there.map((entry) => [tagOf(entry), entry]));
    const news = packages.filter((each) => !isThere(known.get(tagOf(each)), each, replace));
    await putIntoLayout(store, news, blobs, report);
    return news;
  } finally {
    store.close();
  }
}

const alone = (each: Publishable): Entry => ({ ...each, builds: [buildOf(each.record.layer.diffID)] });

/** A directory holds one architecture. */
async function intoDirectory(
  path: string,
  { packages, blobs }: Source,
  options: PutOptions,
  { architecture, withStore, report, tell }: Surroundings,
): Promise<readonly Publishable[]> {
  const fitting = packages.filter((each) => [architecture, 'all'].includes(each.architecture));
  const repository = existsSync(path) ? openRepository(path) : undefined;
  if (repository && !options.replace) {
    const others = fitting.filter(({ name, version, record }) => {
      const there = repository.versions(name).includes(version) && repository.record(name, version);
      return there && there.layer?.diffID === record.layer.diffID && there.origin !== record.origin;
    });
    tellOrigins(
      path,
      others.map(({ name, version }) => `${name} ${version}`),
      tell,
    );
  }
  return withStore((store) =>
    putIntoDirectory(repository, path, fitting.map(alone), {
      ...options,
      source: blobs,
      store,
      report: (bytes) => report({ type: 'bytes', bytes }),
    }),
  );
}
