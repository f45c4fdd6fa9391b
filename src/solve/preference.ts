import { namesPrerelease, type Range } from '../package/constraint.ts';
import type { Provider } from '../package/stand-ins.ts';
import { compareVersionsTotally, isPrerelease } from '../package/version.ts';
import type { Locked } from './universe.ts';

/**
 * The versions of one name, best first: the locked one, then newest first, and those with `~` after all others
 * unless `range` names them: `>= 8~rc1` takes 8~rc2 for as good as 8, and still puts 9~rc1 last.
 */
export function orderVersions(
  versions: readonly string[],
  range: Range,
  locked: string | undefined,
): readonly string[] {
  if (versions.length < 2) return versions;
  const rank = (version: string) => {
    if (version === locked) return 0;
    return isPrerelease(version) && !namesPrerelease(range, version) ? 2 : 1;
  };
  return sortByRank(versions, (version) => version, rank);
}

/** Stand-ins, best first: locked ones, then by name, then newest first with those that have `~` at the end. */
export function orderProviders(providers: readonly Provider[], locked: Locked): readonly Provider[] {
  if (providers.length < 2) return providers;
  const isLocked = ({ name, version }: Provider) => locked.get(name) === version;
  const names = [...new Set(providers.map(({ name }) => name))].sort();
  const place = new Map(names.map((name, at) => [name, at]));
  return sortByRank(
    providers,
    ({ version }) => version,
    (provider) =>
      isLocked(provider)
        ? -1
        : 2 * (place.get(provider.name) ?? 0) + (isPrerelease(provider.version) ? 1 : 0),
  );
}

/** By rank, ascending; within a rank newest first, and by every other difference there is. */
function sortByRank<T>(
  list: readonly T[],
  version: (item: T) => string,
  rank: (item: T) => number,
): readonly T[] {
  return list
    .map((item) => ({ item, rank: rank(item), version: version(item) }))
    .sort((a, b) => a.rank - b.rank || compareVersionsTotally(b.version, a.version))
    .map(({ item }) => item);
}
