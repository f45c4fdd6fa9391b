import { compressionOf, type Descriptor, isImageConfig, isIndex, isManifest } from '../descriptor.ts';
import { Fault } from '../fault.ts';
import {
  decodeConfig,
  decodeIndex,
  decodeManifest,
  type ImageConfig,
  type ImageManifest,
} from '../manifest.ts';
import { readBlob } from '../store/blob.ts';
import { limit } from '../store/limit.ts';
import type { BlobStore } from '../store/store.ts';
import { platformName } from './platform.ts';
import { mostLayers } from './layering.ts';
import { validateLayer } from './validate-layer.ts';

/** Something that is not as it must be; `subject` is the digest of the document or layer. */
export type Violation = { readonly subject: string; readonly message: string };

export type ValidateOptions = {
  /** Read and unpack every layer, to compare its diffID; otherwise documents alone. */
  readonly content?: boolean;
  /** Bytes that a layer may unpack to. */
  readonly most?: number;
  /** What has been found of layers, for whoever validates several images: those that they share are read once. */
  readonly seen?: Map<string, Promise<readonly Violation[]>>;
};

/**
 * Every invariant of an image, or of an index of images, that a store's own check cannot know, as that only looks
 * at blobs: that documents fit each other, and layers what the config says of them. Empty if all is well.
 */
export async function validate(
  store: BlobStore,
  descriptor: Descriptor,
  options: ValidateOptions = {},
): Promise<readonly Violation[]> {
  try {
    if (isIndex(descriptor.mediaType)) return await validateIndex(store, descriptor, options);
    if (isManifest(descriptor.mediaType)) return await validateImage(store, descriptor, options);
    return [{ subject: descriptor.digest, message: `a ${descriptor.mediaType} is no image` }];
  } catch (error) {
    return [violation(descriptor, error)];
  }
}

const violation = ({ digest }: Descriptor, error: unknown): Violation => {
  if (error instanceof Fault) return { subject: digest, message: error.message };
  throw error;
};

async function validateIndex(
  store: BlobStore,
  descriptor: Descriptor,
  options: ValidateOptions,
): Promise<readonly Violation[]> {
  const { digest, mediaType } = descriptor;
  const { manifests } = decodeIndex(await readBlob(store, descriptor), mediaType, digest);
  const found: Violation[] = [];
  const platforms = new Set<string>();
  for (const { platform } of manifests) {
    if (!platform || platform.os === 'unknown') continue;
    const name = platformName(platform);
    if (platforms.has(name)) found.push({ subject: digest, message: `two images are for ${name}` });
    platforms.add(name);
  }
  for (const entry of manifests) found.push(...(await validate(store, entry, options)));
  return found;
}

async function validateImage(
  store: BlobStore,
  descriptor: Descriptor,
  {
    content = false,
    most = 2 ** 40,
    seen = new Map<string, Promise<readonly Violation[]>>(),
  }: ValidateOptions,
): Promise<readonly Violation[]> {
  const { digest, mediaType } = descriptor;
  const manifest = decodeManifest(await readBlob(store, descriptor), mediaType, digest);
  // An artifact has layers of its own kind, and nothing that could be run.
  if (!isImageConfig(manifest.config.mediaType)) return [];
  const config = decodeConfig(await readBlob(store, manifest.config), manifest.config.digest);
  const say = (message: string): Violation => ({ subject: digest, message });
  const found = [...between(manifest, config)].map(say);
  const { platform } = descriptor;
  if (platform && platformName(platform) !== platformName(config)) {
    found.push(say(`the index says ${platformName(platform)}, the config ${platformName(config)}`));
  }
  if (!content || found.length > 0) return found;
  const slots = limit(2);
  const checks = manifest.layers.map((layer, at) => {
    const diffID = config.rootfs.diff_ids[at] ?? '';
    const key = `${layer.mediaType} ${layer.digest} ${diffID}`;
    const result = seen.get(key) ?? slots(() => checkLayer(store, layer, diffID, most));
    seen.set(key, result);
    return result;
  });
  return [...found, ...(await Promise.all(checks)).flat()];
}

function* between({ layers }: ImageManifest, { rootfs, history, created }: ImageConfig): Generator<string> {
  const { length } = rootfs.diff_ids;
  if (layers.length !== length) yield `it has ${layers.length} layers, and its config ${length}`;
  if (layers.length > mostLayers) yield `it has ${layers.length} layers; docker runs ${mostLayers}`;
  for (const { mediaType, digest } of layers) {
    if (compressionOf(mediaType) === undefined) yield `the layer ${digest} is a ${mediaType}`;
  }
  const told = history?.filter(({ empty_layer: empty }) => !empty).length ?? length;
  if (told !== length) yield `its history tells of ${told} layers, and there are ${length}`;
  for (const date of [created, ...(history ?? []).map((entry) => entry.created)]) {
    if (date !== undefined && !isDate(date)) yield `${JSON.stringify(date)} is no date of RFC 3339`;
  }
}

const isDate = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(text) &&
  !Number.isNaN(Date.parse(text));

async function checkLayer(
  store: BlobStore,
  layer: Descriptor,
  diffID: string,
  most: number,
): Promise<readonly Violation[]> {
  try {
    const message = await validateLayer(store, layer, diffID, most);
    return message === undefined ? [] : [{ subject: layer.digest, message }];
  } catch (error) {
    return [violation(layer, error)];
  }
}
