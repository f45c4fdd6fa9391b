import { decodeDescriptor, decodeDigest, decodePlatform, type Descriptor } from '../../builder/descriptor.ts';
import { type Digest, digestOf } from '../../builder/digest.ts';
import { Fault } from '../../builder/fault.ts';
import { platformName } from '../../builder/image/platform.ts';
import {
  canonicalJson,
  type Field,
  items,
  type Json,
  member,
  members,
  string,
  strings,
} from '../../builder/json.ts';
import { display, quote } from '../package/name.ts';
import type { ImageRequest, PlannedImage } from './build.ts';
import type { NamedLayer } from './package-layers.ts';
import { titleOf } from '../layer/package.ts';

/** What has to be the same again of an image for one platform; a lock file says more, for people and for whoever compares two of them. */
export type ImageLock = {
  readonly platform: string;
  readonly packages: readonly { readonly name: string; readonly version: string; readonly diffID: Digest }[];
  /** The layers of packages from bottom to top, each package as `NAME VERSION`. */
  readonly plan: readonly (readonly string[])[];
  readonly description: Digest;
  /** The digest of each field of the description; locks of earlier versions have none. */
  readonly fields: ReadonlyMap<string, Digest>;
  /** The constraints as they were written, sorted. */
  readonly request: readonly string[];
  readonly profile: Digest;
  readonly id: Digest;
  readonly manifest: Descriptor;
};

export const lockFormats = { lock: 1, layer: 1, profile: 1 } as const;

/** All that is asked for beside packages; of files their names, as what is in them is in the layer. */
function descriptionOf({ settings, annotations, additions, budget, encoding, created }: ImageRequest) {
  const files = additions.files.map(({ path, content, mode, uid = 0, gid = 0 }): Json => [
    path,
    content === 'directory' ? content : 'text' in content ? { text: content.text } : 'file',
    mode ?? null,
    uid,
    gid,
  ]);
  return { settings, annotations, files, accounts: additions.accounts, budget, encoding, created };
}

const digestOfValue = (value: unknown): Digest => digestOf(canonicalJson(value as Json));

/** By the names that a description has for them, so that whoever reads of a difference knows where to look. */
function fieldDigests(request: ImageRequest): ReadonlyMap<string, Digest> {
  const { settings, ...others } = descriptionOf(request);
  return new Map(
    Object.entries({ ...settings, ...others }).map(([name, value]) => [name, digestOfValue(value)]),
  );
}

/** The constraints without order. */
const requestOf = ({ asked }: Pick<ImageRequest, 'asked'>): readonly string[] => [...asked].sort();

const line = (value: unknown): string => canonicalJson(value as Json).toString();

const list = (rows: readonly string[]): string =>
  rows.length === 0 ? '[]' : `[\n    ${rows.join(',\n    ')}\n  ]`;

/** A layer that several packages share. */
const formatGroup = ({ layer: { diffID, size, blobs }, members }: NamedLayer): string =>
  line({ packages: members.map(titleOf), diffID, size, blobs });

/** The registries that packages are from, each with the digest of the index that it had, null if none. */
const repositoriesOf = ({ packages }: ImageRequest) =>
  Object.fromEntries(
    packages.flatMap(({ published }) =>
      published ? [[published.repository, published.index ?? null] as const] : [],
    ),
  );

/** The lock of one image: JSON, sorted, one package a line. The same for the same image. */
export function formatImageLock(request: ImageRequest, { image, packages, layers }: PlannedImage): string {
  const [profile, settings] = layers.filter(({ members }) => members.length === 0);
  const rows = [...packages].map(([each, { diffID, size, blobs }]) =>
    line({
      name: each.name,
      version: each.version,
      diffID,
      size,
      blobs,
      control: digestOf(each.record.control),
      rank: each.control.layerRank,
      origin: each.record.origin ?? null,
      source: each.record.source ?? null,
      published: each.published && {
        repository: each.published.repository,
        manifest: each.published.manifest,
      },
    }),
  );
  const fields: readonly (readonly [string, string])[] = [
    ['created', line(request.created)],
    ['description', line(digestOfValue(descriptionOf(request)))],
    ['encoding', line(request.encoding)],
    ['fields', line(Object.fromEntries(fieldDigests(request)))],
    ['formats', line(lockFormats)],
    ['groups', list(layers.filter(({ members }) => members.length > 1).map(formatGroup))],
    ['id', line(image.config.descriptor.digest)],
    ['manifest', line(image.manifest.descriptor)],
    ['packages', list(rows)],
    ['plan', line(layers.flatMap(({ members }) => (members.length === 0 ? [] : [members.map(titleOf)])))],
    ['platform', line(image.platform)],
    ['profile', line(profile?.layer ?? null)],
    ['repositories', line(repositoriesOf(request))],
    ['request', line(requestOf(request))],
    ['settings', line(settings?.layer ?? null)],
  ];
  return `{\n${fields.map(([name, value]) => `  ${JSON.stringify(name)}: ${value}`).join(',\n')}\n}`;
}

/** Throws INPUT, naming the field. */
export const decodeImageLock = (lock: Field): ImageLock => ({
  platform: platformName(decodePlatform(member(lock, 'platform'))),
  packages: items(member(lock, 'packages')).map((each) => ({
    name: string(member(each, 'name')),
    version: string(member(each, 'version')),
    diffID: decodeDigest(member(each, 'diffID')),
  })),
  plan: items(member(lock, 'plan')).map(strings),
  description: decodeDigest(member(lock, 'description')),
  fields: decodeFields(member(lock, 'fields')),
  request: strings(member(lock, 'request')),
  profile: decodeDigest(member(member(lock, 'profile'), 'diffID')),
  id: decodeDigest(member(lock, 'id')),
  manifest: decodeDescriptor(member(lock, 'manifest')),
});

const decodeFields = (fields: Field): ReadonlyMap<string, Digest> =>
  fields.value === undefined
    ? new Map()
    : new Map(Object.keys(members(fields)).map((name) => [name, decodeDigest(member(fields, name))]));

/** Throws INTEGRITY, naming the first difference, unless the packages are asked for as they were. */
export function checkAsked(path: string, lock: ImageLock, request: Pick<ImageRequest, 'asked'>): void {
  const asked = requestOf(request);
  const added = asked.find((constraint) => !lock.request.includes(constraint));
  const gone = lock.request.find((constraint) => !asked.includes(constraint));
  if (added === undefined && gone === undefined) return;
  const why =
    added === undefined ? `${quote(gone ?? '')} is not asked for any more` : `${quote(added)} is not in it`;
  throw new Fault('INTEGRITY', `what is asked for is not what is in ${quote(path)}: ${why}`, {
    hint: `the lock is of ${lock.request.map(quote).join(' ')}; to make another one, leave out --locked`,
  });
}

/** Throws INTEGRITY, and says what is other, unless the image is the one that was locked. */
export function checkLocked(
  path: string,
  lock: ImageLock,
  request: ImageRequest,
  planned: PlannedImage,
): void {
  const { image, packages, layers } = planned;
  if (image.manifest.descriptor.digest === lock.manifest.digest) return;
  const before = new Map(lock.packages.map(({ name, version, diffID }) => [`${name} ${version}`, diffID]));
  const other = [...packages].find(([each, { diffID }]) => before.get(titleOf(each)) !== diffID);
  const profile = layers.find(({ members }) => members.length === 0)?.layer.diffID;
  const why = other
    ? `${titleOf(other[0])} has other files`
    : digestOfValue(descriptionOf(request)) !== lock.description
      ? `its description is another${changedFields(lock, request)}`
      : profile === lock.profile
        ? 'added files, annotations or formats are others'
        : 'its profile is another';
  throw new Fault('INTEGRITY', `the image is not the one in ${quote(path)}: ${why}`, {
    hint: 'to take it as it is now, leave out --locked, and the lock is written again',
  });
}

/** `: env, user`; nothing where the lock does not tell. */
function changedFields({ fields }: ImageLock, request: ImageRequest): string {
  const now = fieldDigests(request);
  const changed = [...new Set([...fields.keys(), ...now.keys()])].filter(
    (name) => fields.get(name) !== now.get(name),
  );
  return fields.size === 0 || changed.length === 0 ? '' : `: ${changed.sort().map(display).join(', ')}`;
}
