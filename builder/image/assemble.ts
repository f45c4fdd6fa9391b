import type { Annotations, Document, Platform } from '../descriptor.ts';
import type { Digest, Sized } from '../digest.ts';
import { Fault } from '../fault.ts';
import { present } from '../json.ts';
import { encodeConfig, encodeIndex, encodeManifest, type ImageConfig } from '../manifest.ts';
import { type Encoding, mediaTypeOf } from '../tar/encoding.ts';
import { mostLayers } from './layering.ts';
import { platformName } from './platform.ts';
import { runConfig, type Settings } from './settings.ts';

/** A layer, of which no byte is needed: what it unpacks to, and its blob in each encoding there is. */
export type LayerSource = {
  readonly diffID: Digest;
  readonly blobs: Readonly<Partial<Record<Encoding, Sized>>>;
  /** What `history` shows for it: `NAME VERSION`. */
  readonly history: string;
  /** On its descriptor in the manifest. */
  readonly annotations?: Annotations;
};

export type ImageDescription = {
  readonly platform: Platform;
  /** From bottom to top. */
  readonly layers: readonly LayerSource[];
  readonly settings: Settings;
  /** Seconds since 1970; given, as the same image must come out on any day. */
  readonly created: number;
  readonly author?: string;
  /** On the manifest. */
  readonly annotations?: Annotations;
};

export type AssembledImage = {
  readonly config: Document;
  readonly manifest: Document;
  readonly platform: Platform;
};

/**
 * The documents of an image; nothing is read or stored. The image ID, which is the digest of `config`, is a
 * function of the description without its blobs and annotations, so it is the same for every encoding; the
 * digest of `manifest` is one of the description and the encoding. Throws INPUT for settings that cannot be
 * used, for more layers than engines take, and for a layer that has no blob in that encoding.
 */
export function assembleImage(description: ImageDescription, encoding: Encoding): AssembledImage {
  const { layers, annotations, platform } = description;
  if (layers.length > mostLayers) {
    throw new Fault('INPUT', `an image of ${layers.length} layers runs nowhere: docker takes ${mostLayers}`, {
      hint: 'put several packages into one layer, by a layer budget',
    });
  }
  if (annotations && Object.hasOwn(annotations, '')) {
    throw new Fault('INPUT', 'annotation: "" cannot be used', { hint: 'expected: a name' });
  }
  const config = encodeConfig(configOf(description));
  const descriptors = layers.map(({ blobs, history, diffID, annotations }) => {
    const blob = blobs[encoding];
    if (!blob) throw new Fault('INPUT', `the layer ${history} (${diffID}) has no blob in ${encoding}`);
    return { mediaType: mediaTypeOf[encoding], digest: blob.digest, size: blob.size, annotations };
  });
  const manifest = encodeManifest({ config: config.descriptor, layers: descriptors, annotations });
  return { config, manifest, platform };
}

function configOf({ platform, layers, settings, created, author }: ImageDescription): ImageConfig {
  const { architecture, os, variant } = platform;
  const date = formatDate(created);
  return {
    created: date,
    author,
    architecture,
    os,
    variant,
    config: runConfig(settings),
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffID }) => diffID) },
    history: layers.map(({ history }) => ({ created: date, created_by: history })),
  };
}

/** RFC 3339, in whole seconds and UTC. */
function formatDate(seconds: number): string {
  const date = new Date(seconds * 1000);
  if (Number.isInteger(seconds) && date.getUTCFullYear() >= 1970 && date.getUTCFullYear() <= 9999) {
    return date.toISOString().replace('.000Z', 'Z');
  }
  throw new Fault('INPUT', `${seconds} is no time of creation`, { hint: 'give whole seconds since 1970' });
}

/**
 * The index of an image for several platforms, in an order that does not depend on the one given. Throws INPUT
 * if two are for the same platform.
 */
export function assembleIndex(images: readonly AssembledImage[], annotations?: Annotations): Document {
  const sorted = images.toSorted((a, b) => (platformName(a.platform) < platformName(b.platform) ? -1 : 1));
  const twice = sorted.find(({ platform }, at) => {
    const next = sorted[at + 1];
    return next && platformName(next.platform) === platformName(platform);
  });
  if (twice) throw new Fault('INPUT', `two images are for ${platformName(twice.platform)}`);
  const manifests = sorted.map(({ manifest, platform: { architecture, os, variant } }) => ({
    mediaType: manifest.descriptor.mediaType,
    digest: manifest.descriptor.digest,
    size: manifest.descriptor.size,
    platform: present<Platform>({ architecture, os, variant }),
  }));
  return encodeIndex({ manifests, annotations });
}
