import { findingText } from '../build/finding.ts';
import { plainText } from '../build/log.ts';
import type { ProduceEvent } from '../build/produce.ts';
import { complain, type Context } from './context.ts';
import type { FetchEvent } from '../source/fetch.ts';
import { formatSize, makeProgress } from './progress.ts';

export type BuildReport = {
  readonly listen: (event: ProduceEvent) => void;
  readonly fetching: (event: FetchEvent) => void;
  note(text: string): void;
  end(): void;
};

/** What is said of events that are no step of a build. */
export const remark = (
  event: Extract<ProduceEvent, { event: 'waiting' | 'different' | 'finding' }>,
): string => {
  if (event.event === 'finding') return `warning: ${findingText(event.finding)}; ${event.finding.hint}`;
  if (event.event === 'waiting') return 'waiting for another pkgbuild that builds the same';
  return event.what === 'built'
    ? 'came out different from the last time that the same was built'
    : 'its sources came out different from the last time that the same was unpacked';
};

export const doing = { unpack: 'unpacking', build: 'building', pack: 'packing', test: 'testing' } as const;

/**
 * Tells the user how a build goes: `verbose` streams what the scripts say, otherwise the last line of it is shown
 * on a terminal; where a script fails, the end of the log.
 */
export function makeBuildReport(
  context: Context,
  title: string,
  verbose: boolean,
  quiet: boolean,
): BuildReport {
  const progress = makeProgress(context, quiet);
  const decoder = new TextDecoder();
  let phase = '';
  let started = Date.now();
  let last = '';
  const draw = (): void => {
    const seconds = Math.floor((Date.now() - started) / 1000);
    progress.show(`${title}: ${phase} ${seconds} s  ${last}`);
  };
  const ticking = setInterval(() => {
    if (phase !== '' && !verbose) draw();
  }, 1000);
  return {
    note: (text) => progress.note(text),
    fetching(event) {
      if (event.event === 'bytes')
        progress.show(`${title}: fetching ${event.name}, ${formatSize(event.bytes)}`);
      else progress.note(`${event.name}: ${event.text}`);
    },
    listen(event) {
      if (event.event === 'phase') {
        phase = doing[event.phase];
        started = Date.now();
        last = '';
        progress.note(`${title}: ${phase}`);
      } else if (event.event === 'output') {
        const text = plainText(decoder.decode(event.chunk, { stream: true }));
        if (verbose) complain(text);
        else {
          last = text.trimEnd().split('\n').at(-1) ?? last;
          draw();
        }
      } else if (event.event === 'failed') {
        progress.end();
        if (verbose) return;
        for (const line of event.lines) complain(`  ${line}\n`);
      } else if (event.event !== 'needed') progress.note(`${title}: ${remark(event)}`);
    },
    end() {
      clearInterval(ticking);
      progress.end();
    },
  };
}
