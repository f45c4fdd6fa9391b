import type { Command } from 'commander';
import { availableParallelism } from 'node:os';
import { Fault } from '../../../builder/fault.ts';
import { quote } from '../../package/name.ts';
import { resolve } from 'node:path';
import type { Context } from '../context.ts';

/** Where things come from and go to, in every way of building. */
export type PlaceOptions = {
  readonly from?: readonly string[];
  readonly repository?: string;
  readonly recipes?: string;
  readonly distfiles?: string;
  readonly directory?: string;
  readonly apt: boolean;
};

export const addPlaceOptions = (command: Command): Command =>
  command
    .option(
      '-p, --from <repository>',
      'build in roots of packages from there, with nothing of this machine; repeatable',
      (word: string, others: string[] = []) => [...others, word],
    )
    .option('-r, --repository <dir>', 'publish the packages there (default: the repository of the user)')
    .option('--recipes <dir>', 'where recipes are found by name (default: those that come with the tools)')
    .option('-d, --directory <dir>', 'where distfiles are kept (default: the cache of the user)')
    .option('--distfiles <file>', 'another list of distfiles')
    .option('--no-apt', 'do not ask the package manager of this machine for distfiles');

/** How it is done, and what is said of it. */
export type WayOptions = {
  readonly as?: string;
  readonly suffix?: string;
  readonly jobs?: string;
  readonly again?: true;
  readonly verbose?: true;
  readonly json?: true;
  readonly quiet?: true;
};

export const addWayOptions = (command: Command): Command =>
  command
    .option('-v, --as <version>', 'build it as this version')
    .option('-V, --suffix <suffix>', 'build it as a version with this at its end')
    .option('-j, --jobs <n>', 'how many processes may compile at once (default: one a processor)')
    .option('--again', 'build even if it is known what comes out')
    .option('--verbose', 'show what the scripts say')
    .option('--json', 'print the result as JSON')
    .option('-q, --quiet', 'no progress');

/** Throws USAGE for what is no directory: packages are published in directories. */
export function repositoryOf({ repository }: PlaceOptions, { cwd, env, places }: Context): string {
  const word = repository ?? (env['STATIC_DISTRO_REPOSITORY'] || places.packages);
  if (word !== '' && !/^(oci|registry):/.test(word)) return resolve(cwd, word);
  throw new Fault('USAGE', `--repository ${quote(word)} is no directory`, {
    hint: 'packages are published in a directory: --repository DIR',
  });
}

export const recipesOf = ({ recipes }: PlaceOptions, { cwd, places }: Context): string =>
  recipes === undefined ? places.recipes : resolve(cwd, recipes);

export function readJobs({ jobs }: WayOptions): number {
  if (jobs === undefined) return availableParallelism();
  if (/^[1-9][0-9]{0,3}$/.test(jobs)) return Number(jobs);
  throw new Fault('USAGE', `-j ${quote(jobs)} is no number of processes`);
}
