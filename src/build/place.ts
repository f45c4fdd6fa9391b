import {
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename } from 'node:path';
import { asFault, Fault } from '../../builder/fault.ts';
import { quote } from '../package/name.ts';
import type { RecipeFile } from '../source/recipe.ts';
import {
  type Directory,
  lookBeneath,
  openBeneath,
  openDirectory,
  pathBeneath,
  pathOfDescriptor,
} from './beneath.ts';
import { treeTime } from './pack.ts';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;

/**
 * Puts what the scripts need into a work directory: the recipe's files, and distfiles as copies, which a build may
 * do with as it likes. What is there under their names is replaced; links in the directory, which may be somebody
 * else's, are never followed. Everything belongs to the directory's owner and has one time, so that no make takes
 * one for newer than another.
 */
export function placeInputs(work: string, files: readonly RecipeFile[], distfiles: readonly string[]): void {
  const root = openDirectory(work);
  try {
    for (const { path, bytes, executable } of files) {
      const names = path.split('/');
      const name = names.pop() ?? '';
      const directory = descend(root, names);
      try {
        create(directory, name, executable ? 0o755 : 0o644, (file) => writeFileSync(file, bytes));
      } finally {
        if (directory !== root) directory.close();
      }
    }
    for (const path of distfiles) {
      create(root, basename(path), 0o644, (file) =>
        copyFileSync(path, pathOfDescriptor(file), constants.COPYFILE_FICLONE),
      );
    }
  } catch (error) {
    throw asFault(error, `cannot put the sources into ${quote(work)}`);
  } finally {
    root.close();
  }
}

/** Makes the empty directory that a build installs to; `output` must not be there. */
export function makeOutput(work: string, output: string): void {
  const root = openDirectory(work);
  try {
    mkdirSync(pathBeneath(root, output), 0o755);
    give(root, output);
  } catch (error) {
    throw asFault(error, `cannot make ${quote(output)} in ${quote(work)}`);
  } finally {
    root.close();
  }
}

function descend(root: Directory, names: readonly string[]): Directory {
  let at = root;
  for (const name of names) {
    if (!lookBeneath(at, name)) {
      mkdirSync(pathBeneath(at, name), 0o755);
      give(at, name);
    }
    const next = openBeneath(at, name);
    if (at !== root) at.close();
    at = next;
  }
  return at;
}

function create(directory: Directory, name: string, mode: number, write: (file: number) => void): void {
  const path = pathBeneath(directory, name);
  if (lookBeneath(directory, name)?.isDirectory()) {
    throw new Fault('IO', `${quote(name)} is a directory in the work directory, and a file of the recipe`, {
      hint: 'remove it, or take an empty work directory',
    });
  }
  rmSync(path, { force: true });
  const file = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    write(file);
    fchmodSync(file, mode);
    futimesSync(file, treeTime, treeTime);
    const { uid, gid } = ownerOf(directory);
    if (process.geteuid?.() === 0) fchownSync(file, uid, gid);
  } finally {
    closeSync(file);
  }
}

/** Only root makes something in somebody else's directory. */
function give(directory: Directory, name: string): void {
  const { uid, gid } = ownerOf(directory);
  if (process.geteuid?.() === 0) lchownSync(pathBeneath(directory, name), uid, gid);
}

const ownerOf = ({ descriptor }: Directory) => statSync(pathOfDescriptor(descriptor));
