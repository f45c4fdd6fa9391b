const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** How a duration is written, for hints. */
export const durationHint = 'write a whole number and s, m or h: 90s, 30m, 2h';

/** Seconds of `90s`, `30m`, `2h`; undefined for anything else. At most 99999 of a unit. */
export function parseDuration(text: string): number | undefined {
  const [, number, unit] = /^([1-9][0-9]{0,4})([smh])$/.exec(text) ?? [];
  const each = unit === undefined ? undefined : units[unit];
  return each === undefined ? undefined : Number(number) * each;
}

/** In the largest unit that gives a whole number: 5400 is `90m`. */
export function formatDuration(seconds: number): string {
  const [unit, each] = Object.entries(units).findLast(([, size]) => seconds % size === 0) ?? ['s', 1];
  return `${seconds / each}${unit}`;
}
