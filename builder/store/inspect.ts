import { createReadStream } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { digester, isDigest } from '../digest.ts';
import { asFault, Fault } from '../fault.ts';
import { garbageCollector } from '../garbage.ts';
import type { FileStore } from './file-store.ts';
import { checkLayoutFile, emptyIndex, type LayoutIndex, rootsOf } from './layout.ts';
import { readRegular } from './open-regular.ts';

/**
 * What is wrong with a part of a store:
 * - `layout`: `oci-layout` or `index.json` cannot be used, or an entry of the index is not understood
 * - `name`: a file among the blobs whose name is no digest
 * - `missing`: a blob that something needs is not there
 * - `type`: in a blob's place is a directory, a link, or what else is no regular file
 * - `unreadable`: the operating system does not give us the blob
 * - `size`: the blob has another size than what needs it says
 * - `digest`: the blob's bytes are not those of its name
 * - `document`: the bytes are right, but not what the media type promises
 */
export type BlobFault = {
  readonly kind: 'layout' | 'name' | 'missing' | 'type' | 'unreadable' | 'size' | 'digest' | 'document';
  readonly message: string;
};

/** What is found in a blob's place; `size` in bytes. */
export type BlobState = { readonly size: number; readonly fault?: BlobFault };

/** The index, empty if it cannot be read, and what is wrong with it and with `oci-layout`, by path. */
export async function inspectLayout(
  store: FileStore,
): Promise<{ readonly index: LayoutIndex; readonly faults: ReadonlyMap<string, BlobFault> }> {
  const faults = new Map<string, BlobFault>();
  try {
    checkLayoutFile(await readRegular(store.path('oci-layout')), 'oci-layout');
  } catch (error) {
    faults.set('oci-layout', layoutFault(asFault(error, 'reading oci-layout')));
  }
  let index = emptyIndex;
  try {
    index = await store.readIndex();
    const strange = index.entries.length - rootsOf(index).length;
    if (strange > 0) throw new Fault('INPUT', `${strange} of its entries are not understood`);
  } catch (error) {
    faults.set('index.json', layoutFault(error));
  }
  return { index, faults };
}

const layoutFault = (error: unknown): BlobFault => ({ kind: 'layout', message: messageOf(error) });

/** Every file among the blobs: by digest, or where the name is none, by path. Reads them, if `content`. */
export async function inspectBlobs(
  store: FileStore,
  content: boolean,
): Promise<ReadonlyMap<string, BlobState>> {
  const names = await readdir(store.path('blobs/sha256')).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw asFault(error, `${store.directory}: listing its blobs`);
  });
  const states = new Map<string, BlobState>();
  for (const name of names.toSorted()) {
    const digest = `sha256:${name}`;
    if (isDigest(digest)) states.set(digest, await inspectBlob(store.blobPath(digest), digest, content));
    else {
      const fault: BlobFault = { kind: 'name', message: 'its name is no digest' };
      states.set(`blobs/sha256/${name}`, { size: 0, fault });
    }
  }
  return states;
}

async function inspectBlob(path: string, digest: string, content: boolean): Promise<BlobState> {
  let size = 0;
  try {
    const found = await lstat(path);
    if (!found.isFile()) return { size, fault: { kind: 'type', message: 'it is no regular file' } };
    ({ size } = found);
    if (!content) return { size };
    const hash = digester();
    const clean = garbageCollector();
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      clean(chunk.length);
    }
    const is = hash.finish().digest;
    if (is === digest) return { size };
    return { size, fault: { kind: 'digest', message: `its ${size} bytes have the digest ${is}` } };
  } catch (error) {
    return { size, fault: { kind: 'unreadable', message: messageOf(asFault(error, 'reading it')) } };
  }
}

/** Of a Fault; anything else is a bug and goes on. */
function messageOf(error: unknown): string {
  if (error instanceof Fault) return error.message;
  throw error;
}
