import { Fault } from '../../builder/fault.ts';
import type { Architecture } from '../package/architecture.ts';
import { candidateOf } from '../package/candidate.ts';
import type { Elsewhere, Part, Published } from '../package/elsewhere.ts';
import type { Candidate } from '../package/record.ts';
import type { Provider } from '../package/stand-ins.ts';
import type { Entry } from './entry.ts';
import { treeOf } from './trees.ts';

export type FarRepository = {
  readonly label: string;
  /** Names of a local repository hide those of a remote one. */
  readonly remote: boolean;
  readonly stale: boolean;
  readonly entries: readonly Entry[];
  /** The machine that packages are for; those for all come along. */
  readonly architecture: Architecture;
  /** The cache of trees. */
  readonly trees: string;
  readonly bring: (entries: readonly Entry[], part: Part) => Promise<void>;
  /** Of a registry, what it is and the index that it was read by. */
  readonly published?: Omit<Published, 'manifest'>;
};

/** The packages of a listing as a repository. Each is looked into when it is asked for. */
export function farRepository(far: FarRepository): Elsewhere {
  const { label, remote, stale, trees } = far;
  const table = tableOf(far);
  const candidates = new Map<Entry, Candidate>();
  let providers: ReadonlyMap<string, readonly Provider[]> | undefined;

  const entryOf = (name: string, version: string): Entry => {
    const entry = table.get(name)?.get(version);
    if (entry) return entry;
    throw new Fault('NOT_FOUND', `${label}: there is no package ${name} ${version}`);
  };
  const candidateFor = (entry: Entry): Candidate => {
    const known = candidates.get(entry) ?? readCandidate(entry, label);
    candidates.set(entry, known);
    return known;
  };

  return {
    label,
    remote,
    stale,
    directory: trees,
    names: () => [...table.keys()].sort(),
    versions: (name) => [...(table.get(name)?.keys() ?? [])],
    candidate: (name, version) => candidateFor(entryOf(name, version)),
    providers(virtual) {
      providers ??= Map.groupBy(provided(table, candidateFor), (each) => each.virtual);
      return providers.get(virtual) ?? [];
    },
    record: (name, version) => entryOf(name, version).record,
    tree: (name, version) => treeOf(trees, entryOf(name, version).record.layer),
    recheck: () => false,
    indexed: () => true,
    published: (name, version) =>
      far.published && { ...far.published, manifest: entryOf(name, version).manifest.digest },
    bring: (packages, part) =>
      far.bring(
        packages.map(({ name, version }) => entryOf(name, version)),
        part,
      ),
  };
}

type Table = ReadonlyMap<string, ReadonlyMap<string, Entry>>;

/** What is for this machine comes before what runs on each. */
function tableOf({ entries, architecture }: FarRepository): Table {
  const table = new Map<string, Map<string, Entry>>();
  for (const entry of entries) {
    if (entry.architecture !== architecture && entry.architecture !== 'all') continue;
    const versions = table.get(entry.name) ?? new Map<string, Entry>();
    table.set(entry.name, versions);
    if (entry.architecture !== 'all' || !versions.has(entry.version)) versions.set(entry.version, entry);
  }
  return table;
}

function readCandidate({ name, version, record }: Entry, label: string): Candidate {
  const where = `${label}: ${name} ${version}`;
  const candidate = candidateOf(record.control, where);
  if (candidate.name === name && candidate.version === version) return candidate;
  throw new Fault('INPUT', `${where}: its control is of ${candidate.name} ${candidate.version}`, {
    hint: 'whoever made the index should make it again: pkgrepo index --update',
  });
}

/** Packages whose controls cannot be read provide nothing: nobody has named them. */
function* provided(table: Table, candidateFor: (entry: Entry) => Candidate) {
  for (const entry of table.values().flatMap((versions) => versions.values())) {
    if (!/^provides[ \t]*:/im.test(entry.record.control)) continue;
    try {
      for (const { name: virtual, version: as } of candidateFor(entry).provides) {
        yield { virtual, name: entry.name, version: entry.version, as };
      }
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
    }
  }
}
