import { describe, type Descriptor } from '../../builder/descriptor.ts';
import { hexOf } from '../../builder/digest.ts';
import { encodeManifest } from '../../builder/manifest.ts';
import { putDocument } from '../../builder/store/blob.ts';
import { updateCollection } from '../../builder/store/collection.ts';
import type { PackageRecord } from '../package/record.ts';
import { recordBytes } from '../package/record-file.ts';
import { type LayerPackage, titleOf } from './package.ts';
import { blobOf, isStored, type KnownLayer, type Workshop } from './workshop.ts';

/** The entry of the store's index that keeps packages; no image can be called so, as theirs have tags. */
export const packageCollection = 'packages';

/** What a package is in a registry and in the store: its record as config, its layer in both encodings. */
export const artifactType = 'application/vnd.static-distro.package.v1';
export const recordType = 'application/vnd.static-distro.record.v1+json';

/** What a package is called in the collection: a build of it, as another has another diffID. */
export const packageKey = (
  each: Pick<KeptPackage, 'name' | 'version'>,
  { diffID }: Pick<KnownLayer, 'diffID'>,
): string => `${titleOf(each)} ${hexOf(diffID).slice(0, 12)}`;

/** The documents of a package. A function of its record. */
export function encodeArtifact(record: PackageRecord, layer: KnownLayer) {
  const config = describe(recordType, recordBytes({ ...record, layer }));
  const layers = [blobOf(layer, 'gzip-1'), blobOf(layer, 'zstd-1')];
  return { config, manifest: encodeManifest({ artifactType, config: config.descriptor, layers }) };
}

export type KeptPackage = Pick<LayerPackage, 'name' | 'version' | 'record'>;

/**
 * Sees to it that the packages are in the store's index, each as its record and its layer in both encodings
 * (DESIGN, "Packages in a registry"), so that layers outlive the images that they are in; those that are there are
 * marked as used, as one that is not used for 30 days may go. Layers that are not stored are passed over.
 */
export async function keepPackages(
  workshop: Workshop,
  packages: ReadonlyMap<KeptPackage, KnownLayer>,
): Promise<void> {
  const { store } = workshop;
  // Another tool that writes index.json may lose the name; documents that are there are then kept by nothing.
  const named = (await store.resolve(packageCollection)) !== undefined;
  const entries = new Map<string, Descriptor>();
  const keep = async ([each, layer]: readonly [KeptPackage, KnownLayer]) => {
    const { config, manifest } = encodeArtifact(each.record, layer);
    const documents = [manifest.descriptor, config.descriptor];
    const there = await Promise.all(documents.map((document) => store.exists(document)));
    if ((named && !there.includes(false)) || !(await isStored(workshop, layer))) return;
    await putDocument(store, config);
    await putDocument(store, manifest);
    entries.set(packageKey(each, layer), { ...manifest.descriptor, artifactType });
  };
  await Promise.all([...packages].map(keep));
  if (entries.size > 0) await updateCollection(store, packageCollection, entries);
}
