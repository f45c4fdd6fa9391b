import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { giveBack } from '../block.ts';
import type { Descriptor } from '../descriptor.ts';
import { digester, hexOf } from '../digest.ts';
import { Fault } from '../fault.ts';
import { writeAll } from './files.ts';
import { temporaryPrefix } from './temporary.ts';

/** Smaller blobs are not worth the trouble, in bytes. */
export const resumeFrom = 1 << 20;

/** Stands for no process: nobody is writing the file. */
const nobody = 0;

const unfinishedName = (owner: number, { digest }: Descriptor): string =>
  `${temporaryPrefix}${owner}-${hexOf(digest)}-${randomBytes(4).toString('hex')}`;

/**
 * Writes a blob as `replaceFile` does, but begins where an earlier attempt broke off, in this process or in one that
 * was killed. All bytes are hashed, so whatever became of them meanwhile, only the right ones get the name; where
 * they turn out wrong, it is begun once more from nothing. Two processes at once each write their own.
 *
 * What `content` throws goes through, and what it gave before is kept for the next attempt.
 */
export async function replaceResumable(
  directory: string,
  path: string,
  mode: number,
  descriptor: Descriptor,
  content: (from: number) => AsyncIterable<Uint8Array>,
): Promise<void> {
  const own = join(directory, unfinishedName(process.pid, descriptor));
  const begun = await claim(directory, descriptor, own);
  const file = await open(own, begun ? 'r+' : 'wx+', 0o600);
  let keep = false;
  try {
    const fault = await fill(file, descriptor, content, (failed) => (keep = failed));
    if (fault) throw fault;
    await file.chmod(mode);
    await file.sync();
    await rename(own, path);
  } catch (error) {
    const left = keep ? rename(own, join(directory, unfinishedName(nobody, descriptor))) : unlink(own);
    await left.catch(() => undefined);
    throw error;
  } finally {
    await file.close();
  }
}

/** Gives what is wrong with the bytes at last. `failing` says whether it is the content that is at fault now. */
async function fill(
  file: FileHandle,
  descriptor: Descriptor,
  content: (from: number) => AsyncIterable<Uint8Array>,
  failing: (now: boolean) => void,
): Promise<Fault | undefined> {
  const { size: there } = await file.stat();
  // One that is whole was being brought to disk when the end came; or it is wrong, and is begun anew.
  const starts = there > 0 && there <= descriptor.size ? [there, 0] : [0];
  let fault: Fault | undefined;
  for (const start of starts) {
    const digest = digester();
    if (start === 0) await file.truncate(0);
    for (let at = 0; at < start;) {
      const { bytesRead, buffer } = await file.read(
        Buffer.allocUnsafe(Math.min(1 << 20, start - at)),
        0,
        null,
        at,
      );
      if (bytesRead === 0) throw new Fault('IO', 'an unfinished file became shorter while it was read');
      digest.update(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
    let size = start;
    failing(true);
    for await (const chunk of start > 0 && start === descriptor.size ? [] : content(start)) {
      failing(false);
      size += chunk.length;
      if (size > descriptor.size) break;
      digest.update(chunk);
      await writeAll(file, chunk, size - chunk.length);
      giveBack(chunk);
      failing(true);
    }
    failing(false);
    const found = digest.finish();
    if (size === descriptor.size && found.digest === descriptor.digest) return undefined;
    const is = size === descriptor.size ? `the digest ${found.digest}` : `${size} bytes or more`;
    fault = new Fault(
      'INTEGRITY',
      `${descriptor.digest} should have ${descriptor.size} bytes and came with ${is}`,
    );
  }
  return fault;
}

/** Makes an unfinished file of a process that is gone our own; renaming it is what only one process can do. */
async function claim(directory: string, { digest }: Descriptor, own: string): Promise<boolean> {
  for (const name of await readdir(directory)) {
    const [, owner, hex] = /^\.new-(\d+)-([0-9a-f]{64})-/.exec(name) ?? [];
    if (hex !== hexOf(digest) || isAlive(Number(owner))) continue;
    try {
      await rename(join(directory, name), own);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return false;
}

/** A number that another process has by now only means that the file is left to the collector. */
function isAlive(owner: number): boolean {
  if (owner === nobody) return false;
  try {
    process.kill(owner, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
