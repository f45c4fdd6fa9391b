import { utimesSync } from 'node:fs';
import { asFault, Fault } from '../../builder/fault.ts';

/** Marks a file of a cache as used now. One that is gone, or somebody else's, is not. */
export function touch(path: string): void {
  try {
    const now = new Date();
    utimesSync(path, now, now);
  } catch (error) {
    if (!(asFault(error, path) instanceof Fault)) throw error;
  }
}
