import { existsSync, mkdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { asFault } from '../../builder/fault.ts';
import { withLock } from '../../builder/lock.ts';
import { recover } from './incoming.ts';
import { localPath, lockPath, recordPath, recordsPath, temporaryPath, treePath } from './layout.ts';
import { display, versionInPath } from './name.ts';

/**
 * Takes packages out of a repository: each is gone in one step, its record after it. Commands that run with it
 * keep their view of the tree until its files are removed, which is at once. `lock` is the program `native/lock`.
 */
export async function withdraw(
  directory: string,
  packages: readonly { readonly name: string; readonly version: string }[],
  lock: string,
): Promise<void> {
  try {
    mkdirSync(recordsPath(directory), { recursive: true });
    await withLock(lock, lockPath(directory), {}, async () => {
      recover(directory);
      const temporary = temporaryPath(directory);
      mkdirSync(temporary, { recursive: true });
      for (const { name, version } of packages) {
        const aside = `${temporary}/${name},${versionInPath(version)}.gone`;
        const tree = treePath(directory, name, version);
        if (existsSync(tree)) renameSync(tree, aside);
        for (const path of [recordPath, localPath]) rmSync(path(directory, name, version), { force: true });
        removeIfEmpty(`${directory}/${name}`);
        removeIfEmpty(`${recordsPath(directory)}/${name}`);
        rmSync(aside, { recursive: true, force: true });
      }
    });
  } catch (error) {
    throw asFault(error, `cannot remove packages from the repository ${display(directory)}`);
  }
}

function removeIfEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOENT') throw error;
  }
}
