import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { decodeDigest } from '../../builder/descriptor.ts';
import { digestOf, hexOf, type Sized } from '../../builder/digest.ts';
import { asFault, Fault } from '../../builder/fault.ts';
import { canonicalJson, count, type Field, type Json, member, parseJson } from '../../builder/json.ts';
import { readRegularSync } from '../../builder/regular-file.ts';
import { writeDurably } from '../package/durable.ts';
import type { KnownLayer, Workshop } from './workshop.ts';

/** Part of the name of every file, so that files of another format are never met. */
const format = 1;

/** The file in which something is remembered; `key` says what, whatever its length. */
export const memoPath = (cache: string, kind: string, key: Json): string =>
  `${cache}/${kind}-${hexOf(digestOf(canonicalJson([format, key])))}.json`;

/** Undefined if there is no such file, or it cannot be made out: it is a cache, and what it held is made again. */
export function readMemo<T>(path: string, read: (field: Field) => T): T | undefined {
  let bytes: Buffer;
  try {
    bytes = readRegularSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EFTYPE')) {
      return undefined;
    }
    throw asFault(error, `reading ${path}`);
  }
  try {
    return read(parseJson(bytes, path));
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

/** Does nothing in a workshop that keeps nothing. */
export function writeMemo({ keep }: Workshop, path: string, value: Json): void {
  if (!keep) return;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeDurably(dirname(path), path, canonicalJson(value));
  } catch (error) {
    throw asFault(error, `writing ${path}`);
  }
}

const decodeSized = (field: Field): Sized => ({
  digest: decodeDigest(member(field, 'digest')),
  size: count(member(field, 'size')),
});

export function decodeLayer(field: Field): KnownLayer {
  const blobs = member(field, 'blobs');
  return {
    diffID: decodeDigest(member(field, 'diffID')),
    size: count(member(field, 'size')),
    blobs: { 'gzip-1': decodeSized(member(blobs, 'gzip-1')), 'zstd-1': decodeSized(member(blobs, 'zstd-1')) },
  };
}
