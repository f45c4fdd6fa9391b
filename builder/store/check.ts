import type { Descriptor } from '../descriptor.ts';
import { isDigest } from '../digest.ts';
import { asFault } from '../fault.ts';
import { FileStore } from './file-store.ts';
import { type BlobFault, type BlobState, inspectBlobs, inspectLayout } from './inspect.ts';
import { type Needs, needsOf } from './needs.ts';

/** Something wrong with a store, and what suffers from it. */
export type Damage = BlobFault & {
  /** A digest, or a path in the store. */
  readonly subject: string;
  /** What the blob should be, if anything needs it. */
  readonly descriptor?: Descriptor;
  /** The names that lead to it, sorted; of an entry of a collection, the collection's name and the key. */
  readonly hurts: readonly string[];
};

/**
 * Everything that is wrong with the store in `directory`: each blob's bytes included, unless `content` is
 * false. It need not be fit to be opened. Nothing is changed or locked; beside a garbage collector a blob that
 * goes at this moment may be called missing. Throws NOT_FOUND if there is no such directory.
 */
export async function check(
  directory: string,
  { content = true }: { content?: boolean } = {},
): Promise<readonly Damage[]> {
  let store: FileStore;
  try {
    store = new FileStore(directory, undefined);
  } catch (error) {
    throw asFault(error, `checking ${directory}`);
  }
  try {
    const { index, faults } = await inspectLayout(store);
    const blobs = await inspectBlobs(store, content);
    const needs = await needsOf(store, index, blobs);
    return [...ofLayout(needs, faults), ...ofNeeded(needs, blobs), ...ofOthers(needs, blobs)];
  } finally {
    store.close();
  }
}

function* ofLayout({ names }: Needs, faults: ReadonlyMap<string, BlobFault>): Generator<Damage> {
  for (const [subject, fault] of faults) yield { ...fault, subject, hurts: names };
}

function* ofNeeded(needs: Needs, blobs: ReadonlyMap<string, BlobState>): Generator<Damage> {
  for (const [digest, { descriptor, fault, foreign }] of needs.blobs) {
    const state = blobs.get(digest);
    const wrong =
      state?.fault ?? fault ?? (state ? sizeFault(descriptor, state) : missing(descriptor, foreign));
    if (wrong) yield { ...wrong, subject: digest, descriptor, hurts: needs.hurtBy(digest) };
  }
}

const missing = (descriptor: Descriptor, foreign: boolean): BlobFault | undefined =>
  foreign
    ? undefined
    : { kind: 'missing', message: `it is needed, with ${descriptor.size} bytes, and not there` };

const sizeFault = (descriptor: Descriptor, { size }: BlobState): BlobFault | undefined =>
  size === descriptor.size
    ? undefined
    : { kind: 'size', message: `what needs it says ${descriptor.size} bytes, and it has ${size}` };

/** What nothing needs hurts nobody, but it should not be there. */
function* ofOthers({ blobs: needed }: Needs, blobs: ReadonlyMap<string, BlobState>): Generator<Damage> {
  for (const [subject, { fault }] of blobs) {
    if (fault && !(isDigest(subject) && needed.has(subject))) yield { ...fault, subject, hurts: [] };
  }
}
