import { mkdir, readdir, readFile, stat, unlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { digestOf, hexOf } from '../digest.ts';
import { asFault } from '../fault.ts';
import { replaceFile, writeAll } from './files.ts';

/**
 * Files of the user that keep blobs alive, such as the lock of an image, are registered by path in a directory
 * beside the store: what such a file needs is known when garbage is collected, not when it was written.
 */
export async function register(directory: string, path: string): Promise<void> {
  const absolute = resolve(path);
  try {
    await mkdir(directory, { recursive: true, mode: 0o755 });
    await replaceFile(directory, 0o644, async (file) => {
      await writeAll(file, Buffer.from(absolute));
      return join(directory, hexOf(digestOf(absolute)));
    });
  } catch (error) {
    throw asFault(error, `registering ${absolute} in ${directory}`);
  }
}

/** The registered files that are still there, in no promised order; the others are forgotten. */
export async function registered(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw asFault(error, `reading ${directory}`);
  });
  const paths: string[] = [];
  for (const name of names.filter((name) => /^[0-9a-f]{64}$/.test(name))) {
    const entry = join(directory, name);
    const path = await readFile(entry, 'utf8');
    const found = await stat(path).catch((error: NodeJS.ErrnoException) => error.code);
    // A file on a disk that is not there at the moment is not gone for good, but nothing tells the two apart.
    if (found === 'ENOENT' || found === 'ENOTDIR') await unlink(entry).catch(() => undefined);
    else paths.push(path);
  }
  return paths;
}
