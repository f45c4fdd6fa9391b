import { digestOf, hexOf } from '../../builder/digest.ts';
import { packagePath } from '../package/name.ts';
import { commonEntries, deviceEntries, linkedEntries, type ProfileEntry } from './entry.ts';
import { mergedEntries } from './merge.ts';
import { compareBytes } from '../package/order.ts';
import { claimTree, type ProfilePackage } from './tree.ts';

/** Part of every profile's key; another number for every change of what a set's profile is. */
const profileFormat = 1;

/**
 * The profile of a set: what joins its packages into one root (DESIGN section 4, "Linking, the profile"). A
 * function of the set and of nothing else; each directory comes before what is in it, names by their bytes.
 * Throws UNSATISFIABLE, naming both, where two packages bring the same name, and INPUT for a link that no
 * root can have.
 */
export function profileEntries(packages: readonly ProfilePackage[]): ProfileEntry[] {
  return mergedEntries(claimTree([...commonEntries, ...linkedEntries], sorted(packages)));
}

/** What only the profile's directory has, for the helper to mount on; comes after {@link profileEntries}. */
export function mountEntries(packages: readonly Pick<ProfilePackage, 'name' | 'version'>[]): ProfileEntry[] {
  const paths = new Set<string>();
  for (const { name, version } of packages) {
    paths.add(`packages/${name}`);
    paths.add(packagePath(name, version));
  }
  const directories = [...paths].sort(compareBytes);
  return [
    ...deviceEntries,
    ...directories.map((path): ProfileEntry => ({ kind: 'directory', path, mode: 0o755 })),
  ];
}

/** 64 hex digits: SHA-256 over the format and over name, version, priority and links of each package. */
export function profileKey(packages: readonly ProfilePackage[]): string {
  const content = sorted(packages).map(({ name, version, priority, links }) => [
    name,
    version,
    priority,
    links.flatMap(({ path, type }) => [type, path]),
  ]);
  return hexOf(digestOf(JSON.stringify([profileFormat, content])));
}

/** The order of a request must not show in its profile. */
function sorted(packages: readonly ProfilePackage[]): ProfilePackage[] {
  return [...packages].sort((a, b) => compareBytes(a.name, b.name) || compareBytes(a.version, b.version));
}
