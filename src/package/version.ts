/**
 * The order of versions, `[epoch:]upstream[-revision]`, exactly as `dpkg --compare-versions` has it: the epoch
 * by its number, then upstream, then revision, each by alternating runs. A run of non-digits compares
 * character by character: `~` before the end of the string, the end before letters, letters before the rest.
 * A run of digits compares by its number, whatever its length. A missing part is as good as `0`.
 * Both must be versions ({@link isVersion} in name.ts); of other strings the order is unspecified, but total.
 */
export function compareVersions(a: string, b: string): number {
  if (a === b) return 0;
  const epochA = Math.max(0, a.indexOf(':'));
  const epochB = Math.max(0, b.indexOf(':'));
  const epoch = epochA + epochB === 0 ? 0 : compareRuns(a, 0, epochA, b, 0, epochB);
  if (epoch !== 0) return epoch;
  const startA = epochA === 0 ? 0 : epochA + 1;
  const startB = epochB === 0 ? 0 : epochB + 1;
  const hyphenA = a.lastIndexOf('-');
  const hyphenB = b.lastIndexOf('-');
  const endA = hyphenA < startA ? a.length : hyphenA;
  const endB = hyphenB < startB ? b.length : hyphenB;
  return (
    compareRuns(a, startA, endA, b, startB, endB) || compareRuns(a, endA + 1, a.length, b, endB + 1, b.length)
  );
}

/** {@link compareVersions}, and where two spellings are equal (`1.0`, `1.00`) their bytes: for lists with one order. */
export const compareVersionsTotally = (a: string, b: string): number =>
  compareVersions(a, b) || (a < b ? -1 : a > b ? 1 : 0);

/** Whether the version is older than the one without its `~` part, as `8~rc1` and `5.3.0-~~stage1` are. */
export const isPrerelease = (version: string): boolean => version.includes('~');

const ZERO = 48;
const isDigit = (code: number) => code >= ZERO && code <= 57;

/** The rank of a character in a run of non-digits; `end` and digits are where such a run stops. */
function rank(code: number): number {
  if (code === 126) return -1;
  if (isDigit(code)) return 0;
  const isLetter = (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
  return isLetter ? code : code + 256;
}

/** Compares `a[i, endA)` with `b[j, endB)`: -1, 0 or 1. Looks at each character once, allocates nothing. */
function compareRuns(a: string, i: number, endA: number, b: string, j: number, endB: number): number {
  while (i < endA || j < endB) {
    for (;;) {
      const rankA = i < endA ? rank(a.charCodeAt(i)) : 0;
      const rankB = j < endB ? rank(b.charCodeAt(j)) : 0;
      if (rankA !== rankB) return rankA < rankB ? -1 : 1;
      if (rankA === 0) break;
      i += 1;
      j += 1;
    }
    while (i < endA && a.charCodeAt(i) === ZERO) i += 1;
    while (j < endB && b.charCodeAt(j) === ZERO) j += 1;
    let difference = 0;
    for (;;) {
      const digitA = i < endA ? a.charCodeAt(i) : 0;
      const digitB = j < endB ? b.charCodeAt(j) : 0;
      if (!isDigit(digitA) || !isDigit(digitB)) {
        if (isDigit(digitA)) return 1;
        if (isDigit(digitB)) return -1;
        break;
      }
      difference ||= digitA - digitB;
      i += 1;
      j += 1;
    }
    if (difference !== 0) return difference < 0 ? -1 : 1;
  }
  return 0;
}
