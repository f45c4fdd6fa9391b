import { bring } from '../package/elsewhere.ts';
import { quote } from '../package/name.ts';
import { parseRequest } from '../package/relation.ts';
import { type KnownPackage, mountedPackage } from '../run/chosen.ts';
import { choose } from '../solve/choose.ts';
import type { Wish } from '../solve/universe.ts';
import { Unsatisfiable } from '../solve/unsatisfiable.ts';
import { Fault } from '../../builder/fault.ts';
import { parseArguments, type RunArguments } from './arguments.ts';
import { type Context, print } from './context.ts';
import { findIn } from './repositories.ts';
import { runHelp } from './run-help.ts';
import { runInRoot } from './run-in-root.ts';
import { recallSet, rememberSet } from './seen.ts';
import { versionLine } from './version.ts';

/** Resolves packages and becomes a command in a root of exactly those. */
export async function main(context: Context): Promise<number> {
  const args = parseArguments(context.args);
  if (args.flags.has('help')) return done(runHelp(context.tool));
  if (args.flags.has('version')) return done(versionLine(context));
  if (args.flags.has('doctor')) {
    throw new Fault('USAGE', '--doctor is an option of withenv', { hint: 'run: withenv --doctor' });
  }
  const wishes = args.packages.map((word) => Object.assign(parseRequest(word, '-p'), { from: `-p ${word}` }));
  if (wishes.length === 0) {
    throw new Fault('USAGE', 'no package is asked for', { hint: 'name them after -p: -p mksh sbase' });
  }
  const { directories, packages } = await choosePackages(context, args, wishes);
  return runInRoot(context, args, { repositories: directories, packages });
}

async function choosePackages(
  context: Context,
  args: RunArguments,
  wishes: readonly Wish[],
): Promise<{ readonly directories: readonly string[]; readonly packages: readonly KnownPackage[] }> {
  const seen = recallSet(args.repositories, args.packages, context);
  if (seen) return { directories: [], packages: seen };
  const { repositories, chosen } = await findIn(args.repositories, context, (repositories) => ({
    repositories,
    chosen: withHint(args, () => choose(repositories, wishes)),
  }));
  const packages = chosen.map(mountedPackage);
  if (!args.flags.has('dryRun')) {
    await bring(chosen, 'tree');
    rememberSet(args.repositories, args.packages, context, repositories, packages);
  }
  return { directories: repositories.map(({ directory }) => directory), packages };
}

function done(text: string): number {
  print(text);
  return 0;
}

/** A command that is written straight after the packages reads as more of them, up to a word with a slash in front. */
function withHint<Result>({ packages }: RunArguments, find: () => Result): Result {
  try {
    return find();
  } catch (error) {
    if (!(error instanceof Unsatisfiable)) throw error;
    const { unknown } = error;
    let first = packages.length;
    while (unknown.includes(first - 1)) first -= 1;
    const word = packages[first];
    if (word === undefined || first === 0) throw error;
    const hint = `if ${quote(word)} is the command, write -- before it${error.hint ? `; else: ${error.hint}` : ''}`;
    throw new Unsatisfiable(error.message, hint, error.core, unknown);
  }
}
