import type { Annotations } from '../../builder/descriptor.ts';
import { compressionOf, mediaTypes } from '../../builder/descriptor.ts';
import { assembleImage, type AssembledImage, type LayerSource } from '../../builder/image/assemble.ts';
import type { Settings } from '../../builder/image/settings.ts';
import type { Encoding } from '../../builder/tar/encoding.ts';
import { annotationOf, packagesAnnotation } from './contents.ts';
import { annotationsOf, platformOf, type Wanted } from './facts.ts';
import type { LayerPackage } from '../layer/package.ts';
import { type LayerPlan, type NamedLayer, packageLayers } from './package-layers.ts';
import { packageLayer } from '../layer/package-layer.ts';
import { profileLayer, profileOf } from './profile-layer.ts';
import { type Additions, settingsLayer } from './settings-layer.ts';
import { blobOf, type KnownLayer, openBlob, type Workshop } from '../layer/workshop.ts';

/** All that an image is made of. The same request gives the same image, wherever. */
export type ImageRequest = LayerPlan &
  Wanted & {
    readonly packages: readonly LayerPackage[];
    /** The constraints that they meet, as they were written. */
    readonly asked: readonly string[];
    /** The package that the image is about, for its annotations. */
    readonly main: LayerPackage | undefined;
    readonly settings: Settings;
    /** What no package brings. */
    readonly additions: Additions;
    readonly annotations: Annotations;
    readonly encoding: Encoding;
    /** Seconds since 1970. */
    readonly created: number;
  };

export type PlannedImage = {
  readonly image: AssembledImage;
  readonly packages: ReadonlyMap<LayerPackage, KnownLayer>;
  readonly layers: readonly NamedLayer[];
};

/** Makes what is not known yet of the image's layers, and tells what the image is; its documents are not stored. */
export async function planImage(request: ImageRequest, workshop: Workshop): Promise<PlannedImage> {
  const { packages, main, settings, annotations, encoding, created } = request;
  const platform = platformOf(packages, request);
  const profile = await profileLayer(workshop, packages);
  const known = new Map<LayerPackage, KnownLayer>();
  for (const each of packages) known.set(each, await packageLayer(workshop, each));
  const added = await addedLayer(request, workshop);
  const layers: NamedLayer[] = [
    ...(await packageLayers(request, workshop, known)),
    { layer: profile, history: 'profile', members: [] },
    ...(added ? [{ layer: added, history: 'settings', members: [] }] : []),
  ];
  if (encoding === 'none' && workshop.keep) {
    for (const { layer } of layers) await putPlain(workshop, layer);
  }
  const image = assembleImage(
    {
      platform,
      settings,
      created,
      annotations: { ...annotationsOf(packages, main), ...annotations },
      layers: layers.map((each) => sourceOf(each, known)),
    },
    encoding,
  );
  return { image, packages: known, layers };
}

function sourceOf(
  { layer: { diffID, size, blobs }, history, members }: NamedLayer,
  known: ReadonlyMap<LayerPackage, KnownLayer>,
): LayerSource {
  const shared = members.length > 1 ? [...known].filter(([each]) => members.includes(each)) : [];
  return {
    diffID,
    blobs: { ...blobs, none: { digest: diffID, size } },
    history,
    ...(shared.length > 0 && { annotations: { [packagesAnnotation]: annotationOf(shared) } }),
  };
}

async function addedLayer(
  { packages, additions }: ImageRequest,
  workshop: Workshop,
): Promise<KnownLayer | undefined> {
  if (additions.files.length + additions.accounts.length === 0) return undefined;
  return settingsLayer(workshop, profileOf(packages), additions);
}

/** An uncompressed image has layers that nothing else has. */
async function putPlain(workshop: Workshop, layer: KnownLayer): Promise<void> {
  const plain = blobOf(layer, 'none');
  const zstd = blobOf(layer, 'zstd-1');
  const compression = compressionOf(mediaTypes.layerZstd) ?? 'none';
  const { decode } = await import('../../builder/tar/decode.ts');
  const content = () =>
    decode(openBlob(workshop, zstd), compression, { most: layer.size, where: zstd.digest });
  await workshop.store.put(plain, content, { once: true });
}
