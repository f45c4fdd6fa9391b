import { compressionOf, type Descriptor, isIndex, isManifest, type Platform } from '../descriptor.ts';
import { type Digest, digestOf } from '../digest.ts';
import { Fault } from '../fault.ts';
import {
  decodeConfig,
  decodeIndex,
  decodeManifest,
  type ImageConfig,
  type ImageManifest,
} from '../manifest.ts';
import { readBlob } from '../store/blob.ts';
import type { BlobStore } from '../store/store.ts';
import { isPlatform, platformName } from './platform.ts';

export type ImageLayer = {
  /** Of the blob in the store. */
  readonly descriptor: Descriptor;
  readonly diffID: Digest;
  /** What the config's history says of it. */
  readonly history: string | undefined;
};

/** An image for one platform, as it is in a store: a view, that never changes. */
export type Image = {
  /** Of the manifest. */
  readonly descriptor: Descriptor;
  /** The digest of the config: the same for the same image in any encoding. */
  readonly id: Digest;
  readonly manifest: ImageManifest;
  readonly config: ImageConfig;
  readonly platform: Platform;
  /** From bottom to top. */
  readonly layers: readonly ImageLayer[];
};

/**
 * The image that `descriptor` leads to, which has to be for `platform`, if that is said; where it is an index, the
 * one for it, or for `usual`. Throws NOT_FOUND if there is none, INPUT for documents that are none of an image.
 */
export async function openImage(
  store: BlobStore,
  descriptor: Descriptor,
  platform?: Platform,
  usual?: Platform,
): Promise<Image> {
  const manifests = await manifestsOf(store, descriptor);
  const [only] = manifests;
  const alone = only && !isIndex(descriptor.mediaType) ? await readImage(store, only) : undefined;
  if (alone && (!platform || isPlatform(alone.platform, platform))) return alone;
  const wanted = platform ?? usual;
  const found = manifests.find((entry) => wanted && entry.platform && isPlatform(entry.platform, wanted));
  if (found && !alone) return readImage(store, found);
  const there = (alone ? [alone] : manifests).map((entry) =>
    entry.platform ? platformName(entry.platform) : 'unknown',
  );
  throw noneFor(descriptor, wanted, there);
}

function noneFor({ digest }: Descriptor, wanted: Platform | undefined, there: readonly string[]): Fault {
  return new Fault(
    'NOT_FOUND',
    `${digest}: there is no image for ${wanted ? platformName(wanted) : 'a platform not named'}`,
    {
      hint: there.length > 0 ? `there are images for ${there.join(', ')}` : 'it is empty',
    },
  );
}

/** Every image below the descriptor: itself, or those of an index. Entries that are no images are passed over. */
export async function openImages(store: BlobStore, descriptor: Descriptor): Promise<readonly Image[]> {
  return Promise.all((await manifestsOf(store, descriptor)).map((manifest) => readImage(store, manifest)));
}

async function manifestsOf(store: BlobStore, descriptor: Descriptor): Promise<readonly Descriptor[]> {
  const { mediaType, digest } = descriptor;
  if (isManifest(mediaType)) return [descriptor];
  if (!isIndex(mediaType)) throw new Fault('INPUT', `${digest} is no image: it is a ${mediaType}`);
  const { manifests } = decodeIndex(await readBlob(store, descriptor), mediaType, digest);
  // What says that it is for no platform is an attestation.
  return manifests.filter((entry) => isManifest(entry.mediaType) && entry.platform?.os !== 'unknown');
}

async function readImage(store: BlobStore, descriptor: Descriptor): Promise<Image> {
  const { mediaType, digest } = descriptor;
  const manifest = decodeManifest(await readBlob(store, descriptor), mediaType, digest);
  const config = decodeConfig(await readBlob(store, manifest.config), manifest.config.digest);
  const { diff_ids: diffIDs } = config.rootfs;
  if (diffIDs.length !== manifest.layers.length) {
    throw new Fault(
      'INPUT',
      `${digest}: the manifest has ${manifest.layers.length} layers, its config ${diffIDs.length}`,
    );
  }
  const histories = config.history?.filter(({ empty_layer: empty }) => !empty) ?? [];
  const layers = manifest.layers.map((layer, at) => {
    const diffID = diffIDs[at];
    if (diffID === undefined || compressionOf(layer.mediaType) === undefined) {
      throw new Fault('INPUT', `${digest}: layer ${at} is a ${layer.mediaType}, which is not supported`);
    }
    return { descriptor: layer, diffID, history: histories[at]?.created_by };
  });
  const { architecture, os, variant } = config;
  const platform = { architecture, os, ...(variant === undefined ? {} : { variant }) };
  return { descriptor, id: manifest.config.digest, manifest, config, platform, layers };
}

/** What engines call the first so many layers put one upon another (image-spec, config.md, "Layer ChainID"). */
export function chainIDs(diffIDs: readonly Digest[]): readonly Digest[] {
  const chain: Digest[] = [];
  for (const diffID of diffIDs) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffID : digestOf(`${below} ${diffID}`));
  }
  return chain;
}
