import type { Sized } from '../../builder/digest.ts';
import { measureTree } from '../../builder/tar/tree.ts';
import { type BinaryControl, parseBinaryControl } from './binary-control.ts';
import { packagePath } from './name.ts';

/** The modes that a package's layer has and its tree has not, by path. */
export const modesOf = ({ modes }: Pick<BinaryControl, 'modes'>): ReadonlyMap<string, number> =>
  new Map(modes.map(({ path, mode }) => [path, Number.parseInt(mode, 8)]));

/** The diffID and size of the layer that a tree is, with this control; every file is read. Throws as `scan` does. */
export const treeDigest = (tree: string, name: string, version: string, control: string): Sized =>
  measureTree(tree, packagePath(name, version), {
    modes: modesOf(parseBinaryControl(control, `${tree}/control`)),
  });
