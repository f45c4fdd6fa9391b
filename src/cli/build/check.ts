import { dirname, join } from 'node:path';
import { showPath, textOfPath } from '../../../builder/tar/path.ts';
import { type Checked, checkBuild, type CheckedPackage } from '../../build/check.ts';
import { type Job, planGraph } from '../../build/graph.ts';
import { defaultOutput, planOf } from '../../build/node-plan.ts';
import type { Plan } from '../../build/plan.ts';
import type { Shelf } from '../../build/shelf.ts';
import type { PackageIdentity } from '../../package/record.ts';
import type { Recipe } from '../../source/recipe.ts';
import { makeBuildReport } from '../build-report.ts';
import { complain, type Context, print } from '../context.ts';
import { usage } from '../option-value.ts';
import type { CareOptions } from './care.ts';
import { fromRecord } from './from-record.ts';
import type { LockOptions } from './lock.ts';
import type { PlaceOptions, WayOptions } from './options.ts';
import { prepare, readRecipes } from './prepare.ts';

type Options = CareOptions &
  LockOptions &
  PlaceOptions &
  WayOptions & {
    /** In the root that the record tells of, whatever the repositories have now. */
    readonly fromRecord?: true;
  };

/** How many differences of each package are told. */
const shown = 20;

/** Builds recipes again and tells whether the same comes out: 1 if something does not. */
export async function checkBuilds(
  words: readonly string[],
  options: Options,
  context: Context,
  signal: AbortSignal,
): Promise<number> {
  if (words.length === 0) throw usage('--check needs a recipe', 'name what has been built: --check NAME');
  let status = 0;
  for (const recipe of readRecipes(words, options, context)) {
    const { checked, plan } = await checkOne(recipe, options, context, signal);
    if (options.json) print(`${JSON.stringify(jsonOf(checked))}\n`);
    else show(checked, plan, context);
    if (checked.kept !== undefined) status = 1;
  }
  return status;
}

async function checkOne(
  recipe: Recipe,
  options: Options,
  context: Context,
  signal: AbortSignal,
): Promise<{ checked: Checked; plan: Plan }> {
  const { control } = recipe;
  const title = `${control.name} ${(options.as ?? control.version) + (options.suffix ?? '')}`;
  const report = makeBuildReport(context, title, options.verbose ?? false, options.quiet ?? false);
  const note = (text: string): void => complain(`${context.tool}: ${text}\n`);
  try {
    const ears = { signal, listen: report.fetching, note };
    const { jobs: prepared, setting, options: places } = await prepare([recipe], options, context, ears);
    const [version = control.version] = prepared.map((job) => job.version);
    const from = builtFrom(recipe, version, places.shelf);
    const recorded = options.fromRecord ? await fromRecord(from, title, context) : undefined;
    const graph = recorded ? { ...places, from: [recorded] } : places;
    const jobs = recorded ? prepared.map(inPackages) : prepared;
    // As it was built, whatever there is now: in a finished repository all is newer than what it was built with.
    const locked = new Map(from.map((each) => [each.name, each.version]));
    const kept = () => ({ unpack: locked, build: locked });
    const { nodes, refused } = planGraph(jobs, { ...graph, locked: kept });
    for (const { error } of refused) throw error;
    const [node] = nodes;
    if (!node) throw new Error('no recipe');
    const request = { ...node, machine: graph.machine, shelf: graph.shelf, output: defaultOutput };
    const plan = planOf(node, graph.machine);
    if (from.length > 0) for (const line of others(from, plan)) note(`warning: ${title}: ${line}`);
    const vary = join(dirname(context.places.helper), 'vary');
    const checked = await checkBuild(request, { ...setting, vary }, plan, report.listen);
    return { checked, plan };
  } finally {
    report.end();
  }
}

const inPackages = (job: Job): Job => ({ ...job, method: { view: 'packages' } });

/** What the packages on the shelf were built from. */
const builtFrom = ({ control }: Recipe, version: string, shelf: Shelf): readonly PackageIdentity[] =>
  control.packages.flatMap(({ name }) => shelf.find(name, version)?.record.builtFrom ?? []);

/** What is in the root now and was not then. */
function others(from: readonly PackageIdentity[], { unpack, build }: Plan): string[] {
  const before = new Map(from.map((each) => [each.name, each]));
  const now = new Map([...unpack, ...build].map((each) => [each.name, each]));
  return [...now.values()].flatMap(({ name, version, record }) => {
    const was = before.get(name);
    if (was?.version !== version)
      return [`it was built with ${name} ${was?.version ?? 'of the machine'}, now ${version}`];
    const same = !was.diffID || !record.layer || was.diffID === record.layer.diffID;
    return same ? [] : [`it was built with other bytes of ${name} ${version}`];
  });
}

function show({ packages, circumstances, kept, log }: Checked, plan: Plan, { tool }: Context): void {
  for (const each of packages) {
    const { name, version, differences } = each;
    print(
      differences.length === 0
        ? `${name} ${version}: the same bytes, ${each.built}\n`
        : `${name} ${version}: differs\n`,
    );
    for (const { path, what } of differences.slice(0, shown)) print(`  ${showPath(path)} ${what}\n`);
    if (differences.length > shown) print(`  and ${differences.length - shown} more\n`);
  }
  complain(`${tool}: other than usual: ${circumstances.varied.join(', ')}\n`);
  complain(`${tool}: as usual: ${circumstances.same.join(', ')}\n`);
  if (kept === undefined) return;
  complain(`${tool}: what came out is in ${kept}; log: ${log}\n`);
  const compiler = plan.compiler ? ', or the compiler of this machine' : '';
  complain(`${tool}: if the recipe${compiler} is another than it was built with, build it again before\n`);
}

const jsonOf = ({ packages, circumstances, log, kept }: Checked) => ({
  same: kept === undefined,
  packages: packages.map(packageJson),
  varied: circumstances.varied,
  notVaried: circumstances.same,
  log,
  kept,
});

const packageJson = ({ name, version, recorded, built, differences }: CheckedPackage) => ({
  name,
  version,
  recorded,
  built,
  differences: differences.map(({ path, what }) => ({ path: textOfPath(path), what })),
});
