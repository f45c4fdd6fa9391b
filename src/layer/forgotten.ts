import { lstatSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../../builder/digest.ts';
import { asFault, Fault } from '../../builder/fault.ts';
import { member, string } from '../../builder/json.ts';
import { fits } from '../package/fingerprint.ts';
import { decodeLayer, readMemo } from './known.ts';
import { decodeMemo } from './package-layer.ts';
import { encodings, type KnownLayer } from './workshop.ts';

/** A file that somebody is about to rename is not older than this, in ms. */
const draftLife = 3_600_000;

/**
 * Removes what is remembered in the directory `cache` to no use any more: of trees that are gone or are others now,
 * of layers that are not stored any more. `isThere` tells whether a blob is, without marking it as used. Gives how
 * many that were; with `dryRun` nothing is removed. What is removed wrongly costs its next user some time.
 */
export function forget(
  cache: string,
  isThere: (digest: Digest) => boolean,
  { dryRun = false }: { readonly dryRun?: boolean } = {},
): number {
  let count = 0;
  for (const name of list(cache)) {
    const path = join(cache, name);
    if (isUseful(path, name, isThere)) continue;
    count += 1;
    if (!dryRun) rmSync(path, { force: true });
  }
  return count;
}

function isUseful(path: string, name: string, isThere: (digest: Digest) => boolean): boolean {
  const [, kind, draft] = /^(tree|local|group|profile)-[0-9a-f]{64}\.json(\.\d+)?$/.exec(name) ?? [];
  if (kind === undefined) return true;
  if (draft !== undefined) {
    return Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) < draftLife;
  }
  if (kind === 'tree') {
    const memo = readMemo(path, decodeMemo);
    return memo !== undefined && fits(memo.tree, memo.fingerprint);
  }
  if (kind === 'local') {
    const tree = readMemo(path, (field) => string(member(field, 'tree')));
    return tree !== undefined && lstatSync(tree, { throwIfNoEntry: false }) !== undefined;
  }
  const layer: KnownLayer | undefined = readMemo(path, decodeLayer);
  return layer !== undefined && encodings.every((encoding) => isThere(layer.blobs[encoding].digest));
}

function list(cache: string): readonly string[] {
  try {
    return readdirSync(cache).sort();
  } catch (error) {
    const fault = asFault(error, `reading ${cache}`);
    if (fault instanceof Fault && fault.code === 'NOT_FOUND') return [];
    throw fault;
  }
}
