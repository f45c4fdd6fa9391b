import type { Descriptor } from '../../builder/descriptor.ts';
import { Fault } from '../../builder/fault.ts';
import { decodeManifest } from '../../builder/manifest.ts';
import { readBlob } from '../../builder/store/blob.ts';
import type { BlobStore } from '../../builder/store/store.ts';
import { artifactType, recordType } from '../layer/package-artifact.ts';
import { blobOf, encodings } from '../layer/workshop.ts';
import { parseRecord } from '../package/record-file.ts';
import { type Entry, subjectOf } from './entry.ts';

/** Longer records are no package's, in bytes: each of a hundred thousand links takes a hundred. */
const longestRecord = 16 << 20;

/**
 * The package that an artifact is of: its config is the record, its layers are what the record says they are.
 * Nothing of the layers is read. Throws INPUT, naming `where`, for what is no such artifact.
 */
export async function readArtifact(
  store: BlobStore,
  descriptor: Descriptor,
  where: string,
): Promise<Omit<Entry, 'builds'>> {
  const bytes = await readBlob(store, descriptor);
  const { config, layers, ...manifest } = decodeManifest(bytes, descriptor.mediaType, where);
  if (manifest.artifactType !== artifactType || config.mediaType !== recordType) {
    throw new Fault('INPUT', `${where}: is no package`, { hint: 'something else has a tag of ours' });
  }
  const record = parseRecord((await readBlob(store, config, longestRecord)).toString('utf8'), where);
  const found = subjectOf(record, where);
  for (const encoding of encodings) {
    const { digest, size } = blobOf(found.record.layer, encoding);
    if (!layers.some((layer) => layer.digest === digest && layer.size === size)) {
      throw new Fault('INPUT', `${where}: its record names another layer in ${encoding} than it has`, {
        hint: 'nothing of it is taken; publish the package again',
      });
    }
  }
  const { digest, size } = descriptor;
  return { ...found, manifest: { digest, size } };
}
