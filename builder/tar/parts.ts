import { Buffer } from 'node:buffer';
import { asFault, Fault } from '../fault.ts';
import type { Entry } from './entry.ts';
import { mostHeader, padding, writeHeader } from './header.ts';
import { showPath } from './path.ts';

/** The bytes of a file, to be read when they are needed; `path` is what it is packed as. */
export type FilePart = { readonly file: string | Buffer; readonly size: number; readonly path: Buffer };

/** Bytes are good only until the next part is asked for. */
export type Part = Uint8Array | FilePart;

/** Room for the padding of a file and the header after it, and for the headers of what has no body. */
const batchSize = 4 * mostHeader;

/**
 * The tar of some entries, in parts, without the zero blocks that end an archive. Files are left to whoever takes the
 * parts. Throws INTEGRITY if the bytes of an entry are not as many as it says.
 */
export function* tarParts(entries: Iterable<Entry>): Generator<Part, void> {
  const batch = Buffer.allocUnsafeSlow(batchSize);
  let used = 0;
  for (const entry of entries) {
    if (used + mostHeader > batchSize) {
      yield batch.subarray(0, used);
      used = 0;
    }
    used = writeHeader(entry, batch, used);
    if (entry.type !== 'file' || (entry.size === 0 && 'file' in entry.body)) continue;
    const { body, size, path } = entry;
    yield batch.subarray(0, used);
    if (!(body instanceof Uint8Array)) yield { file: body.file, size, path };
    else if (body.length === size) yield body;
    else throw changed(showPath(path), size);
    used = padding(size);
    batch.fill(0, 0, used);
  }
  if (used > 0) yield batch.subarray(0, used);
}

/** Why a file could not be read, as Node says it. */
export const unreadable = ({ file, path }: FilePart, error: unknown): unknown =>
  asFault(error, `${showHost(file)}, packed as ${showPath(path)}`);

/** A file has turned out longer or shorter than its header says. */
export const resized = ({ file, size }: FilePart): Fault => changed(showHost(file), size);

const showHost = (file: string | Buffer): string => showPath(Buffer.from(file as string));

const changed = (name: string, size: number): Fault =>
  new Fault('INTEGRITY', `${name} is no longer ${size} bytes long`, {
    hint: 'nothing may write to a tree while its layer is made; try again',
  });
