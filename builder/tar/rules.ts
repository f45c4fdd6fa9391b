import { Buffer } from 'node:buffer';
import { Fault } from '../fault.ts';
import type { Header } from './entry.ts';
import { joinPath, pathFromText, showPath } from './path.ts';

/** Above what any package has, and below what exhausts memory. */
const mostEntries = 1 << 20;

export type TreeRules = {
  /** The only place where the layer may have anything: `packages/…`. */
  readonly path: string;
  /** Modes that only a declaration allows, as in `ScanOptions`. */
  readonly modes?: ReadonlyMap<string, number>;
  /** Names the layer in messages. */
  readonly where: string;
};

/** Throws UNSAFE for the first entry that the layer of one tree must not have, whoever made it. */
export function treeRules({ path, modes, where }: TreeRules): (header: Header) => void {
  const root = Buffer.from(path);
  const special = new Map(
    [...(modes ?? [])].map(([name, mode]) => [joinPath(root, pathFromText(name)).toString('latin1'), mode]),
  );
  let entries = 0;
  return (header) => {
    const refuse = (what: string) => {
      throw new Fault('UNSAFE', `${where}: ${showPath(header.path)} ${what}`, {
        hint: 'nothing of this layer has been kept; tell whoever made it',
      });
    };
    entries += 1;
    if (entries > mostEntries) refuse(`is entry ${entries}, more than a layer may have`);
    if (!isOnWay(header.path, root) && !isBelow(header.path, root)) refuse(`is not below ${path}`);
    if (isOnWay(header.path, root) && header.type !== 'directory') refuse('is no directory');
    if (header.uid !== 0 || header.gid !== 0) refuse(`belongs to ${header.uid}:${header.gid}`);
    const allowed = special.get(header.path.toString('latin1')) ?? usualMode(header);
    if (header.mode !== allowed) refuse(`has the mode ${header.mode.toString(8)}`);
  };
}

function usualMode({ type, mode }: Header): number {
  if (type === 'symlink') return 0o777;
  return type === 'directory' || mode === 0o755 ? 0o755 : 0o644;
}

export const isBelow = (path: Buffer, root: Buffer): boolean =>
  path.length > root.length && path[root.length] === 0x2f && path.subarray(0, root.length).equals(root);

/** The root itself or a directory above it. */
const isOnWay = (path: Buffer, root: Buffer): boolean => path.equals(root) || isBelow(root, path);
