import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { decodeDescriptor, decodeDigest, type Descriptor } from '../../builder/descriptor.ts';
import { digestOf, hexOf } from '../../builder/digest.ts';
import { asFault, Fault } from '../../builder/fault.ts';
import { canonicalJson, items, type Json, member, optional, parseJson, strings } from '../../builder/json.ts';
import { writeDurably } from '../package/durable.ts';
import { touch } from '../package/touch.ts';
import { statePath } from './last-asked.ts';
import { type Listing, merge } from './listing.ts';
import { decodeEntry, decodeShard, jsonOf } from './record-index.ts';

const shardPath = (directory: string, { digest }: Descriptor): string =>
  `${directory}/shard-${hexOf(digest)}.json`;

/** What a repository held when it was last asked; undefined if that is not known, or not all of it. */
export function readState(directory: string, label: string): Listing | undefined {
  try {
    const path = statePath(directory, label);
    const state = parseJson(readFileSync(path), path);
    const index = optional(member(state, 'index'), decodeDigest);
    const shards = items(member(state, 'shards')).map(decodeDescriptor);
    const extra = items(member(state, 'extra')).map(decodeEntry);
    const gone = strings(member(state, 'gone'));
    const indexed = shards.flatMap((each) => {
      const bytes = readShard(directory, each);
      if (!bytes) throw new Fault('NOT_FOUND', 'a shard is gone');
      return decodeShard(bytes, shardPath(directory, each));
    });
    return { index, shards, extra, gone, entries: merge(indexed, extra, gone) };
  } catch (error) {
    if (asFault(error, directory) instanceof Fault) return undefined;
    throw error;
  }
}

/** To be called when the repository has just been asked. */
export function writeState(directory: string, label: string, { index, shards, extra, gone }: Listing): void {
  const path = statePath(directory, label);
  const bytes = canonicalJson({
    label,
    index,
    shards: shards.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
    extra: extra.map(jsonOf),
    gone,
  } satisfies Json);
  const used = shards.map((shard) => shardPath(directory, shard));
  if (isSame(path, bytes)) return [path, ...used].forEach(touch);
  used.forEach(touch);
  write(directory, path, bytes);
  prune(directory);
}

/** What has not been of use for so long, in ms, goes: shards of old indexes, and sets that were chosen of them. */
const longUnused = 30 * 24 * 3600_000;

function prune(directory: string): void {
  for (const name of readdirSync(directory)) {
    const path = `${directory}/${name}`;
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats && Date.now() - stats.mtimeMs > longUnused) rmSync(path, { force: true });
  }
}

function isSame(path: string, bytes: Buffer): boolean {
  try {
    return readFileSync(path).equals(bytes);
  } catch {
    return false;
  }
}

/** A shard that has been read before, if it is still what it was. */
export function readShard(directory: string, shard: Descriptor): Buffer | undefined {
  try {
    const bytes = readFileSync(shardPath(directory, shard));
    return digestOf(bytes) === shard.digest ? bytes : undefined;
  } catch {
    return undefined;
  }
}

export const writeShard = (directory: string, shard: Descriptor, bytes: Uint8Array): void =>
  write(directory, shardPath(directory, shard), bytes);

function write(directory: string, path: string, bytes: Uint8Array): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    writeDurably(directory, path, Buffer.from(bytes));
  } catch (error) {
    throw asFault(error, `writing ${path}`);
  }
}
