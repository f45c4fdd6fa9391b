import { Fault } from '../../builder/fault.ts';
import { packagePath, quote } from '../package/name.ts';
import { compareBytes } from '../package/order.ts';
import type { ProfileEntry } from './entry.ts';
import type { Claim, Node } from './tree.ts';

/**
 * What becomes of every name, depth first, the names of a directory by their bytes:
 * - one claim: a relative link to it, a directory too, which is what keeps profiles small;
 * - several, all of them directories: a real directory, and the same question one level further;
 * - otherwise the highest priority has the name. Directories of lower priority are merged into directories
 *   of the highest; all else of lower priority is left out.
 * - a tie between packages is UNSATISFIABLE, and so is one between a directory and a file.
 *   Within one package, `bin` comes before `sbin`.
 */
export function mergedEntries(root: Node): ProfileEntry[] {
  const entries: ProfileEntry[] = [];
  visit(root, entries);
  return entries;
}

function visit(directory: Node, entries: ProfileEntry[]): void {
  for (const node of [...directory.children.values()].sort(byName)) {
    const { path } = node;
    const winner = node.fixed ?? settle(node);
    entries.push(winner);
    if (winner.kind === 'directory') visit(node, entries);
    else if (node.fixed && node.children.size > 0) throw new Error(`${path} is no directory`);
  }
}

function settle({ path, claims }: Node): ProfileEntry {
  const highest = Math.max(...claims.map(({ owner }) => owner.priority));
  const winners = claims.filter(({ owner }) => owner.priority === highest);
  const directories = claims.filter(({ directory }) => directory);
  const winner = winners.every(({ directory }) => directory) ? undefined : only(path, winners);
  if (winner) return link(path, winner);
  const [first] = directories;
  if (directories.length === 1 && first && !first.onTheWay) return link(path, first);
  return { kind: 'directory', path, mode: 0o755 };
}

/** The one that has the name, where at least one of the claims is no directory. */
function only(path: string, claims: readonly Claim[]): Claim {
  const first = claims.find(({ directory }) => !directory);
  if (!first) throw new Error(`nobody claims ${path} for a file`);
  const rival = claims.find(({ owner }) => owner !== first.owner);
  if (!rival) return claims.find((claim) => !claim.path.startsWith('sbin/')) ?? first;
  const [one, two] = [first, rival].sort(byOwner).map((claim) => quote(ownPath(claim)));
  throw new Fault('UNSATISFIABLE', `two packages bring /${path}: ${one} and ${two}`, {
    hint: 'leave one of them out, or give one of them a higher Link-Priority in its control',
  });
}

const ownPath = ({ owner, path }: Claim): string => `${packagePath(owner.name, owner.version)}/${path}`;

/** Relative, so that it leads to the package wherever the root is mounted or unpacked. */
function link(path: string, claim: Claim): ProfileEntry {
  const up = '../'.repeat(path.split('/').length - 1);
  return { kind: 'link', path, target: `${up}${ownPath(claim)}` };
}

const byName = (a: Node, b: Node): number => compareBytes(a.path, b.path);
const byOwner = (a: Claim, b: Claim): number => compareBytes(ownPath(a), ownPath(b));
