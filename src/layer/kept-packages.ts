import { compressionOf, type Descriptor } from '../../builder/descriptor.ts';
import { digester } from '../../builder/digest.ts';
import { Fault } from '../../builder/fault.ts';
import { decodeManifest } from '../../builder/manifest.ts';
import { readBlob } from '../../builder/store/blob.ts';
import { allEntries } from '../../builder/store/collection.ts';
import type { FileStore } from '../../builder/store/file-store.ts';
import { decode } from '../../builder/tar/decode.ts';
import { layerReader } from '../../builder/tar/read.ts';
import { treeRules } from '../../builder/tar/rules.ts';
import { parseBinaryControl } from '../package/binary-control.ts';
import { packagePath } from '../package/name.ts';
import { readRecord } from '../package/record-file.ts';
import { modesOf } from '../package/tree-digest.ts';
import { packageCollection, packageKey } from './package-artifact.ts';
import { blobOf, encodings } from './workshop.ts';

export type KeptPackageFault = { readonly subject: string; readonly message: string };

/**
 * Reads the layers of the packages that the store keeps, but of those that `skip` says, by name,, and tells which are not what
 * the package's record says: the very layer, in our format, of nothing but the package's own tree. Their blobs are
 * taken to be whole (`check` in builder/store).
 */
export async function faultsOfKept(
  store: FileStore,
  skip: (key: string) => boolean,
): Promise<readonly KeptPackageFault[]> {
  const collection = await store.resolve(packageCollection);
  if (!collection || skip(packageCollection)) return [];
  const found: KeptPackageFault[] = [];
  for await (const [key, entry] of allEntries(store, collection)) {
    const subject = `${packageCollection} ${key}`;
    if (skip(subject)) continue;
    try {
      await checkKept(store, key, entry);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      found.push({ subject, message: error.message });
    }
  }
  return found;
}

async function checkKept(store: FileStore, key: string, entry: Descriptor): Promise<void> {
  const manifest = decodeManifest(await readBlob(store, entry), entry.mediaType, entry.digest);
  const record = readRecord(store.blobPath(manifest.config.digest));
  if (!record?.layer) throw wrong('its record tells of no layer');
  const { layer } = record;
  const control = parseBinaryControl(record.control, 'its control');
  const { name, version } = control;
  const called = packageKey({ name, version }, layer);
  if (called !== key) throw wrong(`its record is that of ${called}`);
  for (const encoding of encodings) {
    const blob = blobOf(layer, encoding);
    if (!manifest.layers.some(({ digest }) => digest === blob.digest)) {
      throw wrong(`its layer ${blob.digest} is not the one that it keeps`);
    }
    const where = `its layer ${blob.digest}`;
    const rules = { path: packagePath(name, version), modes: modesOf(control), where };
    const reader = layerReader(where, {
      entry: treeRules(rules),
      data: () => undefined,
      end: () => undefined,
    });
    const plain = digester();
    const compression = compressionOf(blob.mediaType) ?? 'none';
    for await (const chunk of decode(store.open(blob), compression, { most: layer.size, where })) {
      plain.update(chunk);
      reader.push(chunk);
    }
    reader.finish();
    const { digest } = plain.finish();
    if (digest !== layer.diffID) throw wrong(`${where} unpacks to ${digest}, not ${layer.diffID}`);
  }
}

const wrong = (message: string): Fault =>
  new Fault('INTEGRITY', message, { hint: 'build the package again' });
