import { Buffer } from 'node:buffer';
import { closeSync, constants, lstatSync, openSync, type Stats } from 'node:fs';

/**
 * Names below an open directory, reached through its descriptor: whatever somebody does to the names above it,
 * nothing else can be met. Node has no openat; a path through /proc/self/fd is the same thing.
 */
export type Directory = { readonly descriptor: number; close(): void };

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;

const open = (path: string | Buffer): Directory => {
  const descriptor = openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  return { descriptor, close: () => closeSync(descriptor) };
};

/** Opens a directory by its path, the last name of which is no link. */
export const openDirectory = (path: string): Directory => open(path);

export const openBeneath = (directory: Directory, name: Buffer | string): Directory =>
  open(pathBeneath(directory, name));

/** A path that names the same as `name` does in the directory, for as long as it is open. */
export const pathBeneath = ({ descriptor }: Directory, name: Buffer | string): Buffer =>
  Buffer.concat([Buffer.from(`/proc/self/fd/${descriptor}/`), Buffer.from(name)]);

/** A path that names an open file itself. */
export const pathOfDescriptor = (descriptor: number): string => `/proc/self/fd/${descriptor}`;

export const lookBeneath = (directory: Directory, name: Buffer | string): Stats | undefined =>
  lstatSync(pathBeneath(directory, name), { throwIfNoEntry: false });
