import type { Descriptor, Document } from '../descriptor.ts';
import { digester } from '../digest.ts';
import { Fault } from '../fault.ts';
import { childrenOf, hasChildren } from '../manifest.ts';
import type { BlobStore, Content } from './store.ts';

/** Documents are held in memory, so what claims to be one may not be longer than this, in bytes. */
export const maximumDocument = 64 << 20;

/**
 * Passes the bytes on and checks them against the descriptor: too many are noticed as they come, the wrong
 * number or digest at the end. Throws INTEGRITY, naming `where`.
 */
export async function* verified(
  descriptor: Descriptor,
  chunks: AsyncIterable<Uint8Array>,
  where: string,
): AsyncGenerator<Uint8Array, void> {
  const digest = digester();
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > descriptor.size) throw wrongSize(descriptor, `more than ${descriptor.size}`, where);
    digest.update(chunk);
    yield chunk;
  }
  if (size !== descriptor.size) throw wrongSize(descriptor, String(size), where);
  const found = digest.finish().digest;
  if (found !== descriptor.digest) {
    throw new Fault('INTEGRITY', `${where}: ${descriptor.digest} has other bytes: their digest is ${found}`, {
      hint: damagedHint,
    });
  }
}

export const wrongSize = ({ digest, size }: Descriptor, found: string, where: string): Fault =>
  new Fault('INTEGRITY', `${where}: ${digest} should have ${size} bytes and has ${found}`, {
    hint: damagedHint,
  });

const damagedHint = 'a check of where it is finds what else is damaged; then repair it, or fetch it again';

/** The bytes from an offset on, as the stores' `put` reads them. */
export async function* contentFrom(content: Content, from: number): AsyncGenerator<Uint8Array, void> {
  if (content instanceof Uint8Array) {
    if (from < content.length) yield content.subarray(from);
  } else yield* content(from);
}

/** A whole blob in memory, verified. Throws INTEGRITY if it is above `limit` bytes. */
export async function readBlob(
  store: BlobStore,
  descriptor: Descriptor,
  limit = maximumDocument,
): Promise<Buffer> {
  if (descriptor.size > limit) {
    throw new Fault(
      'INTEGRITY',
      `${descriptor.digest} has ${descriptor.size} bytes, more than a document may`,
    );
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.open(descriptor)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What a document needs, in its order. Throws INPUT if it cannot be understood; empty for a leaf. */
export async function readChildren(store: BlobStore, descriptor: Descriptor): Promise<Descriptor[]> {
  if (!hasChildren(descriptor)) return [];
  return childrenOf(descriptor, await readBlob(store, descriptor), descriptor.digest);
}

export async function putDocument(store: BlobStore, { descriptor, bytes }: Document): Promise<Descriptor> {
  await store.put(descriptor, bytes);
  return descriptor;
}
