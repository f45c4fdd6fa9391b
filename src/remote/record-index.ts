import {
  decodeDigest,
  type Descriptor,
  describe,
  type Document,
  mediaTypes,
} from '../../builder/descriptor.ts';
import { digestOf, hexOf } from '../../builder/digest.ts';
import { Fault } from '../../builder/fault.ts';
import {
  canonicalJson,
  count,
  type Field,
  items,
  type Json,
  member,
  parseJson,
  string,
  strings,
  wrong,
} from '../../builder/json.ts';
import { decodeManifest, encodeManifest } from '../../builder/manifest.ts';
import { isArchitecture } from '../package/architecture.ts';
import { isName, isVersion } from '../package/name.ts';
import { checkRecord } from '../package/record-file.ts';
import type { Entry } from './entry.ts';

/**
 * The index of a repository: an artifact whose layers are shards, each the records of the names whose SHA-256
 * begins with the same digits, as JSON. Who has read it before reads the shards that are others now, and who
 * changes a package writes one. The bytes are a function of the entries alone.
 */
export const indexType = 'application/vnd.static-distro.packages.v1';
const shardType = 'application/vnd.static-distro.records.v1+json';

const format = 1;

/** Hex digits that the names of a shard have in common. */
const prefixLength = (entries: number): number => (entries <= 64 ? 0 : entries <= 4096 ? 1 : 2);

export const emptyConfig: Document = describe(mediaTypes.empty, Buffer.from('{}'));

export type EncodedIndex = { readonly manifest: Document; readonly shards: readonly Document[] };

export function encodeIndexOf(entries: readonly Entry[]): EncodedIndex {
  const length = prefixLength(entries.length);
  const groups = Map.groupBy(entries, ({ name }) => hexOf(digestOf(name)).slice(0, length));
  if (entries.length === 0) groups.set('', []);
  const shards = [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, group]) =>
      describe(shardType, canonicalJson({ format, packages: group.toSorted(inOrder).map(jsonOf) })),
    );
  const manifest = encodeManifest({
    artifactType: indexType,
    config: emptyConfig.descriptor,
    layers: shards.map(({ descriptor }) => descriptor),
  });
  return { manifest, shards };
}

/** Any order will do that is always the same. */
const keyOf = ({ name, version, architecture }: Entry): string => `${name} ${version} ${architecture}`;
const inOrder = (a: Entry, b: Entry): number => (keyOf(a) < keyOf(b) ? -1 : 1);

export const jsonOf = ({ name, version, architecture, manifest, record, builds }: Entry): Json => ({
  name,
  version,
  architecture,
  manifest: { digest: manifest.digest, size: manifest.size },
  record,
  builds,
});

/** The shards of an index. Throws INPUT, naming `where`, for what is no index of ours. */
export function decodeIndexOf({ descriptor, bytes }: Document, where: string): readonly Descriptor[] {
  const { artifactType, layers } = decodeManifest(bytes, descriptor.mediaType, where);
  const alien = layers.find(({ mediaType }) => mediaType !== shardType);
  if (artifactType === indexType && !alien) return layers;
  throw new Fault('INPUT', `${where}: is no index of packages that is known here`, {
    hint: 'name another repository; or a newer version of the tools wrote it: use that one',
  });
}

/** Throws INPUT, naming `where` and the field. What the controls say is not looked at. */
export function decodeShard(bytes: Uint8Array, where: string): readonly Entry[] {
  const shard = parseJson(bytes, where);
  if (member(shard, 'format').value !== format) wrong(member(shard, 'format'), String(format));
  return items(member(shard, 'packages')).map(decodeEntry);
}

export function decodeEntry(field: Field): Entry {
  const [name, version, architecture] = ['name', 'version', 'architecture'].map((each) =>
    string(member(field, each)),
  );
  if (name === undefined || !isName(name)) return wrong(member(field, 'name'), 'a name');
  if (version === undefined || !isVersion(version)) return wrong(member(field, 'version'), 'a version');
  if (architecture === undefined || !isArchitecture(architecture))
    return wrong(member(field, 'architecture'), 'an architecture');
  const manifest = member(field, 'manifest');
  const { layer, ...record } = checkRecord(member(field, 'record').value, `${field.document}: ${field.path}`);
  if (!layer) return wrong(member(member(field, 'record'), 'layer'), 'a layer');
  return {
    name,
    version,
    architecture,
    manifest: { digest: decodeDigest(member(manifest, 'digest')), size: count(member(manifest, 'size')) },
    record: { ...record, layer },
    builds: strings(member(field, 'builds')),
  };
}
