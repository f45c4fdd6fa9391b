import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '../../builder/digest.ts';
import { asFault, Fault } from '../../builder/fault.ts';
import { Compressor } from '../../builder/tar/compressor.ts';
import { makeLayer, measure } from '../../builder/tar/layer.ts';
import { parseBinaryControl } from '../package/binary-control.ts';
import { fits } from '../package/fingerprint.ts';
import { readMemo } from './known.ts';
import { decodeMemo, planPackage } from './package-layer.ts';

export type EditedTree = { readonly subject: string; readonly message: string };

/**
 * Reads every tree that a layer is remembered of, and tells those whose files are others now: images have what was
 * there when the layer was made. Trees that are gone, or that the memory no longer counts for, are passed over.
 */
export async function editedTrees(cache: string, compressProgram: string): Promise<readonly EditedTree[]> {
  const compressor = new Compressor([compressProgram], ['zstd-1']);
  try {
    const found: EditedTree[] = [];
    for (const name of listMemos(cache)) {
      const memo = readMemo(join(cache, name), decodeMemo);
      if (!memo || !fits(memo.tree, memo.fingerprint)) continue;
      const file = join(memo.tree, 'control');
      const text = readFileSync(file, 'utf8');
      if (digestOf(text) !== memo.control) continue;
      const control = parseBinaryControl(text, file);
      const plan = planPackage({ name: control.name, version: control.version, tree: memo.tree, control });
      const { diffID } = await makeLayer(plan, compressor, { 'zstd-1': measure });
      if (diffID === memo.layer.diffID) continue;
      const message = `files of ${control.name} ${control.version} were edited after its layer was made`;
      found.push({ subject: memo.tree, message });
    }
    return found;
  } finally {
    await compressor.close();
  }
}

function listMemos(cache: string): readonly string[] {
  try {
    return readdirSync(cache)
      .filter((name) => /^tree-[0-9a-f]{64}\.json$/.test(name))
      .sort();
  } catch (error) {
    const fault = asFault(error, `reading ${cache}`);
    if (fault instanceof Fault && fault.code === 'NOT_FOUND') return [];
    throw fault;
  }
}
