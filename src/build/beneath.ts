import { Buffer } from 'node:buffer';
import {
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  type BigIntStats,
} from 'node:fs';

/**
 * Names below an open directory, reached through its descriptor: whatever somebody does to the names above it,
 * nothing else can be met. Node has no openat; a path through /proc/self/fd is the same thing.
 */
export type Directory = { readonly descriptor: number; close(): void };

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

const open = (path: string | Buffer): Directory => {
  const descriptor = openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  return { descriptor, close: () => closeSync(descriptor) };
};

/** Opens a directory by its path, the last name of which is no link. */
export const openDirectory = (path: string): Directory => open(path);

export const openBeneath = (directory: Directory, name: Buffer | string): Directory =>
  open(pathBeneath(directory, name));

/** Opens a file to read, never through a link; a fifo that took its place does not block. */
export const openFileBeneath = (directory: Directory, name: Buffer): number =>
  openSync(pathBeneath(directory, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);

/** A path that names the same as `name` does in the directory, for as long as it is open. */
export const pathBeneath = ({ descriptor }: Directory, name: Buffer | string): Buffer =>
  Buffer.concat([Buffer.from(`/proc/self/fd/${descriptor}/`), Buffer.from(name)]);

/** A path that names an open file itself. */
export const pathOfDescriptor = (descriptor: number): string => `/proc/self/fd/${descriptor}`;

/** In the order of their bytes. */
export const namesIn = ({ descriptor }: Directory): Buffer[] =>
  readdirSync(`/proc/self/fd/${descriptor}/`, { encoding: 'buffer' }).sort(Buffer.compare);

/** Numbers are exact: file systems use all bits of an inode's. */
export const lookBeneath = (directory: Directory, name: Buffer | string): BigIntStats | undefined =>
  lstatSync(pathBeneath(directory, name), { bigint: true, throwIfNoEntry: false });

export const linkBeneath = (directory: Directory, name: Buffer): Buffer =>
  readlinkSync(pathBeneath(directory, name), { encoding: 'buffer' });
