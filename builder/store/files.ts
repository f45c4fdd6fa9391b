import { constants } from 'node:fs';
import { type FileHandle, open, realpath, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { asFault, Fault } from '../fault.ts';
import { withTemporary } from './temporary.ts';

/**
 * Makes a file that is seen whole or not at all, and whose bytes are on disk before its name is. The name
 * itself is only after {@link syncDirectory}. `write` gets an empty file in `directory` and tells the path that
 * it shall have, on the same file system.
 */
export const replaceFile = (
  directory: string,
  mode: number,
  write: (file: FileHandle) => Promise<string>,
): Promise<void> =>
  withTemporary(directory, async (temporary) => {
    const path = await withFile(temporary, 'wx', mode, async (file) => {
      const path = await write(file);
      await file.sync();
      return path;
    });
    await rename(temporary, path);
  });

async function withFile<T>(
  path: string,
  flags: string | number,
  mode: number,
  use: (file: FileHandle) => Promise<T>,
): Promise<T> {
  const file = await open(path, flags, mode);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/** Writes all of the bytes, at the file's own position or a given one; `FileHandle.write` may stop before the end. */
export async function writeAll(file: FileHandle, bytes: Uint8Array, position?: number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const to = position === undefined ? null : position + at;
    at += (await file.write(bytes, at, bytes.length - at, to)).bytesWritten;
  }
}

/** Brings the names in a directory to disk. */
export const syncDirectory = (path: string): Promise<void> =>
  withFile(path, constants.O_RDONLY | constants.O_DIRECTORY, 0, (directory) => directory.sync());

/**
 * An output file for a user: whole or absent, also when a signal ends the process in the middle. What is not
 * a regular file, such as a pipe or a device, is written in place.
 */
export async function writeOutput(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  try {
    const existing = await stat(path).catch(() => undefined);
    if (existing?.isDirectory()) throw new Fault('INPUT', `${path}: there is a directory of that name`);
    if (existing && !existing.isFile()) return await withFile(path, 'w', 0o666, write);
    const target = existing ? await realpath(path) : path;
    await replaceFile(dirname(target), 0o666, async (file) => {
      await write(file);
      return target;
    });
    await syncDirectory(dirname(target));
  } catch (error) {
    throw asFault(error, `writing ${path}`);
  }
}
