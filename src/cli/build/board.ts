import { complain, type Context } from '../context.ts';

/** A few lines at the end of a terminal that are drawn over and over, and lines above them that stay. */
export type Board = {
  draw(lines: readonly string[]): void;
  /** A line that stays; without a terminal it is all that there is. */
  note(text: string): void;
  /** Takes the drawn lines away. */
  end(): void;
};

/** `quiet`: neither. NO_COLOR (no-color.org) takes the dimming, TERM=dumb the drawing. */
export function makeBoard({ terminal, env }: Context, quiet: boolean): Board {
  const draws = terminal && env['TERM'] !== 'dumb' && !quiet;
  const dim = env['NO_COLOR'] ? ['', ''] : ['\x1b[2m', '\x1b[22m'];
  let shown: readonly string[] = [];
  const erase = (): string => (shown.length === 0 ? '' : `\r\x1b[${shown.length}A\x1b[J`);
  const paint = (lines: readonly string[]): string => {
    const width = (process.stderr.columns || 80) - 1;
    return lines.map((line) => `${dim[0]}${line.slice(0, width)}${dim[1]}\n`).join('');
  };
  return {
    draw(lines) {
      if (!draws) return;
      complain(`${erase()}${paint(lines)}`);
      shown = lines;
    },
    note(text) {
      if (!quiet) complain(`${erase()}${text}\n${draws ? paint(shown) : ''}`);
    },
    end() {
      if (shown.length > 0) complain(erase());
      shown = [];
    },
  };
}
