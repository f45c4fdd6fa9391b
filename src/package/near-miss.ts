import { type Alternative, type Range, satisfies } from './constraint.ts';
import { compareVersionsTotally, isPrerelease } from './version.ts';

/**
 * Why none of `versions`, all that exist of the alternative's name, will do, where it is one of the traps of the
 * version order: a revision, a pre-release, an epoch, a shorthand of a date. One line with what to write instead.
 */
export function nearMiss({ name, range }: Alternative, versions: readonly string[]): string | undefined {
  for (const version of versions.toSorted((a, b) => compareVersionsTotally(b, a))) {
    const [epoch, rest] = splitEpoch(version);
    const write = `write "${name} = ${version}" to take it`;
    if (isPrerelease(version) && satisfies(range, version.slice(0, version.indexOf('~')).replace(/-$/, ''))) {
      return `${name} ${version} exists; what follows "~" makes it older than the version before it: ${write}`;
    }
    if (rest.includes('-') && satisfies(range, version.slice(0, version.lastIndexOf('-')))) {
      return `${name} ${version} exists; versions compare with their revision: ${write}`;
    }
    if (epoch !== '' && satisfies(range, rest)) {
      return `${name} ${version} exists; its epoch ${epoch} counts first, so write it in the constraint too: ${epoch}${rest}`;
    }
    if (epoch === '' && satisfies(withoutEpochs(range), rest)) {
      return `${name} ${version} exists, without an epoch, which counts first: leave it out of the constraint`;
    }
  }
  const date = pinnedDate(range);
  if (date === undefined) return undefined;
  return `a shorthand of ${date} takes that number only, as it would a major version: write "${name} >= ${date}"`;
}

function splitEpoch(version: string): [epoch: string, rest: string] {
  const colon = version.indexOf(':') + 1;
  return [version.slice(0, colon), version.slice(colon)];
}

const withoutEpochs = (range: Range): Range =>
  range.map((set) => set.map(({ op, version }) => ({ op, version: splitEpoch(version)[1] })));

/** The lower bound of a set such as `>= 20170323 < 20170324~~`: no upstream counts its dates up by one. */
function pinnedDate(range: Range): string | undefined {
  for (const set of range) {
    const low = set.find(({ op }) => op === '>=')?.version;
    const high = set.find(({ op, version }) => op === '<' && version.endsWith('~~'))?.version;
    const last = /[0-9]{6,}$/.exec(low ?? '')?.[0];
    if (low === undefined || last === undefined) continue;
    if (high === `${low.slice(0, -last.length)}${BigInt(last) + 1n}~~`) return low;
  }
  return undefined;
}
