import { closeSync, constants, openSync, type Stats, statSync } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { blockSize, giveBack, hold, newMemory, takeBlock } from '../block.ts';
import type { Descriptor } from '../descriptor.ts';
import { type Digest, digester, digestOf, hexOf } from '../digest.ts';
import { asFault, Fault } from '../fault.ts';
import { withLock } from '../lock.ts';
import { contentFrom, verified, wrongSize } from './blob.ts';
import { replaceFile, syncDirectory, writeAll } from './files.ts';
import { requireComplete } from './graph.ts';
import { formatIndex, type LayoutIndex, parseIndex, rootsOf, withName, withoutName } from './layout.ts';
import { openRegular, readRegular } from './open-regular.ts';
import { replaceResumable, resumeFrom } from './resume.ts';
import type { Content, Named, NamedStore, Range } from './store.ts';

/** Nobody changes a blob, its owner included. */
const blobMode = 0o444;

/** A blob that is used is marked as new again, by its mtime, if the mark is older than this, in ms. */
const markEvery = 3600_000;

/**
 * A new `index.json`, and the descriptors that it names anew: what is below them must be there. `after` runs
 * when it is on disk and nobody else can change it yet.
 */
export type Change = {
  readonly index: LayoutIndex;
  readonly added: readonly Descriptor[];
  readonly after?: () => Promise<void>;
};

/**
 * An OCI image layout directory (image-spec, image-layout.md). Use `openStore` or `createStore`.
 *
 * Any number of processes may use it at once. A blob appears under its name when all of it is on disk.
 * `index.json` changes only while the directory is locked, and only after every blob is on disk that it leads
 * to; so whatever happens at whatever moment, each name leads to a whole image. The mtime of a blob is when it
 * was last stored, asked for by `exists`, or touched, to the hour; the garbage collector goes by it.
 */
export class FileStore implements NamedStore {
  /** As the caller named it; for messages. */
  readonly directory: string;
  /** The opened directory: whoever may rename things above it cannot put another one in its place. */
  readonly #root: string;
  readonly #descriptor: number;
  readonly #lockProgram: string | undefined;

  constructor(directory: string, lockProgram: string | undefined) {
    this.directory = directory;
    this.#descriptor = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
    this.#root = `/proc/${process.pid}/fd/${this.#descriptor}`;
    this.#lockProgram = lockProgram;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /** Where something in the store is; good as long as the store is open and this process lives. */
  path(...parts: readonly string[]): string {
    return join(this.#root, ...parts);
  }

  blobPath(digest: Digest): string {
    return this.path('blobs', 'sha256', hexOf(digest));
  }

  async exists({ digest, size }: Descriptor): Promise<boolean> {
    const path = this.blobPath(digest);
    const found = this.#look(path, digest);
    if (!found?.isFile() || found.size !== size) return false;
    await mark(path, found.mtimeMs);
    return true;
  }

  /** At once: to have another thread do it takes ten times as long, and an image asks for hundreds. */
  #look(path: string, digest: Digest): Stats | undefined {
    try {
      return statSync(path, { throwIfNoEntry: false });
    } catch (error) {
      throw asFault(error, `${this.directory}: looking for ${digest}`);
    }
  }

  /** Says that the blob is in use, so that a collector that goes by use keeps it. */
  async touch({ digest }: Descriptor): Promise<void> {
    await mark(this.blobPath(digest), 0);
  }

  async *open(descriptor: Descriptor, range?: Range): AsyncGenerator<Uint8Array, void> {
    const chunks = this.#read(descriptor, range);
    yield* range === undefined ? verified(descriptor, chunks, this.directory) : chunks;
  }

  async *#read(descriptor: Descriptor, range: Range = { from: 0 }): AsyncGenerator<Uint8Array, void> {
    const path = this.blobPath(descriptor.digest);
    const doing = `${this.directory}: reading ${descriptor.digest}`;
    const file = await openRegular(path).catch((error: unknown) => {
      throw asFault(error, doing);
    });
    try {
      const { size } = await file.stat();
      if (size !== descriptor.size) throw wrongSize(descriptor, String(size), this.directory);
      const end = Math.min(range.to ?? size, size);
      for (let at = range.from; at < end;) {
        const wanted = Math.min(blockSize, end - at);
        const block = size >= blockSize ? takeBlock() : newMemory(wanted);
        const { bytesRead } = await file.read(block, 0, wanted, at);
        if (bytesRead === 0) throw wrongSize(descriptor, String(at), this.directory);
        at += bytesRead;
        const chunk = hold(block.subarray(0, bytesRead));
        giveBack(block);
        yield chunk;
      }
    } catch (error) {
      throw asFault(error, doing);
    } finally {
      await file.close();
    }
  }

  /**
   * As every store's `put`. `replace` stores the blob again though it seems to be there. A large one whose content
   * breaks off, or whose process is killed, is continued by the next put; not with `once`, for content that can be
   * read from its beginning alone.
   */
  async put(
    descriptor: Descriptor,
    content: Content,
    options: { readonly replace?: boolean; readonly once?: boolean } = {},
  ): Promise<boolean> {
    if (!options.replace && (await this.exists(descriptor))) return false;
    if (typeof content === 'function' && descriptor.size >= resumeFrom && !options.once) {
      await this.#writing(descriptor.digest, () =>
        replaceResumable(this.#root, this.blobPath(descriptor.digest), blobMode, descriptor, content),
      );
      return true;
    }
    const chunks = verified(descriptor, contentFrom(content, 0), this.directory);
    await this.#write(descriptor.digest, chunks, () => descriptor.digest);
    return true;
  }

  /** Stores bytes whose digest is not known before they have passed. */
  async add(mediaType: string, content: AsyncIterable<Uint8Array>): Promise<Descriptor> {
    const digest = digester();
    let found = { digest: digestOf(''), size: 0 };
    const passing = async function* () {
      for await (const chunk of content) {
        digest.update(chunk);
        yield chunk;
      }
      found = digest.finish();
    };
    await this.#write('a blob', passing(), () => found.digest);
    return { mediaType, ...found };
  }

  async #write(what: string, chunks: AsyncIterable<Uint8Array>, digest: () => Digest): Promise<void> {
    await this.#writing(what, () =>
      replaceFile(this.#root, blobMode, async (file) => {
        for await (const chunk of chunks) {
          await writeAll(file, chunk);
          giveBack(chunk);
        }
        return this.blobPath(digest());
      }),
    );
  }

  async #writing(what: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      const { code, dest } = error as NodeJS.ErrnoException & { readonly dest?: string };
      if (code === 'EISDIR' && dest !== undefined) {
        throw new Fault('INTEGRITY', `${this.directory}: blobs/sha256/${basename(dest)} is a directory`, {
          hint: 'a blob belongs there: remove the directory, and do it again',
          cause: error,
        });
      }
      throw asFault(error, `${this.directory}: writing ${what}`);
    }
  }

  /** `index.json`. A tool that rewrites it in place may be at it just now, so a broken one is read again. */
  async readIndex(): Promise<LayoutIndex> {
    for (let attempt = 1; ; attempt++) {
      try {
        return parseIndex(await readRegular(this.path('index.json')), join(this.directory, 'index.json'));
      } catch (error) {
        if (attempt === 5 || !(error instanceof Fault)) {
          throw asFault(error, `${this.directory}: reading index.json`);
        }
        await setTimeout(20 * attempt);
      }
    }
  }

  /**
   * Changes `index.json`, while nobody else does. `change` gets it as it is and gives it as it shall be, or the
   * same, which changes nothing. When this has returned, what the new index leads to is on disk.
   */
  async update(change: (index: LayoutIndex) => Promise<Change>): Promise<void> {
    await this.locked(async () => {
      const before = await this.readIndex();
      const { index, added, after } = await change(before);
      if (index !== before) await this.#commit(before, index, added);
      await after?.();
    });
  }

  async #commit(before: LayoutIndex, index: LayoutIndex, added: readonly Descriptor[]): Promise<void> {
    const bytes = formatIndex(index);
    const seen = new Set<Digest>();
    for (const descriptor of added) await requireComplete(this, descriptor, seen);
    try {
      await syncDirectory(this.path('blobs', 'sha256'));
      if (!bytes.equals(formatIndex(before))) {
        await replaceFile(this.#root, 0o644, async (file) => {
          await writeAll(file, bytes);
          return this.path('index.json');
        });
      }
      await syncDirectory(this.#root);
    } catch (error) {
      throw asFault(error, `${this.directory}: writing index.json`);
    }
  }

  /** Runs `fn` while no other process changes `index.json`. */
  locked<T>(fn: () => Promise<T>): Promise<T> {
    if (this.#lockProgram === undefined) throw new Error(`${this.directory} was opened for reading`);
    return withLock(this.#lockProgram, this.#root, {}, fn);
  }

  async resolve(name: string): Promise<Descriptor | undefined> {
    return rootsOf(await this.readIndex()).find((root) => root.name === name)?.descriptor;
  }

  tag(name: string, descriptor: Descriptor): Promise<void> {
    return this.update(async (index) => ({ index: withName(index, name, descriptor), added: [descriptor] }));
  }

  async untag(name: string): Promise<boolean> {
    let found = false;
    await this.update(async (index) => {
      found = rootsOf(index).some((root) => root.name === name);
      return { index: found ? withoutName(index, name) : index, added: [] };
    });
    return found;
  }

  async list(): Promise<readonly Named[]> {
    return rootsOf(await this.readIndex()).flatMap(({ name, descriptor }) =>
      name === undefined ? [] : [{ name, descriptor }],
    );
  }
}

/** Never a reason to fail: the store may be somebody else's, or read-only. */
async function mark(path: string, mtime: number): Promise<void> {
  const now = Date.now();
  if (now - mtime > markEvery) await utimes(path, now / 1000, now / 1000).catch(() => undefined);
}
