import { complain, print } from './context.ts';
import { formatSize, type Progress } from './progress.ts';
import type { Distfile } from '../source/distfile.ts';
import type { FetchEvent, Outcome } from '../source/fetch.ts';

export type FetchReport = {
  listen(event: FetchEvent): void;
  /** Prints the paths on stdout and one line and a hint for each failure on stderr; gives the exit status. */
  finish(outcomes: readonly Outcome[], json: boolean): number;
  end(): void;
};

/** Tells the user how the fetching of distfiles goes and what came of it. */
export function makeFetchReport(
  distfiles: readonly Distfile[],
  progress: Progress,
  tool = 'pkgfetch',
): FetchReport {
  const sizes = new Map(distfiles.map(({ name, size }) => [name, size]));
  const bytes = new Map<string, number>();
  let fetched = 0;
  const draw = (): void => {
    let here = 0;
    let all = 0;
    const going: string[] = [];
    for (const [name, count] of bytes) {
      const size = sizes.get(name) ?? count;
      here += count;
      all += size;
      if (count < size) going.push(`${name} ${Math.floor((100 * count) / Math.max(size, 1))} %`);
    }
    progress.show(
      `${fetched}/${distfiles.length}  ${formatSize(here)} of ${formatSize(all)}  ${going.join(', ')}`,
    );
  };
  return {
    listen(event) {
      const { name } = event;
      if (event.event === 'bytes') {
        bytes.set(name, event.bytes);
        draw();
      } else if (event.event === 'fetched') {
        fetched += 1;
        progress.note(`${name}: ${formatSize(sizes.get(name) ?? 0)} from ${event.text}`);
      } else {
        progress.note(`${name}: ${event.text}`);
      }
    },
    finish(outcomes, json) {
      progress.end();
      const failed = outcomes.filter((outcome) => 'fault' in outcome);
      if (json) print(`${JSON.stringify({ distfiles: outcomes.map(jsonOutcome) }, null, 2)}\n`);
      else for (const outcome of outcomes) if ('path' in outcome) print(`${outcome.path}\n`);
      for (const { fault } of failed) {
        complain(`${tool}: ${fault.message}\n`);
        if (fault.hint !== undefined) complain(`${tool}: ${fault.hint}\n`);
      }
      return failed.length === 0 ? 0 : 1;
    },
    end: () => progress.end(),
  };
}

function jsonOutcome(outcome: Outcome): object {
  const { name, size } = outcome.distfile;
  if ('path' in outcome) return { name, size, path: outcome.path, from: outcome.from };
  return { name, size, error: outcome.fault.code, tried: outcome.tried };
}
