import { existsSync, lstatSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { asFault, Fault } from '../../builder/fault.ts';
import { withLock } from '../../builder/lock.ts';
import { removeLeftovers, temporaryName } from './cache.ts';
import { lastUsed, markOf, markOfLook, setMark } from './used.ts';

type CacheBounds = {
  /** The program `native/lock`. */
  readonly lock: string;
  /** In ms, as all times here. */
  readonly now: number;
  /** Of what is in there, by path, the least recently used goes past a sum of so much. */
  readonly most: number;
  readonly sizeOf: (path: string) => number;
};

const day = 24 * 3600_000;

/** What was not used for so long goes. */
const unusedFor = 30 * day;

/** Between two looks. Somebody may be about to use what was used after the last one. */
const interval = day;

/** A profile is links, 50 to 500 KiB of them: as many as there is room for in some 100 MiB. */
export const forgetProfiles = (profiles: string, lock: string, now = Date.now()): Promise<void> =>
  forgetUnused(profiles, { lock, now, most: 1000, sizeOf: () => 1 });

export const forgetTrees = (trees: string, lock: string, now = Date.now()): Promise<void> =>
  forgetUnused(trees, { lock, now, most: 1 << 30, sizeOf: bytesIn });

/**
 * Once a day, removes from a cache of directories what is out of bounds, by when each was last used ({@link markUsed});
 * never what was used within a day, nor what the helper has locked as a command runs in it. Fails for nothing: what
 * cannot be removed stays until the next time.
 */
export async function forgetUnused(directory: string, bounds: CacheBounds): Promise<void> {
  const { lock, now } = bounds;
  const stamp = markOfLook(directory);
  try {
    // A lock makes a file of what is not there.
    if (!existsSync(directory) || !isDue(stamp, now)) return;
    await withLock(lock, directory, { wait: false }, async () => {
      if (!isDue(stamp, now)) return;
      setMark(stamp, now);
      removeLeftovers(directory);
      await removeUnused(directory, bounds);
    });
  } catch (error) {
    if (!(asFault(error, directory) instanceof Fault)) throw error;
  }
}

const isDue = (stamp: string, now: number): boolean =>
  Math.abs(now - (lstatSync(stamp, { throwIfNoEntry: false })?.mtimeMs ?? 0)) >= interval;

async function removeUnused(directory: string, { lock, now, most, sizeOf }: CacheBounds): Promise<void> {
  const all = readdirSync(directory)
    .filter((name) => /^[0-9a-f]{64}$/.test(name))
    .map((name) => join(directory, name))
    .map((path) => ({ path, used: lastUsed(path) }))
    .sort((a, b) => b.used - a.used);
  let sum = 0;
  for (const { path, used } of all) {
    sum += sizeOf(path);
    const unused = now - used;
    if (unused > interval && (unused > unusedFor || sum > most)) await remove(directory, path, used, lock);
  }
}

/**
 * Out of sight first, while nobody can lock it. Who is about to has marked it before: then it comes back, and if they
 * have not found it meanwhile, the helper says so and nothing runs.
 */
async function remove(directory: string, path: string, used: number, lock: string): Promise<void> {
  const aside = join(directory, temporaryName());
  try {
    await withLock(lock, path, { wait: false }, async () => {
      renameSync(path, aside);
      if (lastUsed(path) > used) renameSync(aside, path);
      else rmSync(markOf(path), { force: true });
    });
  } catch (error) {
    if (!(asFault(error, path) instanceof Fault)) throw error;
  }
  rmSync(aside, { recursive: true, force: true });
}

/** On disk. What goes meanwhile is not counted. */
function bytesIn(path: string): number {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  const own = (stats?.blocks ?? 0) * 512;
  if (!stats?.isDirectory()) return own;
  return readdirSync(path).reduce((sum, name) => sum + bytesIn(join(path, name)), own);
}
