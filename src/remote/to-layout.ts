import { mediaTypes } from '../../builder/descriptor.ts';
import { updateCollection } from '../../builder/store/collection.ts';
import { copy, type CopyEvent } from '../../builder/store/copy.ts';
import type { FileStore } from '../../builder/store/file-store.ts';
import type { BlobStore } from '../../builder/store/store.ts';
import { artifactType, packageCollection } from '../layer/package-artifact.ts';
import { tagOf } from './entry.ts';
import type { LayoutPackage } from './open-layout.ts';
import type { Publishable } from './publish.ts';
import { buildTag } from './tag.ts';

/** Puts packages into an OCI layout, in its nested index of packages, each under the two tags that a registry has. */
export async function putIntoLayout(
  store: FileStore,
  packages: readonly Publishable[],
  source: BlobStore,
  report: (event: CopyEvent) => void,
): Promise<void> {
  const entries = new Map<string, { mediaType: string; artifactType: string } & Publishable['manifest']>();
  for (const each of packages) {
    const artifact = { mediaType: mediaTypes.manifest, artifactType, ...each.manifest };
    await copy(source, store, artifact, { report });
    entries.set(tagOf(each), artifact);
    entries.set(buildTag(tagOf(each), each.record.layer.diffID), artifact);
  }
  if (entries.size > 0) await updateCollection(store, packageCollection, entries);
}

/** Takes packages out of the layout, every build of them; their blobs stay until garbage is collected. */
export async function removeFromLayout(store: FileStore, packages: readonly LayoutPackage[]): Promise<void> {
  const changes = new Map<string, undefined>();
  for (const { key, nested } of packages) {
    if (nested) changes.set(key, undefined);
    else await store.untag(key);
  }
  if (changes.size > 0) await updateCollection(store, packageCollection, changes);
}
