import { open, rename, unlink } from 'node:fs/promises';
import type { Descriptor } from '../descriptor.ts';
import { digester, hexOf } from '../digest.ts';
import { asFault, Fault } from '../fault.ts';
import { withLock } from '../lock.ts';
import { contentFrom, wrongSize } from '../store/blob.ts';
import type { FileStore } from '../store/file-store.ts';
import { writeAll } from '../store/files.ts';
import type { BlobStore, Content } from '../store/store.ts';
import { temporaryPrefix } from '../store/temporary.ts';

/** Smaller blobs are fetched again as a whole, in bytes. */
const worthKeeping = 1 << 20;

/** Bytes read at once. */
const chunkSize = 1 << 20;

/**
 * The store, but a big blob of which only a part has arrived is gone on with, by a later process too. The part
 * lies in the store's directory under a name that a collector knows as unfinished. `lockProgram` is the path of
 * `native/lock`: of two that fetch the same blob, one keeps its part.
 */
export const keepingParts = (store: FileStore, lockProgram: string): BlobStore => ({
  exists: (descriptor) => store.exists(descriptor),
  open: (descriptor, range) => store.open(descriptor, range),
  async put(descriptor, content) {
    if (descriptor.size < worthKeeping || content instanceof Uint8Array)
      return store.put(descriptor, content);
    if (await store.exists(descriptor)) return false;
    const part = store.path(`${temporaryPrefix}${hexOf(descriptor.digest)}.part`);
    try {
      await withLock(lockProgram, part, { wait: false }, () => arrive(store, descriptor, content, part));
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'BUSY') {
        throw asFault(error, `${store.directory}: writing ${descriptor.digest}`);
      }
      return store.put(descriptor, content);
    }
    return true;
  },
});

async function arrive(
  store: FileStore,
  descriptor: Descriptor,
  content: Content,
  part: string,
): Promise<void> {
  if (await store.exists(descriptor)) return;
  const file = await open(part, 'a+', 0o600);
  try {
    const digest = digester();
    let size = (await file.stat()).size;
    if (size > descriptor.size) await file.truncate((size = 0));
    const resumed = size > 0;
    for (let at = 0; at < size;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(chunkSize), 0, chunkSize, at);
      if (bytesRead === 0) throw wrongSize(descriptor, String(at), store.directory);
      digest.update(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
    if (size < descriptor.size) {
      for await (const chunk of contentFrom(content, size)) {
        size += chunk.length;
        if (size > descriptor.size) break;
        digest.update(chunk);
        await writeAll(file, chunk);
      }
    }
    const found = digest.finish().digest;
    if (size !== descriptor.size || found !== descriptor.digest) {
      await unlink(part);
      // A part of yesterday may be damaged; what comes whole is what the source has.
      if (resumed) return void (await store.put(descriptor, content));
      if (size !== descriptor.size) throw wrongSize(descriptor, String(size), store.directory);
      throw new Fault('INTEGRITY', `${descriptor.digest} has other bytes: their digest is ${found}`);
    }
    await file.chmod(0o444);
    await file.sync();
    await rename(part, store.blobPath(descriptor.digest));
  } finally {
    await file.close();
  }
}
