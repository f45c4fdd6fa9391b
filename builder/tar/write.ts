import { Buffer } from 'node:buffer';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { asFault, Fault } from '../fault.ts';
import type { Entry } from './entry.ts';
import { mostHeader, padding, writeHeader } from './header.ts';
import { showPath } from './path.ts';

/** Small enough to stay in a processor's cache, large enough that a pipe is not fed in crumbs; whole blocks. */
const batchSize = 256 * 1024;

/** Without it a file swapped for a link or a fifo after the scan would be followed, or waited for. */
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

type File = Extract<Entry, { type: 'file' }>;

/** Fills `into` from `at` on with at most `length` of the bytes left; 0 at their end. */
type Source = { read(into: Buffer, at: number, length: number): number; close(): void };

/**
 * The tar of some entries without the zero blocks that end an archive, in batches. Files are read
 * synchronously, many to a batch and the large ones in pieces: a stream for each file is 15 times slower.
 * A BATCH IS GOOD ONLY UNTIL THE SECOND AFTER IT IS ASKED FOR, when its memory is used again: so one can be on its way
 * while the next is made. Throws INTEGRITY if a file is not as long as its entry says.
 */
export function* writeTar(entries: Iterable<Entry>): Generator<Buffer, void> {
  // One byte more, to see in the same read whether a file has grown.
  let batch = Buffer.allocUnsafeSlow(batchSize + 1);
  let other = Buffer.allocUnsafeSlow(batchSize + 1);
  let used = 0;
  for (const entry of entries) {
    if (used + mostHeader > batchSize) {
      yield batch.subarray(0, used);
      [batch, other, used] = [other, batch, 0];
    }
    used = writeHeader(entry, batch, used);
    if (entry.type !== 'file') continue;
    const body = open(entry);
    try {
      for (let left = entry.size; left > 0;) {
        if (used === batchSize) {
          yield batch.subarray(0, used);
          [batch, other, used] = [other, batch, 0];
        }
        const room = batchSize - used;
        const read = body.read(batch, used, left > room ? room : left + 1);
        if (read === 0 || read > left) throw changed(entry);
        left -= read;
        used += read;
      }
    } finally {
      body.close();
    }
    const end = used + padding(entry.size);
    batch.fill(0, used, end);
    used = end;
  }
  if (used > 0) yield batch.subarray(0, used);
}

function open({ body, path, size }: File): Source {
  if (size === 0) return { read: () => 0, close: () => undefined };
  if (body instanceof Uint8Array) {
    let done = 0;
    const read = (into: Buffer, at: number, length: number) => {
      const part = body.subarray(done, done + length);
      into.set(part, at);
      done += part.length;
      return part.length;
    };
    return { read, close: () => undefined };
  }
  const attempt = <T>(act: () => T): T => {
    try {
      return act();
    } catch (error) {
      throw asFault(error, `${showHost(body.file)}, packed as ${showPath(path)}`);
    }
  };
  const descriptor = attempt(() => openSync(body.file, openFlags));
  return {
    read: (into, at, length) => attempt(() => readSync(descriptor, into, at, length, null)),
    close: () => closeSync(descriptor),
  };
}

const showHost = (file: string | Buffer): string => showPath(Buffer.from(file as string));

const changed = ({ body, path, size }: File): Fault =>
  new Fault(
    'INTEGRITY',
    `${'file' in body ? showHost(body.file) : showPath(path)} is no longer ${size} bytes long`,
    {
      hint: 'nothing may write to a tree while its layer is made; try again',
    },
  );
