import { Buffer } from 'node:buffer';
import { Fault } from '../fault.ts';
import type { Entry, Owner } from './entry.ts';
import { comparePaths, parentOf, showPath } from './path.ts';

type Attributes = Partial<Owner> & { readonly mode?: number };

/** Entries that exist in no directory, for layers that are computed. Paths have no slash at their ends. */
export const directory = (path: string | Buffer, { mode = 0o755, ...owner }: Attributes = {}): Entry => ({
  ...attributes(path, mode, owner),
  type: 'directory',
});

export const symlink = (
  path: string | Buffer,
  target: string | Buffer,
  owner: Partial<Owner> = {},
): Entry => ({
  ...attributes(path, 0o777, owner),
  type: 'symlink',
  target: bytesOf(target),
});

/** `body`: text, bytes, or a file that is read when the layer is made, with its size. */
export function file(
  path: string | Buffer,
  body: string | Uint8Array | { readonly file: string | Buffer; readonly size: number },
  { mode = 0o644, ...owner }: Attributes = {},
): Entry {
  const rest = { ...attributes(path, mode, owner), type: 'file' } as const;
  if (typeof body !== 'string' && 'file' in body)
    return { ...rest, size: body.size, body: { file: body.file } };
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  return { ...rest, size: bytes.length, body: bytes };
}

const attributes = (path: string | Buffer, mode: number, { uid = 0, gid = 0 }: Partial<Owner>) => ({
  path: bytesOf(path),
  mode,
  uid,
  gid,
});

const bytesOf = (text: string | Buffer): Buffer => (typeof text === 'string' ? Buffer.from(text) : text);

/**
 * Entries in any order, in the order of layer format 1, with the directories that are missing on the way to them.
 * Throws INPUT if two have the same path, or one is below what is no directory.
 */
export function arrange(entries: Iterable<Entry>): Entry[] {
  const byPath = new Map<string, Entry>();
  for (const entry of entries) {
    if (byPath.has(key(entry.path))) throw new Fault('INPUT', `${showPath(entry.path)} is there twice`);
    byPath.set(key(entry.path), entry);
  }
  for (const { path } of byPath.values()) {
    const parent = parentOf(path);
    const found = byPath.get(key(parent));
    if (found && found.type !== 'directory')
      throw new Fault('INPUT', `${showPath(path)} is below ${showPath(parent)}, which is no directory`);
    // Map iteration also visits what is added here, so parents get their parents.
    if (!found && parent.length > 0) byPath.set(key(parent), directory(parent));
  }
  return [...byPath.values()].sort((a, b) => comparePaths(a.path, b.path));
}

const key = (path: Buffer): string => path.toString('latin1');
