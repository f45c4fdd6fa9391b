import type { Descriptor } from '../descriptor.ts';

/** A part of a blob: `to`, in bytes and exclusive, is its end unless it says something else. */
export type Range = { readonly from: number; readonly to?: number };

/**
 * Bytes in memory, or a way to read them from any offset on, as often as the store needs to. A chunk that is read is the
 * store's: its memory may be used for the next one.
 */
export type Content = Uint8Array | ((from: number) => AsyncIterable<Uint8Array>);

/**
 * Blobs by descriptor. A directory, memory and a registry are all blob stores, so push, pull, mirror and export
 * are one `copy` between two of them. The media type matters only to a store that keeps documents elsewhere
 * than other blobs, as a registry does.
 */
export type BlobStore = {
  /** Whether the blob is there with that size. Its bytes are not looked at. */
  exists(descriptor: Descriptor): Promise<boolean>;

  /**
   * The bytes. Read to its end without an error means: exactly `size` bytes, and they have the digest; until
   * then the reader must not rely on anything. With a range the size of the blob and the number of bytes are
   * checked but the digest cannot be: that is for a reader that checks it itself, as every `put` does.
   * Throws NOT_FOUND if there is no such blob, INTEGRITY if it is not what the descriptor says.
   */
  open(descriptor: Descriptor, range?: Range): AsyncIterable<Uint8Array>;

  /**
   * Makes sure that the blob is stored; false, and `content` is not read, if it was already. Any number of
   * callers may put the same blob at once. Throws INTEGRITY, and stores nothing, if the bytes are not what the
   * descriptor says.
   */
  put(descriptor: Descriptor, content: Content): Promise<boolean>;

  /**
   * True where a document is never stored without everything below it, as registries promise: a copy looks no
   * further below one that exists.
   */
  readonly keepsWhole?: boolean;
};

export type Named = { readonly name: string; readonly descriptor: Descriptor };

/** A blob store whose documents can have names. A name keeps everything below its descriptor alive. */
export type NamedStore = BlobStore & {
  resolve(name: string): Promise<Descriptor | undefined>;

  /** Names a document, or moves the name to it. Throws INTEGRITY if anything below it is missing. */
  tag(name: string, descriptor: Descriptor): Promise<void>;

  /** False if there was no such name. The blobs stay until garbage is collected. */
  untag(name: string): Promise<boolean>;

  /** Every name, in no promised order. */
  list(): Promise<readonly Named[]>;
};
