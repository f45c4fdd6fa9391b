import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { asFault, Fault } from '../../builder/fault.ts';
import { digestOf } from '../../builder/digest.ts';
import { Compressor } from '../../builder/tar/compressor.ts';
import { makeLayer, measure } from '../../builder/tar/layer.ts';
import { readRegularSync } from '../../builder/regular-file.ts';
import { parseBinaryControl } from '../package/binary-control.ts';
import { fits } from '../package/fingerprint.ts';
import { recordPath } from '../package/layout.ts';
import { readRecord } from '../package/record-file.ts';
import type { Repository } from '../package/repository.ts';
import { readMemo } from './known.ts';
import { decodeMemo, planPackage } from './package-layer.ts';
import { encodings, type KnownLayer } from './workshop.ts';

export type EditedTree = { readonly subject: string; readonly message: string };

/** A tree of which somebody has written down what its layer is. */
export type KnownTree = { readonly tree: string; readonly layer: KnownLayer };

/** Those of a repository whose records have a layer; what cannot be read is given as it would be told. */
export function* recordedTrees(repository: Repository): Generator<KnownTree | EditedTree, void> {
  for (const name of repository.names()) {
    for (const version of repository.versions(name)) {
      try {
        const layer = readRecord(recordPath(repository.directory, name, version))?.layer;
        if (layer) yield { tree: repository.tree(name, version), layer };
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        yield { subject: repository.tree(name, version), message: error.message };
      }
    }
  }
}

/** Those without a record, of which a layer was made. Passes over what is gone, or is another tree by its names. */
export function* rememberedTrees(cache: string): Generator<KnownTree, void> {
  for (const name of listMemos(cache)) {
    const memo = readMemo(join(cache, name), decodeMemo);
    if (!memo || !fits(memo.tree, memo.fingerprint)) continue;
    if (digestOf(readRegularSync(join(memo.tree, 'control'), 'utf8')) === memo.control) yield memo;
  }
}

/**
 * Reads every tree, and tells those whose files are others now than when their layer was made: images have what was
 * there then. Also those of whose layer something wrong is written down.
 */
export async function editedTrees(
  trees: Iterable<KnownTree | EditedTree>,
  compressProgram: string,
): Promise<readonly EditedTree[]> {
  const compressor = new Compressor([compressProgram], encodings);
  try {
    const found = new Map<string, EditedTree>();
    for (const each of trees) {
      const edited = 'subject' in each ? each : await editedTree(each, compressor);
      if (edited) found.set(edited.subject, edited);
    }
    return [...found.values()];
  } finally {
    await compressor.close();
  }
}

async function editedTree(
  { tree, layer }: KnownTree,
  compressor: Compressor<(typeof encodings)[number]>,
): Promise<EditedTree | undefined> {
  const file = join(tree, 'control');
  try {
    const control = parseBinaryControl(readRegularSync(file, 'utf8'), file);
    const { name, version } = control;
    const plan = planPackage({ name, version, tree, control });
    const made = await makeLayer(plan, compressor, { 'gzip-1': measure, 'zstd-1': measure });
    if (made.diffID !== layer.diffID) {
      return { subject: tree, message: `files of ${name} ${version} were edited after its layer was made` };
    }
    const other = encodings.find((each) => made.blobs[each].digest !== layer.blobs[each].digest);
    if (!other) return undefined;
    return {
      subject: tree,
      message: `${name} ${version} has another layer in ${other} than its record says`,
    };
  } catch (error) {
    const fault = asFault(error, `reading ${tree}`);
    if (!(fault instanceof Fault)) throw fault;
    return { subject: tree, message: fault.message };
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
