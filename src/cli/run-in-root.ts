import { dirname, join } from 'node:path';
import type { KnownPackage } from '../run/chosen.ts';
import { helperArguments } from '../run/command.ts';
import { checkHelper, enter } from '../run/enter.ts';
import { forgetProfiles } from '../run/forget.ts';
import { packagesRoot, plannedRoot } from '../run/root.ts';
import type { RunArguments } from './arguments.ts';
import { findShares, makeCall } from './call.ts';
import { complain, type Context, print } from './context.ts';
import { describe, describeJson, titleOf } from './describe.ts';
import { usage } from './option-value.ts';

/** What a root is made of, and the directories it came from, which no command may write to. */
export type Contents = {
  readonly repositories: readonly string[];
  readonly packages: readonly KnownPackage[];
};

/**
 * Becomes the command in a root of the packages; with `--dry-run` it says what it would do instead, makes nothing
 * and gives 0. All that can be refused is looked at before anything is made. Where the packages come from is said with `-v` only: a command's stderr is its own.
 */
export async function runInRoot(
  context: Context,
  args: RunArguments,
  { repositories, packages }: Contents,
): Promise<number> {
  const { places, tool } = context;
  const shares = findShares(context, args, repositories);
  const dry = args.flags.has('dryRun');
  if (args.flags.has('json') && !dry)
    throw usage('--json prints nothing by itself', 'write --dry-run --json');
  if (!dry) checkHelper(places.helper);
  const { profiles } = places.cache;
  let isNew = false;
  const root = dry
    ? plannedRoot(profiles, packages)
    : packagesRoot(profiles, packages, () => {
        isNew = true;
      });
  const call = makeCall(context, args, root, shares);
  if (dry) {
    const show = args.flags.has('json')
      ? describeJson(places.helper, call, packages)
      : describe(call, packages);
    print(show);
    return 0;
  }
  if (args.flags.has('verbose')) {
    for (const each of packages) complain(`${tool}: ${titleOf(each)}\n`);
  }
  // Whoever makes nothing new makes no more of it, and need not wait.
  if (isNew) await forgetProfiles(profiles, join(dirname(places.helper), 'lock'));
  return enter(places.helper, helperArguments(call), call.kept);
}
