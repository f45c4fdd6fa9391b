import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { join } from 'node:path';
import { pack } from 'tar-stream';
import { type Descriptor, describe, mediaTypes } from '../../builder/descriptor.ts';
import { digestOf } from '../../builder/digest.ts';
import { encodeConfig, encodeManifest } from '../../builder/manifest.ts';
import { putDocument } from '../../builder/store/blob.ts';
import type { FileStore } from '../../builder/store/file-store.ts';
import { openStore } from '../../builder/store/open-store.ts';
import type { BlobStore } from '../../builder/store/store.ts';
import { root } from './tools.ts';

export const lockProgram = join(root, 'native/build/lock');

export const newStore = (directory: string): Promise<FileStore> =>
  openStore(directory, { lockProgram, create: true, private: true });

/** A tar of files by path, made by another writer than ours. */
export function tarOf(files: Readonly<Record<string, string | Buffer>>): Promise<Buffer> {
  const archive = pack();
  for (const [name, content] of Object.entries(files)) archive.entry({ name, mtime: new Date(0) }, content);
  archive.finalize();
  return buffer(archive);
}

/** An image with a layer for each text, put but not named. Equal texts make equal layers. */
export async function putImage(store: BlobStore, texts: readonly string[]): Promise<Descriptor> {
  const tars = await Promise.all(
    texts.map((text) => tarOf({ [`file-${digestOf(text).slice(7, 15)}`]: text })),
  );
  const layers = await Promise.all(
    tars.map((tar) => putDocument(store, describe(mediaTypes.layerGzip, gzipSync(tar)))),
  );
  const config = encodeConfig({
    created: '1970-01-01T00:00:00Z',
    architecture: 'amd64',
    os: 'linux',
    config: { Env: ['PATH=/bin'], Labels: { texts: String(texts.length) } },
    rootfs: { type: 'layers', diff_ids: tars.map((tar) => digestOf(tar)) },
  });
  return putDocument(store, encodeManifest({ config: await putDocument(store, config), layers }));
}
