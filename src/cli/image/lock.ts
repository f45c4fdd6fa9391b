import { dirname, join, resolve } from 'node:path';
import type { Descriptor } from '../../../builder/descriptor.ts';
import { Fault } from '../../../builder/fault.ts';
import { register, registered } from '../../../builder/store/registered.ts';
import { checkReplaceable, type LockFile, readLock, writeLock } from '../../image/lock-file.ts';
import type { Context } from '../context.ts';
import { usage } from '../option-value.ts';
import type { ImageOptions } from './image-options.ts';

/** The file of `--lock`, and what is in it if it is to be obeyed. */
export type Lock = { readonly path: string; readonly locked: LockFile | undefined };

/** Beside the store: where locks are, so that what they name is kept. */
const directoryOf = ({ places }: Context): string => join(dirname(places.store), 'locks');

/**
 * Throws USAGE, what {@link readLock} throws, and UNSAFE for a file that would be written over and is no lock, before
 * anything is made. A link is written through, as for an output.
 */
export function openLock({ lock, locked }: ImageOptions, { cwd }: Context): Lock | undefined {
  if (lock === undefined) {
    if (locked) throw usage('--locked needs a lock', 'write --lock FILE --locked');
    return undefined;
  }
  const path = resolve(cwd, lock);
  if (!locked) checkReplaceable(path);
  return { path, locked: locked ? readLock(path) : undefined };
}

/** Writes the lock, unless it was obeyed, and has its image kept for as long as the file is there. */
export async function keepLock({ path, locked }: Lock, text: string, context: Context): Promise<void> {
  if (!locked) writeLock(path, text);
  await register(directoryOf(context), path);
}

/** The images of the locks that there are. One that cannot be read keeps nothing. */
export async function lockedImages(context: Context): Promise<readonly Descriptor[]> {
  const found: Descriptor[] = [];
  for (const path of await registered(directoryOf(context))) {
    try {
      found.push(readLock(path).top);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
    }
  }
  return found;
}
