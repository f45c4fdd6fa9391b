import { Buffer, isUtf8 } from 'node:buffer';
import { Fault } from '../fault.ts';

/**
 * Paths in archives are bytes: names need not be UTF-8. The longest path leaves an engine a kilobyte for the
 * directory it unpacks into, as Linux takes 4,095 bytes in all.
 */
export const longest = { path: 3072, name: 255, target: 4095 } as const;

const slash = 0x2f;
const dot = 0x2e;
const percent = 0x25;

/** Throws UNSAFE unless `path` is relative, stays inside, and every name in it can be a file's in a layer. */
export function checkPath(path: Buffer, where = 'layer', { whiteouts = false } = {}): void {
  if (path.length > longest.path) refuse(where, path, `is longer than ${longest.path} bytes`);
  for (let start = 0, end = 0; start <= path.length; start = end + 1) {
    end = path.indexOf(slash, start);
    if (end < 0) end = path.length;
    const fault = nameFault(path.subarray(start, end), whiteouts);
    if (fault) refuse(where, path, fault);
  }
  if (path.includes(0)) refuse(where, path, 'has a zero byte');
}

function nameFault(name: Buffer, whiteouts: boolean): string | undefined {
  if (name.length === 0) return 'is empty, absolute, or has an empty name in it';
  if (name.length > longest.name) return `has a name over ${longest.name} bytes`;
  if (name[0] !== dot) return undefined;
  const start = name.toString('latin1', 0, 4);
  if (start === '.' || start === '..') return 'has . or .. in it';
  return start === '.wh.' && !whiteouts ? 'has a name that deletes files (.wh.)' : undefined;
}

function refuse(where: string, path: Buffer, why: string): never {
  throw new Fault('UNSAFE', `${where}: the path ${showPath(path)} ${why}`, {
    hint: 'layers hold relative paths of ordinary names, so that they mean the same to every engine',
  });
}

/** Throws UNSAFE unless `target` can be a symbolic link's. */
export function checkTarget(target: Buffer, path: Buffer, where = 'layer'): void {
  if (target.length > 0 && target.length <= longest.target && !target.includes(0)) return;
  throw new Fault('UNSAFE', `${where}: the link ${showPath(path)} has no possible target`, {
    hint: `a target has 1 to ${longest.target} bytes, none of them zero`,
  });
}

/** The order of entries: depth first, names in a directory by bytes, a directory before what is in it. */
export function comparePaths(a: Buffer, b: Buffer): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x = 0, y = 0] = [a[i], b[i]];
    if (x !== y) return (x === slash ? 0 : x) - (y === slash ? 0 : y);
  }
  return a.length - b.length;
}

export const joinPath = (directory: Buffer, name: Buffer): Buffer =>
  directory.length === 0 ? name : Buffer.concat([directory, Buffer.of(slash), name]);

/** The directory that holds `path`; empty for a name alone. */
export const parentOf = (path: Buffer): Buffer => path.subarray(0, Math.max(0, path.lastIndexOf(slash)));

/**
 * The path as text, for JSON: UTF-8 as it is, but `%`, and every byte of a name that is no UTF-8 at all,
 * percent-escaped. {@link pathFromText} gives the bytes back.
 */
export function textOfPath(path: Buffer): string {
  if (isUtf8(path)) return path.toString().replaceAll('%', '%25');
  let text = '';
  for (const byte of path)
    text +=
      byte >= 0x80 || byte === percent
        ? `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
        : String.fromCharCode(byte);
  return text;
}

/** The inverse of {@link textOfPath}. */
export function pathFromText(text: string): Buffer {
  const parts = text.split(/(%[0-9A-F]{2})/);
  return Buffer.concat(
    parts.map((part, i) => (i % 2 === 1 ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part))),
  );
}

/** For messages: quoted, with whatever could move a terminal's cursor or hide text escaped. */
export const showPath = (path: Buffer): string =>
  JSON.stringify(textOfPath(path).replaceAll('%25', '%')).replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
