import { statSync } from 'node:fs';
import type { Digest } from '../../builder/digest.ts';
import { asFault, Fault } from '../../builder/fault.ts';
import { type Glance, glanceAt, remember } from './glance.ts';
import { recordPath, treePath } from './layout.ts';
import { scanLinks } from './links.ts';
import { isUnchanged, knownLocal, type Memory, rememberLocal, takeLocal } from './local.ts';
import { display } from './name.ts';
import type { Candidate, PackageRecord } from './record.ts';
import { readRecord } from './record-file.ts';
import { standInsOf, type Provider } from './stand-ins.ts';
import { treeDigest } from './tree-digest.ts';
import { listNames, readCandidate } from './walk.ts';

/**
 * A set of packages of one architecture. Everything is read when it is asked for and at most once, so a
 * package that is damaged is an error only to who asks for it, and 60,000 others cost nothing.
 */
export type Repository = {
  /** An absolute path. */
  readonly directory: string;
  /** Whether others put packages there: names of a local repository hide those of a remote one. */
  readonly remote: boolean;
  /** Sorted; some may have no version. */
  names(): readonly string[];
  /** In no order; empty if there is no such package. */
  versions(name: string): readonly string[];
  /** Throws NOT_FOUND for a package without control, INPUT for one that is wrong, naming the file. */
  candidate(name: string, version: string): Candidate;
  /** Every package that has `virtual` in its Provides, in no order. */
  providers(virtual: string): readonly Provider[];
  /**
   * What is known of a package. A tree in which names have come or gone since its record was made, or that was
   * moved here, is read again: the record counts while it is the same layer. Where no record fits the tree as it is
   * now: what the tree shows, and `Origin: unknown`. Throws as {@link candidate} does, and INPUT for a record that
   * is damaged.
   */
  record(name: string, version: string): PackageRecord;
  /** Where the files are. */
  tree(name: string, version: string): string;
  /** See {@link StandIns}. */
  recheck(): boolean;
  indexed(): boolean;
};

/**
 * `directory` is an absolute path. `memory` keeps what is learnt of trees that cannot be told beside their records. Throws NOT_FOUND, or INPUT if it is no directory.
 */
export function openRepository(directory: string, memory?: Memory): Repository {
  checkDirectory(directory);
  const candidates = new Map<string, Candidate>();
  const glance = glanceAt(directory);
  const standIns = standInsOf(glance);
  return {
    ...standIns,
    directory,
    remote: false,
    names: () => listNames(directory),
    versions: glance.versions,
    candidate: (name, version) =>
      remember(candidates, `${name} ${version}`, () => readCandidate(glance, name, version)),
    providers: (virtual) =>
      standIns.providers(virtual).filter(({ name, version }) => glance.versions(name).includes(version)),
    record: (name, version) => recordOf({ glance, name, version, memory }),
    tree: (name, version) => treePath(directory, name, version),
  };
}

function checkDirectory(directory: string): void {
  const hint = 'a repository is a directory with packages in it: NAME/VERSION/control';
  const stats = (() => {
    try {
      return statSync(directory);
    } catch (error) {
      const fault = asFault(error, `cannot open the repository ${display(directory)}`);
      throw fault instanceof Fault ? new Fault(fault.code, fault.message, { hint, cause: error }) : fault;
    }
  })();
  if (!stats.isDirectory()) throw new Fault('INPUT', `${display(directory)} is no directory`, { hint });
}

type Place = {
  readonly glance: Glance;
  readonly name: string;
  readonly version: string;
  readonly memory: Memory | undefined;
};

function recordOf(place: Place): PackageRecord {
  const { glance, name, version } = place;
  const { directory } = glance;
  const tree = treePath(directory, name, version);
  const control = glance.control(name, version);
  const record = readRecord(recordPath(directory, name, version));
  if (record && record.control === control && isOfTree(record, place)) return record;
  return { format: 1, control, origin: 'unknown', builtFrom: [], links: scanLinks(tree, control) };
}

/** Whether the tree is what the record is of. Without a layer in the record, only a tree that is as it was. */
function isOfTree({ layer, control }: PackageRecord, place: Place): boolean {
  const { glance, name, version, memory } = place;
  const { directory } = glance;
  const known = knownLocal(directory, name, version, memory, glance.local(name, version));
  if (!layer) return known !== undefined;
  if (known?.diffID !== undefined) return known.diffID === layer.diffID;
  const tree = treePath(directory, name, version);
  const local = takeLocal(tree, control, undefined);
  const diffID = tryDigest(tree, name, version, control);
  if (diffID && isUnchanged(tree, local)) {
    rememberLocal(directory, name, version, memory, { ...local, diffID });
  }
  return diffID === layer.diffID;
}

/** Undefined for a tree that is no package's any more, or that cannot be read: then no record is of it. */
function tryDigest(tree: string, name: string, version: string, control: string): Digest | undefined {
  try {
    return treeDigest(tree, name, version, control).digest;
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}
