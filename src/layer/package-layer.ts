import { digestOf } from '../../builder/digest.ts';
import { Fault } from '../../builder/fault.ts';
import { type Field, member, record, string } from '../../builder/json.ts';
import { planTree } from '../../builder/tar/layer.ts';
import { fits, type Fingerprint, takeFingerprint } from '../package/fingerprint.ts';
import { packagePath, quote } from '../package/name.ts';
import { modesOf } from '../package/tree-digest.ts';
import { decodeLayer, memoPath, readMemo, writeMemo } from './known.ts';
import type { LayerPackage } from './package.ts';
import { encodings, isStored, type KnownLayer, type Workshop } from './workshop.ts';

/** What is remembered of a tree: its layer, and by what it is known again. */
type Memo = {
  readonly tree: string;
  readonly control: string;
  readonly fingerprint: Fingerprint;
  readonly layer: KnownLayer;
};

const memoOf = ({ cache }: Pick<Workshop, 'cache'>, { name, version, tree }: LayerPackage): string =>
  memoPath(cache, 'tree', [name, version, tree]);

/**
 * What is known of the layer of a tree as it is now, of which no file is read; undefined if nothing is. A record
 * that fits the tree knows it; without one it is remembered.
 */
function knownPackageLayer(workshop: Workshop, each: LayerPackage): KnownLayer | undefined {
  if (each.record.layer) return each.record.layer;
  const memo = readMemo(memoOf(workshop, each), decodeMemo);
  if (!memo || memo.control !== digestOf(each.record.control)) return undefined;
  return fits(each.tree, memo.fingerprint) ? memo.layer : undefined;
}

/**
 * Makes the layer of a package out of its tree. `known` is what the layer was before its blobs went: then the same
 * must come out. Throws INTEGRITY if it does not, or if something writes to the tree meanwhile.
 */
async function makePackageLayer(
  workshop: Workshop,
  each: LayerPackage,
  known?: KnownLayer,
): Promise<KnownLayer> {
  const fingerprint = takeFingerprint(each.tree);
  const layer = await workshop.make(planPackage(each));
  if (!fits(each.tree, fingerprint)) {
    throw new Fault('INTEGRITY', `${quote(each.tree)} has changed while its layer was made`, {
      hint: 'try again when nothing writes to it',
    });
  }
  const path = memoOf(workshop, each);
  if (known) checkSame(each, known, layer, path);
  if (each.record.layer) return layer;
  writeMemo(workshop, path, { tree: each.tree, control: digestOf(each.record.control), fingerprint, layer });
  return layer;
}

function checkSame({ record, tree }: LayerPackage, known: KnownLayer, layer: KnownLayer, memo: string): void {
  if (known.diffID !== layer.diffID) {
    const remove = record.layer ? 'its record' : quote(memo);
    throw new Fault('INTEGRITY', `files in ${quote(tree)} are no longer those that its layer was made of`, {
      hint: `build the package again; or, to take it as it is, remove ${remove}`,
    });
  }
  const other = encodings.find((encoding) => known.blobs[encoding].digest !== layer.blobs[encoding].digest);
  if (!other) return;
  throw new Fault('INTEGRITY', `${quote(tree)} has another layer in ${other} than is written down of it`, {
    hint: 'what is written down is wrong, or of another version of the tools: build the package again',
  });
}

/** The layer of a package, made if nothing is known of it. */
export const packageLayer = async (workshop: Workshop, each: LayerPackage): Promise<KnownLayer> =>
  knownPackageLayer(workshop, each) ?? makePackageLayer(workshop, each);

/** Sees to it that the blobs of a known layer can be read. */
export async function ensureStored(workshop: Workshop, each: LayerPackage, known: KnownLayer): Promise<void> {
  if (!(await isStored(workshop, known))) await makePackageLayer(workshop, each, known);
}

/** How a package becomes a layer: its tree, with the modes that its control names. */
export const planPackage = ({ name, version, tree, control }: Omit<LayerPackage, 'record'>) =>
  planTree(tree, packagePath(name, version), { modes: modesOf(control) });

export const decodeMemo = (field: Field): Memo => ({
  tree: string(member(field, 'tree')),
  control: string(member(field, 'control')),
  fingerprint: record(member(field, 'fingerprint'), string),
  layer: decodeLayer(member(field, 'layer')),
});
