import { Buffer } from 'node:buffer';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, type Header as Fields } from 'tar-stream';
import { asFault, Fault } from '../fault.ts';
import type { Header } from './entry.ts';
import { checkPath, checkTarget, parentOf, showPath } from './path.ts';

/** A member of an archive; `body` is to be read, or left alone, before the next member is asked for. */
export type Member = { readonly header: Header; readonly body: AsyncIterable<Uint8Array> };

export type ArchiveOptions = {
  /** Names the archive in messages. */
  readonly where: string;
  /** Bytes of all bodies beyond which the archive is taken for a bomb. */
  readonly most: number;
  readonly mostMembers?: number;
  /** Let names pass that delete files of lower layers (`.wh.`). */
  readonly whiteouts?: boolean;
};

/** Two zero blocks, which an archive that was cut off lacks and tar-stream does not miss. */
const endSize = 1024;

/**
 * The members of an archive that another tool wrote: an image's, or a layer that is not ours. `./` before a path is
 * dropped. Throws UNSAFE for a path that leaves the archive, goes through a link, or is there twice, and for devices
 * and unknown types; INTEGRITY for an archive that is damaged or beyond the limits.
 */
export async function* readArchive(
  tar: AsyncIterable<Uint8Array>,
  { where, most, mostMembers = 1 << 20, whiteouts = false }: ArchiveOptions,
): AsyncGenerator<Member, void> {
  // An option that its types leave out: names as the bytes that they are.
  const archive = extract({ filenameEncoding: 'latin1' } as object);
  let end = Buffer.alloc(0);
  const watched = async function* () {
    for await (const chunk of tar) {
      end = Buffer.concat([end, chunk.subarray(-endSize)]).subarray(-endSize);
      yield chunk;
    }
  };
  const feeding = pipeline(Readable.from(watched()), archive);
  feeding.catch(() => undefined);
  const seen = new Map<string, Header['type']>();
  let left = most;
  try {
    for await (const entry of archive) {
      const header = headerOf(entry.header, where, whiteouts);
      if (header) {
        checkPlace(header, seen, where);
        left -= header.type === 'file' ? header.size : 0;
        if (left < 0) throw damaged(where, `has more than ${most} bytes`);
        if (seen.size > mostMembers) throw damaged(where, `has more than ${mostMembers} entries`);
        yield { header, body: bodyOf(entry as unknown as AsyncIterable<Uint8Array>, feeding, where) };
      }
      entry.resume();
    }
    await feeding;
  } catch (error) {
    throw explained(error, where);
  }
  if (end.length < endSize || end.some((byte) => byte !== 0)) throw damaged(where, 'is cut off');
}

/** An archive that ends or breaks in a body only says that the body was destroyed; why, the archive says. */
async function* bodyOf(
  body: AsyncIterable<Uint8Array>,
  archive: Promise<void>,
  where: string,
): AsyncGenerator<Uint8Array, void> {
  try {
    yield* body;
  } catch (error) {
    const cause: unknown = await archive.then(
      () => error,
      (reason: unknown) => reason,
    );
    throw explained(cause, where);
  }
}

/** What comes from below has a code; tar-stream's own errors have a message. */
function explained(error: unknown, where: string): unknown {
  if (error instanceof Fault || (error instanceof Error && 'code' in error)) return asFault(error, where);
  return damaged(where, error instanceof Error ? `is damaged: ${error.message}` : String(error));
}

/** Undefined for the root itself, which some tools pack. */
function headerOf(fields: Fields, where: string, whiteouts: boolean): Header | undefined {
  const pax = fields.pax as Readonly<Record<string, string>> | null;
  const name = bytesOf(pax?.['path'], fields.name, where);
  const path = Buffer.from(
    name
      .toString('latin1')
      .replace(/^(\.\/+)+/, '')
      .replace(/\/+$/, ''),
    'latin1',
  );
  if (path.length === 0 || path.equals(Buffer.from('.'))) return undefined;
  checkPath(path, where, { whiteouts });
  const attributes = {
    path,
    mode: (fields.mode ?? 0) & 0o7777,
    uid: Number(pax?.['uid'] ?? fields.uid ?? 0),
    gid: Number(pax?.['gid'] ?? fields.gid ?? 0),
  };
  const sparse = Object.keys(pax ?? {}).some((keyword) => keyword.startsWith('GNU.sparse'));
  if (fields.type === 'directory') return { ...attributes, type: 'directory' };
  if (fields.type === 'file' && !sparse) return { ...attributes, type: 'file', size: fields.size ?? 0 };
  if (fields.type !== 'symlink' && fields.type !== 'link')
    throw unsafe(where, path, `is a ${sparse ? 'sparse file' : (fields.type ?? 'thing of an unknown type')}`);
  const target = bytesOf(pax?.['linkpath'], fields.linkname ?? '', where);
  checkTarget(target, path, where);
  if (fields.type === 'symlink') return { ...attributes, type: 'symlink', target };
  const to = Buffer.from(target.toString('latin1').replace(/^(\.\/+)+/, ''), 'latin1');
  checkPath(to, where);
  return { ...attributes, type: 'link', target: to };
}

/** tar-stream gives names of pax records as UTF-8, where other bytes are lost, and all others as they were told. */
function bytesOf(record: string | undefined, field: string, where: string): Buffer {
  if (record?.includes('\u{fffd}'))
    throw damaged(where, `has a name that is no UTF-8: ${JSON.stringify(record)}`);
  return record ? Buffer.from(record) : Buffer.from(field, 'latin1');
}

/** Nothing twice, nothing below what is no directory: a link on the way could lead anywhere. */
function checkPlace(header: Header, seen: Map<string, Header['type']>, where: string): void {
  const { path, type } = header;
  const before = seen.get(key(path));
  if (before && !(before === 'directory' && type === 'directory'))
    throw unsafe(where, path, 'is there twice');
  for (let above = parentOf(path); above.length > 0; above = parentOf(above)) {
    const found = seen.get(key(above));
    if (found && found !== 'directory') throw unsafe(where, path, `is below ${showPath(above)}, a ${found}`);
    if (found) break;
  }
  if (type === 'link' && seen.get(key(header.target)) !== 'file' && seen.get(key(header.target)) !== 'link')
    throw unsafe(where, path, 'is a hard link to no file before it');
  seen.set(key(path), type);
}

const key = (path: Buffer): string => path.toString('latin1');

const unsafe = (where: string, path: Buffer, what: string): Fault =>
  new Fault('UNSAFE', `${where}: ${showPath(path)} ${what}`, { hint: 'such an archive is not unpacked' });

const damaged = (where: string, what: string): Fault =>
  new Fault('INTEGRITY', `${where}: the archive ${what}`, { hint: 'make or fetch it again' });
