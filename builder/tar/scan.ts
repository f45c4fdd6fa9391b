import { Buffer } from 'node:buffer';
import { lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs';
import { asFault, Fault } from '../fault.ts';
import type { Entry } from './entry.ts';
import { joinPath, parentOf, pathFromText, showPath } from './path.ts';

export type ScanOptions = {
  /** Modes that the tree cannot carry, such as 0o4755 of `bin/su`, by path below the tree (as path.ts writes text). */
  readonly modes?: ReadonlyMap<string, number>;
};

type Place = { readonly host: Buffer; readonly path: Buffer };

/**
 * The entries of a directory, `path` in the archive, and of all below it, in the order of layer format 1: they
 * depend on names, contents, execute bits and links, and on nothing else that a file system keeps. Of a hard
 * linked file the first name is the file. Lazy, so a tree of any size costs no memory. Throws UNSAFE for what
 * a layer must not hold (devices, sockets, fifos), INPUT if `modes` names what is not there.
 */
export function* scan(tree: string, path: string, { modes }: ScanOptions = {}): Generator<Entry> {
  const root = { host: Buffer.from(tree), path: Buffer.from(path) };
  if (!stat(root.host).isDirectory()) throw new Fault('INPUT', `${showPath(root.host)} is no directory`);
  const special = new Map(
    [...(modes ?? [])].map(([name, mode]) => [key(joinPath(root.path, pathFromText(name))), mode] as const),
  );
  const linked = new Map<string, Extract<Entry, { type: 'file' }>>();
  yield directory(root);
  for (const stack = [children(root)]; stack.length > 0;) {
    const place = stack.at(-1)?.pop();
    if (!place) {
      stack.pop();
      continue;
    }
    const stats = stat(place.host);
    if (stats.isDirectory()) {
      yield directory(place);
      stack.push(children(place));
    } else if (stats.isSymbolicLink()) {
      const target = attempt(place.host, () => readlinkSync(place.host, { encoding: 'buffer' }));
      yield { path: place.path, type: 'symlink', mode: 0o777, uid: 0, gid: 0, target };
    } else if (stats.isFile()) {
      const mode = special.get(key(place.path)) ?? (stats.mode & 0o111 ? 0o755 : 0o644);
      special.delete(key(place.path));
      yield file(place, stats, mode, linked);
    } else {
      throw new Fault('UNSAFE', `${showPath(place.host)} is a ${kindOf(stats)}, which a layer cannot hold`, {
        hint: 'only directories, files and links are packed; remove it from the tree',
      });
    }
  }
  for (const missing of special.keys())
    throw new Fault(
      'INPUT',
      `a mode is given for ${showPath(Buffer.from(missing, 'latin1'))}, which is no file`,
    );
}

/** A Map's key for bytes. */
const key = (path: Buffer): string => path.toString('latin1');

/** The places in a directory, last first. */
function children({ host, path }: Place): Place[] {
  return attempt(host, () => readdirSync(host, { encoding: 'buffer' }))
    .sort((a, b) => Buffer.compare(b, a))
    .map((name) => ({ host: joinPath(host, name), path: joinPath(path, name) }));
}

const directory = ({ path }: Place): Entry => ({ path, type: 'directory', mode: 0o755, uid: 0, gid: 0 });

function file(
  { host, path }: Place,
  { size, nlink }: Stats,
  mode: number,
  linked: Map<string, Extract<Entry, { type: 'file' }>>,
): Entry {
  const entry = { path, type: 'file', mode, uid: 0, gid: 0, size, body: { file: host } } as const;
  if (nlink === 1) return entry;
  // Exact numbers: overlay file systems use the high bits of inodes.
  const { dev, ino } = attempt(host, () => lstatSync(host, { bigint: true }));
  const first = linked.get(`${dev}:${ino}`);
  if (!first) {
    linked.set(`${dev}:${ino}`, entry);
    return entry;
  }
  if (first.mode !== mode)
    throw new Fault('INPUT', `${showPath(path)} and ${showPath(first.path)} are one file with two modes`, {
      hint: 'give the mode for every name of a hard linked file',
    });
  return { path, type: 'link', mode, uid: 0, gid: 0, target: first.path };
}

const stat = (host: Buffer): Stats => attempt(host, () => lstatSync(host));

function attempt<T>(host: Buffer, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw asFault(error, showPath(host));
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
    above.unshift(directory({ host: at, path: at }));
  return above;
}
