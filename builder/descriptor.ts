import { checkDigest, type Digest, digestOf, type Sized } from './digest.ts';
import { count, type Field, member, optional, present, record, string, strings, wrong } from './json.ts';

/** Media types of OCI (image-spec, media-types.md) and of docker's version 2, schema 2. */
export const mediaTypes = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  layerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  layerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  empty: 'application/vnd.oci.empty.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
} as const;

export const isManifest = (mediaType: string): boolean =>
  mediaType === mediaTypes.manifest || mediaType === mediaTypes.dockerManifest;

export const isIndex = (mediaType: string): boolean =>
  mediaType === mediaTypes.index || mediaType === mediaTypes.dockerIndex;

export const isImageConfig = (mediaType: string): boolean =>
  mediaType === mediaTypes.config || mediaType === mediaTypes.dockerConfig;

/** How the tar in a layer of this media type is compressed; undefined if it is no layer that we can read. */
export function compressionOf(mediaType: string): 'none' | 'gzip' | 'zstd' | undefined {
  if (mediaType === mediaTypes.layer || mediaType === mediaTypes.dockerLayer) return 'none';
  if (mediaType === mediaTypes.layerGzip || mediaType === mediaTypes.dockerLayerGzip) return 'gzip';
  return mediaType === mediaTypes.layerZstd ? 'zstd' : undefined;
}

/** Layers that may be kept elsewhere: nobody has to store or to send them. */
export const isForeign = ({ mediaType }: Descriptor): boolean =>
  /\.(nondistributable|foreign)\./.test(mediaType);

export type Annotations = Readonly<Record<string, string>>;

/** Names of annotations (image-spec, annotations.md) that have a meaning to us. */
export const refName = 'org.opencontainers.image.ref.name';

/** As Go names them: `amd64`, `arm64`; `linux`. */
export type Platform = {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string | undefined;
  readonly 'os.version'?: string | undefined;
  readonly 'os.features'?: readonly string[] | undefined;
};

/** What something is, how long, and the digest of its bytes (image-spec, descriptor.md). */
export type Descriptor = Sized & {
  readonly mediaType: string;
  readonly artifactType?: string | undefined;
  readonly platform?: Platform | undefined;
  readonly annotations?: Annotations | undefined;
  readonly urls?: readonly string[] | undefined;
  readonly data?: string | undefined;
};

/** Bytes and what they are called. */
export type Document = { readonly descriptor: Descriptor; readonly bytes: Uint8Array };

export const describe = (mediaType: string, bytes: Uint8Array): Document => ({
  descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length },
  bytes,
});

export const decodeDigest = (field: Field): Digest =>
  checkDigest(string(field), `${field.document}: ${field.path}`);

export function decodeDescriptor(field: Field): Descriptor {
  return present<Descriptor>({
    mediaType: decodeMediaType(member(field, 'mediaType')),
    digest: decodeDigest(member(field, 'digest')),
    size: count(member(field, 'size')),
    artifactType: optional(member(field, 'artifactType'), string),
    platform: optional(member(field, 'platform'), decodePlatform),
    annotations: decodeAnnotations(member(field, 'annotations')),
    urls: optional(member(field, 'urls'), strings),
    data: optional(member(field, 'data'), string),
  });
}

export const decodeAnnotations = (field: Field): Annotations | undefined =>
  optional(field, (map) => record(map, string));

/** RFC 6838, section 4.2. */
const mediaTypePattern = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/;

function decodeMediaType(field: Field): string {
  const text = string(field);
  return mediaTypePattern.test(text) ? text : wrong(field, 'a media type');
}

export function decodePlatform(field: Field): Platform {
  return present<Platform>({
    architecture: string(member(field, 'architecture')),
    os: string(member(field, 'os')),
    variant: optional(member(field, 'variant'), string),
    'os.version': optional(member(field, 'os.version'), string),
    'os.features': optional(member(field, 'os.features'), strings),
  });
}
