import type { BlobStore } from '../../../builder/store/store.ts';
import { openRepository, type Repository } from '../../package/repository.ts';
import type { Entry } from '../../remote/entry.ts';
import { packagesOf } from '../../remote/from-directory.ts';
import { layoutEntries, openLayoutStore } from '../../remote/open-layout.ts';
import { listingOf, repositoryAt } from '../../remote/open-registry.ts';
import { registryLabel } from '../../remote/place.ts';
import type { Publishable } from '../../remote/publish.ts';
import type { Surroundings } from '../../remote/surroundings.ts';
import type { Context } from '../context.ts';
import { workshopsOf } from '../workshops.ts';
import { type RepoPlace, select } from './place.ts';

/** Packages as artifacts, and the store that they are in. */
export type Source = { readonly packages: readonly Publishable[]; readonly blobs: BlobStore };

/** As it is written on the command line. */
export const labelOfPlace = (place: RepoPlace): string =>
  place.kind === 'registry'
    ? registryLabel(place.registry)
    : place.kind === 'layout'
      ? `oci:${place.path}`
      : place.path;

/** Opens those packages of a repository that the words name, all without words, for as long as `act` takes. */
export async function withSource<T>(
  place: RepoPlace,
  words: readonly string[],
  context: Context,
  surroundings: Surroundings,
  act: (source: Source) => Promise<T>,
): Promise<T> {
  if (place.kind === 'directory') {
    const repository = openRepository(place.path);
    const chosen = select(words, versionsIn(repository));
    return workshopsOf(context).use(async (workshop) =>
      act({ packages: await packagesOf(repository, chosen, workshop), blobs: workshop.store }),
    );
  }
  if (place.kind === 'registry') {
    const { listing } = await listingOf(place.registry, surroundings);
    const packages = select(words, listing.entries);
    return act({ packages, blobs: repositoryAt(place.registry, surroundings) });
  }
  const store = await openLayoutStore(place.path);
  try {
    return await act({
      packages: select(words, await layoutEntries(store, surroundings.tell)),
      blobs: store,
    });
  } finally {
    store.close();
  }
}

export const versionsIn = (repository: Repository) =>
  repository
    .names()
    .flatMap((name) => [...repository.versions(name)].sort().map((version) => ({ name, version })));

/** What a repository elsewhere holds, without its blobs. */
export async function entriesAt(
  place: Exclude<RepoPlace, { readonly kind: 'directory' }>,
  surroundings: Surroundings,
): Promise<readonly Entry[]> {
  if (place.kind === 'registry') return (await listingOf(place.registry, surroundings)).listing.entries;
  const store = await openLayoutStore(place.path);
  try {
    return await layoutEntries(store, surroundings.tell);
  } finally {
    store.close();
  }
}
