import { Fault } from '../../builder/fault.ts';
import { forgetProfiles, forgetTrees } from '../run/forget.ts';
import { addCareOptions, type CareOptions } from './build/care.ts';
import { addGraphOptions, buildGraph, type GraphOptions } from './build/graph.ts';
import { addStepOptions, buildOne, checkSteps, isWhole, type StepOptions } from './build/one.ts';
import { addLockOptions, type LockOptions } from './build/lock.ts';
import { addOtherOptions, type OtherOptions, tryOther } from './build/others.ts';
import {
  addPlaceOptions,
  addWayOptions,
  type PlaceOptions,
  readJobs,
  type WayOptions,
} from './build/options.ts';
import { resultsOf, lockOf } from './build-setting.ts';
import { makeCommand, parseCommand } from './command.ts';
import type { Context } from './context.ts';
import { interruptible } from './interrupt.ts';
import { keepOwnFiles } from './own-files.ts';

type Options = CareOptions &
  GraphOptions &
  LockOptions &
  OtherOptions &
  PlaceOptions &
  StepOptions &
  WayOptions;

const summary = [
  'Builds source packages and publishes what they make: in a view of this machine with its compiler and nothing of the user, or with -p in roots of packages alone.',
  'Several recipes, or --all of them, are built in the order in which they need each other, as many at once as there are processors to compile. What is known by its build key is not built but taken from the cache.',
  'The cache of builds keeps what was of use in the last 30 days, at most 1 GiB with the logs.',
].join('\n\n');

const examples = `
pkgbuild -p bootstrap/quickstart_packages lua
pkgbuild --repository ./packages musl            what others are built with goes first
pkgbuild --repository ./packages packages/mksh/59c
pkgbuild -w DIR -p bootstrap/quickstart_packages lua     keeps the work directory
pkgbuild -U -w DIR -p bootstrap/quickstart_packages lua  builds again without unpacking
pkgbuild -p bootstrap/quickstart_packages --dry-run make lua   what would be built, and why
pkgbuild -p bootstrap/quickstart_packages --explain lua        which file or input is another
pkgbuild -p bootstrap/quickstart_packages --check lua          whether the same comes out again
pkgbuild --shell lua                             looks into a build that failed
`;

/** Builds source packages and publishes the packages that they make. */
export async function main(context: Context): Promise<number> {
  keepOwnFiles();
  const command = makeCommand(context, summary, examples).argument(
    '[recipe...]',
    'a control file, a directory with one, or NAME[=VERSION] of the recipes',
  );
  for (const add of [
    addGraphOptions,
    addStepOptions,
    addPlaceOptions,
    addLockOptions,
    addWayOptions,
    addCareOptions,
    addOtherOptions,
  ])
    add(command);
  if (!parseCommand(command, context.args)) return 0;
  const options = command.opts<Options>();
  const words = command.args;
  const other = await tryOther(words, options, context);
  if (other !== undefined) return other;
  checkSteps(options);
  readJobs(options);
  const [word] = words;
  const several = options.all || options.dryRun || options.explain || words.length > 1;
  if (word === undefined && !several) {
    throw new Fault('USAGE', 'missing required argument: a recipe', { hint: 'name one, or take --all' });
  }
  if (!several && word !== undefined) {
    return await keeping(context, (signal) => buildOne(word, options, context, signal));
  }
  checkGraph(options, words);
  return await keeping(context, (signal) => buildGraph(words, options, context, signal));
}

/** Builds, and keeps what is known of builds, and what they ran in, within bounds. */
async function keeping(context: Context, work: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const status = await interruptible(work);
  await resultsOf(context).forget();
  const { profiles, trees } = context.places.cache;
  await forgetProfiles(profiles, lockOf(context));
  await forgetTrees(trees, lockOf(context));
  return status;
}

/** Throws USAGE where options do not go together. */
function checkGraph(options: Options, words: readonly string[]): void {
  if (!isWhole(options)) {
    throw new Fault('USAGE', '-U, -B, -C, -o and -w are for the build of one recipe', {
      hint: 'build it alone, without --all, --dry-run and --explain',
    });
  }
  if (options.as !== undefined && (options.all || words.length > 1)) {
    throw new Fault('USAGE', '-v is for the build of one recipe', { hint: '-V adds to the version of each' });
  }
  if (options.all && words.length > 0) {
    throw new Fault('USAGE', '--all and the names of recipes do not go together', { hint: 'leave one out' });
  }
}
