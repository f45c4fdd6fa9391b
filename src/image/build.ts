import type { Annotations, Descriptor } from '../../builder/descriptor.ts';
import { compressionOf, mediaTypes } from '../../builder/descriptor.ts';
import { assembleImage, type AssembledImage, type LayerSource } from '../../builder/image/assemble.ts';
import { planLayers } from '../../builder/image/layering.ts';
import type { Settings } from '../../builder/image/settings.ts';
import { putDocument } from '../../builder/store/blob.ts';
import { decode } from '../../builder/tar/decode.ts';
import type { Encoding } from '../../builder/tar/encoding.ts';
import { annotationsOf, platformOf } from './facts.ts';
import { knownGroupLayer, makeGroupLayer } from './group-layer.ts';
import { type ImagePackage, titleOf } from './package.ts';
import { keepPackages } from './package-artifact.ts';
import { ensureStored, packageLayer } from './package-layer.ts';
import { profileLayer, profileOf } from './profile-layer.ts';
import { type Additions, settingsLayer } from './settings-layer.ts';
import { blobOf, type KnownLayer, openBlob, type Workshop } from './workshop.ts';

/** All that an image is made of. The same request gives the same image, wherever. */
export type ImageRequest = {
  readonly packages: readonly ImagePackage[];
  /** The package that the image is about, for its annotations. */
  readonly main: ImagePackage | undefined;
  readonly settings: Settings;
  /** What no package brings. */
  readonly additions: Additions;
  readonly annotations: Annotations;
  /** The most layers. */
  readonly budget: number;
  readonly encoding: Encoding;
  /** Seconds since 1970. */
  readonly created: number;
  /** As Node calls it: what packages are for that do not say. */
  readonly machine: string;
};

type NamedLayer = { readonly layer: KnownLayer; readonly history: string };

/** Makes what is not known yet of the image's layers, and tells what the image is; its documents are not stored. */
export async function planImage(request: ImageRequest, workshop: Workshop): Promise<AssembledImage> {
  const { packages, main, settings, annotations, encoding, created } = request;
  const platform = platformOf(packages, request.machine);
  const profile = await profileLayer(workshop, packages);
  const added = await addedLayer(request, workshop);
  const layers: NamedLayer[] = [
    ...(await packageLayers(request, workshop)),
    { layer: profile, history: 'profile' },
    ...(added ? [{ layer: added, history: 'settings' }] : []),
  ];
  if (encoding === 'none' && workshop.keep) {
    for (const { layer } of layers) await putPlain(workshop, layer);
  }
  return assembleImage(
    {
      platform,
      settings,
      created,
      annotations: { ...annotationsOf(packages, main), ...annotations },
      layers: layers.map(({ layer: { diffID, size, blobs }, history }): LayerSource => ({
        diffID,
        blobs: { ...blobs, none: { digest: diffID, size } },
        history,
      })),
    },
    encoding,
  );
}

/** Stores the image too, all of it; give it a name afterwards. */
export async function buildImage(request: ImageRequest, workshop: Workshop): Promise<Descriptor> {
  const { config, manifest } = await planImage(request, workshop);
  await putDocument(workshop.store, config);
  return putDocument(workshop.store, manifest);
}

async function addedLayer(
  { packages, additions }: ImageRequest,
  workshop: Workshop,
): Promise<KnownLayer | undefined> {
  if (additions.files.length + additions.accounts.length === 0) return undefined;
  return settingsLayer(workshop, profileOf(packages), additions);
}

/** From bottom to top. */
async function packageLayers(
  { packages, budget }: ImageRequest,
  workshop: Workshop,
): Promise<readonly NamedLayer[]> {
  const known = new Map<ImagePackage, KnownLayer>();
  for (const each of packages) known.set(each, await packageLayer(workshop, each));
  const parts = [...known].map(([each, layer]) => {
    const { name, version, control } = each;
    return { name, version, rank: control.layerRank, size: layer.blobs['gzip-1'].size, each, layer };
  });
  const made: NamedLayer[] = [];
  for (const group of planLayers(parts, budget)) {
    made.push({ layer: await layerOf(group, workshop), history: group.map(titleOf).join(', ') });
  }
  if (workshop.keep) await keepPackages(workshop, known);
  return made;
}

/** Its blobs are there afterwards, unless the workshop keeps nothing. */
async function layerOf(
  group: readonly { readonly name: string; readonly each: ImagePackage; readonly layer: KnownLayer }[],
  workshop: Workshop,
): Promise<KnownLayer> {
  const [first, ...more] = group;
  if (first && more.length === 0) {
    if (workshop.keep) await ensureStored(workshop, first.each, first.layer);
    return first.layer;
  }
  const known = await knownGroupLayer(workshop, group);
  if (known) return known;
  for (const { each, layer } of group) await ensureStored(workshop, each, layer);
  return makeGroupLayer(workshop, group);
}

/** An uncompressed image has layers that nothing else has. */
async function putPlain(workshop: Workshop, layer: KnownLayer): Promise<void> {
  const plain = blobOf(layer, 'none');
  const zstd = blobOf(layer, 'zstd-1');
  const compression = compressionOf(mediaTypes.layerZstd) ?? 'none';
  const content = () =>
    decode(openBlob(workshop, zstd), compression, { most: layer.size, where: zstd.digest });
  await workshop.store.put(plain, content, { once: true });
}
