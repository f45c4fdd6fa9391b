import { rm } from 'node:fs/promises';
import type { Descriptor } from '../descriptor.ts';
import { isDigest } from '../digest.ts';
import { asFault, Fault } from '../fault.ts';
import { check, type Damage } from './check.ts';
import type { FileStore } from './file-store.ts';
import type { BlobStore, Content } from './store.ts';

/** Where a blob can be had again, or undefined. What it gives is verified. */
export type Source = (descriptor: Descriptor) => Promise<Content | undefined>;

export type Repaired = { readonly repaired: readonly Damage[]; readonly left: readonly Damage[] };

/** Blobs as another store has them. */
export const fromStore =
  (store: BlobStore): Source =>
  async (descriptor) =>
    (await store.exists(descriptor)) ? (from) => store.open(descriptor, { from }) : undefined;

/**
 * Checks the store, fetches what is damaged or missing again, and removes damaged blobs that nothing needs.
 * What a document needs can only be told when it is whole, so it goes on until nothing more can be done.
 */
export async function repair(store: FileStore, source: Source): Promise<Repaired> {
  const repaired: Damage[] = [];
  for (;;) {
    const left = await check(store.directory);
    const tried = new Set(repaired.map(({ subject }) => subject));
    const before = repaired.length;
    for (const damage of left) {
      if (!tried.has(damage.subject) && (await mend(store, damage, source))) repaired.push(damage);
    }
    if (repaired.length === before) return { repaired, left };
  }
}

async function mend(
  store: FileStore,
  { kind, subject, descriptor }: Damage,
  source: Source,
): Promise<boolean> {
  if (!isDigest(subject) || kind === 'document') return false;
  const path = store.blobPath(subject);
  try {
    if (!descriptor) {
      await rm(path, { recursive: true, force: true });
      return true;
    }
    const content = await source(descriptor);
    if (content === undefined) return false;
    // A directory cannot be replaced by renaming a file onto it.
    if (kind === 'type') await rm(path, { recursive: true, force: true });
    return await store.put(descriptor, content, { replace: true });
  } catch (error) {
    const fault = asFault(error, `repairing ${subject}`);
    if (fault instanceof Fault && (fault.code === 'INTEGRITY' || fault.code === 'NOT_FOUND')) return false;
    throw fault;
  }
}
