import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { withLock } from '../builder/lock.ts';
import type { BuildEvent } from '../src/build/build.ts';
import { hostCompiler } from '../src/build/compiler.ts';
import { isBuilt, type Plan, planHostBuild } from '../src/build/plan.ts';
import { produce, type ProduceRequest, type ProduceSetting } from '../src/build/produce.ts';
import { schedule } from '../src/build/schedule.ts';
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
const [library, ...others] = ['musl', 'busybox', 'mksh', 'lua', 'tcc', 'make', 'mini-httpd'] as const;

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
  if (built > 0) say(`${built} built in ${since(started)}; all ${1 + others.length} are in ${shown}`);
  return 0;
}

/** Builds what is not there as its recipe, sources and compiler would make it now. Gives how many that were. */
async function buildAll(directory: string, setting: ProduceSetting, stop: AbortController): Promise<number> {
  const shelf = openShelf(directory, setting.lock);
  const distfiles = await readDistfiles(context.places.distfileList);
  const machine = thisMachine();
  const compiler = await hostCompiler();
  const whole = { unpack: true, build: true, pack: true, work: undefined, output: 'out', jobs: 1 };
  const tasks = [library, ...others].map((name) => {
    const recipe = findRecipe(name, context.places.recipes, root);
    const request: ProduceRequest = {
      ...whole,
      recipe,
      version: recipe.control.version,
      distfiles,
      machine,
      shelf,
    };
    return { name, needs: name === library ? [] : [library], request };
  });
  let fetched: Promise<unknown> | undefined;
  let built = 0;
  const processors = availableParallelism();
  await schedule(tasks, { slots: processors, processors }, async ({ request }, jobs) => {
    const plan = planHostBuild(request, shelf, compiler);
    if (isBuilt(request, plan, shelf)) return;
    try {
      fetched ??= setting.fetch(
        distfiles,
        tasks.flatMap((task) => task.request.recipe.control.sources),
      );
      await fetched;
      await buildOne({ ...request, jobs }, setting, plan);
      built += 1;
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  });
  return built;
}

async function buildOne(request: ProduceRequest, setting: ProduceSetting, plan: Plan): Promise<void> {
  const { recipe, version, jobs } = request;
  const title = `${recipe.control.name} ${version}`;
  const start = Date.now();
  say(`${title}: building${jobs > 1 ? `, ${jobs} processes at once` : ''}`);
  const { packages } = await produce(request, setting, plan, (event: BuildEvent) => {
    if (event.event === 'failed') for (const line of event.lines) complain(`  ${line}\n`);
  });
  const made = packages.map(
    ({ name, bytes }) => `${name === recipe.control.name ? '' : `as ${name}, `}${formatSize(bytes)}`,
  );
  say(`${title}: built in ${since(start)} (${made.join('; ')})`);
}

try {
  process.exitCode = await interruptible(main);
} catch (error) {
  process.exitCode = report(context.tool, error);
}
