import { compareVersionsTotally } from '../package/version.ts';

/**
 * Some versions of a package in words, as ranges over those that exist, oldest first: "every version of menu",
 * "menu 1.1.0 to 1.5.0", "menu 1.0, 1.2 to 1.4 and 2.0".
 */
export function describeVersions(name: string, versions: readonly string[], all: readonly string[]): string {
  const wanted = new Set(versions);
  const [first, second] = all;
  if (second !== undefined && all.every((version) => wanted.has(version))) return `every version of ${name}`;
  if (second === undefined) return `${name} ${versions[0] ?? first ?? ''}`;
  const runs: string[][] = [];
  let open: string[] | undefined;
  for (const version of all.toSorted(compareVersionsTotally)) {
    if (!wanted.has(version)) {
      open = undefined;
    } else if (open) {
      open.push(version);
    } else {
      open = [version];
      runs.push(open);
    }
  }
  return `${name} ${list(runs.map(describeRun))}`;
}

/** What exists of a package, for somebody who asked for something else. */
export function describeExisting(name: string, all: readonly string[]): string {
  const sorted = all.toSorted(compareVersionsTotally);
  if (sorted.length === 1) return `only ${name} ${sorted.join('')} exists`;
  if (sorted.length <= 4) return `only ${name} ${list(sorted)} exist`;
  return `${name} exists from ${sorted[0] ?? ''} to ${sorted.at(-1) ?? ''} (${sorted.length} versions)`;
}

const describeRun = (run: readonly string[]): string =>
  run.length < 3 ? list(run) : `${run[0] ?? ''} to ${run.at(-1) ?? ''}`;

/** "a, b and c"; from the fifth on only how many more there are. */
export function list(items: readonly string[]): string {
  if (items.length > 4) return `${items.slice(0, 3).join(', ')} and ${items.length - 3} more`;
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1) ?? ''}`;
}
