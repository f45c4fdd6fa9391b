import { versionInPath } from './name.ts';

/**
 * Where things are in the directory of a repository (DESIGN section 4). What is not a package is below
 * `.records`, so that writing it does not change the directory's time; beside the records, which are in
 * directories by name, its names start with a dot, as no package's does.
 */
export const treePath = (directory: string, name: string, version: string): string =>
  `${directory}/${name}/${versionInPath(version)}`;

export const recordsPath = (directory: string): string => `${directory}/.records`;

export const recordPath = (directory: string, name: string, version: string): string =>
  `${recordsPath(directory)}/${name}/${versionInPath(version)}.json`;

/** What is true of a tree on this machine only. */
export const localPath = (directory: string, name: string, version: string): string =>
  `${recordsPath(directory)}/${name}/${versionInPath(version)}.local`;

export const indexPath = (directory: string): string => `${recordsPath(directory)}/.index`;

/** Held by whoever writes. */
export const lockPath = (directory: string): string => `${recordsPath(directory)}/.lock`;

/** Files that are being written; of use to nobody without the lock. */
export const temporaryPath = (directory: string): string => `${recordsPath(directory)}/.tmp`;

/** Trees that are being made, each in a directory that says whose it is. */
export const stagingPath = (directory: string): string => `${recordsPath(directory)}/.staging`;

/** Packages between the decision to publish them and their places. */
export const incomingPath = (directory: string): string => `${recordsPath(directory)}/.incoming`;
