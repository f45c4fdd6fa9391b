import { chmodSync, lstatSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../../builder/fault.ts';
import { showPath } from '../../builder/tar/path.ts';
import type { Architecture } from '../package/architecture.ts';
import { packagePath, quote } from '../package/name.ts';
import { makeBinaryControl, type SourceControl, type SourcePackage } from '../package/source-control.ts';
import { type Directory, lookBeneath, namesIn, openBeneath, openDirectory } from './beneath.ts';
import { collect, treeTime } from './collect.ts';

/** A finished tree that is not in a repository yet. */
export type PackedPackage = {
  readonly name: string;
  readonly version: string;
  readonly tree: string;
  /** The text of the file `control` in the tree. */
  readonly control: string;
  /** Of its files. */
  readonly bytes: number;
};

export type PackOptions = {
  readonly source: SourceControl;
  /** What was built. */
  readonly version: string;
  readonly architecture: Architecture;
  /** A directory of the caller's own, where a tree for each package is made by its name. */
  readonly staging: string;
};

/**
 * Makes the finished trees of all packages of a source out of what a build installed into `output` of the work
 * directory. Throws BUILD if a package is missing there or something is there that belongs to none, and what
 * {@link collect} throws.
 */
export function pack(work: string, output: string, options: PackOptions): PackedPackage[] {
  const { source, version, architecture, staging } = options;
  const opened: Directory[] = [];
  const keep = (directory: Directory): Directory => {
    opened.push(directory);
    return directory;
  };
  try {
    const out = descend(keep(openDirectory(work)), [output], keep);
    if (!out)
      throw new Fault('BUILD', `${source.name} ${version}: the build took away ${quote(output)}, its output`);
    const trees = source.packages.map(({ name }) => packagePath(name, version));
    checkNothingElse(out, trees, source, keep);
    return source.packages.map((from) => {
      const path = packagePath(from.name, version);
      const label = `${from.name} ${version}`;
      const directory = descend(out, path.split('/'), keep);
      if (!directory) throw missing(label, path);
      const tree = join(staging, from.name);
      const { bytes } = collect(directory, tree, `/${path}`, label);
      checkNamed(tree, from, label);
      const control = makeBinaryControl(source, from, { version, architecture });
      writeControl(tree, control);
      return { name: from.name, version, tree, control, bytes };
    });
  } finally {
    for (const directory of opened) directory.close();
  }
}

function missing(label: string, path: string): Fault {
  return new Fault('BUILD', `${label}: build.sh installed nothing for it`, {
    hint: `install into $PKG_INSTDIR/${path} (an empty directory is a package too)`,
  });
}

/** The directory below `from`, or undefined if a name on the way is missing or no directory. */
function descend(
  from: Directory,
  names: readonly string[],
  keep: (directory: Directory) => Directory,
): Directory | undefined {
  let at = from;
  for (const name of names) {
    if (!lookBeneath(at, name)?.isDirectory()) return undefined;
    at = keep(openBeneath(at, name));
  }
  return at;
}

/** Throws BUILD for what is neither in a tree nor a directory above one. */
function checkNothingElse(
  out: Directory,
  trees: readonly string[],
  { name }: SourceControl,
  keep: (directory: Directory) => Directory,
): void {
  const above = new Set(['', ...trees.flatMap((tree) => ['packages', tree.slice(0, tree.lastIndexOf('/'))])]);
  for (const path of above) {
    const directory = path === '' ? out : descend(out, path.split('/'), keep);
    for (const entry of directory ? namesIn(directory) : []) {
      const inner = path === '' ? entry.toString('latin1') : `${path}/${entry.toString('latin1')}`;
      if (above.has(inner) || trees.includes(inner)) continue;
      const shown = showPath(Buffer.from(`/${inner}`, 'latin1'));
      throw new Fault(
        'BUILD',
        `${name}: build.sh installed ${shown}, which belongs to none of its packages`,
        {
          hint: `its packages are ${trees.map((tree) => `/${tree}`).join(' ')}; each has a paragraph in the control file`,
        },
      );
    }
  }
}

/** What the control file names has to be in the finished tree; a mode can only be a file's. */
function checkNamed(tree: string, { links, modes }: SourcePackage, label: string): void {
  const check = (field: string, path: string, fits: (isFile: boolean) => boolean): void => {
    const stats = lstatSync(join(tree, path), { throwIfNoEntry: false });
    if (stats && fits(stats.isFile())) return;
    throw new Fault('BUILD', `${label}: ${field} names ${quote(path)}, which build.sh did not install`, {
      hint: 'the path is relative to PKG_DIR',
    });
  };
  for (const path of links) check('Link', path, () => true);
  for (const { path } of modes) check('Mode', path, (isFile) => isFile);
}

function writeControl(tree: string, control: string): void {
  const file = join(tree, 'control');
  writeFileSync(file, control, { flag: 'wx' });
  chmodSync(file, 0o644);
  for (const path of [file, tree]) utimesSync(path, treeTime, treeTime);
}
