import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { decodeDescriptor, decodeDigest, type Descriptor } from '../../builder/descriptor.ts';
import { type Digest, digestOf } from '../../builder/digest.ts';
import { asFault, Fault } from '../../builder/fault.ts';
import { canonicalJson, items, type Json, member, parseJson, string, strings } from '../../builder/json.ts';
import { writeDurably } from '../package/durable.ts';
import { quote } from '../package/name.ts';
import type { ImageRequest, PlannedImage } from './build.ts';
import { titleOf } from '../layer/package.ts';

/** What has to be the same again; a lock file says more, for people and for whoever compares two of them. */
export type ImageLock = {
  readonly packages: readonly { readonly name: string; readonly version: string; readonly diffID: Digest }[];
  /** The layers of packages from bottom to top, each package as `NAME VERSION`. */
  readonly plan: readonly (readonly string[])[];
  readonly description: Digest;
  readonly profile: Digest;
  readonly id: Digest;
  readonly manifest: Descriptor;
};

const format = 1;

/** Of all that is asked for beside packages; of files their names, as what is in them is in the layer. */
function descriptionDigest({
  settings,
  annotations,
  additions,
  budget,
  encoding,
  created,
}: ImageRequest): Digest {
  const files = additions.files.map(({ path, content, mode, uid = 0, gid = 0 }): Json => [
    path,
    content === 'directory' ? content : 'text' in content ? { text: content.text } : 'file',
    mode ?? null,
    uid,
    gid,
  ]);
  const all = { settings, annotations, files, accounts: additions.accounts, budget, encoding, created };
  return digestOf(canonicalJson(all as unknown as Json));
}

const line = (value: unknown): string => canonicalJson(value as Json).toString();

/** The text of a lock: JSON, sorted, one package a line. The same for the same image. */
export function formatLock(request: ImageRequest, { image, packages, layers }: PlannedImage): string {
  const [profile, settings] = layers.filter(({ members }) => members.length === 0);
  const rows = [...packages]
    .map(([each, { diffID, size, blobs }]) =>
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
      }),
    )
    .join(',\n    ');
  const fields: readonly (readonly [string, string])[] = [
    ['created', line(request.created)],
    ['description', line(descriptionDigest(request))],
    ['encoding', line(request.encoding)],
    ['formats', line({ lock: format, layer: 1, profile: 1 })],
    ['id', line(image.config.descriptor.digest)],
    ['manifest', line(image.manifest.descriptor)],
    ['packages', `[\n    ${rows}\n  ]`],
    ['plan', line(layers.flatMap(({ members }) => (members.length === 0 ? [] : [members.map(titleOf)])))],
    ['platform', line(image.platform)],
    ['profile', line(profile?.layer ?? null)],
    ['settings', line(settings?.layer ?? null)],
  ];
  return `{\n${fields.map(([name, value]) => `  ${JSON.stringify(name)}: ${value}`).join(',\n')}\n}\n`;
}

export function writeLock(path: string, text: string): void {
  try {
    writeDurably(dirname(path), path, Buffer.from(text));
  } catch (error) {
    throw asFault(error, `writing ${quote(path)}`);
  }
}

/** Throws NOT_FOUND, or INPUT, naming file and field, for what is no lock or one of another format. */
export function readLock(path: string): ImageLock {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw asFault(error, `reading ${quote(path)}`);
  }
  const lock = parseJson(bytes, path);
  const found = member(member(lock, 'formats'), 'lock').value;
  if (found !== format) {
    throw new Fault('INPUT', `${quote(path)}: a lock of format ${String(found)} is not known here`, {
      hint: 'make it again: build with --lock and without --locked',
    });
  }
  return {
    packages: items(member(lock, 'packages')).map((each) => ({
      name: string(member(each, 'name')),
      version: string(member(each, 'version')),
      diffID: decodeDigest(member(each, 'diffID')),
    })),
    plan: items(member(lock, 'plan')).map(strings),
    description: decodeDigest(member(lock, 'description')),
    profile: decodeDigest(member(member(lock, 'profile'), 'diffID')),
    id: decodeDigest(member(lock, 'id')),
    manifest: decodeDescriptor(member(lock, 'manifest')),
  };
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
    : descriptionDigest(request) !== lock.description
      ? 'its description is another'
      : profile === lock.profile
        ? 'added files, annotations or formats are others'
        : 'its profile is another';
  throw new Fault('INTEGRITY', `the image is not the one in ${quote(path)}: ${why}`, {
    hint: 'to take it as it is now, leave out --locked, and the lock is written again',
  });
}
