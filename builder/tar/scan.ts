import { Buffer } from 'node:buffer';
import { lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs';
import { asFault, Fault } from '../fault.ts';
import type { Entry } from './entry.ts';
import { parentOf, pathFromText, showPath } from './path.ts';

export type ScanOptions = {
  /** Modes that the tree cannot carry, such as 0o4755 of `bin/su`, by path below the tree (as path.ts writes text). */
  readonly modes?: ReadonlyMap<string, number>;
};

/** A path as a string with a character for each byte: far cheaper than bytes, and in the same order. */
type Bytes = string;

/** Where something is on this machine, and in the archive. */
type Place = { readonly host: Bytes; readonly path: Bytes };

type File = Extract<Entry, { type: 'file' }>;

/**
 * The entries of a directory, `path` in the archive, and of all below it, in the order of layer format 1: they
 * depend on names, contents, execute bits and links, and on nothing else that a file system keeps. Of a hard
 * linked file the first name is the file. Lazy, so a tree of any size costs no memory. Throws UNSAFE for what
 * a layer must not hold (devices, sockets, fifos), INPUT if `modes` names what is not there.
 */
export function* scan(tree: string, path: string, { modes }: ScanOptions = {}): Generator<Entry> {
  const root = { host: bytesOf(Buffer.from(tree)), path: bytesOf(Buffer.from(path)) };
  if (!stat(root.host).isDirectory()) throw new Fault('INPUT', `${show(root.host)} is no directory`);
  const special = new Map<Bytes, number>(
    [...(modes ?? [])].map(([name, mode]) => [`${root.path}/${bytesOf(pathFromText(name))}`, mode]),
  );
  const linked = new Map<string, File>();
  yield directory(root.path);
  for (const stack = [children(root)]; stack.length > 0;) {
    const place = stack.at(-1)?.pop();
    if (!place) {
      stack.pop();
      continue;
    }
    const stats = stat(place.host);
    if (stats.isDirectory()) {
      yield directory(place.path);
      stack.push(children(place));
    } else if (stats.isSymbolicLink()) {
      yield symlink(place);
    } else if (stats.isFile()) {
      const mode = special.get(place.path) ?? (stats.mode & 0o111 ? 0o755 : 0o644);
      special.delete(place.path);
      yield file(place, stats, mode, linked);
    } else {
      throw new Fault('UNSAFE', `${show(place.host)} is a ${kindOf(stats)}, which a layer cannot hold`, {
        hint: 'only directories, files and links are packed; remove it from the tree',
      });
    }
  }
  for (const missing of special.keys())
    throw new Fault('INPUT', `a mode is given for ${show(missing)}, which is no file`);
}

const bytesOf = (path: Buffer): Bytes => path.toString('latin1');
const show = (path: Bytes): string => showPath(Buffer.from(path, 'latin1'));

/** As the file system functions take it. */
const hostPath = (path: Bytes): string | Buffer =>
  /[\x80-\xff]/.test(path) ? Buffer.from(path, 'latin1') : path;

/** The places in a directory, last first. */
function children({ host, path }: Place): Place[] {
  return attempt(host, () => readdirSync(hostPath(host), { encoding: 'latin1' }))
    .sort()
    .reverse()
    .map((name) => ({ host: `${host}/${name}`, path: `${path}/${name}` }));
}

const attributes = (path: Bytes, mode: number) => ({
  path: Buffer.from(path, 'latin1'),
  mode,
  uid: 0,
  gid: 0,
});

const directory = (path: Bytes): Entry => ({ ...attributes(path, 0o755), type: 'directory' });

function symlink({ host, path }: Place): Entry {
  const target = attempt(host, () => readlinkSync(hostPath(host), { encoding: 'buffer' }));
  return { ...attributes(path, 0o777), type: 'symlink', target };
}

function file({ host, path }: Place, { size, nlink }: Stats, mode: number, linked: Map<string, File>): Entry {
  const entry: File = { ...attributes(path, mode), type: 'file', size, body: { file: hostPath(host) } };
  if (nlink === 1) return entry;
  // Exact numbers: overlay file systems use the high bits of inodes.
  const { dev, ino } = attempt(host, () => lstatSync(hostPath(host), { bigint: true }));
  const first = linked.get(`${dev}:${ino}`);
  if (!first) {
    linked.set(`${dev}:${ino}`, entry);
    return entry;
  }
  if (first.mode !== mode)
    throw new Fault('INPUT', `${show(path)} and ${showPath(first.path)} are one file with two modes`, {
      hint: 'give the mode for every name of a hard linked file',
    });
  return { ...attributes(path, mode), type: 'link', target: first.path };
}

const stat = (host: Bytes): Stats => attempt(host, () => lstatSync(hostPath(host)));

function attempt<T>(host: Bytes, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw asFault(error, show(host));
  }
}

function kindOf(stats: Stats): string {
  if (stats.isFIFO()) return 'fifo';
  if (stats.isSocket()) return 'socket';
  return 'device';
}

/** The directories above `path` that are entries of their own, outermost first. */
export function parents(path: string): Entry[] {
  const above: Entry[] = [];
  for (let at = parentOf(Buffer.from(path)); at.length > 0; at = parentOf(at))
    above.unshift(directory(bytesOf(at)));
  return above;
}
