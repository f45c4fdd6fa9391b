import { statfsSync } from 'node:fs';
import { quote } from '../package/name.ts';

/** What a script that wants to write more than there is room for says; libc's words, in every language of ours. */
const full = /No space left on device|Disk quota exceeded|ENOSPC|EDQUOT/;

/** With less than this left nothing can be written any more, in bytes: file systems keep some for themselves. */
const least = 1 << 20;

const makeRoom = 'make room there, or build elsewhere: -w DIR, or STATIC_DISTRO_HOME for everything';

/** What to do about a failure of ours that is one of room, by its message. */
export const roomHint = (message: string): string | undefined =>
  /\((?:ENOSPC|EDQUOT)\)$/.test(message) ? makeRoom : undefined;

/** A file system on which there is no room: what it is, and what to do. */
export type FullDisk = { readonly what: string; readonly hint: string };

/**
 * Whether a script failed because nothing could be written any more. To be asked before anything is removed.
 * `said` is the end of what it said.
 */
export function fullDisk(work: string, said: readonly string[]): FullDisk | undefined {
  if (isFull(work)) {
    return {
      what: `the disk with the work directory ${quote(work)} is full`,
      hint: makeRoom,
    };
  }
  const { bavail, bsize } = statfsSync(work);
  if (!said.some((line) => full.test(line))) return undefined;
  return {
    what: 'there was no space left to write to',
    hint: `of all that is not /work (/tmp, /run, /var, /dev/shm) little is there: write to /work, where ${Math.floor((bavail * bsize) / 2 ** 20)} MiB are free now`,
  };
}

/** Whether the file system of a directory has no room for another byte or another name. */
export function isFull(directory: string): boolean {
  const { bavail, bsize, ffree, files } = statfsSync(directory);
  return bavail * bsize < least || (files > 0 && ffree === 0);
}
