import type { Annotations, Descriptor, Document } from '../../builder/descriptor.ts';
import { assembleIndex } from '../../builder/image/assemble.ts';
import { decodeManifest } from '../../builder/manifest.ts';
import { putDocument } from '../../builder/store/blob.ts';
import type { Workshop } from '../layer/workshop.ts';
import { type ImageRequest, type PlannedImage, planImage } from './build.ts';

/** An image, or one for each of several platforms. */
export type PlannedSet = {
  readonly images: readonly { readonly request: ImageRequest; readonly planned: PlannedImage }[];
  /** What a name leads to: the manifest of the only one, or the index of all. */
  readonly top: Document;
};

/** As `planImage` for each. Throws INPUT if two are for the same platform. */
export async function planSet(requests: readonly ImageRequest[], workshop: Workshop): Promise<PlannedSet> {
  const images = [];
  for (const request of requests) images.push({ request, planned: await planImage(request, workshop) });
  const assembled = images.map(({ planned }) => planned.image);
  const [only, ...more] = assembled;
  if (only && more.length === 0) return { images, top: only.manifest };
  return { images, top: assembleIndex(assembled, shared(assembled.map(({ manifest }) => manifest))) };
}

/** Registries show the annotations of an index; it has those that are the same for every platform. */
function shared(manifests: readonly Document[]): Annotations | undefined {
  const [first = {}, ...others] = manifests.map(
    ({ descriptor, bytes }) =>
      decodeManifest(bytes, descriptor.mediaType, descriptor.digest).annotations ?? {},
  );
  const same = Object.entries(first).filter(([name, value]) =>
    others.every((annotations) => annotations[name] === value),
  );
  return same.length > 0 ? Object.fromEntries(same) : undefined;
}

/** Stores the documents of images whose layers the workshop keeps; give it a name afterwards. */
export async function storeSet({ images, top }: PlannedSet, { store }: Workshop): Promise<Descriptor> {
  for (const { planned } of images) {
    await putDocument(store, planned.image.config);
    await putDocument(store, planned.image.manifest);
  }
  return putDocument(store, top);
}
