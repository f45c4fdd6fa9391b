import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { asFault, Fault } from '../../builder/fault.ts';
import { withLock } from '../../builder/lock.ts';
import { writeDurably } from './durable.ts';
import { indexBytes, readIndex, type Index, type IndexedName } from './index-file.ts';
import { glanceAt } from './glance.ts';
import { indexPath, lockPath, recordsPath, temporaryPath } from './layout.ts';
import { display } from './name.ts';
import { listNames, listProvided, timeOf } from './walk.ts';

/**
 * Makes the index anew, unless somebody else is at work in the repository or it cannot be written: the next one
 * who reads has use of it, and nobody needs it. `lock` is the program `native/lock`.
 */
export async function offerIndex(directory: string, lock: string): Promise<void> {
  try {
    mkdirSync(recordsPath(directory), { recursive: true });
    await withLock(lock, lockPath(directory), { wait: false }, () => writeIndex(directory));
  } catch (error) {
    if (!(asFault(error, directory) instanceof Fault)) throw error;
  }
}

/** To be called by whoever holds the lock. Looks at every name, and into those that have changed. */
export async function writeIndex(directory: string): Promise<void> {
  try {
    mkdirSync(temporaryPath(directory), { recursive: true });
    const now = await settledTime(directory);
    writeDurably(temporaryPath(directory), indexPath(directory), indexBytes(makeIndex(directory, now)));
  } catch (error) {
    throw asFault(error, `cannot write the index of ${display(directory)}`);
  }
}

/**
 * Times are read before what they are the times of, so that a change between the two makes the index unfit; one
 * that is not older than `now` is not relied on, as a change may still come at the same time.
 */
export function makeIndex(directory: string, now: bigint): Index {
  const known = new Map(
    readIndex(indexPath(directory))
      ?.names()
      .map((each) => [each.name, each]),
  );
  const reliable = (time: bigint) => (time < now ? time : 0n);
  const time = reliable(timeOf(directory) ?? 0n);
  const glance = glanceAt(directory);
  const names = listNames(directory).map((name): IndexedName => {
    const time = timeOf(`${directory}/${name}`) ?? 0n;
    const before = known.get(name);
    if (before && before.time === time && time !== 0n) return before;
    return { name, time: reliable(time), provided: listProvided(glance, name) };
  });
  return { time, names };
}

/** How long a change may look as old as the one before, in ms; where clocks tick slower an index is of less use. */
const slowestTick = 50;

/** The time that a change gets now, and everything that is done already has an earlier one, if that can be had soon. */
async function settledTime(directory: string): Promise<bigint> {
  const probe = `${temporaryPath(directory)}/clock`;
  const read = () => {
    writeFileSync(probe, '.');
    return timeOf(probe) ?? 0n;
  };
  const start = read();
  for (let waited = 0; waited < slowestTick; waited += 2) {
    const now = read();
    if (now > start) return now;
    await setTimeout(2);
  }
  return start;
}
