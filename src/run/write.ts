import {
  chmodSync,
  closeSync,
  fsyncSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { fileMode, type ProfileEntry } from './entry.ts';

/** The time of every file, in seconds: layers have it, and so a root looks the same on every machine. */
export const profileTime = 315_532_800;

/**
 * Makes the entries below `directory`, which exists and is empty; each directory comes before what is in it.
 * Modes and times are exact whatever the umask is. Only files are synchronised: file systems keep the order of
 * names by themselves, but not that of contents.
 */
export function writeEntries(directory: string, entries: readonly ProfileEntry[]): void {
  for (const entry of entries) {
    const path = `${directory}/${entry.path}`;
    if (entry.kind === 'link') {
      symlinkSync(entry.target, path);
    } else if (entry.kind === 'directory') {
      mkdirSync(path);
      chmodSync(path, entry.mode);
    } else {
      writeFile(path, entry.text);
    }
  }
  for (const { path } of entries) lutimesSync(`${directory}/${path}`, profileTime, profileTime);
  chmodSync(directory, 0o755);
  lutimesSync(directory, profileTime, profileTime);
}

function writeFile(path: string, text: string): void {
  const descriptor = openSync(path, 'wx', fileMode);
  try {
    if (text !== '') {
      writeSync(descriptor, text);
      fsyncSync(descriptor);
    }
  } finally {
    closeSync(descriptor);
  }
  chmodSync(path, fileMode);
}
