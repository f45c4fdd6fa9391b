import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { asFault, Fault } from '../fault.ts';
import { FileStore } from './file-store.ts';
import { replaceFile, syncDirectory, writeAll } from './files.ts';
import { checkLayoutFile, emptyIndex, formatIndex, layoutFile } from './layout.ts';
import { readRegular } from './open-regular.ts';

export type StoreOptions = {
  /** Path of `native/lock`; without it the store can be read, and blobs put, but no name changed. */
  readonly lockProgram?: string;
  /** Make the directory, or what is missing of it, first. */
  readonly create?: boolean;
  /** Refuse a store that does not belong to the caller, or that others may write to. */
  readonly private?: boolean;
};

/**
 * Opens the OCI image layout in `directory`. Throws NOT_FOUND if there is none, INPUT if it is of a version
 * that we do not know, INTEGRITY if it has lost its `index.json`, UNSAFE where `private` is not fulfilled.
 */
export async function openStore(directory: string, options: StoreOptions = {}): Promise<FileStore> {
  try {
    if (options.create) {
      await requireRoom(directory);
      await mkdir(join(directory, 'blobs/sha256'), { recursive: true, mode: 0o755 });
    }
    const store = new FileStore(directory, options.lockProgram);
    try {
      if (options.private) requirePrivate(store, ['.', 'blobs', 'blobs/sha256']);
      if (options.create && !(await exists(store.path('oci-layout')))) await complete(store);
      checkLayoutFile(await readRegular(store.path('oci-layout')), join(directory, 'oci-layout'));
      if (!(await exists(store.path('index.json')))) {
        throw new Fault('INTEGRITY', `${directory}: its index.json is gone, and with it every name`, {
          hint: 'restore the file, or move the directory away and start with an empty one',
        });
      }
      if (options.private) requirePrivate(store, ['index.json', 'oci-layout']);
      return store;
    } catch (error) {
      store.close();
      throw error;
    }
  } catch (error) {
    throw asFault(error, `opening the store ${directory}`);
  }
}

/** A store is not strewn into somebody's home directory by a slip of the keyboard. */
async function requireRoom(directory: string): Promise<void> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const alien = names.find((name) => name !== 'blobs' && name !== 'index.json' && !name.startsWith('.new-'));
  if (names.includes('oci-layout') || alien === undefined) return;
  throw new Fault('INPUT', `${directory}: not empty, and no OCI image layout`, {
    hint: 'name a directory that is empty, does not exist, or is a layout',
  });
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );

/**
 * `oci-layout` comes last, so that a store without it was never complete, and one with it that has no
 * `index.json` has been damaged. The lock keeps a second process from emptying an index in use.
 */
async function complete(store: FileStore): Promise<void> {
  await store.locked(async () => {
    for (const [name, bytes] of [
      ['index.json', formatIndex(emptyIndex)],
      ['oci-layout', layoutFile],
    ] as const) {
      if (await exists(store.path(name))) continue;
      await replaceFile(store.path(), 0o644, async (file) => {
        await writeAll(file, bytes);
        return store.path(name);
      });
      await syncDirectory(store.path());
    }
  });
}

/** On opened files, so that nobody can exchange them between the look and the use. */
function requirePrivate(store: FileStore, parts: readonly string[]): void {
  for (const part of parts) {
    // Not by path.join, which drops the last `/.`, and so the step through the link to the directory.
    const file = openSync(
      `${store.path()}/${part}`,
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
    const { uid, mode } = fstatSync(file);
    closeSync(file);
    const place = join(store.directory, part);
    const hint = 'chown it to yourself and chmod go-w it, or use another directory';
    if (uid !== process.geteuid?.()) {
      throw new Fault('UNSAFE', `${place}: belongs to user ${uid}, not to you`, { hint });
    }
    if ((mode & 0o022) !== 0) throw new Fault('UNSAFE', `${place}: others may write to it`, { hint });
  }
}
