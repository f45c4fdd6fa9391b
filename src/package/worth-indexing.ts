import { accessSync, constants, statSync } from 'node:fs';

/** How many names make a repository worth an index; fewer are walked in no time. */
export const worthIndexing = 2000;

/** Whether the repository is the caller's own: nobody leaves files in another's only by reading. */
export function mayIndex(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    return statSync(directory).uid === process.geteuid?.();
  } catch {
    return false;
  }
}
