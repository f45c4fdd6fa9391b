import { Buffer } from 'node:buffer';
import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import { isDigest, type Sized } from '../digest.ts';
import { type FilePart, type Part, resized, unreadable } from './parts.ts';

/**
 * What native/compress reads and writes beside compressed bytes (its main.c tells all of it): records of a kind, a size
 * of four bytes, and that many bytes.
 */
const kinds = { bytes: 'B', file: 'F', digest: 'D', end: 'E' } as const;

export const recordHeader = 5;

/** Headers and names of a hundred files: soon there, and not too few for a call. */
const batchSize = 64 * 1024;

/** What Linux takes, with the zero byte at its end. */
const mostPath = 4096;

/** Bytes that count for the digest of a segment, and are compressed elsewhere. */
export type Around = { readonly before?: Buffer | undefined; readonly after?: Buffer | undefined };

/**
 * A segment as the compressor takes it. A BATCH IS GOOD ONLY UNTIL THE SECOND AFTER IT IS ASKED FOR, when its memory is
 * used again: so one can be on its way while the next is made.
 */
export function* segmentRecords(parts: Iterable<Part>, around: Around = {}): Generator<Buffer, void> {
  const batch = new Batch();
  if (around.before) batch.bytes(kinds.digest, around.before, 0);
  for (const part of parts) {
    if (!(part instanceof Uint8Array)) {
      if (!batch.fits(part)) yield batch.take();
      batch.file(part);
      continue;
    }
    for (let at = 0; at < part.length;) {
      if (batch.isFull()) yield batch.take();
      at += batch.bytes(kinds.bytes, part, at);
    }
  }
  yield batch.take();
  if (around.after) batch.bytes(kinds.digest, around.after, 0);
  batch.bytes(kinds.end, Buffer.alloc(0), 0);
  yield batch.take();
}

class Batch {
  #bytes = Buffer.allocUnsafeSlow(batchSize);
  #other = Buffer.allocUnsafeSlow(batchSize);
  #used = 0;

  /** What has been put in, which is then empty again. */
  take(): Buffer {
    const full = this.#bytes.subarray(0, this.#used);
    [this.#bytes, this.#other, this.#used] = [this.#other, this.#bytes, 0];
    return full;
  }

  isFull(): boolean {
    return this.#used + 2 * recordHeader > batchSize;
  }

  /** Puts in what there is room for of the bytes from `at` on, and tells how many those are. */
  bytes(kind: string, bytes: Uint8Array, at: number): number {
    const size = Math.min(bytes.length - at, batchSize - this.#used - recordHeader);
    this.#start(kind, size);
    this.#bytes.set(size === bytes.length ? bytes : bytes.subarray(at, at + size), this.#used);
    this.#used += size;
    return size;
  }

  fits({ file, path }: FilePart): boolean {
    return this.#used + 2 * recordHeader + 8 + 3 * file.length + path.length <= batchSize;
  }

  /** Throws as opening the file would, where its name alone is wrong. */
  file(part: FilePart): void {
    const { file, size, path } = part;
    if (file.length >= mostPath) throw unreadable(part, systemError(constants.errno.ENAMETOOLONG));
    if (file.includes('\0')) throw unreadable(part, systemError(constants.errno.EINVAL));
    const length = Buffer.byteLength(file);
    this.#start(kinds.file, 8 + length + 1 + path.length);
    this.#bytes.writeUInt32LE(size % 2 ** 32, this.#used);
    this.#bytes.writeUInt32LE(Math.floor(size / 2 ** 32), this.#used + 4);
    this.#used += 8;
    if (typeof file === 'string') this.#bytes.write(file, this.#used);
    else this.#bytes.set(file, this.#used);
    this.#used += length;
    this.#bytes[this.#used] = 0;
    this.#bytes.set(path, this.#used + 1);
    this.#used += 1 + path.length;
  }

  #start(kind: string, size: number): void {
    this.#bytes[this.#used] = kind.charCodeAt(0);
    this.#bytes.writeUInt32LE(size, this.#used + 1);
    this.#used += recordHeader;
  }
}

/** What the end of a segment tells: all that counts for its digest. Undefined if it is no such record. */
export function readEnd(record: Buffer): Sized | undefined {
  const digest = `sha256:${record.toString('latin1', 8)}`;
  return isDigest(digest) ? { digest, size: readNumber(record, 0) } : undefined;
}

/** The error that a file's fault tells of. */
export function readFault(record: Buffer): unknown {
  const names = record.subarray(12);
  const end = names.indexOf(0);
  const part = { file: names.subarray(0, end), size: readNumber(record, 4), path: names.subarray(end + 1) };
  const errno = record.readUInt32LE(0);
  return errno === 0 ? resized(part) : unreadable(part, systemError(errno));
}

const readNumber = (bytes: Buffer, at: number): number =>
  bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;

/** As Node makes it of a call that fails. */
function systemError(errno: number): Error {
  const [code, message] = getSystemErrorMap().get(-errno) ?? [`errno ${errno}`, 'unknown error'];
  return Object.assign(new Error(`${code}: ${message}`), { code });
}
