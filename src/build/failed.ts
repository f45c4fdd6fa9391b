import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../../builder/fault.ts';
import { quote, versionInPath } from '../package/name.ts';
import { ownerToken } from '../package/owner.ts';
import type { Call } from '../run/command.ts';
import { ensurePrivate } from '../run/private.ts';
import { removeTree } from './remove.ts';

/** A build that failed and was kept to be looked at: in which root its last script ran, and where. */
export type FailedBuild = {
  readonly format: 1;
  readonly name: string;
  readonly version: string;
  readonly phase: string;
  /** The work directory, as the failure left it. */
  readonly work: string;
  readonly log: string;
  /** What the helper was asked for, with the shares as they are now. */
  readonly call: Call;
};

type Which = { readonly name: string; readonly version: string };

/** How long a failed build is kept, in ms, and how many of all. */
const longest = 7 * 24 * 3600 * 1000;
const most = 10;

export const labelOf = ({ name, version }: Which): string => `${name}-${versionInPath(version)}`;

/** Where a failed build is kept in the directory of work directories: the last of each version. */
export const failedPaths = (cache: string, which: Which) => pathsOf(join(cache, labelOf(which)));

const pathsOf = (path: string) => ({
  work: `${path}.failed`,
  /** Trees that were built and are in no repository. */
  packages: `${path}.failed.packages`,
  state: `${path}.failed.json`,
});

export function writeFailed(cache: string, failed: FailedBuild): void {
  ensurePrivate(cache);
  const { state } = failedPaths(cache, failed);
  const temporary = join(cache, `state.${ownerToken()}`);
  writeFileSync(temporary, JSON.stringify(failed), { mode: 0o600 });
  renameSync(temporary, state);
}

/** Takes away what is kept of a version. */
export async function forgetFailed(cache: string, which: Which): Promise<void> {
  await remove(failedPaths(cache, which));
}

async function remove({ work, packages, state }: ReturnType<typeof pathsOf>): Promise<void> {
  rmSync(state, { force: true });
  for (const path of [work, packages]) if (existsSync(path)) await removeTree(path);
}

/** The last failed build of a name, or of a version of it. Throws NOT_FOUND. */
export function findFailed(cache: string, name: string, version: string | undefined): FailedBuild {
  const all = existsSync(cache) ? states(cache) : [];
  const found = all
    .filter(({ failed }) => failed.name === name && (version === undefined || failed.version === version))
    .sort((a, b) => b.time - a.time)[0];
  if (found) return found.failed;
  const others = all.map(({ failed }) => `${failed.name}=${failed.version}`).sort();
  throw new Fault(
    'NOT_FOUND',
    `no failed build of ${quote([name, version ?? []].flat().join('='))} is kept`,
    {
      hint: others.length > 0 ? `kept are ${others.join(', ')}` : 'build it; where that fails it is kept',
    },
  );
}

/** Removes what is kept too long, and the oldest of too many. */
export async function removeOldFailed(cache: string): Promise<void> {
  const all = states(cache).sort((a, b) => b.time - a.time);
  for (const [index, { failed, time }] of all.entries()) {
    if (index < most && Date.now() - time < longest) continue;
    await remove(failedPaths(cache, failed)).catch(() => undefined);
  }
  // What came out otherwise when it was checked.
  for (const name of readdirSync(cache).filter((each) => each.endsWith('.check'))) {
    const stats = statSync(join(cache, name), { throwIfNoEntry: false });
    if (stats && Date.now() - stats.mtimeMs > longest)
      await removeTree(join(cache, name)).catch(() => undefined);
  }
}

function states(cache: string): { readonly failed: FailedBuild; readonly time: number }[] {
  ensurePrivate(cache);
  return readdirSync(cache)
    .filter((name) => name.endsWith('.failed.json'))
    .flatMap((name) => {
      const path = join(cache, name);
      try {
        const failed = JSON.parse(readFileSync(path, 'utf8')) as FailedBuild;
        return failed.format === 1 ? [{ failed, time: statSync(path).mtimeMs }] : [];
      } catch {
        // Removed meanwhile, or damaged: then there is nothing to be found.
        return [];
      }
    });
}
