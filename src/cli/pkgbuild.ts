import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { Fault } from '../../builder/fault.ts';
import { hostCompiler } from '../build/compiler.ts';
import { planHostBuild, planRootBuild } from '../build/plan.ts';
import { produce, type Produced } from '../build/produce.ts';
import { openShelf } from '../build/shelf.ts';
import { checkVersion, quote } from '../package/name.ts';
import { problemText } from '../package/problem.ts';
import type { Distfile } from '../source/distfile.ts';
import { readDistfiles } from '../source/list.ts';
import { findRecipe, type Recipe } from '../source/recipe.ts';
import { makeBuildReport } from './build-report.ts';
import { buildSetting, thisMachine } from './build-setting.ts';
import { makeCommand, parseCommand } from './command.ts';
import { complain, type Context, print } from './context.ts';
import { interruptible } from './interrupt.ts';
import { openRepositories } from './repositories.ts';

/** As commander gives them. */
export type BuildArguments = {
  readonly unpack: boolean;
  readonly build: boolean;
  readonly control: boolean;
  readonly output: string;
  readonly work?: string;
  readonly directory?: string;
  readonly as?: string;
  readonly suffix?: string;
  readonly from?: string;
  readonly repository?: string;
  readonly distfiles?: string;
  readonly apt: boolean;
  readonly jobs?: string;
  readonly verbose?: true;
  readonly json?: true;
  readonly quiet?: true;
};

const examples = `
pkgbuild -p bootstrap/quickstart_packages lua
pkgbuild --repository ./packages musl            what others are built with goes first
pkgbuild --repository ./packages packages/mksh/59c
pkgbuild -w DIR -p bootstrap/quickstart_packages lua     keeps the work directory
pkgbuild -U -w DIR -p bootstrap/quickstart_packages lua  builds again without unpacking
`;

/** Builds a source package and publishes the packages that it makes. */
export async function main(context: Context): Promise<number> {
  const command = makeCommand(
    context,
    'Builds a source package and publishes what it makes: in a view of this machine with its compiler and nothing of the user, or with -p in roots of packages alone.',
    examples,
  )
    .argument('<recipe>', 'a control file, a directory with one, or NAME[=VERSION] of the recipes')
    .option('-U, --no-unpack', 'do not unpack; needs -w')
    .option('-B, --no-build', 'do not build; needs -w')
    .option(
      '-C, --no-control',
      'make no packages of what was built, leave it in the work directory; needs -w',
    )
    .option('-o, --output <name>', 'where in the work directory build.sh installs', 'out')
    .option('-w, --work <dir>', 'work directory, which stays (default: one in the cache, which does not)')
    .option('-d, --directory <dir>', 'where distfiles are kept (default: the cache of the user)')
    .option('-v, --as <version>', 'build it as this version')
    .option('-V, --suffix <suffix>', 'build it as a version with this at its end')
    .option('-p, --from <repository>', 'build in roots of packages from there, with nothing of this machine')
    .option('-r, --repository <dir>', 'publish the packages there (default: the repository of the user)')
    .option('-j, --jobs <n>', 'how many processes may compile at once (default: one a processor)')
    .option('--distfiles <file>', 'another list of distfiles')
    .option('--no-apt', 'do not ask the package manager of this machine for distfiles')
    .option('--verbose', 'show what the scripts say')
    .option('--json', 'print the result as JSON')
    .option('-q, --quiet', 'no progress');
  if (!parseCommand(command, context.args)) return 0;
  const options = command.opts<BuildArguments>();
  checkOptions(options);
  const { cwd, places } = context;
  const recipe = findRecipe(command.args[0] ?? '', places.recipes, cwd);
  for (const warning of recipe.warnings) complain(`${context.tool}: warning: ${problemText(warning)}\n`);
  return await interruptible((signal) => run(recipe, options, context, signal));
}

/** Throws USAGE where options do not go together. */
function checkOptions({ unpack, build, control, output, work }: BuildArguments): void {
  const partial = [unpack || '-U', build || '-B', control || '-C'].filter((option) => option !== true);
  if (work === undefined && partial.length > 0) {
    throw new Fault('USAGE', `a work directory that stays is needed for ${partial.join(' and ')}`, {
      hint: 'name one: -w DIR',
    });
  }
  if (!/^[A-Za-z0-9_][A-Za-z0-9._+-]*$/.test(output)) {
    throw new Fault('USAGE', `-o ${quote(output)} is no name of a directory in the work directory`, {
      hint: 'write one name without slashes; where packages go is said with --repository',
    });
  }
}

async function run(
  recipe: Recipe,
  options: BuildArguments,
  context: Context,
  signal: AbortSignal,
): Promise<number> {
  const { control } = recipe;
  const version = checkVersion((options.as ?? control.version) + (options.suffix ?? ''), '-v, -V');
  const title = `${control.name} ${version}`;
  const report = makeBuildReport(context, title, options.verbose ?? false, options.quiet ?? false);
  try {
    const setting = buildSetting(context, {
      signal,
      distfiles: options.directory === undefined ? undefined : resolve(context.cwd, options.directory),
      apt: options.apt,
      listen: report.fetching,
    });
    const request = {
      recipe,
      version,
      unpack: options.unpack,
      build: options.build,
      pack: options.build && options.control,
      work: options.work,
      output: options.output,
      jobs: readJobs(options.jobs),
      machine: thisMachine(),
      distfiles: await distfileList(recipe, options, context),
      shelf: openShelf(repositoryOf(options, context), setting.lock),
    };
    const from = options.from === undefined ? undefined : await openRepositories([options.from], context);
    const plan = from
      ? planRootBuild(request, from)
      : planHostBuild(request, request.shelf, await hostCompiler());
    const guarded = [...setting.guarded, ...(from ?? []).map(({ directory }) => directory)];
    const produced = await produce(request, { ...setting, guarded }, plan, report.listen);
    report.end();
    show(produced, options);
    return 0;
  } finally {
    report.end();
  }
}

/** The tracked list, or the user's own, and before it what the recipe itself lists. */
async function distfileList(
  { directory }: Recipe,
  { distfiles }: BuildArguments,
  { cwd, places }: Context,
): Promise<ReadonlyMap<string, Distfile>> {
  const own = join(directory, 'distfiles.json');
  const list = await readDistfiles(resolve(cwd, distfiles ?? places.distfileList));
  return existsSync(own) ? new Map([...list, ...(await readDistfiles(own))]) : list;
}

/** Throws USAGE for what is no directory: packages are published in directories. */
function repositoryOf({ repository }: BuildArguments, { cwd, env, places }: Context): string {
  const word = repository ?? (env['STATIC_DISTRO_REPOSITORY'] || places.packages);
  if (word !== '' && !/^(oci|registry):/.test(word)) return resolve(cwd, word);
  throw new Fault('USAGE', `--repository ${quote(word)} is no directory`, {
    hint: 'packages are published in a directory: --repository DIR',
  });
}

function readJobs(text: string | undefined): number {
  if (text === undefined) return availableParallelism();
  if (/^[1-9][0-9]{0,3}$/.test(text)) return Number(text);
  throw new Fault('USAGE', `-j ${quote(text)} is no number of processes`);
}

function show(produced: Produced, { json }: BuildArguments): void {
  if (json) print(`${JSON.stringify(produced, null, 2)}\n`);
  else for (const { tree } of produced.packages) print(`${tree}\n`);
}
