import { Fault } from '../fault.ts';
import { canonicalJson } from '../json.ts';
import { type Annotations, type Descriptor, isForeign, mediaTypes } from '../descriptor.ts';
import { hexOf } from '../digest.ts';
import { completeReference, formatReference, parseReference } from '../reference.ts';
import { reach } from '../store/graph.ts';
import { giveName, layoutFile } from '../store/layout.ts';
import type { BlobStore } from '../store/store.ts';
import { tail } from '../tar/encoding.ts';
import { encodeHeader, padding } from '../tar/header.ts';
import type { Write } from './program.ts';

/** A file in an archive, or a directory, which has no content. */
export type ArchiveMember = {
  readonly path: string;
  readonly size: number;
  readonly content: AsyncIterable<Uint8Array> | Uint8Array | undefined;
};

/** Writes a tar, the same bytes for the same members. */
export async function writeArchive(write: Write, members: AsyncIterable<ArchiveMember>): Promise<void> {
  for await (const { path, size, content } of members) {
    const common = { path: Buffer.from(path), uid: 0, gid: 0 };
    if (content === undefined) {
      await write(encodeHeader({ ...common, type: 'directory', mode: 0o755 }));
      continue;
    }
    await write(encodeHeader({ ...common, type: 'file', size, mode: 0o644 }));
    if (content instanceof Uint8Array) await write(content);
    else for await (const chunk of content) await write(chunk);
    const end = padding(size);
    if (end > 0) await write(Buffer.alloc(end));
  }
  await write(tail.none);
}

export const fileOf = (path: string, content: Uint8Array): ArchiveMember => ({
  path,
  size: content.length,
  content,
});

export const blobFile = (store: BlobStore, descriptor: Descriptor): ArchiveMember => ({
  path: `blobs/sha256/${hexOf(descriptor.digest)}`,
  size: descriptor.size,
  content: store.open(descriptor),
});

/**
 * The files of an OCI image layout that holds one image, or one index of images. `skip` leaves blobs out: those
 * that the reader has already.
 */
export async function* layoutMembers(
  store: BlobStore,
  root: Descriptor,
  { name, skip = () => false }: LayoutOptions,
): AsyncGenerator<ArchiveMember, void> {
  const annotations = { ...root.annotations, ...forContainerd(name) };
  yield fileOf('oci-layout', layoutFile);
  // Without them c/image gives the directories that it makes to root, and fails where it is not.
  for (const path of ['blobs', 'blobs/sha256']) yield { path, size: 0, content: undefined };
  yield fileOf(
    'index.json',
    canonicalJson({
      schemaVersion: 2,
      mediaType: mediaTypes.index,
      manifests: [giveName(name, { ...root, annotations })],
    }),
  );
  for await (const descriptor of reach(store, [root])) {
    if (skip(descriptor) || (isForeign(descriptor) && !(await store.exists(descriptor)))) continue;
    yield blobFile(store, descriptor);
  }
}

export type LayoutOptions = {
  readonly name: string;
  readonly skip?: (descriptor: Descriptor) => boolean;
};

/** Containerd's own annotation, for a name that is more than a tag; without it `ctr images import` names nothing. */
function forContainerd(name: string): Annotations {
  if (!/[:/]/.test(name)) return {};
  try {
    return { 'io.containerd.image.name': formatReference(completeReference(parseReference(name))) };
  } catch (error) {
    if (error instanceof Fault) return {};
    throw error;
  }
}
