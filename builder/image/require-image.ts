import { advice } from '../advice.ts';
import { type Descriptor, isImageConfig, isManifest } from '../descriptor.ts';
import { Fault } from '../fault.ts';
import { quote } from '../json.ts';
import { decodeIndex, decodeManifest } from '../manifest.ts';
import { readBlob } from '../store/blob.ts';
import type { BlobStore } from '../store/store.ts';

/** Throws INPUT, naming `where`, for what is another artifact: a package, a chart. Nothing below it is read. */
export async function requireImage(source: BlobStore, found: Descriptor, where: string): Promise<void> {
  const { mediaType, digest } = found;
  // What an index has below it is found out when one of them is used.
  const read = isManifest(mediaType) ? decodeManifest : decodeIndex;
  const document = read(await readBlob(source, found), mediaType, digest);
  const isImage = 'config' in document ? isImageConfig(document.config.mediaType) : !document.artifactType;
  if (isImage) return;
  const type = document.artifactType ?? ('config' in document ? document.config.mediaType : mediaType);
  throw new Fault('INPUT', `${where} is no image, but ${quote(type)}`, {
    hint: advice.takePackages(),
  });
}
