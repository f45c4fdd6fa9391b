import type { GraphEvent } from '../src/build/run-graph.ts';
import { complain } from '../src/cli/context.ts';
import { formatSize } from '../src/cli/progress.ts';

/** Says what happens, and ends everything at the first failure: nobody waits for the rest then. */
export function reporter(stop: AbortController, say: (text: string) => void): (event: GraphEvent) => void {
  const starts = new Map<string, number>();
  return (event) => {
    const { name } = event.node;
    if (event.event === 'start') starts.set(name, Date.now());
    else if (event.event === 'failed') stop.abort(event.error);
    else if (event.event === 'progress') {
      if (event.of.event === 'phase') say(`${name}: ${event.of.phase}`);
      else if (event.of.event === 'failed') for (const line of event.of.lines) complain(`  ${line}\n`);
      else if (event.of.event === 'different') say(`${name}: ${event.of.what} differently than before`);
    } else if (event.event === 'done') {
      const { how, cpuSeconds, packages } = event.produced;
      const size = formatSize(packages.reduce((sum, { bytes }) => sum + bytes, 0));
      const seconds = (Date.now() - (starts.get(name) ?? Date.now())) / 1000;
      say(`${name}: ${how} in ${seconds.toFixed(0)} s, ${cpuSeconds.toFixed(0)} CPU seconds, ${size}`);
    }
  };
}
