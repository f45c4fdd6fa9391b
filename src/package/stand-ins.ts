import { type Glance, glanceAt } from './glance.ts';
import { readIndex, type IndexFile } from './index-file.ts';
import { indexPath } from './layout.ts';
import { listNames, listProvided, timeOf, type Provided } from './walk.ts';

/** A package that provides a name; `as` is the version it gives that name, if any. */
export type Provider = { readonly name: string; readonly version: string; readonly as?: string | undefined };

/** Who provides what in the directory of a repository. */
export type StandIns = {
  /** Every package that provides the name, in no order; some may be gone. */
  providers(virtual: string): readonly Provider[];
  /**
   * Compares the index with every package. True if it was wrong and what comes from now on may differ: a version
   * may have come to an old name by hand, and nothing short of looking at all of them tells.
   */
  recheck(): boolean;
  /** Whether there is an index that knows every name that is there. */
  indexed(): boolean;
};

type Found = Provided & { readonly name: string };

type Table = {
  readonly glance: Glance;
  readonly index: IndexFile | undefined;
  /** Whether the index knows every name that is there. */
  readonly complete: boolean;
  /** What is not in the index, or there in an old form; by name of the package. */
  readonly walked: Map<string, readonly Provided[]>;
  /** By virtual name, out of `walked`; undefined before names that the index does not know were looked for. */
  byVirtual: ReadonlyMap<string, readonly Found[]> | undefined;
};

/** Reads nothing before it is asked. */
export function standInsOf(glance: Glance): StandIns {
  let table: Table | undefined;
  const load = () => (table ??= open(glance));
  return {
    providers(virtual) {
      const { index, walked } = complete(load());
      const indexed = index?.providers(virtual) ?? [];
      walk(
        load(),
        indexed.filter((each) => hasChanged(load(), each)).map(({ name }) => name),
      );
      const kept = indexed.filter(({ name }) => !walked.has(name));
      return [...kept, ...(load().byVirtual?.get(virtual) ?? [])].map(toProvider);
    },
    recheck() {
      const { index } = complete(load());
      const now = glanceAt(glance.directory);
      const changed = (index?.names() ?? [])
        .filter((each) => hasChanged(load(), each))
        .filter(({ name, provided }) => !isSame(provided, listProvided(now, name)))
        .map(({ name }) => name);
      walk(load(), changed, now);
      return changed.length > 0;
    },
    indexed: () => load().complete,
  };
}

function open(glance: Glance): Table {
  const { directory } = glance;
  const time = timeOf(directory);
  const index = readIndex(indexPath(directory));
  const complete = index !== undefined && index.time === time && time !== 0n;
  return { glance, index, complete, walked: new Map(), byVirtual: complete ? new Map() : undefined };
}

function complete(table: Table): Table {
  if (table.byVirtual) return table;
  const known = new Set(table.index?.names().map(({ name }) => name));
  walk(
    table,
    listNames(table.glance.directory).filter((name) => !known.has(name)),
  );
  table.byVirtual ??= new Map();
  return table;
}

/** Whether the index has old news of a name. */
const hasChanged = ({ glance, walked }: Table, { name, time }: { name: string; time: bigint }) =>
  !walked.has(name) && timeOf(`${glance.directory}/${name}`) !== time;

function walk(table: Table, names: readonly string[], glance = table.glance): void {
  if (names.length === 0) return;
  for (const name of names) table.walked.set(name, listProvided(glance, name));
  const all = [...table.walked].flatMap(([name, provided]) =>
    provided.map(({ virtual, version, as }): Found => ({ virtual, name, version, as })),
  );
  table.byVirtual = Map.groupBy(all, ({ virtual }) => virtual);
}

const toProvider = ({ name, version, as }: Found): Provider => ({
  name,
  version,
  as,
});

const isSame = (a: readonly Provided[], b: readonly Provided[]) => linesOf(a) === linesOf(b);

const linesOf = (provided: readonly Provided[]) =>
  provided
    .map(({ virtual, version, as = '' }) => `${virtual} ${version} ${as}`)
    .sort()
    .join('\n');
