import { dirname, join } from 'node:path';
import { Fault } from '../../builder/fault.ts';
import type { ProduceSetting } from '../build/produce.ts';
import { openResults, type Results } from '../build/results.ts';
import { type Machine, machineBy } from '../package/architecture.ts';
import { ensurePrivate } from '../run/private.ts';
import { fetchDistfiles, type FetchEvent } from '../source/fetch.ts';
import type { Context } from './context.ts';
import { fetchOptions } from './fetch-options.ts';
import { workshopsOf } from './workshops.ts';

export type SettingOptions = {
  readonly signal: AbortSignal;
  /** Where distfiles are kept, if not in the user's cache. */
  readonly distfiles?: string | undefined;
  /** False: the package manager is not asked for distfiles. */
  readonly apt?: boolean;
  readonly listen: (event: FetchEvent) => void;
};

/** The machine that packages are built for: this one. Throws INPUT where there are no packages for it. */
export function thisMachine(): Machine {
  const machine = machineBy('node', process.arch);
  if (machine) return machine;
  throw new Fault('INPUT', `packages are for x86_64 and aarch64, and this machine is ${process.arch}`);
}

export const lockOf = ({ places }: Context): string => join(dirname(places.helper), 'lock');

/** The user's cache of builds. */
export const resultsOf = (context: Context): Results =>
  openResults(context.places.cache.builds, lockOf(context));

/** What every build of one run of a tool has in common. */
export function buildSetting(context: Context, options: SettingOptions): ProduceSetting {
  const { tool, cwd, places } = context;
  const { signal, listen } = options;
  const { cache } = places;
  const usual = fetchOptions(context);
  const directory = options.distfiles ?? usual.directory;
  return {
    tool,
    from: cwd,
    helper: places.helper,
    lock: lockOf(context),
    collector: join(dirname(places.helper), 'collect'),
    results: resultsOf(context),
    profiles: cache.profiles,
    workshops: workshopsOf(context),
    cache: cache.work,
    logs: join(cache.builds, 'logs'),
    guarded: [places.packages, places.store, cache.trees, cache.profiles, cache.builds],
    signal,
    async fetch(list, names) {
      if (options.distfiles === undefined) ensurePrivate(directory);
      const apt = options.apt === false ? undefined : usual.apt;
      return await fetchDistfiles(list, names, { ...usual, apt, directory, option: '-d', signal, listen });
    },
  };
}
