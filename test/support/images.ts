import { statSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { join } from 'node:path';
import { pack } from 'tar-stream';
import { type Descriptor, describe, mediaTypes } from '../../builder/descriptor.ts';
import { digestOf } from '../../builder/digest.ts';
import { encodeConfig, encodeManifest } from '../../builder/manifest.ts';
import { assembleImage, type ImageDescription, type LayerSource } from '../../builder/image/assemble.ts';
import { putDocument } from '../../builder/store/blob.ts';
import type { FileStore } from '../../builder/store/file-store.ts';
import { openStore } from '../../builder/store/open-store.ts';
import type { BlobStore } from '../../builder/store/store.ts';
import { arrange, directory, file, symlink } from '../../builder/tar/arrange.ts';
import { Compressor } from '../../builder/tar/compressor.ts';
import type { Encoding } from '../../builder/tar/encoding.ts';
import type { Entry } from '../../builder/tar/entry.ts';
import { makeLayer, planEntries } from '../../builder/tar/layer.ts';
import { output, root } from './tools.ts';

export const lockProgram = join(root, 'native/build/lock');
export const compressProgram = join(root, 'native/build/compress');

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

const encodings = ['gzip-1', 'zstd-1'] as const;

/** A layer of our format for each list of entries, in every encoding. */
export async function putLayers(
  store: FileStore,
  layers: Readonly<Record<string, readonly Entry[]>>,
): Promise<readonly LayerSource[]> {
  const compressor = new Compressor([compressProgram], encodings);
  const made: LayerSource[] = [];
  try {
    for (const [history, entries] of Object.entries(layers)) {
      const { diffID, size, blobs } = await makeLayer(planEntries(arrange(entries)), compressor, {
        'gzip-1': (content) => store.add(mediaTypes.layerGzip, content),
        'zstd-1': (content) => store.add(mediaTypes.layerZstd, content),
      });
      made.push({ diffID, history, blobs: { ...blobs, none: { digest: diffID, size } } });
    }
  } finally {
    await compressor.close();
  }
  return made;
}

/** Assembles an image, puts its documents, and names it. */
export async function putAssembled(
  store: FileStore,
  name: string,
  description: ImageDescription,
  encoding: Encoding = 'gzip-1',
): Promise<Descriptor> {
  const { config, manifest } = assembleImage(description, encoding);
  await putDocument(store, config);
  const descriptor = await putDocument(store, manifest);
  await store.tag(name, descriptor);
  return descriptor;
}

/** What the images of the tests have in common: a package of one program, the links to it, what an engine wants. */
export function baseLayers(program: { readonly file: string; readonly size: number }) {
  return {
    'show 1': [file('packages/show/1/bin/show', program, { mode: 0o755 })],
    profile: [
      symlink('bin/show', '../packages/show/1/bin/show'),
      file('etc/passwd', 'root:x:0:0:root:/:/bin/sh\nuser:x:1000:1000:user:/:/bin/sh\n'),
      file('etc/group', 'root:x:0:\nuser:x:1000:\n'),
      ...['dev', 'mnt', 'packages', 'proc', 'run', 'sys', 'tmp'].map((path) => directory(path)),
      ...['etc/hosts', 'etc/hostname', 'etc/resolv.conf'].map((path) => file(path, '')),
      symlink('etc/mtab', '/proc/mounts'),
    ],
  };
}

/** A static program that shows how it was started, and ends with status 7; compiled into `directory`. */
export function showProgram(directory: string): { readonly file: string; readonly size: number } {
  const path = join(directory, 'show');
  output('cc', ['-static', '-Os', '-s', '-o', path, join(root, 'test/support/show.c')]);
  return { file: path, size: statSync(path).size };
}
