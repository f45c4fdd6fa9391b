import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/**
 * Writes a file so that at any time, also after a crash, there is all of it or what was there before: into
 * `temporary`, a directory of the same file system, synced, renamed.
 */
export function writeDurably(temporary: string, path: string, bytes: Uint8Array): void {
  const draft = `${temporary}/${basename(path)}.${process.pid}`;
  const file = openSync(draft, 'w', 0o644);
  try {
    writeFileSync(file, bytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameDurably(draft, path);
}

/** Renames, and makes sure that a crash does not undo it. */
export function renameDurably(from: string, to: string): void {
  renameSync(from, to);
  syncDirectory(dirname(to));
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
