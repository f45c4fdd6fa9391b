import { packagePath } from '../package/name.ts';
import { cachedProfile } from './cache.ts';
import { mountEntries, profileEntries, profileKey } from './profile.ts';
import type { ProfilePackage } from './tree.ts';

/** A file or directory that is mounted read-only at `target`, which is relative to the root. */
export type Bind = { readonly source: string; readonly target: string };

/** What the helper needs to make a root: a directory with every name in it, and what is mounted there. */
export type Root = { readonly profile: string; readonly binds: readonly Bind[] };

/** A package and where its finished tree is on this machine. */
export type MountedPackage = ProfilePackage & { readonly tree: string };

/** A package as far as it is only mounted and none of its names is linked. */
export type PlainPackage = Pick<MountedPackage, 'name' | 'version' | 'tree'>;

/** The root that holds exactly these packages. `profiles` is the cache of profiles, `made` called if its profile is new there. */
export function packagesRoot(profiles: string, packages: readonly MountedPackage[], made?: () => void): Root {
  const entries = () => [...profileEntries(packages), ...mountEntries(packages)];
  const profile = cachedProfile(profiles, profileKey(packages), entries, made);
  return { profile, binds: packageBinds(packages) };
}

/** The same root, looked at without making it. Throws where making it would find a clash. */
export function plannedRoot(profiles: string, packages: readonly MountedPackage[]): Root {
  profileEntries(packages);
  return { profile: `${profiles}/${profileKey(packages)}`, binds: packageBinds(packages) };
}

export const packageBinds = (packages: readonly PlainPackage[]): Bind[] =>
  packages.map(({ name, version, tree }) => ({ source: tree, target: packagePath(name, version) }));
