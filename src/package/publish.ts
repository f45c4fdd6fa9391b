import { existsSync, lstatSync, mkdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { asFault, Fault } from '../../builder/fault.ts';
import { withLock } from '../../builder/lock.ts';
import { candidateOf } from './candidate.ts';
import { bringIn, recover, type FinishedPackage } from './incoming.ts';
import { writeIndex } from './indexing.ts';
import { lockPath, recordsPath, stagingPath, treePath } from './layout.ts';
import { checkName, checkVersion, display, quote } from './name.ts';
import { ownerToken } from './owner.ts';
import { listNames } from './walk.ts';
import { worthIndexing } from './worth-indexing.ts';

/**
 * Runs `fn` with an empty directory in the repository, made if missing, in which trees can be finished that are
 * published then; what is left in it afterwards is removed.
 */
export async function withStaging<T>(directory: string, fn: (staging: string) => Promise<T>): Promise<T> {
  const above = stagingPath(directory);
  const staging = `${above}/${ownerToken()}`;
  const parents = [directory, recordsPath(directory), above].filter((path) => !existsSync(path));
  try {
    mkdirSync(staging, { recursive: true, mode: 0o755 });
  } catch (error) {
    const fault = asFault(error, `cannot write to the repository ${display(directory)}`);
    if (!(fault instanceof Fault)) throw fault;
    throw new Fault(fault.code, fault.message, {
      hint: `name another, or see who may write to it: ls -ld ${quote(directory)}`,
      cause: error,
    });
  }
  try {
    return await fn(staging);
  } finally {
    rmSync(staging, { recursive: true, force: true });
    for (const path of [above, ...parents.toReversed()]) removeEmpty(path);
  }
}

/** Of what was made for nothing, nothing stays; somebody else may have put something there meanwhile. */
function removeEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    return;
  }
}

/**
 * Publishes packages, all of them or none: each is in the repository from when its tree, complete, is renamed into
 * its place, and has its record then. A version that is there already is replaced. A kill in the middle leaves
 * the packages that are not in yet to the next writer, who brings them in before anything else; what was published
 * before stays, except that a version which is being replaced may be away until then. `lock` is the program
 * `native/lock`; another writer is waited for. What the trees hold has to be synced by who wrote it, if it is to
 * outlive a crash of the machine.
 *
 * Throws INPUT for a tree whose control is not the record's, or that of another package; NOT_FOUND, IO.
 */
export async function publish(
  directory: string,
  packages: readonly FinishedPackage[],
  lock: string,
): Promise<readonly FinishedPackage[]> {
  for (const each of packages) check(each);
  try {
    mkdirSync(recordsPath(directory), { recursive: true });
    await withLock(lock, lockPath(directory), {}, async () => {
      recover(directory);
      bringIn(directory, packages);
      if (listNames(directory).length >= worthIndexing) await tryIndex(directory);
    });
  } catch (error) {
    throw asFault(error, `cannot publish in the repository ${display(directory)}`);
  }
  return packages.map(({ name, version, record }) => ({
    name,
    version,
    tree: treePath(directory, name, version),
    record,
  }));
}

/** What is published is published; without an index it is found by walking. */
async function tryIndex(directory: string): Promise<void> {
  try {
    await writeIndex(directory);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
  }
}

function check({ name, version, tree, record }: FinishedPackage): void {
  const file = `${tree}/control`;
  checkName(name, file);
  checkVersion(version, file);
  let control: string;
  try {
    if (!lstatSync(tree).isDirectory()) throw new Fault('INPUT', `${display(tree)} is no directory`);
    control = readFileSync(file, 'utf8');
  } catch (error) {
    throw asFault(error, `cannot publish ${name} ${version}: cannot read ${display(file)}`);
  }
  const said = candidateOf(control, file);
  if (said.name !== name || said.version !== version) {
    throw new Fault(
      'INPUT',
      `${display(file)} is of ${said.name} ${said.version}, not of ${name} ${version}`,
    );
  }
  if (control !== record.control)
    throw new Fault('INPUT', `${display(file)} is not the control in its record`);
}
