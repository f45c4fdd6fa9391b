import { Buffer } from 'node:buffer';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import type { Entry } from './entry.ts';
import { type FilePart, resized, tarParts, unreadable } from './parts.ts';

/** Small enough to stay in a processor's cache, large enough that few calls are made; whole blocks. */
const batchSize = 256 * 1024;

/** Without it a file swapped for a link or a fifo after the scan would be followed, or waited for. */
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * The tar of some entries without the zero blocks that end an archive, in batches. Files are read
 * synchronously, many to a batch and the large ones in pieces: a stream for each file is 15 times slower.
 * A BATCH IS GOOD ONLY UNTIL THE NEXT IS ASKED FOR. Throws INTEGRITY if a file is not as long as its entry says.
 */
export function* writeTar(entries: Iterable<Entry>): Generator<Buffer, void> {
  // One byte more, to see in the same read whether a file has grown.
  const batch = Buffer.allocUnsafeSlow(batchSize + 1);
  let used = 0;
  for (const part of tarParts(entries)) {
    const isFile = !(part instanceof Uint8Array);
    const source = isFile ? openFile(part) : openBytes(part);
    try {
      for (let left = isFile ? part.size : part.length; left > 0;) {
        if (used === batchSize) {
          yield batch.subarray(0, used);
          used = 0;
        }
        const room = batchSize - used;
        const read = source.read(batch, used, left > room ? room : left + 1);
        if (isFile && (read === 0 || read > left)) throw resized(part);
        left -= read;
        used += read;
      }
    } finally {
      source.close();
    }
  }
  if (used > 0) yield batch.subarray(0, used);
}

/** Fills `into` from `at` on with at most `length` of the bytes left; 0 at their end. */
type Source = { read(into: Buffer, at: number, length: number): number; close(): void };

function openBytes(bytes: Uint8Array): Source {
  let done = 0;
  const read = (into: Buffer, at: number, length: number) => {
    const part = bytes.subarray(done, done + length);
    into.set(part, at);
    done += part.length;
    return part.length;
  };
  return { read, close: () => undefined };
}

function openFile(part: FilePart): Source {
  const attempt = <T>(act: () => T): T => {
    try {
      return act();
    } catch (error) {
      throw unreadable(part, error);
    }
  };
  const descriptor = attempt(() => openSync(part.file, openFlags));
  return {
    read: (into, at, length) => attempt(() => readSync(descriptor, into, at, length, null)),
    close: () => closeSync(descriptor),
  };
}
