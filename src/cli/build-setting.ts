import { dirname, join } from 'node:path';
import { Fault } from '../../builder/fault.ts';
import { hostCompiler } from '../build/compiler.ts';
import type { ProduceSetting } from '../build/produce.ts';
import { machineBy } from '../package/architecture.ts';
import { ensurePrivate } from '../run/private.ts';
import { fetchDistfiles, type FetchEvent } from '../source/fetch.ts';
import type { Context } from './context.ts';
import { fetchOptions } from './fetch-options.ts';

export type SettingOptions = {
  readonly signal: AbortSignal;
  /** Where distfiles are kept, if not in the user's cache. */
  readonly distfiles?: string | undefined;
  /** False: the package manager is not asked for distfiles. */
  readonly apt?: boolean;
  readonly listen: (event: FetchEvent) => void;
};

/** What every build of one run of a tool has in common. Throws NOT_FOUND where there is no compiler. */
export async function buildSetting(context: Context, options: SettingOptions): Promise<ProduceSetting> {
  const { tool, cwd, places } = context;
  const { signal, listen } = options;
  const machine = machineBy('node', process.arch);
  if (!machine) {
    throw new Fault(
      'INPUT',
      `packages are built for x86_64 and aarch64, and this machine is ${process.arch}`,
    );
  }
  const { cache } = places;
  const usual = fetchOptions(context);
  const directory = options.distfiles ?? usual.directory;
  return {
    tool,
    from: cwd,
    helper: places.helper,
    lock: join(dirname(places.helper), 'lock'),
    profiles: cache.profiles,
    cache: cache.work,
    logs: join(cache.builds, 'logs'),
    guarded: [places.packages, places.store, cache.trees, cache.profiles, cache.builds],
    machine,
    compiler: await hostCompiler(),
    signal,
    async fetch(list, names) {
      if (options.distfiles === undefined) ensurePrivate(directory);
      const apt = options.apt === false ? undefined : usual.apt;
      return await fetchDistfiles(list, names, { ...usual, apt, directory, signal, listen });
    },
  };
}
