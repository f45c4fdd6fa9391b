import { statSync } from 'node:fs';
import { Fault } from '../../../builder/fault.ts';
import { type FailedBuild, findFailed } from '../../build/failed.ts';
import { isName, quote } from '../../package/name.ts';
import { type Call, helperArguments } from '../../run/command.ts';
import { enter } from '../../run/enter.ts';
import type { Context } from '../context.ts';
import { isTerminal } from '../environment.ts';
import { report } from '../report.ts';
import { type PlaceOptions, type WayOptions } from './options.ts';
import { readRecipes } from './prepare.ts';

/**
 * Becomes a shell in the root in which the last script of a failed build ran, with the same packages, environment
 * and work directory. Of a shell's status every failure of ours is 125, as of all tools that run a command.
 */
export function openShell(word: string, options: PlaceOptions & WayOptions, context: Context): number {
  const { tool, places } = context;
  try {
    const failed = findFailed(places.cache.work, ...whichOf(word, options, context));
    const call = shellCall(failed, context);
    checkThere(call, failed);
    return enter(places.helper, helperArguments(call));
  } catch (error) {
    report(tool, error);
    return 125;
  }
}

/** The name that was built, and the version if one is named: as a failure says it, or by the recipe. */
function whichOf(
  word: string,
  options: PlaceOptions & WayOptions,
  context: Context,
): readonly [name: string, version: string | undefined] {
  const [, name = '', version] = /^([^=,/]+)(?:[=,]([^/]+))?$/.exec(word) ?? [];
  if (isName(name)) return [name, version];
  const [recipe] = readRecipes([word], options, context);
  if (!recipe) throw new Error('no recipe');
  const { control } = recipe;
  return [control.name, (options.as ?? control.version) + (options.suffix ?? '')];
}

function shellCall({ call }: FailedBuild, { tool, env }: Context): Call {
  const term = isTerminal(0) || isTerminal(1) ? env['TERM'] : undefined;
  const environment = { ...call.environment, ...(term === undefined ? {} : { TERM: term }) };
  return { ...call, name: tool, environment, command: ['/bin/sh'] };
}

/** What the root was made of may have gone: the cache may be deleted at any time, packages replaced. */
function checkThere({ root, shares = [] }: Call, { name, version }: FailedBuild): void {
  const places = [root.profile, ...[...root.binds, ...shares].map(({ source }) => source)];
  const gone = places.find((path) => !statSync(path, { throwIfNoEntry: false }));
  if (gone === undefined) return;
  throw new Fault(
    'NOT_FOUND',
    `the root of ${name} ${version} cannot be made again: ${quote(gone)} is gone`,
    {
      hint: 'build it again',
    },
  );
}
