import {
  type Annotations,
  decodeAnnotations,
  decodeDescriptor,
  decodeDigest,
  describe,
  type Descriptor,
  type Document,
  isIndex,
  isManifest,
  mediaTypes,
} from './descriptor.ts';
import type { Digest } from './digest.ts';
import {
  canonicalJson,
  type Field,
  items,
  member,
  members,
  optional,
  present,
  parseJson,
  record,
  string,
  strings,
  wrong,
} from './json.ts';

/** image-spec, manifest.md; docker's version 2, schema 2 has the same fields. */
export type ImageManifest = {
  readonly schemaVersion: 2;
  readonly mediaType?: string | undefined;
  readonly artifactType?: string | undefined;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor | undefined;
  readonly annotations?: Annotations | undefined;
};

/** image-spec, image-index.md; docker's manifest list has the same fields. */
export type ImageIndex = {
  readonly schemaVersion: 2;
  readonly mediaType?: string | undefined;
  readonly artifactType?: string | undefined;
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor | undefined;
  readonly annotations?: Annotations | undefined;
};

/** image-spec, config.md. Fields that we never write and nobody needs are not read. */
export type ImageConfig = {
  readonly created?: string | undefined;
  readonly author?: string | undefined;
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string | undefined;
  readonly config?: RunConfig | undefined;
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly Digest[] };
  readonly history?: readonly History[] | undefined;
};

type Flags = Readonly<Record<string, Readonly<Record<string, never>>>>;

export type RunConfig = {
  readonly User?: string | undefined;
  readonly ExposedPorts?: Flags | undefined;
  readonly Env?: readonly string[] | undefined;
  readonly Entrypoint?: readonly string[] | undefined;
  readonly Cmd?: readonly string[] | undefined;
  readonly Volumes?: Flags | undefined;
  readonly WorkingDir?: string | undefined;
  readonly Labels?: Annotations | undefined;
  readonly StopSignal?: string | undefined;
};

export type History = {
  readonly created?: string | undefined;
  readonly created_by?: string | undefined;
  readonly author?: string | undefined;
  readonly comment?: string | undefined;
  readonly empty_layer?: boolean | undefined;
};

export const encodeManifest = (manifest: Omit<ImageManifest, 'schemaVersion' | 'mediaType'>): Document =>
  describe(
    mediaTypes.manifest,
    canonicalJson({ ...manifest, schemaVersion: 2, mediaType: mediaTypes.manifest }),
  );

export const encodeIndex = (index: Omit<ImageIndex, 'schemaVersion' | 'mediaType'>): Document =>
  describe(mediaTypes.index, canonicalJson({ ...index, schemaVersion: 2, mediaType: mediaTypes.index }));

export const encodeConfig = (config: ImageConfig): Document =>
  describe(mediaTypes.config, canonicalJson(config));

/**
 * Throws INPUT, naming `document` and the field, unless the bytes are an image manifest; if they say a media
 * type, it must be `mediaType`. A document that could be read as an index too is refused (CVE-2021-41190).
 */
export function decodeManifest(bytes: Uint8Array, mediaType: string, document: string): ImageManifest {
  const field = parseJson(bytes, document);
  const { schemaVersion, ...common } = decodeCommon(field, mediaType, 'manifests');
  return {
    schemaVersion,
    ...common,
    config: decodeDescriptor(member(field, 'config')),
    layers: items(member(field, 'layers')).map(decodeDescriptor),
  };
}

/** As {@link decodeManifest}, for an index. */
export function decodeIndex(bytes: Uint8Array, mediaType: string, document: string): ImageIndex {
  const field = parseJson(bytes, document);
  const { schemaVersion, ...common } = decodeCommon(field, mediaType, 'layers');
  return {
    schemaVersion,
    ...common,
    manifests: items(member(field, 'manifests')).map(decodeDescriptor),
  };
}

function decodeCommon(field: Field, mediaType: string, alien: 'manifests' | 'layers') {
  if (members(field)['schemaVersion'] !== 2) wrong(member(field, 'schemaVersion'), '2');
  if (members(field)[alien] !== undefined) wrong(member(field, alien), `no such field in a ${mediaType}`);
  const own = member(field, 'mediaType');
  return present({
    schemaVersion: 2 as const,
    mediaType: optional(own, (f) => (string(f) === mediaType ? mediaType : wrong(f, mediaType))),
    artifactType: optional(member(field, 'artifactType'), string),
    subject: optional(member(field, 'subject'), decodeDescriptor),
    annotations: decodeAnnotations(member(field, 'annotations')),
  });
}

/** Throws INPUT, naming `document` and the field, unless the bytes are the config of an image. */
export function decodeConfig(bytes: Uint8Array, document: string): ImageConfig {
  const field = parseJson(bytes, document);
  const rootfs = member(field, 'rootfs');
  const type = member(rootfs, 'type');
  if (string(type) !== 'layers') wrong(type, '"layers"');
  return present<ImageConfig>({
    created: optional(member(field, 'created'), string),
    author: optional(member(field, 'author'), string),
    architecture: string(member(field, 'architecture')),
    os: string(member(field, 'os')),
    variant: optional(member(field, 'variant'), string),
    config: optional(member(field, 'config'), decodeRunConfig),
    rootfs: { type: 'layers', diff_ids: items(member(rootfs, 'diff_ids')).map(decodeDigest) },
    history: optional(member(field, 'history'), (list) => items(list).map(decodeHistory)),
  });
}

/** Go's `map[string]struct{}`: a set of names. */
const flags = (map: Field): Flags => record(map, (flag) => (members(flag), {}));

function decodeRunConfig(field: Field): RunConfig {
  return present<RunConfig>({
    User: optional(member(field, 'User'), string),
    ExposedPorts: optional(member(field, 'ExposedPorts'), flags),
    Env: optional(member(field, 'Env'), strings),
    Entrypoint: optional(member(field, 'Entrypoint'), strings),
    Cmd: optional(member(field, 'Cmd'), strings),
    Volumes: optional(member(field, 'Volumes'), flags),
    WorkingDir: optional(member(field, 'WorkingDir'), string),
    Labels: decodeAnnotations(member(field, 'Labels')),
    StopSignal: optional(member(field, 'StopSignal'), string),
  });
}

function decodeHistory(field: Field): History {
  const empty = member(field, 'empty_layer');
  return present<History>({
    created: optional(member(field, 'created'), string),
    created_by: optional(member(field, 'created_by'), string),
    author: optional(member(field, 'author'), string),
    comment: optional(member(field, 'comment'), string),
    empty_layer: optional(empty, (f) => (typeof f.value === 'boolean' ? f.value : wrong(f, 'true or false'))),
  });
}

/** The documents and blobs that a document needs, in its order; empty for everything that is a leaf. */
export function childrenOf(descriptor: Descriptor, bytes: Uint8Array, document: string): Descriptor[] {
  const { mediaType } = descriptor;
  if (isIndex(mediaType)) return [...decodeIndex(bytes, mediaType, document).manifests];
  if (!isManifest(mediaType)) return [];
  const { config, layers } = decodeManifest(bytes, mediaType, document);
  return [config, ...layers];
}

/** Whether the descriptor is of a document that has children. */
export const hasChildren = ({ mediaType }: Descriptor): boolean =>
  isManifest(mediaType) || isIndex(mediaType);
