import { checkHelper, enter } from '../run/enter.ts';
import { type ChosenPackage, mountedPackage } from '../run/chosen.ts';
import { helperArguments } from '../run/command.ts';
import { packagesRoot, plannedRoot } from '../run/root.ts';
import type { RunArguments } from './arguments.ts';
import { findShares, makeCall } from './call.ts';
import { complain, type Context, print } from './context.ts';
import { describe, describeJson, titleOf } from './describe.ts';
import { usage } from './option-value.ts';

/**
 * Replaces this process by the command in a root of exactly these packages; with `--dry-run` only tells of it
 * and gives 0. `repositories` are the directories that packages come from. Everything that may be wrong is
 * looked at before anything is written.
 */
export function runPackages(
  context: Context,
  args: RunArguments,
  chosen: readonly ChosenPackage[],
  repositories: readonly string[],
): number {
  const { helper, cache } = context.places;
  const { flags } = args;
  const packages = chosen.map(mountedPackage);
  const shown = chosen.map(({ name, version, tree, record }) => ({
    name,
    version,
    tree,
    origin: record.origin,
  }));
  const shares = findShares(context, args, repositories);
  if (flags.has('dryRun')) {
    const call = makeCall(context, args, plannedRoot(cache.profiles, packages), shares);
    print(flags.has('json') ? describeJson(helper, call, shown) : describe(call, shown));
    return 0;
  }
  if (flags.has('json'))
    throw usage('--json says how to print, and nothing is printed', 'write --dry-run --json');
  checkHelper(helper);
  const call = makeCall(context, args, packagesRoot(cache.profiles, packages), shares);
  if (flags.has('verbose')) {
    for (const each of shown) complain(`${context.tool}: ${titleOf(each)}\n`);
  }
  return enter(helper, helperArguments(call), call.kept);
}
