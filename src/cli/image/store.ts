import { dirname, join } from 'node:path';
import { type Descriptor, mediaTypes } from '../../../builder/descriptor.ts';
import { type Digest, hexOf, isDigest } from '../../../builder/digest.ts';
import { Fault } from '../../../builder/fault.ts';
import { formatReference, parseReference, type Reference, withTag } from '../../../builder/reference.ts';
import { maximumDocument, readBlob } from '../../../builder/store/blob.ts';
import { collectionType } from '../../../builder/store/collection.ts';
import type { FileStore } from '../../../builder/store/file-store.ts';
import { openStore } from '../../../builder/store/open-store.ts';
import type { Named } from '../../../builder/store/store.ts';
import { stat } from 'node:fs/promises';
import { quote } from '../../package/name.ts';
import { ensurePrivate } from '../../run/private.ts';
import type { Context } from '../context.ts';

/** A program that is built beside the helper. */
const nativeProgram = ({ places }: Context, name: string): string => join(dirname(places.helper), name);

export const lockProgramOf = (context: Context): string => nativeProgram(context, 'lock');
export const compressProgramOf = (context: Context): string => nativeProgram(context, 'compress');

/** Runs `act` with the user's own store, which is made if there is none yet. */
export async function withStore<T>(context: Context, act: (store: FileStore) => Promise<T>): Promise<T> {
  const directory = context.places.store;
  ensurePrivate(dirname(directory));
  const store = await openStore(directory, {
    lockProgram: lockProgramOf(context),
    create: true,
    private: true,
  });
  try {
    return await act(store);
  } finally {
    store.close();
  }
}

/** Runs what reads images of the user's own store and nothing else: bytes that are wrong are the store's. */
export async function fromOwnStore<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'INTEGRITY') throw error;
    throw new Fault(error.code, error.message, {
      hint: 'pkgimage check --repair makes again what packages can give; pkgimage check tells what is left',
      cause: error,
    });
  }
}

/** What an image is called in the store: its tag is always said. Throws INPUT for a name with a digest. */
export function readName(text: string): Reference {
  const reference = parseReference(text);
  if (reference.digest === undefined) return withTag(reference);
  throw new Fault('INPUT', `${quote(text)} has a digest, which nobody can give an image`, {
    hint: 'write NAME or NAME:TAG',
  });
}

export type FoundImage = { readonly descriptor: Descriptor; readonly name: Reference };

/**
 * The image that is called so, or has the digest `sha256:…`, whether it has a name or not. Throws NOT_FOUND, and
 * names what there is.
 */
export async function findImage(store: FileStore, text: string): Promise<FoundImage> {
  const images = await namedImages(store);
  if (isDigest(text)) {
    const known = images.find(({ descriptor }) => descriptor.digest === text);
    if (known) return { descriptor: known.descriptor, name: parseReference(known.name) };
    const found = await stat(store.blobPath(text)).catch(() => undefined);
    if (found) {
      const descriptor = {
        mediaType: await mediaTypeOf(store, text, found.size),
        digest: text,
        size: found.size,
      };
      return { descriptor, name: parseReference(`image:${hexOf(text).slice(0, 12)}`) };
    }
  } else {
    const name = readName(text);
    const descriptor = images.find((image) => image.name === formatReference(name))?.descriptor;
    if (descriptor) return { descriptor, name };
  }
  throw new Fault('NOT_FOUND', `there is no image ${quote(text)}`, {
    hint: images.length === 0 ? 'pkgimage build makes one' : 'pkgimage list shows those that there are',
  });
}

/** Of a document that no name leads to: a manifest, unless it says that it is an index. */
async function mediaTypeOf(store: FileStore, digest: Digest, size: number): Promise<string> {
  if (size > maximumDocument) return mediaTypes.manifest;
  const bytes = await readBlob(store, { mediaType: mediaTypes.index, digest, size });
  try {
    const { manifests } = JSON.parse(bytes.toString()) as { manifests?: unknown };
    return Array.isArray(manifests) ? mediaTypes.index : mediaTypes.manifest;
  } catch {
    return mediaTypes.manifest;
  }
}

/** The images in the store, sorted by name; what else it has names for is left out. */
export async function namedImages(store: FileStore): Promise<readonly Named[]> {
  const all = await store.list();
  return all
    .filter(({ descriptor }) => descriptor.artifactType !== collectionType)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
