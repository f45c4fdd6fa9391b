import { Buffer } from 'node:buffer';
import { chmodSync, lstatSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../../builder/fault.ts';
import { joinPath, showPath } from '../../builder/tar/path.ts';
import type { Architecture } from '../package/architecture.ts';
import { packagePath, quote } from '../package/name.ts';
import { makeBinaryControl, type SourceControl, type SourcePackage } from '../package/source-control.ts';
import { type Collection, type ReadTree, readOutput } from './collection.ts';
import { type Finding, findingText } from './finding.ts';
import { inspect } from './inspect.ts';
import { workPath } from './variables.ts';

/** A finished tree that is not in a repository yet. */
export type PackedPackage = {
  readonly name: string;
  readonly version: string;
  readonly tree: string;
  /** The text of the file `control` in the tree. */
  readonly control: string;
  /** Of its files. */
  readonly bytes: number;
  /** What is in the tree, beside that control. */
  readonly content: ReadTree;
};

/** How what was built is read. */
export type Packing = {
  /** `native/collect`. */
  readonly collector: string;
  /** Hears of everything that is found, refused or not. */
  readonly tell: (finding: Finding) => void;
  readonly signal?: AbortSignal | undefined;
};

export type PackOptions = Packing & {
  readonly source: SourceControl;
  /** What was built. */
  readonly version: string;
  readonly architecture: Architecture;
  /** A directory of the caller's own, where a tree for each package is made by its name. */
  readonly staging: string;
};

/** More than any package has; below what would fill a disk before anybody looks. */
export const limits = { entries: 1_000_000, depth: 64, bytes: 32 * 2 ** 30 } as const;

/** The one time of everything in a finished tree: 1980-01-01 (DESIGN section 4, "Layer, format 1"). */
export const treeTime = 315532800;

/**
 * Makes the finished trees of all packages of a source out of what a build installed into `output` of the work
 * directory: modes 0755 and 0644, one time for all, the caller's ownership, no extended attributes; links are kept
 * as they are. To be called when no process of the build is left. All that is found goes to `tell`; throws BUILD with
 * the first thing that is refused, IO, NOT_FOUND.
 */
export async function pack(work: string, output: string, options: PackOptions): Promise<PackedPackage[]> {
  const { source, version, architecture, staging, collector, tell, signal } = options;
  const trees = source.packages.map((from) => ({ from, path: packagePath(from.name, version) }));
  const above = new Set(['.', 'packages', ...trees.map(({ path }) => path.slice(0, path.lastIndexOf('/')))]);
  const collection = await read(source.name, version, () =>
    readOutput({
      program: collector,
      directory: work,
      output,
      names: [...above],
      trees: trees.map(({ from, path }) => ({ path, copy: join(staging, from.name) })),
      limits,
      lookFor: workPath,
      time: treeTime,
      signal,
    }),
  );
  if (!collection.there) {
    throw new Fault('BUILD', `${source.name} ${version}: the build took away ${quote(output)}, its output`);
  }
  const paths = trees.map(({ path }) => path);
  const findings = strays(collection, above, paths, `${source.name} ${version}`);
  const packed = trees.flatMap(({ from, path }): PackedPackage[] => {
    const label = `${from.name} ${version}`;
    const content = collection.trees.get(path);
    const tree = join(staging, from.name);
    if (!content) {
      findings.push(missing(label, path));
      return [];
    }
    findings.push(...inspect(content, `/${path}`, label, source), ...unnamed(tree, from, label));
    const bytes = content.entries.reduce((sum, entry) => sum + (entry.kind === 'file' ? entry.size : 0), 0);
    const control = makeBinaryControl(source, from, { version, architecture });
    return [{ name: from.name, version, tree, control, bytes, content }];
  });
  settle(findings, tell);
  for (const { tree, control } of packed) writeControl(tree, control);
  return packed;
}

/** What is too much of something has the name of what was built, as the reader knows none. */
async function read(name: string, version: string, act: () => Promise<Collection>): Promise<Collection> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const { code, hint, message } = error;
    throw new Fault(code, `${name} ${version}: ${message}`, {
      ...(hint === undefined ? {} : { hint }),
      cause: error,
    });
  }
}

/** Tells all findings; throws the first that is refused, and how many others there are. */
function settle(findings: readonly Finding[], tell: (finding: Finding) => void): void {
  for (const finding of findings) tell(finding);
  const [first, ...others] = findings.filter(({ refused }) => refused);
  if (!first) return;
  const more = others.length === 0 ? '' : ` (and ${others.length} more, all in the log)`;
  throw new Fault('BUILD', findingText(first) + more, { hint: first.hint });
}

/** What is neither in a tree nor a directory above one. */
function strays(
  { names }: Collection,
  above: ReadonlySet<string>,
  trees: readonly string[],
  label: string,
): Finding[] {
  return [...names].flatMap(([directory, found]) =>
    found.toSorted(Buffer.compare).flatMap((name): Finding[] => {
      const path = directory === '.' ? name : joinPath(Buffer.from(directory), name);
      const key = path.toString('latin1');
      if (above.has(key) || trees.includes(key)) return [];
      const shown = showPath(Buffer.concat([Buffer.from('/'), path]));
      return [
        {
          refused: true,
          label,
          path: undefined,
          what: `build.sh installed ${shown}, which belongs to none of its packages`,
          hint: `its packages are ${trees.map((tree) => `/${tree}`).join(' ')}; each has a paragraph in the control file`,
        },
      ];
    }),
  );
}

const missing = (label: string, path: string): Finding => ({
  refused: true,
  label,
  path: undefined,
  what: 'build.sh installed nothing for it',
  hint: `install into $PKG_INSTDIR/${path} (an empty directory is a package too)`,
});

/** What the control file names has to be in the finished tree; a mode can only be a file's. */
function unnamed(tree: string, { links, modes }: SourcePackage, label: string): Finding[] {
  const check = (field: string, path: string, fits: (isFile: boolean) => boolean): Finding[] => {
    const stats = lstatSync(join(tree, path), { throwIfNoEntry: false });
    if (stats && fits(stats.isFile())) return [];
    const what = `${field} names ${quote(path)}, which build.sh did not install`;
    return [{ refused: true, label, path: undefined, what, hint: 'the path is relative to PKG_DIR' }];
  };
  return [
    ...links.flatMap((path) => check('Link', path, () => true)),
    ...modes.flatMap(({ path }) => check('Mode', path, (isFile) => isFile)),
  ];
}

function writeControl(tree: string, control: string): void {
  const file = join(tree, 'control');
  writeFileSync(file, control, { flag: 'wx' });
  chmodSync(file, 0o644);
  for (const path of [file, tree]) utimesSync(path, treeTime, treeTime);
}
