import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { renameDurably, writeDurably } from './durable.ts';
import { incomingPath, localPath, recordPath, stagingPath, temporaryPath, treePath } from './layout.ts';
import { localBytes, takeLocal } from './local.ts';
import { versionFromPath, versionInPath } from './name.ts';
import { ownerLives } from './owner.ts';
import { recordBytes } from './record-file.ts';
import type { PackageRecord } from './record.ts';

/** A finished tree and its record, on its way into a repository. */
export type FinishedPackage = {
  readonly name: string;
  readonly version: string;
  /** On the file system of the repository; it is moved from here. */
  readonly tree: string;
  readonly record: PackageRecord;
};

/**
 * How packages come into a repository all at once. Under `.records/.incoming` each is `NAME,VERSION.` and
 * `tree`, `json`, `local`; once all are there, the file `decided` says so, and then they go to their places,
 * trees last. Whoever comes upon a decision that was not carried out does it; what was not decided is removed.
 * Needs the lock of the repository, as everything here.
 */
export function bringIn(directory: string, packages: readonly FinishedPackage[]): void {
  const incoming = incomingPath(directory);
  const temporary = temporaryPath(directory);
  for (const path of [incoming, temporary]) mkdirSync(path, { recursive: true });
  for (const { name, version } of packages) checkPlaces(directory, name, version);
  for (const { name, version, tree, record } of packages) {
    const path = `${incoming}/${keyOf(name, version)}`;
    const local = localBytes(takeLocal(tree, record.control, record.layer?.diffID));
    writeDurably(temporary, `${path}.json`, recordBytes(record));
    writeDurably(temporary, `${path}.local`, local);
    renameSync(tree, `${path}.tree`);
  }
  writeDurably(temporary, `${incoming}/${decided}`, Buffer.of());
  carryOut(directory);
}

const decided = 'decided';

const keyOf = (name: string, version: string) => `${name},${versionInPath(version)}`;

/** Makes the directories that are needed, and finds out before the decision what would keep it from being done. */
function checkPlaces(directory: string, name: string, version: string): void {
  const places = [`${directory}/${name}`, recordPath(directory, name, version).replace(/\/[^/]*$/, '')];
  for (const place of places) {
    mkdirSync(place, { recursive: true });
    accessSync(place, constants.W_OK | constants.X_OK);
  }
  const old = treePath(directory, name, version);
  // To move a directory elsewhere its own entry ".." has to be written.
  if (lstatSync(old, { throwIfNoEntry: false })?.isDirectory()) accessSync(old, constants.W_OK);
}

/** Can be stopped at any point and begun again. */
function carryOut(directory: string): void {
  const incoming = incomingPath(directory);
  const files = readdirSync(incoming);
  const keys = new Set(files.flatMap((file) => /^(.*,.*)\.(?:json|local|tree)$/.exec(file)?.[1] ?? []));
  for (const key of [...keys].sort()) {
    const [name = '', version = ''] = key
      .split(',')
      .map((part, at) => (at === 0 ? part : versionFromPath(part)));
    const path = `${incoming}/${key}`;
    // The fingerprint first: that of the old tree would vouch for the new record.
    if (existsSync(`${path}.local`)) renameDurably(`${path}.local`, localPath(directory, name, version));
    if (existsSync(`${path}.json`)) renameDurably(`${path}.json`, recordPath(directory, name, version));
    if (existsSync(`${path}.tree`)) place(path, treePath(directory, name, version));
  }
  rmSync(`${incoming}/${decided}`);
  discard(incoming);
}

function place(path: string, tree: string): void {
  if (lstatSync(tree, { throwIfNoEntry: false })) {
    discard(`${path}.old`);
    renameSync(tree, `${path}.old`);
  }
  renameDurably(`${path}.tree`, tree);
}

/** Brings the repository into order after writers that did not come to their end. */
export function recover(directory: string): void {
  const incoming = incomingPath(directory);
  discard(temporaryPath(directory));
  if (existsSync(`${incoming}/${decided}`)) {
    mkdirSync(temporaryPath(directory), { recursive: true });
    carryOut(directory);
  }
  discard(incoming);
  const staging = stagingPath(directory);
  for (const owner of listOf(staging)) {
    const stats = lstatSync(`${staging}/${owner}`, { throwIfNoEntry: false });
    if (stats && !ownerLives(owner, stats.mtimeMs)) discard(`${staging}/${owner}`);
  }
}

const listOf = (path: string): readonly string[] => (existsSync(path) ? readdirSync(path) : []);

/** What cannot be removed now, because it is another's or being read, is left to the next writer. */
function discard(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 2 });
  } catch {
    return;
  }
}
