import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { interruptible } from '../interrupt.ts';
import { usage } from '../option-value.ts';
import type { CareOptions } from './care.ts';
import { checkBuilds } from './check.ts';
import type { LockOptions } from './lock.ts';
import { newRecipe } from './new.ts';
import type { PlaceOptions, WayOptions } from './options.ts';
import { openShell } from './shell.ts';

/** What is done about a recipe instead of building and publishing it. */
export type OtherOptions = {
  readonly shell?: true;
  readonly check?: true;
  readonly fromRecord?: true;
  readonly new?: true;
};

export const addOtherOptions = (command: Command): Command =>
  command
    .option('--shell', 'open a shell in the root of a build that failed, in its work directory')
    .option(
      '--check',
      'build again with other circumstances, and compare with what was built; publishes nothing',
    )
    .option(
      '--from-record',
      'as --check, in the very root that its record tells of: the packages that it was built from, out of the store',
    )
    .option('--new', 'write a recipe NAME[=VERSION] to start from');

type Options = CareOptions & LockOptions & OtherOptions & PlaceOptions & WayOptions;

/** The status of it; undefined if recipes are to be built. */
export async function tryOther(
  words: readonly string[],
  options: Options,
  context: Context,
): Promise<number | undefined> {
  const chosen = (['shell', 'check', 'fromRecord', 'new'] as const).filter((option) => options[option]);
  if (chosen.length > 1)
    throw usage('only one of --shell, --check, --from-record and --new can be given', 'leave one');
  if (options.new) return newRecipe(words, options, context);
  if (options.check || options.fromRecord)
    return await interruptible((signal) => checkBuilds(words, options, context, signal));
  if (!options.shell) return undefined;
  const [word, ...others] = words;
  if (word === undefined || others.length > 0)
    throw usage('--shell needs one NAME or NAME=VERSION', 'name one');
  return openShell(word, options, context);
}
