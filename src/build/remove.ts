import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Removes a tree that a build wrote: directories in it may forbid their owner to change them, and be deeper
 * than a path can be long. The machine's own programs reach everything from one open directory to the next.
 */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    await run('chmod', ['-R', 'u+rwX', '--', path]).catch(() => undefined);
    await run('rm', ['-rf', '--', path]);
  }
}

/** Opens `name` in a directory, and all below it, to its owner, who may have shut it; root sees everything as it is. */
export async function openIn(directory: string, name: string): Promise<void> {
  if (process.geteuid?.() === 0) return;
  await run('chmod', ['-R', 'u+rwX', '--', `./${name}`], { cwd: directory }).catch(() => undefined);
}

/** Removes `name` in a directory in which somebody else may be at work: nothing outside of it is touched. */
export async function removeIn(directory: string, name: string): Promise<void> {
  await run('chmod', ['-R', 'u+rwX', '--', `./${name}`], { cwd: directory }).catch(() => undefined);
  await run('rm', ['-rf', '--', `./${name}`], { cwd: directory });
}
