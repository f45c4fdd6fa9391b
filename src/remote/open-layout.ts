import type { Descriptor } from '../../builder/descriptor.ts';
import { Fault } from '../../builder/fault.ts';
import { allEntries, collectionType } from '../../builder/store/collection.ts';
import type { FileStore } from '../../builder/store/file-store.ts';
import { limit } from '../../builder/store/limit.ts';
import { openStore } from '../../builder/store/open-store.ts';
import { artifactType, packageCollection } from '../layer/package-artifact.ts';
import { quote } from '../package/name.ts';
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
  const store = await openLayoutStore(directory);
  try {
    return farRepository({
      label: `oci:${directory}`,
      remote: false,
      stale: false,
      entries: await layoutEntries(store, surroundings.tell),
      architecture: surroundings.architecture,
      trees: surroundings.trees,
      bring: bringFrom(surroundings, () => reading(directory)),
    });
  } finally {
    store.close();
  }
}

/** A layout to read from. Throws NOT_FOUND, saying so, if there is none. */
export async function openLayoutStore(directory: string): Promise<FileStore> {
  try {
    return await openStore(directory);
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'NOT_FOUND') throw error;
    throw new Fault('NOT_FOUND', `there is no OCI layout in ${quote(directory)}`, {
      hint: 'pkgrepo publish makes one',
      cause: error,
    });
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

/** A package in a layout, and what it is called there. */
export type LayoutPackage = {
  readonly key: string;
  /** In the nested index, as opposed to a name of the layout itself. */
  readonly nested: boolean;
  readonly found: Omit<Entry, 'builds'>;
};

/** Every package that the layout names, once for each name. One that is damaged is passed over, and told. */
export async function readLayout(
  store: FileStore,
  warn: (text: string) => void,
): Promise<readonly LayoutPackage[]> {
  const slots = limit(16);
  const named: { readonly key: string; readonly nested: boolean; readonly descriptor: Descriptor }[] = [];
  for (const { name, descriptor } of await store.list()) {
    if (name === packageCollection && descriptor.artifactType === collectionType) {
      for await (const [key, entry] of allEntries(store, descriptor)) {
        named.push({ key, nested: true, descriptor: entry });
      }
    } else if (descriptor.artifactType === artifactType || parseTag(name)) {
      named.push({ key: name, nested: false, descriptor });
    }
  }
  const read = named.map(({ key, nested, descriptor }) =>
    slots(async (): Promise<readonly LayoutPackage[]> => {
      try {
        const found = await readArtifact(store, descriptor, `${store.directory}: ${key}`);
        return [{ key, nested, found }];
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        warn(error.message);
        return [];
      }
    }),
  );
  return (await Promise.all(read)).flat();
}

/**
 * The packages of a layout. Of a version with several builds, that which the tag of the package leads to; without
 * such a tag, as in a user's own store, the one whose name comes last.
 */
export async function layoutEntries(
  store: FileStore,
  warn: (text: string) => void,
): Promise<readonly Entry[]> {
  const groups = Map.groupBy(await readLayout(store, warn), ({ found }) => tagOf(found));
  return [...groups].flatMap(([tag, builds]): Entry[] => {
    const ordered = builds.toSorted((a, b) => (a.key < b.key ? -1 : 1));
    const chosen = ordered.find(({ key }) => key === tag) ?? ordered.at(-1);
    const all = new Set(builds.map(({ found }) => buildOf(found.record.layer.diffID)));
    return chosen ? [{ ...chosen.found, builds: [...all].sort() }] : [];
  });
}
