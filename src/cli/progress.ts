import { complain, type Context } from './context.ts';

/**
 * What is going on, on stderr: one line that is drawn over and over on a terminal, plain lines otherwise.
 * Everything given must be safe to print (see `quote`).
 */
export type Progress = {
  /** The state now, in place of the one before; nothing where there is no terminal. */
  show(text: string): void;
  /** A line that stays. */
  note(text: string): void;
  /** Takes the drawn line away. To be called before anything else is printed, and at the end. */
  end(): void;
};

/** In ms between two drawings: a line that changes faster cannot be read. */
const pause = 100;

/** `quiet`: neither lines nor drawing. NO_COLOR (no-color.org) takes the dimming, TERM=dumb the drawing. */
export function makeProgress({ terminal, env }: Context, quiet = false): Progress {
  const draws = terminal && env['TERM'] !== 'dumb' && !quiet;
  const dim = env['NO_COLOR'] ? ['', ''] : ['\x1b[2m', '\x1b[22m'];
  let drawn = false;
  let last = 0;
  const erase = (): void => {
    if (drawn) complain('\r\x1b[K');
    drawn = false;
  };
  return {
    show(text) {
      if (!draws || Date.now() - last < pause) return;
      last = Date.now();
      const width = (process.stderr.columns || 80) - 1;
      complain(`\r${dim[0]}${text.slice(0, width)}${dim[1]}\x1b[K`);
      drawn = true;
    },
    note(text) {
      if (quiet) return;
      erase();
      complain(`${text}\n`);
    },
    end: erase,
  };
}

/** `12.3 MB`: three digits and a decimal unit. */
export function formatSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 999.5 && unit < units.length - 1; unit += 1) value /= 1000;
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[unit] ?? ''}`;
}
