import { Fault } from '../../builder/fault.ts';
import { packagePath, quote } from '../package/name.ts';
import type { LinkEntry } from '../package/record.ts';
import { mountPoints, type ProfileEntry } from './entry.ts';

/** What the profile needs to know of one chosen package. */
export type ProfilePackage = {
  readonly name: string;
  readonly version: string;
  /** `Link-Priority`: of two packages that bring the same name the higher one has it. */
  readonly priority: number;
  /** As its record has them: hidden names are among them only if `Link` names them. */
  readonly links: readonly LinkEntry[];
};

/** What one package has at one name of the root. `path` is inside the package: `sbin/x` for `/bin/x`. */
export type Claim = {
  readonly owner: ProfilePackage;
  readonly path: string;
  readonly directory: boolean;
  /** A directory that is only on the way to a `Link`, so that it has to be a real one. */
  readonly onTheWay: boolean;
};

/** One name of the root while it is decided what it becomes. */
export type Node = {
  readonly path: string;
  /** What is there whatever packages there are. */
  readonly fixed: ProfileEntry | undefined;
  readonly claims: Claim[];
  readonly children: Map<string, Node>;
};

/** The directories whose names are linked without being asked for, and where they are linked. */
const linked: Readonly<Record<string, string>> = { bin: 'bin', include: 'include', lib: 'lib', sbin: 'bin' };

const newNode = (path: string, fixed?: ProfileEntry): Node => ({
  path,
  fixed,
  claims: [],
  children: new Map(),
});

/** All claims of the packages, over the entries that every root has. Throws INPUT for a path that no root can have. */
export function claimTree(fixed: readonly ProfileEntry[], packages: readonly ProfilePackage[]): Node {
  const root = newNode('');
  for (const entry of fixed) {
    const { parent, name } = parentOf(root, entry.path);
    parent.children.set(name, newNode(entry.path, entry));
  }
  for (const owner of packages) {
    for (const entry of owner.links) claim(root, owner, entry);
  }
  return root;
}

function parentOf(root: Node, path: string): { parent: Node; name: string } {
  const names = path.split('/');
  const name = names.pop() ?? '';
  let parent = root;
  for (const step of names) {
    const next = parent.children.get(step);
    if (!next) throw new Error(`${path} comes before its directory`);
    parent = next;
  }
  return { parent, name };
}

function claim(root: Node, owner: ProfilePackage, { path, type }: LinkEntry): void {
  const names = path.split('/');
  if (names.some((name) => name === '' || name === '.' || name === '..' || name.includes('\0')))
    refuse(owner, path, 'is no path of a package');
  const [top = ''] = names;
  const place = Object.hasOwn(linked, top) ? linked[top] : undefined;
  if (place === undefined) {
    if (mountPoints.has(top)) refuse(owner, path, `cannot be linked: something is mounted at /${top}`);
  } else {
    if (names.length === 1) return;
    names[0] = place;
  }
  let node = root;
  let inside = top;
  for (const [depth, name] of names.entries()) {
    if (depth > 0) inside = depth === 1 ? `${top}/${name}` : `${inside}/${name}`;
    const next = node.children.get(name) ?? newNode(node.path === '' ? name : `${node.path}/${name}`);
    node.children.set(name, next);
    node = next;
    const last = depth === names.length - 1;
    if (node.fixed) {
      if (last || node.fixed.kind !== 'directory')
        refuse(owner, path, `would take the place of /${node.path}`);
    } else {
      const seen = node.claims.some((known) => known.owner === owner && known.path === inside);
      if (!seen) {
        const directory = !last || type === 'directory';
        node.claims.push({ owner, path: inside, directory, onTheWay: !last && place === undefined });
      }
    }
  }
}

function refuse(owner: ProfilePackage, path: string, why: string): never {
  throw new Fault('INPUT', `package ${owner.name} ${owner.version}: ${quote(path)} ${why}`, {
    hint: `the record of ${packagePath(owner.name, owner.version)} names it; correct Link in its control`,
  });
}
