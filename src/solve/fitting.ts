import { satisfies, type Range } from '../package/constraint.ts';
import { compareVersions } from '../package/version.ts';

/** Where looking at each is as good. */
const few = 8;

/** Those of `versions`, newest first, that `range` allows. Looks at few of many, for each bound is searched. */
export function versionsIn(versions: readonly string[], range: Range): readonly string[] {
  if (range.length === 0) return versions;
  if (versions.length <= few) return versions.filter((version) => satisfies(range, version));
  const allowed = new Set<number>();
  for (const set of range) {
    let [from, to] = [0, versions.length];
    for (const { op, version } of set) {
      if (op !== '!=' && op.startsWith('<')) from = Math.max(from, countAbove(versions, version, op === '<'));
      if (op.startsWith('>')) to = Math.min(to, countAbove(versions, version, op === '>='));
      if (op !== '=') continue;
      from = Math.max(from, countAbove(versions, version, false));
      to = Math.min(to, countAbove(versions, version, true));
    }
    const holes = set.filter(({ op }) => op === '!=');
    for (let at = from; at < to; at += 1) {
      if (holes.length === 0 || satisfies([holes], versions[at] ?? '')) allowed.add(at);
    }
  }
  return versions.filter((_, at) => allowed.has(at));
}

/** How many of `versions`, newest first, are newer than `bound`, or as new. */
function countAbove(versions: readonly string[], bound: string, orEqual: boolean): number {
  let [low, high] = [0, versions.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const order = compareVersions(versions[middle] ?? '', bound);
    if (order > 0 || (orEqual && order === 0)) low = middle + 1;
    else high = middle;
  }
  return low;
}
