import { posix } from 'node:path';
import { type Descriptor, isIndex, isManifest, mediaTypes } from '../descriptor.ts';
import { type Digest, digester, isDigest } from '../digest.ts';
import { Fault } from '../fault.ts';
import { items, member, optional, parseJson, quote, string, strings } from '../json.ts';
import { decodeConfig, encodeManifest } from '../manifest.ts';
import { putDocument, readBlob } from '../store/blob.ts';
import type { FileStore } from '../store/file-store.ts';
import { parseIndex, rootsOf } from '../store/layout.ts';
import type { Named } from '../store/store.ts';
import { type Member, readArchive } from '../tar/archive.ts';
import { decode } from '../tar/decode.ts';

/** Documents beside the blobs, which are kept in memory. */
const documents = new Set(['index.json', 'manifest.json']);
const mostDocument = 4 << 20;

/** What an archive had: documents as bytes, everything else in the store. */
type Contents = {
  readonly documents: ReadonlyMap<string, Buffer>;
  readonly blobs: ReadonlyMap<string, Descriptor>;
  readonly links: ReadonlyMap<string, string>;
};

/**
 * Takes an archive in, as it comes: an OCI image layout, or what `docker save` writes; one that is both is taken
 * as a layout, which keeps the manifests' digests. Gives its images, with the names they have; they are in the
 * store when this has returned, but not named. An image out of `docker save` keeps its config, so its image ID.
 * Throws INTEGRITY for an archive that is damaged or not what it says.
 */
export async function importArchive(
  store: FileStore,
  archive: AsyncIterable<Uint8Array>,
  where: string,
): Promise<readonly Named[]> {
  const contents = await takeIn(store, archive, where);
  const index = contents.documents.get('index.json');
  if (index) {
    const roots = rootsOf(parseIndex(index, `${where}: index.json`));
    return roots
      .filter(({ descriptor }) => isManifest(descriptor.mediaType) || isIndex(descriptor.mediaType))
      .map(({ name = '', descriptor }) => ({ name, descriptor }));
  }
  const manifest = contents.documents.get('manifest.json');
  if (manifest) return importDocker(store, manifest, contents, where);
  throw new Fault('INPUT', `${where}: this is no archive of images`, {
    hint: 'it has neither index.json, as an OCI layout, nor manifest.json, as docker save',
  });
}

async function takeIn(
  store: FileStore,
  archive: AsyncIterable<Uint8Array>,
  where: string,
): Promise<Contents> {
  const kept = new Map<string, Buffer>();
  const blobs = new Map<string, Descriptor>();
  const links = new Map<string, string>();
  for await (const { header, body } of readArchive(archive, { where, most: Number.MAX_SAFE_INTEGER })) {
    const path = header.path.toString();
    if (header.type === 'symlink' || header.type === 'link') {
      const base = header.type === 'symlink' ? posix.dirname(path) : '.';
      links.set(path, posix.join(base, header.target.toString()));
    } else if (header.type === 'file' && documents.has(path))
      kept.set(path, await inMemory(body, path, where));
    else if (header.type === 'file') blobs.set(path, await putMember(store, path, header.size, body));
  }
  return { documents: kept, blobs, links };
}

async function inMemory(body: Member['body'], path: string, where: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > mostDocument)
      throw new Fault('INTEGRITY', `${where}: ${path} is longer than a document may be`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** A blob of a layout is checked against its name; anything else gets the digest that it has. */
async function putMember(
  store: FileStore,
  path: string,
  size: number,
  body: AsyncIterable<Uint8Array>,
): Promise<Descriptor> {
  const digest = `sha256:${/^blobs\/sha256\/(.*)$/.exec(path)?.[1] ?? ''}`;
  const mediaType = 'application/octet-stream';
  if (!isDigest(digest)) return store.add(mediaType, body);
  const descriptor = { mediaType, digest, size };
  await store.put(descriptor, () => body, { once: true });
  return descriptor;
}

async function importDocker(
  store: FileStore,
  bytes: Buffer,
  contents: Contents,
  where: string,
): Promise<readonly Named[]> {
  const find = (path: string): Descriptor => {
    let at = path;
    for (let step = 0; step < 8 && contents.links.has(at); step++) at = contents.links.get(at) ?? at;
    const found = contents.blobs.get(at);
    if (found) return found;
    throw new Fault('INTEGRITY', `${where}: ${quote(path)}, which its manifest.json names, is not in it`);
  };
  const named: Named[] = [];
  for (const entry of items(parseJson(bytes, `${where}: manifest.json`))) {
    const config = { ...find(string(member(entry, 'Config'))), mediaType: mediaTypes.config };
    const { rootfs } = decodeConfig(await readBlob(store, config), `${where}: ${config.digest}`);
    const layers: Descriptor[] = [];
    for (const [at, path] of strings(member(entry, 'Layers')).entries()) {
      layers.push(await layerOf(store, find(path), rootfs.diff_ids[at], where));
    }
    const descriptor = await putDocument(store, encodeManifest({ config, layers }));
    const names = optional(member(entry, 'RepoTags'), strings) ?? [];
    for (const name of names.length > 0 ? names : ['']) named.push({ name, descriptor });
  }
  return named;
}

/** With the media type that its bytes have, after it was unpacked to see that it is the config's layer. */
async function layerOf(
  store: FileStore,
  blob: Descriptor,
  diffID: Digest | undefined,
  where: string,
): Promise<Descriptor> {
  const start: number[] = [];
  for await (const chunk of store.open(blob, { from: 0, to: Math.min(4, blob.size) })) start.push(...chunk);
  const magic = Buffer.from(start).toString('hex');
  const compression = magic.startsWith('1f8b') ? 'gzip' : magic === '28b52ffd' ? 'zstd' : 'none';
  const mediaType = { gzip: mediaTypes.layerGzip, zstd: mediaTypes.layerZstd, none: mediaTypes.layer }[
    compression
  ];
  const hash = digester();
  const options = { most: Number.MAX_SAFE_INTEGER, where: `${where}: ${blob.digest}` };
  for await (const chunk of decode(store.open(blob), compression, options)) hash.update(chunk);
  const { digest } = hash.finish();
  if (digest === diffID) return { ...blob, mediaType };
  throw new Fault(
    'INTEGRITY',
    `${where}: the layer ${blob.digest} unpacks to ${digest}, and the config says ${diffID ?? 'nothing of it'}`,
  );
}
