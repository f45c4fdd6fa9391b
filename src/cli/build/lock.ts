import type { Command } from 'commander';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Fault } from '../../../builder/fault.ts';
import { readBuildLock, updateBuildLock } from '../../build/build-lock.ts';
import type { Node } from '../../build/graph.ts';
import { lockEntry, type Locking, lockingBy } from '../../build/locking.ts';
import type { Plan } from '../../build/plan.ts';
import type { BuiltPackage } from '../../build/results.ts';
import type { Machine } from '../../package/architecture.ts';
import { display, quote } from '../../package/name.ts';
import type { Context } from '../context.ts';
import { type PlaceOptions, recipesOf } from './options.ts';
import type { Prepared } from './prepare.ts';

/** How `packages/build.lock` takes part. */
export type LockOptions = {
  readonly lock: boolean;
  readonly lockFile?: string;
  readonly update?: true;
};

export const addLockOptions = (command: Command): Command =>
  command
    .option('--no-lock', 'take no notice of build.lock: neither its versions nor what it expects')
    .option('--update', 'write into build.lock what is built, with what, and what comes out')
    .option('--lock-file <file>', 'another one than build.lock in the directory of recipes');

type Options = LockOptions & PlaceOptions;

const pathOf = (options: Options, context: Context): string =>
  options.lockFile === undefined
    ? join(recipesOf(options, context), 'build.lock')
    : resolve(context.cwd, options.lockFile);

/** Undefined where the lock takes no part. `note` says for which builds it was not used. */
export function openLocking(
  options: Options,
  context: Context,
  machine: Machine,
  note: (text: string) => void,
): Locking | undefined {
  if (options.update && !options.lock) {
    throw new Fault('USAGE', '--update and --no-lock do not go together', { hint: 'leave one out' });
  }
  const path = pathOf(options, context);
  // A lock on a directory that is not there would make a file of it, and what was built could not be written down.
  if (options.update && !existsSync(dirname(path))) {
    throw new Fault('NOT_FOUND', `cannot write ${quote(path)}: there is no such directory`, {
      hint: `make it first: mkdir -p ${quote(dirname(path))}`,
    });
  }
  if (options.update || !options.lock) return undefined;
  const shown = display(path);
  return lockingBy(readBuildLock(path), machine, ({ name }, why) =>
    note(`${name}: ${shown} is not used: ${why}`),
  );
}

/** A build that may go into the lock. */
export type LockableBuild = {
  readonly node: Node;
  readonly plan: Plan;
  readonly packages: readonly BuiltPackage[];
};

/** Does nothing unless it was asked for. */
export async function updateLock(
  builds: readonly LockableBuild[],
  { setting, options: { machine, shelf, from } }: Prepared,
  options: Options,
  context: Context,
  note: (text: string) => void,
): Promise<void> {
  if (!options.update) return;
  const path = pathOf(options, context);
  const made = shelf.repository();
  const repositories = [...(made ? [made] : []), ...from];
  const entries = [];
  let tainted = 0;
  for (const { node, plan, packages } of builds) {
    const entry = await lockEntry(node, plan, packages, { ...setting, machine, repositories });
    if (entry) entries.push(entry);
    else tainted += 1;
  }
  const changed = await updateBuildLock(path, entries, setting.lock);
  const left = tainted > 0 ? `; ${tainted} left out, which have code of a machine's compiler in them` : '';
  note(`${display(path)}: ${changed} of ${builds.length} builds are other than they were${left}`);
}
