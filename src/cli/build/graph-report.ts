import type { Assessment } from '../../build/assess.ts';
import type { Graph } from '../../build/graph.ts';
import { plainText } from '../../build/log.ts';
import type { ProduceEvent } from '../../build/produce.ts';
import type { GraphEvent } from '../../build/run-graph.ts';
import type { FetchEvent } from '../../source/fetch.ts';
import { doing, remark } from '../build-report.ts';
import { complain, type Context } from '../context.ts';
import { formatSize } from '../progress.ts';
import { makeBoard } from './board.ts';
import { whyBuilt } from './explain.ts';

export type GraphReport = {
  plan(graph: Graph, assessments: readonly Assessment[]): void;
  readonly listen: (event: GraphEvent) => void;
  readonly fetching: (event: FetchEvent) => void;
  note(text: string): void;
  end(): void;
};

type Running = { readonly name: string; readonly started: number; doing: string };

/** How many of those that come next are named. */
const shownNext = 4;

/** Tells how a graph goes: on a terminal what runs, and for how long, what is next, how much is cached; else lines. */
export function makeGraphReport(
  context: Context,
  { verbose, quiet }: { readonly verbose: boolean; readonly quiet: boolean },
): GraphReport {
  const board = makeBoard(context, quiet);
  const running = new Map<string, Running>();
  const ended = { built: 0, known: 0, failed: 0 };
  let order: readonly string[] = [];
  let done = new Set<string>();
  const draw = (): void => {
    const lines = [...running.values()].map(
      ({ name, started, doing: what }) => `${name}: ${what}, ${seconds(started)}`,
    );
    const next = order.filter((name) => !done.has(name) && !running.has(name));
    const more = next.length > shownNext ? ', …' : '';
    const rest = next.length > 0 ? `; next: ${next.slice(0, shownNext).join(', ')}${more}` : '';
    const failed = ended.failed > 0 ? `, ${ended.failed} failed` : '';
    lines.push(`${done.size} of ${order.length}: ${ended.built} built, ${ended.known} known${failed}${rest}`);
    board.draw(lines);
  };
  const ticking = setInterval(draw, 1000);
  ticking.unref();
  const progress = (name: string, event: ProduceEvent): void => {
    const run = running.get(name);
    if (event.event === 'phase') {
      if (run) run.doing = doing[event.phase];
    } else if (event.event === 'output') {
      if (verbose) complain(plainText(event.chunk.toString()));
    } else if (event.event === 'failed') {
      if (!verbose) for (const line of event.lines) board.note(`  ${line}`);
    } else if (event.event === 'needed') {
      board.note(`${name}: building (${event.again ? 'asked for' : whyBuilt(event)})`);
    } else {
      if (run && event.event === 'waiting') run.doing = 'waiting';
      board.note(`${name}: ${remark(event)}`);
    }
  };
  return {
    plan(graph, assessments) {
      order = graph.nodes.map(({ name }) => name);
      done = new Set();
      const count = (state: Assessment['state']) => assessments.filter((each) => each.state === state).length;
      const open = count('open') > 0 ? `, ${count('open')} known later` : '';
      board.note(
        `${order.length} sources: ${count('there')} there, ${count('cached')} cached, ${count('build')} to build${open}`,
      );
    },
    note: board.note,
    fetching(event) {
      if (event.event !== 'bytes') board.note(`${event.name}: ${event.text}`);
    },
    listen(event) {
      const { name } = event.node;
      if (event.event === 'start') running.set(name, { name, started: Date.now(), doing: 'looking' });
      else if (event.event === 'progress') progress(name, event.of);
      else {
        const started = running.get(name)?.started ?? Date.now();
        running.delete(name);
        done.add(name);
        if (event.event === 'done') {
          const { how, packages } = event.produced;
          ended[how === 'built' ? 'built' : 'known'] += 1;
          const made = packages.map((each) => `${each.name} ${formatSize(each.bytes)}`).join(', ');
          if (how === 'built') board.note(`${name}: built in ${seconds(started)} (${made})`);
          if (how === 'restored') board.note(`${name}: taken from the cache`);
        } else if (event.event === 'failed') {
          ended.failed += 1;
          board.note(`${name}: failed after ${seconds(started)}`);
        } else if (event.needs.length > 0) {
          board.note(`${name}: not built, as it needs ${event.needs.join(', ')}`);
        }
      }
      if (event.event !== 'progress' || event.of.event !== 'output') draw();
    },
    end() {
      clearInterval(ticking);
      board.end();
    },
  };
}

const seconds = (started: number): string => `${((Date.now() - started) / 1000).toFixed(1)} s`;
