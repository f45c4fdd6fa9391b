import { join } from 'node:path';
import { compressionOf } from '../../builder/descriptor.ts';
import { Fault } from '../../builder/fault.ts';
import { decode } from '../../builder/tar/decode.ts';
import type { Encoding } from '../../builder/tar/encoding.ts';
import { unpackTree } from '../../builder/tar/unpack.ts';
import { blobOf, openBlob, type Workshop } from '../layer/workshop.ts';
import { parseBinaryControl } from '../package/binary-control.ts';
import type { FinishedPackage } from '../package/incoming.ts';
import { packagePath } from '../package/name.ts';
import type { BuiltPackage } from './results.ts';

/** The one that is quicker to read first. */
const readable: readonly Encoding[] = ['zstd-1', 'gzip-1'];

/**
 * Unpacks the stored layers of a build's packages in `staging`, every byte verified. Undefined if one of them is
 * gone or damaged in both encodings: they have to be built again.
 */
export async function restore(
  packages: readonly BuiltPackage[],
  { staging, workshop }: { readonly staging: string; readonly workshop: Workshop },
): Promise<readonly FinishedPackage[] | undefined> {
  const finished: FinishedPackage[] = [];
  for (const each of packages) {
    const tree = join(staging, each.name);
    if (!(await unpackOne(each, tree, workshop))) return undefined;
    finished.push({ ...each, tree });
  }
  return finished;
}

async function unpackOne(
  { name, version, record }: BuiltPackage,
  tree: string,
  workshop: Workshop,
): Promise<boolean> {
  const { layer } = record;
  if (!layer) return false;
  const where = `the layer of ${name} ${version}`;
  const { modes } = parseBinaryControl(record.control, where);
  const rules = {
    path: packagePath(name, version),
    modes: new Map(modes.map(({ path, mode }) => [path, Number.parseInt(mode, 8)])),
    where,
  };
  for (const encoding of readable) {
    try {
      const blob = blobOf(layer, encoding);
      const compression = compressionOf(blob.mediaType) ?? 'none';
      const tar = decode(openBlob(workshop, blob), compression, { most: layer.size, where });
      await unpackTree(tar, tree, layer, rules);
      return true;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      if (error.code !== 'INTEGRITY' && error.code !== 'NOT_FOUND' && error.code !== 'UNSAFE') throw error;
    }
  }
  return false;
}
