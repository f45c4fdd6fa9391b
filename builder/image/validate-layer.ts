import { compressionOf, type Descriptor } from '../descriptor.ts';
import { type Digest, digester } from '../digest.ts';
import { Fault } from '../fault.ts';
import type { BlobStore } from '../store/store.ts';
import { readArchive } from '../tar/archive.ts';
import { decode } from '../tar/decode.ts';
import { layerReader } from '../tar/read.ts';

/**
 * Says what is wrong with a layer that shall unpack to `diffID`, and to no more than `most` bytes; undefined for one
 * that does, and can be unpacked without harm. Throws a Fault for one that cannot be read.
 */
export async function validateLayer(
  store: BlobStore,
  layer: Descriptor,
  diffID: string,
  most: number,
): Promise<string | undefined> {
  const where = layer.digest;
  const open = () => decode(store.open(layer), compressionOf(layer.mediaType) ?? 'none', { most, where });
  const { digest, isOwn } = await readOnce(open(), where);
  if (digest !== diffID) return `it unpacks to ${digest}, and the config says ${diffID}`;
  // Other tools write other archives, which are not wrong for that.
  if (!isOwn) for await (const _ of readArchive(open(), { where, most, whiteouts: true }));
  return undefined;
}

const ignore = (): void => undefined;

/** Whether it is a layer in our own format, which is safe to unpack as such. */
async function readOnce(
  tar: AsyncIterable<Uint8Array>,
  where: string,
): Promise<{ readonly digest: Digest; readonly isOwn: boolean }> {
  const hash = digester();
  const reader = layerReader(where, { entry: ignore, data: ignore, end: ignore });
  let isOwn = true;
  const attempt = (act: () => void) => {
    try {
      if (isOwn) act();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      isOwn = false;
    }
  };
  for await (const chunk of tar) {
    hash.update(chunk);
    attempt(() => reader.push(chunk));
  }
  attempt(reader.finish);
  return { digest: hash.finish().digest, isOwn };
}
