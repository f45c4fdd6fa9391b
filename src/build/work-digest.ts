import { createHash, type Hash } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from 'node:fs';
import { Buffer } from 'node:buffer';
import { setImmediate as breathe } from 'node:timers/promises';
import type { Digest } from '../../builder/digest.ts';
import { asFault } from '../../builder/fault.ts';
import { quote } from '../package/name.ts';

/** How many files are read before others get their turn: builds that run meanwhile must not wait for us. */
const turn = 64;

/** The clock of files lags behind the clock that we ask, in ms. */
const lag = 1000;

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/**
 * What a phase left in a work directory, as the next one can see it: names, types, modes, content, where links
 * lead, and the times of files that have been given one, such as those that come out of an archive, as `make` goes
 * by them. A time from `since` on (ms since the epoch) is one of this very run and counts as new.
 */
export async function workDigest(work: string, since: number): Promise<Digest> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(1 << 20);
  const waiting: Buffer[] = [Buffer.alloc(0)];
  let files = 0;
  const root = Buffer.from(work);
  try {
    for (let below = waiting.pop(); below !== undefined; below = waiting.pop()) {
      const directory = join(root, below);
      const names = allowed(hash, () => readdirSync(directory, { encoding: 'buffer' })) ?? [];
      names.sort(Buffer.compare);
      for (const name of names) {
        const path = below.length === 0 ? name : join(below, name);
        const full = join(root, path);
        const stats = lstatSync(full);
        const kind = stats.mode & constants.S_IFMT;
        const time = stats.isDirectory() || stats.mtimeMs >= since - lag ? 'new' : Math.floor(stats.mtimeMs);
        hash.update(`\0${kind} ${(stats.mode & 0o777).toString(8)} ${time} `).update(path);
        if (stats.isDirectory()) waiting.push(path);
        else if (stats.isSymbolicLink()) hash.update('\0').update(readlinkSync(full, { encoding: 'buffer' }));
        else if (stats.isFile()) allowed(hash, () => addFile(hash, full, buffer));
        files += 1;
        if (files % turn === 0) await breathe();
      }
    }
  } catch (error) {
    throw asFault(error, `reading what was unpacked into ${quote(work)}`);
  }
  return `sha256:${hash.digest('hex')}`;
}

const slash = Buffer.from('/');
const join = (a: Buffer, b: Buffer): Buffer => Buffer.concat([a, slash, b]);

/** What may not be read counts by its name and mode: who builds may not read it either. */
function allowed<T>(hash: Hash, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
    hash.update('\0closed');
    return undefined;
  }
}

function addFile(hash: Hash, path: Buffer, buffer: Buffer): void {
  const file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    hash.update(`\0${fstatSync(file).size} `);
    for (;;) {
      const length = readSync(file, buffer);
      if (length === 0) return;
      hash.update(buffer.subarray(0, length));
    }
  } finally {
    closeSync(file);
  }
}
