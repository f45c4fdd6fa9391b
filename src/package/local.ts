import { lstatSync, mkdirSync } from 'node:fs';
import { type Digest, digestOf, hexOf, isDigest } from '../../builder/digest.ts';
import { asFault, Fault } from '../../builder/fault.ts';
import { canonicalJson } from '../../builder/json.ts';
import { readRegularSync } from '../../builder/regular-file.ts';
import { writeDurably } from './durable.ts';
import { fits, type Fingerprint, takeFingerprint } from './fingerprint.ts';
import { localPath, temporaryPath, treePath } from './layout.ts';
import { mayIndex } from './worth-indexing.ts';

/**
 * What is true of a tree on this machine only, in the file beside its record: by what the tree is known again,
 * and what it is as long as it is known again, so that neither its control nor anything else of it has to be read.
 */
export type Local = {
  readonly directories: Fingerprint;
  /** The text of the tree's control, and when its file had it. */
  readonly control?: { readonly stamp: string; readonly text: string };
  /** Of the layer that the tree is. */
  readonly diffID?: Digest;
};

/** Of a tree that nobody changes just now. It may be moved afterwards. */
export const takeLocal = (tree: string, text: string, diffID: Digest | undefined): Local => ({
  directories: takeFingerprint(tree),
  control: { stamp: stampOf(tree), text },
  ...(diffID === undefined ? {} : { diffID }),
});

/** The text of the tree's control, if its file is the one that it was read from. */
export const localControl = (tree: string, { control }: Local): string | undefined =>
  control && control.stamp !== '' && control.stamp === stampOf(tree) ? control.text : undefined;

/** Whether the tree is still as it was: no name came or went, and its control is the same file. */
export const isUnchanged = (tree: string, local: Local): boolean =>
  fits(tree, local.directories) && (!local.control || localControl(tree, local) !== undefined);

/** Empty if there is no such file. An edit in place changes times or size, and a rename of the tree does not. */
function stampOf(tree: string): string {
  const stats = lstatSync(`${tree}/control`, { bigint: true, throwIfNoEntry: false });
  return stats?.isFile() ? `${stats.ino} ${stats.size} ${stats.mtimeNs} ${stats.ctimeNs}` : '';
}

export const localBytes = (local: Local): Buffer => canonicalJson({ format: 1, ...local });

/** Undefined if there is no such file, or none that can be made out: then nothing is known. */
export function readLocal(file: string): Local | undefined {
  try {
    return decode(JSON.parse(readRegularSync(file, 'utf8')));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (error instanceof SyntaxError || ['ENOENT', 'ENOTDIR', 'EFTYPE'].includes(String(code)))
      return undefined;
    throw asFault(error, `reading ${file}`);
  }
}

function decode(value: unknown): Local | undefined {
  if (!isObject(value) || value['format'] !== 1) return undefined;
  const { directories, control, diffID } = value;
  if (!isObject(directories) || !Object.values(directories).every(isString)) return undefined;
  if (diffID !== undefined && !(isString(diffID) && isDigest(diffID))) return undefined;
  const local = { directories: directories as Fingerprint, ...(diffID === undefined ? {} : { diffID }) };
  if (control === undefined) return local;
  if (!isObject(control) || !isString(control['stamp']) || !isString(control['text'])) return undefined;
  return { ...local, control: { stamp: control['stamp'], text: control['text'] } };
}

const isString = (value: unknown): value is string => typeof value === 'string';

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Where it is remembered what the trees of somebody else's repository are: a private directory, asked for if needed. */
export type Memory = () => string;

const elsewhere = (memory: string, tree: string): string => `${memory}/local-${hexOf(digestOf(tree))}.json`;

/** What is known of a package's tree that has not changed since. */
export function knownLocal(
  directory: string,
  name: string,
  version: string,
  memory: Memory | undefined,
  local: Local | undefined,
): Local | undefined {
  const tree = treePath(directory, name, version);
  if (local && isUnchanged(tree, local)) return local;
  const other = memory && !mayIndex(directory) ? readLocal(elsewhere(memory(), tree)) : undefined;
  return other && isUnchanged(tree, other) ? other : undefined;
}

/** Beside the record, if the repository is the caller's own. Who cannot remember reads again. */
export function rememberLocal(
  directory: string,
  name: string,
  version: string,
  memory: Memory | undefined,
  local: Local,
): void {
  try {
    if (mayIndex(directory)) {
      mkdirSync(temporaryPath(directory), { recursive: true });
      writeDurably(temporaryPath(directory), localPath(directory, name, version), localBytes(local));
    } else if (memory) {
      const place = memory();
      const tree = treePath(directory, name, version);
      // Whose memory it is says which tree, so that it can go when the tree is gone.
      writeDurably(place, elsewhere(place, tree), canonicalJson({ format: 1, ...local, tree }));
    }
  } catch (error) {
    if (!(asFault(error, directory) instanceof Fault)) throw error;
  }
}
