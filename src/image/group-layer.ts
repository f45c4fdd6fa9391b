import { compressionOf } from '../../builder/descriptor.ts';
import { digester } from '../../builder/digest.ts';
import { assemble, type Member } from '../../builder/tar/assemble.ts';
import { type Encoding, mediaTypeOf } from '../../builder/tar/encoding.ts';
import { decodeLayer, memoPath, readMemo, writeMemo } from '../layer/known.ts';
import { blobOf, isStored, type KnownLayer, knownLayer, openBlob, type Workshop } from '../layer/workshop.ts';

export type GroupMember = { readonly name: string; readonly layer: KnownLayer };

const memoOf = ({ cache }: Workshop, members: readonly GroupMember[]): string =>
  memoPath(
    cache,
    'group',
    members.map(({ name, layer }) => [name, layer.diffID]),
  );

/** What is known of the layer of several packages; undefined if nothing, or it is not stored where it must be. */
export async function knownGroupLayer(
  workshop: Workshop,
  members: readonly GroupMember[],
): Promise<KnownLayer | undefined> {
  const known = readMemo(memoOf(workshop, members), decodeLayer);
  return known && (!workshop.keep || (await isStored(workshop, known))) ? known : undefined;
}

/** Puts stored layers together: their blobs are concatenated, and read once more for the diffID. */
export async function makeGroupLayer(
  workshop: Workshop,
  members: readonly GroupMember[],
): Promise<KnownLayer> {
  const add = (encoding: Encoding) =>
    workshop.store.add(
      mediaTypeOf[encoding],
      assemble(
        encoding,
        members.map(({ name, layer }): Member => {
          const blob = blobOf(layer, encoding);
          return { name, size: blob.size, where: blob.digest, open: () => openBlob(workshop, blob) };
        }),
      ),
    );
  const gzip = await add('gzip-1');
  const zstd = await add('zstd-1');
  const most = members.reduce((sum, { layer }) => sum + layer.size, 0);
  const { decode } = await import('../../builder/tar/decode.ts');
  const plain = digester();
  const compression = compressionOf(zstd.mediaType) ?? 'none';
  for await (const chunk of decode(workshop.store.open(zstd), compression, { most, where: zstd.digest })) {
    plain.update(chunk);
  }
  const { digest, size } = plain.finish();
  const layer = knownLayer(digest, size, { 'gzip-1': gzip, 'zstd-1': zstd });
  writeMemo(workshop, memoOf(workshop, members), layer);
  return layer;
}
