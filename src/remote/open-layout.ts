import type { Descriptor } from '../../builder/descriptor.ts';
import { Fault } from '../../builder/fault.ts';
import { allEntries, collectionType } from '../../builder/store/collection.ts';
import type { FileStore } from '../../builder/store/file-store.ts';
import { limit } from '../../builder/store/limit.ts';
import { openStore } from '../../builder/store/open-store.ts';
import { artifactType, packageCollection } from '../layer/package-artifact.ts';
import type { Elsewhere } from '../package/elsewhere.ts';
import { readArtifact } from './artifact.ts';
import { bringFrom } from './bring.ts';
import { type Entry, tagOf } from './entry.ts';
import { farRepository } from './repository.ts';
import type { Surroundings } from './surroundings.ts';
import { buildOf, parseTag } from './tag.ts';

/**
 * The packages in an OCI image layout: those in its nested index of packages, and artifacts that it names by their
 * tags, as tools do that copy from a registry. It is a local repository, as a directory is.
 */
export async function openLayout(directory: string, surroundings: Surroundings): Promise<Elsewhere> {
  const store = await openStore(directory);
  try {
    return farRepository({
      label: `oci:${directory}`,
      remote: false,
      stale: false,
      entries: await layoutEntries(store),
      architecture: surroundings.architecture,
      trees: surroundings.trees,
      bring: bringFrom(surroundings, () => reading(directory)),
    });
  } finally {
    store.close();
  }
}

/** Open for as long as one blob is read. */
const reading = (directory: string): Pick<FileStore, 'open'> => ({
  async *open(descriptor, range) {
    const store = await openStore(directory);
    try {
      yield* store.open(descriptor, range);
    } finally {
      store.close();
    }
  },
});

/**
 * Every package that the layout has. Of a version with several builds, that which the tag of the package leads to;
 * without such a tag, as in a user's own store, the one that comes last in the order of their names.
 */
export async function layoutEntries(store: FileStore): Promise<readonly Entry[]> {
  const slots = limit(16);
  const named: { readonly key: string; readonly descriptor: Descriptor }[] = [];
  for (const { name, descriptor } of await store.list()) {
    if (name === packageCollection && descriptor.artifactType === collectionType) {
      for await (const [key, entry] of allEntries(store, descriptor)) named.push({ key, descriptor: entry });
    } else if (descriptor.artifactType === artifactType || parseTag(name)) {
      named.push({ key: name, descriptor });
    }
  }
  const read = await Promise.all(
    named.map(({ key, descriptor }) =>
      slots(async () => ({
        current: parseTag(key)?.build === undefined && parseTag(key) !== undefined,
        found: await readArtifact(store, descriptor, `${store.directory}: ${key}`),
      })),
    ),
  );
  const groups = Map.groupBy(read, ({ found }) => tagOf(found));
  return [...groups.values()].flatMap((builds): Entry[] => {
    const chosen = builds.find(({ current }) => current) ?? builds.at(-1);
    const all = new Set(builds.map(({ found }) => buildOf(found.record.layer.diffID)));
    return chosen ? [{ ...chosen.found, builds: [...all].sort() }] : [];
  });
}

/** Throws NOT_FOUND where a layout holds no package at all: it is another kind of layout. */
export function requirePackages(entries: readonly Entry[], directory: string): void {
  if (entries.length > 0) return;
  throw new Fault('NOT_FOUND', `${directory}: this OCI layout holds no package`, {
    hint: 'pkgrepo publish fills one',
  });
}
