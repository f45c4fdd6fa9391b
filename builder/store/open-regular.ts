import { type FileHandle, open } from 'node:fs/promises';
import { irregular, withoutWaiting } from '../regular-file.ts';

/** Throws the system's error, and EFTYPE for what is neither a file nor a link to one; never waits for a pipe. */
export async function openRegular(path: string): Promise<FileHandle> {
  const file = await open(path, withoutWaiting);
  try {
    if (!(await file.stat()).isFile()) throw irregular();
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** What is in a file. Throws as {@link openRegular} does. */
export async function readRegular(path: string): Promise<Buffer> {
  const file = await openRegular(path);
  try {
    return await file.readFile();
  } finally {
    await file.close();
  }
}
