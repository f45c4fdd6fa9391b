import { Buffer } from 'node:buffer';
import { open } from 'node:fs/promises';
import { joinPath, showPath } from '../../builder/tar/path.ts';
import type { ReadTree, TreeEntry } from './collection.ts';

/** One path that is not the same in two trees, and in what. */
export type TreeDifference = { readonly path: Buffer; readonly what: string };

/** A tree that was read, and where it is. */
export type LocatedTree = { readonly tree: string; readonly content: ReadTree };

/** How many bytes of each file are shown where they part. */
const shown = 8;

/** What is other in `second` than in `first`, in the order of paths; of files the first bytes that are. */
export async function compareTrees(first: LocatedTree, second: LocatedTree): Promise<TreeDifference[]> {
  const [one, other] = [byPath(first.content), byPath(second.content)];
  const found: TreeDifference[] = [];
  for (const key of [...new Set([...one.keys(), ...other.keys()])].sort()) {
    const [a, b] = [one.get(key), other.get(key)];
    const path = a?.path ?? b?.path;
    const what = path && (await difference(path, a, b, first.tree, second.tree));
    if (path && what !== undefined) found.push({ path, what });
  }
  return found;
}

const byPath = ({ entries }: ReadTree): ReadonlyMap<string, TreeEntry> =>
  new Map(entries.map((entry) => [entry.path.toString('latin1'), entry]));

async function difference(
  path: Buffer,
  a: TreeEntry | undefined,
  b: TreeEntry | undefined,
  first: string,
  second: string,
): Promise<string | undefined> {
  if (!a) return 'is new';
  if (!b) return 'is missing';
  if (a.kind !== b.kind) return `is a ${b.kind}, and was a ${a.kind}`;
  if (a.kind === 'symlink' && b.kind === 'symlink' && !a.target.equals(b.target)) {
    return `is a link to ${showPath(b.target)}, and was one to ${showPath(a.target)}`;
  }
  if (a.kind === 'hardlink' && b.kind === 'hardlink' && !a.first.equals(b.first)) {
    return `is another name of ${showPath(b.first)}, and was one of ${showPath(a.first)}`;
  }
  if (a.kind !== 'file' || b.kind !== 'file') return undefined;
  if (isProgram(a.mode) !== isProgram(b.mode))
    return isProgram(b.mode) ? 'can be run now' : 'cannot be run now';
  if (a.digest === b.digest) return undefined;
  const bytes = await firstDifference(pathIn(first, path), pathIn(second, path));
  const sizes = a.size === b.size ? '' : `; ${b.size} bytes in all, and was ${a.size}`;
  return `${bytes}${sizes}`;
}

const isProgram = (mode: number): boolean => (mode & 0o111) !== 0;

const pathIn = (tree: string, path: Buffer): Buffer => joinPath(Buffer.from(tree), path);

/** At which offset two files part, and what is there. */
async function firstDifference(first: Buffer, second: Buffer): Promise<string> {
  const [a, b] = [await open(first), await open(second)];
  try {
    const [one, other] = [Buffer.alloc(1 << 18), Buffer.alloc(1 << 18)];
    for (let offset = 0; ;) {
      const { bytesRead: n } = await a.read(one, 0, one.length, offset);
      const { bytesRead: m } = await b.read(other, 0, other.length, offset);
      const at = parting(one.subarray(0, n), other.subarray(0, m));
      if (at < Math.max(n, m)) {
        const show = (bytes: Buffer, end: number): string =>
          bytes.toString('hex', at, Math.min(end, at + shown)) || 'its end';
        return `is other from byte ${offset + at} on: ${show(other, m)}, and was ${show(one, n)}`;
      }
      if (n === 0) return 'is the same';
      offset += n;
    }
  } finally {
    await a.close();
    await b.close();
  }
}

function parting(a: Buffer, b: Buffer): number {
  const length = Math.min(a.length, b.length);
  if (a.subarray(0, length).equals(b.subarray(0, length))) return length;
  let at = 0;
  while (a[at] === b[at]) at += 1;
  return at;
}
