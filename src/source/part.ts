import { createHash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fromHex } from 'ssri';
import { asFault, Fault } from '../../builder/fault.ts';
import { quote } from '../package/name.ts';
import type { Distfile } from './distfile.ts';
import { isToken, ownerLives, ownerToken } from '../package/owner.ts';

/**
 * A distfile on its way: `.NAME.OWNER.part` beside its place while somebody writes it, `.NAME.part` when nobody
 * does. It gets the name only when all its bytes are there and are the right ones. One that an earlier process
 * left is taken over by renaming, which only one can do, so that two at once never write to the same file.
 */
export type Part = {
  /** How many bytes are here; the next one written follows them. */
  readonly bytes: number;
  /** How many there are in all. */
  readonly size: number;
  /** Whether bytes from an earlier process are in it. */
  readonly resumed: boolean;
  /** Throws INTEGRITY as soon as there are more bytes than the distfile has, IO if there is no room. */
  write(chunk: Uint8Array): Promise<void>;
  /** Forgets what is here. */
  restart(): Promise<void>;
  /** Checks size and hash, puts the file in its place and gives that path; throws INTEGRITY and forgets it. */
  complete(): Promise<string>;
  /** When the sender says that the file was last changed, which some need to go on where they ended. */
  stamp(mtime: Date): void;
  /** Keeps what is here for the next one, if there is anything. */
  leave(): Promise<void>;
  /** The file itself, for reading. */
  readonly path: string;
};

export async function openPart(directory: string, distfile: Distfile): Promise<Part> {
  const path = join(directory, `.${distfile.name}.${ownerToken()}.part`);
  try {
    await mkdir(directory, { recursive: true });
    const taken = await takeOver(directory, distfile.name, path);
    const { O_CREAT, O_RDWR, O_NOFOLLOW, O_EXCL } = constants;
    const file = await open(path, O_RDWR | O_NOFOLLOW | (taken ? 0 : O_CREAT | O_EXCL), 0o644);
    return await startPart(file, path, directory, distfile);
  } catch (error) {
    throw asFault(error, `cannot write to the distfile directory ${quote(directory)}`);
  }
}

async function startPart(
  file: FileHandle,
  path: string,
  directory: string,
  distfile: Distfile,
): Promise<Part> {
  let hash = createHash('sha512');
  let bytes = 0;
  let resumed = false;
  let mtime: Date | undefined;

  const restart = async (): Promise<void> => {
    await file.truncate(0);
    hash = createHash('sha512');
    bytes = 0;
    resumed = false;
  };
  const drop = async (): Promise<void> => {
    await file.close();
    await rm(path, { force: true });
  };

  if ((await file.stat()).size > distfile.size) await restart();
  for await (const chunk of file.createReadStream({ start: 0, autoClose: false }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  resumed = bytes > 0;

  return {
    get bytes() {
      return bytes;
    },
    get resumed() {
      return resumed;
    },
    size: distfile.size,
    path,
    restart,
    async write(chunk) {
      if (bytes + chunk.length > distfile.size) {
        await restart();
        throw new Fault('INTEGRITY', `more than the ${distfile.size} bytes that it should have`);
      }
      try {
        await writeAt(file, chunk, bytes);
      } catch (error) {
        throw asFault(error, `cannot write to ${quote(directory)}`);
      }
      hash.update(chunk);
      bytes += chunk.length;
    },
    async complete() {
      if (bytes !== distfile.size) {
        throw new Fault('NETWORK', `ended after ${bytes} of ${distfile.size} bytes`);
      }
      const got = fromHex(hash.digest('hex'), 'sha512');
      if (!got.match(distfile.integrity)) {
        await restart();
        throw new Fault(
          'INTEGRITY',
          `other bytes than promised: ${got.toString()} and not ${distfile.integrity}`,
        );
      }
      const place = join(directory, distfile.name);
      await file.sync();
      await rename(path, place);
      await file.close();
      return place;
    },
    stamp(time) {
      mtime = time;
    },
    async leave() {
      if (bytes === 0) return drop();
      if (mtime) await file.utimes(mtime, mtime);
      await file.close();
      return rename(path, join(directory, `.${distfile.name}.part`));
    },
  };
}

async function writeAt(file: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < chunk.length;) {
    done += (await file.write(chunk, done, chunk.length - done, position + done)).bytesWritten;
  }
}

/** Renames the longest part of `name` that has no living owner to `path`, removes the others; false if there is none. */
async function takeOver(directory: string, name: string, path: string): Promise<boolean> {
  const found: { readonly path: string; readonly stats: Stats }[] = [];
  for (const left of await leftovers(directory, name, 'part')) {
    const stats = await lstat(left).catch(() => undefined);
    if (stats?.isFile() && stats.uid === process.geteuid?.()) found.push({ path: left, stats });
  }
  found.sort((a, b) => b.stats.size - a.stats.size);
  let taken = false;
  for (const { path: left } of found) {
    if (taken) await rm(left, { force: true });
    else taken = await rename(left, path).then(() => true, isGone);
  }
  return taken;
}

/** What nobody works on any more: `.NAME.KIND` and `.NAME.OWNER.KIND` of dead owners. */
export async function leftovers(directory: string, name: string, kind: 'part' | 'apt'): Promise<string[]> {
  const start = `.${name}.`;
  const found: string[] = [];
  for (const entry of await readdir(directory)) {
    if (!entry.startsWith(start) || !entry.endsWith(kind)) continue;
    const token = entry.slice(start.length, -kind.length).replace(/\.$/, '');
    if (token !== '' && !isToken(token)) continue;
    const path = join(directory, entry);
    const stats = await lstat(path).catch(() => undefined);
    if (stats && !(token && ownerLives(token, stats.mtimeMs))) found.push(path);
  }
  return found;
}

const isGone = (error: NodeJS.ErrnoException): false => {
  if (error.code === 'ENOENT') return false;
  throw error;
};
