import { Buffer } from 'node:buffer';
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  symlinkSync,
  utimesSync,
  type BigIntStats,
} from 'node:fs';
import { asFault, Fault } from '../../builder/fault.ts';
import { checkPath, checkTarget, joinPath, showPath } from '../../builder/tar/path.ts';
import {
  type Directory,
  linkBeneath,
  lookBeneath,
  namesIn,
  openBeneath,
  openFileBeneath,
  pathBeneath,
  pathOfDescriptor,
} from './beneath.ts';
import { leadsOutside, pathKey } from './escape.ts';

/** More than any package has; below what would fill a disk before anybody looks. */
export const limits = { entries: 1_000_000, depth: 64, bytes: 32 * 2 ** 30 } as const;

/** The one time of everything in a finished tree: 1980-01-01 (DESIGN section 4, "Layer, format 1"). */
export const treeTime = 315532800;

const setId = 0o6000n;

export type Collected = { readonly entries: number; readonly bytes: number };

type State = {
  readonly label: string;
  readonly to: Buffer;
  readonly links: Map<string, { readonly target: Buffer } | undefined>;
  /** First names of files that have several, by device and inode. */
  readonly first: Map<string, Buffer>;
  entries: number;
  bytes: number;
};

/**
 * Copies what a build installed for one package into a new directory `to`, and finishes it: modes 0755 and 0644,
 * one time for all, the caller's ownership, no extended attributes; links are kept as they are. To be called
 * when no process of the build is left. The directory is hostile all the same: nothing in it is followed, and
 * nothing but what was copied ends up in `to`. `home` is where roots show the package.
 *
 * Throws BUILD, naming the path, for what a package cannot hold: devices, sockets, fifos, set-id files, names
 * that layers refuse, links that lead out of the package, a `control` of its own, or too much of anything.
 */
export function collect(from: Directory, to: string, home: string, label: string): Collected {
  const state: State = {
    label,
    to: Buffer.from(to),
    links: new Map(),
    first: new Map(),
    entries: 0,
    bytes: 0,
  };
  mkdirSync(to, { mode: 0o755 });
  walk(from, Buffer.alloc(0), 0, state);
  for (const [path, link] of state.links) {
    if (link && leadsOutside(state.links, path, home)) {
      const shown = `${showPath(Buffer.from(path, 'latin1'))} is a link to ${showPath(link.target)}`;
      throw new Fault('BUILD', `${label}: ${shown}, outside of the package`, {
        hint: 'link inside of PKG_DIR; what belongs elsewhere in a root is named by the field Link',
      });
    }
  }
  if (state.links.has('control')) {
    throw new Fault('BUILD', `${label}: the build installed a file control, which pkgbuild writes itself`, {
      hint: 'install it below share, or not at all',
    });
  }
  return { entries: state.entries, bytes: state.bytes };
}

function walk(directory: Directory, path: Buffer, depth: number, state: State): void {
  const { label } = state;
  if (depth > limits.depth) refuse(label, path, `is more than ${limits.depth} directories deep`);
  for (const name of attempt(label, path, () => namesIn(directory))) {
    const inner = joinPath(path, name);
    state.entries += 1;
    if (state.entries > limits.entries) refuse(label, path, `is one of more than ${limits.entries} names`);
    checkPath(inner, label);
    const stats = attempt(label, inner, () => lookBeneath(directory, name));
    if (stats) attempt(label, inner, () => take(directory, name, inner, stats, depth, state));
  }
  finish(path, 0o755, state);
}

function take(
  directory: Directory,
  name: Buffer,
  path: Buffer,
  stats: BigIntStats,
  depth: number,
  state: State,
): void {
  const to = place(path, state);
  if (stats.isSymbolicLink()) {
    const target = linkBeneath(directory, name);
    checkTarget(target, path, state.label);
    state.links.set(pathKey(path), { target });
    symlinkSync(target, to);
    lutimesSync(to, treeTime, treeTime);
    return;
  }
  state.links.set(pathKey(path), undefined);
  if (stats.isDirectory()) {
    const inner = readable(stats, 0o500n, directory, name, () => openBeneath(directory, name));
    try {
      mkdirSync(to, { mode: 0o755 });
      walk(inner, path, depth + 1, state);
    } finally {
      inner.close();
    }
  } else if (stats.isFile()) takeFile(directory, name, path, stats, state);
  else refuse(state.label, path, `is a ${kindOf(stats)}, which a package cannot hold`);
}

function takeFile(directory: Directory, name: Buffer, path: Buffer, stats: BigIntStats, state: State): void {
  if ((stats.mode & setId) !== 0n) {
    refuse(state.label, path, 'has a set-id bit, which no tree carries', 'name it in the field Mode instead');
  }
  const to = place(path, state);
  const identity = `${stats.dev}:${stats.ino}`;
  const first = stats.nlink > 1n ? state.first.get(identity) : undefined;
  if (first) {
    linkSync(place(first, state), to);
    return;
  }
  state.bytes += Number(stats.size);
  if (state.bytes > limits.bytes)
    refuse(state.label, path, `makes more than ${limits.bytes / 2 ** 30} GiB in all`);
  const descriptor = readable(stats, 0o400n, directory, name, () => openFileBeneath(directory, name));
  try {
    if (!fstatSync(descriptor).isFile()) refuse(state.label, path, 'changed while it was read');
    copyFileSync(pathOfDescriptor(descriptor), to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  } finally {
    closeSync(descriptor);
  }
  if (stats.nlink > 1n) state.first.set(identity, path);
  finish(path, (stats.mode & 0o111n) === 0n ? 0o644 : 0o755, state);
}

/** Opens what its owner may have made unreadable; ordinary callers need the permission to be there. */
function readable<T>(
  stats: BigIntStats,
  bits: bigint,
  directory: Directory,
  name: Buffer,
  openIt: () => T,
): T {
  if ((stats.mode & bits) !== bits)
    chmodSync(pathBeneath(directory, name), Number((stats.mode & 0o777n) | bits));
  return openIt();
}

function finish(path: Buffer, mode: number, state: State): void {
  const to = place(path, state);
  // A copy made by root has the owner of what was copied.
  if (process.geteuid?.() === 0) chownSync(to, 0, process.getegid?.() ?? 0);
  chmodSync(to, mode);
  utimesSync(to, treeTime, treeTime);
}

const place = (path: Buffer, { to }: State): Buffer => (path.length === 0 ? to : joinPath(to, path));

function refuse(label: string, path: Buffer, why: string, hint?: string): never {
  throw new Fault('BUILD', `${label}: ${showPath(path)} ${why}`, hint === undefined ? {} : { hint });
}

function attempt<T>(label: string, path: Buffer, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw asFault(error, `${label}: cannot take over ${showPath(path)}`);
  }
}

function kindOf(stats: BigIntStats): string {
  if (stats.isFIFO()) return 'fifo';
  if (stats.isSocket()) return 'socket';
  return 'device';
}
