import { lstatSync, readdirSync, type Dirent } from 'node:fs';
import { asFault, Fault } from '../../builder/fault.ts';
import { parseBinaryControl } from './binary-control.ts';
import { display, quote } from './name.ts';
import { compareBytes } from './order.ts';
import type { LinkEntry } from './record.ts';

/** The directories whose names are linked without being asked for. */
const linked = ['bin', 'include', 'lib', 'sbin'];

/**
 * What a profile may link of a package: every name below `bin`, `sbin`, `lib` and `include`, and what the `Link`
 * field of its `control` names, a directory with everything below it. Hidden names are skipped unless they
 * are named. Links are listed and not followed. Throws INPUT, naming the path, for a link that is not in the tree
 * and for a name that is no UTF-8; NOT_FOUND and IO.
 */
export function scanLinks(tree: string, control: string): readonly LinkEntry[] {
  const found = new Map<string, LinkEntry>();
  try {
    for (const top of linked) {
      if (typeOf(tree, top) === 'directory') descend(tree, top, found);
    }
    for (const path of parseBinaryControl(control, `${tree}/control`).links) addNamed(tree, path, found);
  } catch (error) {
    throw asFault(error, `cannot list what ${display(tree)} has to link`);
  }
  return [...found.values()].sort((a, b) => compareBytes(a.path, b.path));
}

function addNamed(tree: string, path: string, found: Map<string, LinkEntry>): void {
  const type = typeOf(tree, path);
  if (type === undefined) {
    throw new Fault(
      'INPUT',
      `${display(tree)}/control: Link names ${quote(path)}, which is not in the package`,
      {
        hint: 'correct the field, or let the build install the file',
      },
    );
  }
  found.set(path, { path, type });
  if (type === 'directory') descend(tree, path, found);
}

/** Depth is no matter: a path that the system takes is not deep enough to fill the stack. */
function descend(tree: string, directory: string, found: Map<string, LinkEntry>): void {
  for (const entry of readdirSync(`${tree}/${directory}`, { withFileTypes: true })) {
    if (entry.name.startsWith('.')) continue;
    const path = `${directory}/${entry.name}`;
    if (entry.name.includes('\ufffd')) {
      throw new Fault('INPUT', `${display(tree)}: the name ${quote(path)} is no UTF-8`, {
        hint: 'a name that is linked has to be; rename it',
      });
    }
    const type = kindOf(entry);
    if (type === undefined) continue;
    found.set(path, { path, type });
    if (type === 'directory') descend(tree, path, found);
  }
}

function typeOf(tree: string, path: string): LinkEntry['type'] | undefined {
  const stats = lstatSync(`${tree}/${path}`, { throwIfNoEntry: false });
  return stats && kindOf(stats);
}

function kindOf(
  entry: Pick<Dirent, 'isFile' | 'isDirectory' | 'isSymbolicLink'>,
): LinkEntry['type'] | undefined {
  if (entry.isDirectory()) return 'directory';
  if (entry.isSymbolicLink()) return 'symlink';
  return entry.isFile() ? 'file' : undefined;
}
