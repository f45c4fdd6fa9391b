import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { withLock } from '../builder/lock.ts';
import { hostCompiler } from '../src/build/compiler.ts';
import { type Job, planGraph } from '../src/build/graph.ts';
import type { ProduceSetting } from '../src/build/produce.ts';
import { type GraphEvent, runGraph } from '../src/build/run-graph.ts';
import { openShelf } from '../src/build/shelf.ts';
import { buildSetting, thisMachine } from '../src/cli/build-setting.ts';
import { complain, type Context, places } from '../src/cli/context.ts';
import { interruptible } from '../src/cli/interrupt.ts';
import { formatSize } from '../src/cli/progress.ts';
import { report } from '../src/cli/report.ts';
import { readDistfiles } from '../src/source/list.ts';
import { findRecipe } from '../src/source/recipe.ts';

/**
 * The quick start: what is needed to enter a root and to compile in it, built from source with the machine's C
 * compiler into `bootstrap/quickstart_packages`. The first is what the others are built with; of these, what
 * takes long comes first, so that nothing long is left alone at the end.
 */
const names = ['musl', 'busybox', 'mksh', 'lua', 'tcc', 'make', 'mini-httpd'] as const;

const root = dirname(import.meta.dirname);
const context: Context = {
  tool: 'quickstart',
  args: [],
  env: process.env,
  cwd: process.cwd(),
  places: places(root, process.env),
  terminal: false,
};

const started = Date.now();
const since = (start: number): string => `${((Date.now() - start) / 1000).toFixed(1)} s`;
const say = (text: string): void => complain(`${`[${since(started)}]`.padStart(10)} ${text}\n`);

async function main(signal: AbortSignal): Promise<number> {
  const stop = new AbortController();
  const setting = buildSetting(context, {
    signal: AbortSignal.any([signal, stop.signal]),
    listen(event) {
      if (event.event !== 'bytes') say(`${event.name}: ${event.text}`);
    },
  });
  const directory = join(root, 'bootstrap/quickstart_packages');
  mkdirSync(directory, { recursive: true });
  // Two at once would do the same work twice.
  const built = await withLock(setting.lock, join(root, 'bootstrap'), {}, () =>
    buildAll(directory, setting, stop),
  );
  const shown = relative(context.cwd, directory);
  if (built > 0) say(`${built} built in ${since(started)}; all ${names.length} are in ${shown}`);
  return 0;
}

/** Builds what is not there as its recipe, sources and compiler would make it now. Gives how many that were. */
async function buildAll(directory: string, setting: ProduceSetting, stop: AbortController): Promise<number> {
  const distfiles = await readDistfiles(context.places.distfileList);
  const method = { view: 'host', compiler: await hostCompiler() } as const;
  const jobs = names.map((name): Job => {
    const recipe = findRecipe(name, context.places.recipes, root);
    return { recipe, version: recipe.control.version, method, distfiles };
  });
  const options = {
    machine: thisMachine(),
    shelf: openShelf(directory, setting.lock),
    from: [],
    ordered: true,
  };
  const graph = planGraph(jobs, options);
  for (const { error } of graph.refused) throw error;
  let fetched: Promise<string[]> | undefined;
  const needed = jobs.flatMap(({ recipe }) => recipe.control.sources);
  const fetch: ProduceSetting['fetch'] = async (list, wanted) => {
    // All of them at once, before the first is unpacked.
    await (fetched ??= setting.fetch(list, needed));
    return await setting.fetch(list, wanted);
  };
  let built = 0;
  const processors = availableParallelism();
  const report = reporter(stop);
  await runGraph(
    graph,
    { ...setting, fetch },
    {
      ...options,
      slots: processors,
      jobs: processors,
      listen(event) {
        if (event.event === 'done' && event.produced.how !== 'there') built += 1;
        report(event);
      },
    },
  );
  return built;
}

/** Says what happens, and ends everything at the first failure: nobody waits for the rest then. */
function reporter(stop: AbortController): (event: GraphEvent) => void {
  const starts = new Map<string, number>();
  return (event) => {
    const { name } = event.node;
    if (event.event === 'start') starts.set(name, Date.now());
    else if (event.event === 'failed') stop.abort(event.error);
    else if (event.event === 'progress' && event.of.event === 'phase' && event.of.phase === 'build') {
      say(`${name}: building`);
    } else if (event.event === 'progress' && event.of.event === 'failed') {
      for (const line of event.of.lines) complain(`  ${line}\n`);
    } else if (event.event === 'done' && event.produced.how === 'restored')
      say(`${name}: taken from the cache`);
    else if (event.event === 'done' && event.produced.how === 'built') {
      const source = event.node.recipe.control.name;
      const made = event.produced.packages.map(
        (each) => `${each.name === source ? '' : `as ${each.name}, `}${formatSize(each.bytes)}`,
      );
      say(`${name}: built in ${since(starts.get(name) ?? started)} (${made.join('; ')})`);
    }
  };
}

try {
  process.exitCode = await interruptible(main);
} catch (error) {
  process.exitCode = report(context.tool, error);
}
