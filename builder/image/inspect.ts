import type { Annotations, Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest.ts';
import type { RunConfig } from '../manifest.ts';
import type { BlobStore } from '../store/store.ts';
import { platformName } from './platform.ts';
import { type Image, openImages } from './image.ts';

/** What can be told of an image, as data: for `--json` as it is, for a table after some choice. */
export type Inspection = {
  /** Of what the name leads to: an index or a manifest. */
  readonly digest: Digest;
  readonly mediaType: string;
  readonly images: readonly InspectedImage[];
};

export type InspectedImage = {
  readonly digest: Digest;
  readonly id: Digest;
  readonly platform: string;
  readonly created: string | undefined;
  readonly settings: RunConfig;
  readonly annotations: Annotations;
  /** Bytes to fetch: manifest, config and layers, each blob once. */
  readonly size: number;
  readonly layers: readonly {
    readonly digest: Digest;
    readonly diffID: Digest;
    readonly mediaType: string;
    readonly size: number;
    readonly history: string | undefined;
    readonly annotations: Annotations;
  }[];
};

export async function inspect(store: BlobStore, descriptor: Descriptor): Promise<Inspection> {
  const images = await openImages(store, descriptor);
  return { digest: descriptor.digest, mediaType: descriptor.mediaType, images: images.map(inspectImage) };
}

function inspectImage({ descriptor, id, manifest, config, platform, layers }: Image): InspectedImage {
  const blobs = new Map([descriptor, manifest.config, ...manifest.layers].map((blob) => [blob.digest, blob]));
  return {
    digest: descriptor.digest,
    id,
    platform: platformName(platform),
    created: config.created,
    settings: config.config ?? {},
    annotations: manifest.annotations ?? {},
    size: [...blobs.values()].reduce((sum, { size }) => sum + size, 0),
    layers: layers.map(({ descriptor: { digest, mediaType, size, annotations = {} }, diffID, history }) => ({
      digest,
      diffID,
      mediaType,
      size,
      history,
      annotations,
    })),
  };
}
