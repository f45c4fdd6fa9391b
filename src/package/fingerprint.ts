import { lstatSync, readdirSync, type BigIntStats } from 'node:fs';

/**
 * What tells that a tree is still the one that a record was made of: inode and time of last change of each of its
 * directories, by path (`''` is the tree itself, names as Latin-1, so that any byte has a character). Adding,
 * removing or renaming anything changes it; writing into a file does not. Of no meaning on another machine.
 */
export type Fingerprint = { readonly [directory: string]: string };

/** May be taken before a tree is renamed into its place, and is still true there. */
export function takeFingerprint(tree: string): Fingerprint {
  const stamps: Record<string, string> = {};
  const directories = [''];
  for (const path of directories) {
    const stats = look(tree, path);
    if (stats) stamps[path] = stamp(path, stats);
    // Of names as bytes Node finds out what they are where the file system does not say it; of other names it fails.
    for (const entry of readdirSync(bytes(tree, path), { withFileTypes: true, encoding: 'buffer' })) {
      if (!entry.isDirectory()) continue;
      const name = entry.name.toString('latin1');
      directories.push(path === '' ? name : `${path}/${name}`);
    }
  }
  return stamps;
}

/** New directories need no look: they change the one that they are in. */
export const fits = (tree: string, fingerprint: Fingerprint): boolean =>
  '' in fingerprint &&
  Object.entries(fingerprint).every(([path, expected]) => {
    const stats = look(tree, path);
    return stats?.isDirectory() && stamp(path, stats) === expected;
  });

const bytes = (tree: string, path: string) =>
  Buffer.concat([Buffer.from(`${tree}/`), Buffer.from(path, 'latin1')]);

const look = (tree: string, path: string) =>
  lstatSync(bytes(tree, path), { bigint: true, throwIfNoEntry: false });

/** Renaming a directory changes its ctime, and the tree as a whole is renamed into its place. */
const stamp = (path: string, { ino, mtimeNs, ctimeNs }: BigIntStats): string =>
  path === '' ? `${ino} ${mtimeNs}` : `${ino} ${mtimeNs} ${ctimeNs}`;
