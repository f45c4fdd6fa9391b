import type { Descriptor } from '../../builder/descriptor.ts';
import { hexOf, isDigest } from '../../builder/digest.ts';
import { decodeManifest } from '../../builder/manifest.ts';
import { readBlob } from '../../builder/store/blob.ts';
import { getEntry } from '../../builder/store/collection.ts';
import type { FileStore } from '../../builder/store/file-store.ts';
import { packageCollection } from './package-artifact.ts';

/** The blob of a layer that a build of a package had, by its diffID; undefined if the store does not keep it. */
export async function keptLayer(
  store: FileStore,
  { name, version, diffID }: { readonly name: string; readonly version: string; readonly diffID: string },
): Promise<Descriptor | undefined> {
  if (!isDigest(diffID)) return undefined;
  const collection = await store.resolve(packageCollection);
  const key = `${name} ${version} ${hexOf(diffID).slice(0, 12)}`;
  const entry = collection && (await getEntry(store, collection, key));
  if (!entry || !(await store.exists(entry))) return undefined;
  const { layers } = decodeManifest(await readBlob(store, entry), entry.mediaType, key);
  const blob = layers.at(-1);
  return blob && (await store.exists(blob)) ? blob : undefined;
}
