import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGunzip, createZstdDecompress } from 'node:zlib';
import { Fault } from '../fault.ts';
import { cutAtFrames } from './frames.ts';

/** What a layer's media type says (`compressionOf` in descriptor.ts); any number of members or frames. */
export type Compression = 'none' | 'gzip' | 'zstd';

/** 2^25 bytes is the most that a zstd frame may make us keep; ours take 2^21. */
const params = { [constants.ZSTD_d_windowLogMax]: 25 };

export type DecodeOptions = {
  /** Bytes of output beyond which the input is taken for a bomb: the size that was recorded for it. */
  readonly most: number;
  /** Names the blob in messages. */
  readonly where: string;
};

/**
 * The tar in a blob. Throws INTEGRITY if the blob is damaged, cut off, followed by something else, or makes more
 * than `most` bytes. That the bytes are the expected ones, only their digest tells.
 */
export async function* decode(
  blob: AsyncIterable<Uint8Array>,
  compression: Compression,
  { most, where }: DecodeOptions,
): AsyncGenerator<Buffer, void> {
  let size = 0;
  const chunks = compression === 'none' ? blob : decompress(blob, compression, where);
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > most) throw damaged(where, `holds more than ${most} bytes`);
    yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
  }
}

async function* decompress(
  blob: AsyncIterable<Uint8Array>,
  compression: 'gzip' | 'zstd',
  where: string,
): AsyncGenerator<Buffer, void> {
  let fed = 0;
  const counted = async function* () {
    for await (const chunk of compression === 'zstd' ? cutAtFrames(blob, where) : blob) {
      fed += chunk.length;
      yield chunk;
    }
  };
  const stream = compression === 'gzip' ? createGunzip() : createZstdDecompress({ params });
  pipeline(Readable.from(counted()), stream).catch(() => undefined);
  try {
    yield* stream as AsyncIterable<Buffer>;
  } catch (error) {
    if (error instanceof Fault || !(error instanceof Error && 'errno' in error)) throw error;
    throw damaged(where, `is no ${compression}: ${error.message}`, error);
  }
  // Node stops without a word at bytes that follow the last member.
  if (fed === 0 || stream.bytesWritten !== fed) throw damaged(where, `is no ${compression} to its end`);
}

const damaged = (where: string, what: string, cause?: unknown): Fault =>
  new Fault('INTEGRITY', `${where}: the layer ${what}`, { cause, hint: 'fetch or make it again' });
