import { dirname, join } from 'node:path';
import { Registry } from '../../builder/registry/registry.ts';
import type { RegistryEvent, RegistrySettings } from '../../builder/registry/settings.ts';
import { machineBy } from '../package/architecture.ts';
import type { Elsewhere } from '../package/elsewhere.ts';
import { openLayout } from '../remote/open-layout.ts';
import { openLocked } from '../remote/locked.ts';
import { openRegistry } from '../remote/open-registry.ts';
import { parseRegistryPlace } from '../remote/place.ts';
import type { BringEvent, Surroundings } from '../remote/surroundings.ts';
import { forgetTrees } from '../run/forget.ts';
import { complain, type Context } from './context.ts';
import { isTerminal } from './environment.ts';
import { settingsOf } from './image/registries.ts';
import type { RegistryOptions } from './image/registry-options.ts';
import { withStore } from './image/store.ts';
import { formatSize, makeProgress } from './progress.ts';
import { refreshOf } from './refresh.ts';
import type { FarPlace, RepositoryOptions } from './repositories.ts';

/** Opens what is no directory; the only module of its kind that tools load which are started again and again. */
export async function openElsewhere(
  place: FarPlace,
  context: Context,
  options: RepositoryOptions,
): Promise<Elsewhere> {
  const surroundings = surroundingsOf(context, options);
  if (place.kind === 'layout') return openLayout(place.path, surroundings);
  const registry = parseRegistryPlace(place.text);
  try {
    return options.locked
      ? await openLocked(registry, options.locked, surroundings)
      : await openRegistry(registry, surroundings);
  } finally {
    surroundings.closeClients();
  }
}

type FarOptions = RepositoryOptions & {
  /** What the command line says of registries. */
  readonly registry?: RegistryOptions;
  /** What happens between us and them; without it only warnings are told. */
  readonly listen?: (event: RegistryEvent) => void;
};

/** Runs `act` with what repositories elsewhere need, and ends its connections. */
export async function withSurroundings<T>(
  context: Context,
  options: FarOptions,
  act: (surroundings: Surroundings) => Promise<T>,
): Promise<T> {
  const surroundings = surroundingsOf(context, options);
  try {
    return await act(surroundings);
  } finally {
    surroundings.closeClients();
  }
}

function surroundingsOf(
  context: Context,
  { fresh, architecture, registry = {}, listen }: FarOptions,
): Surroundings {
  const { places, tool } = context;
  const warned = (event: RegistryEvent) => {
    if (event.type === 'warning') tell(`warning: ${event.host}: ${event.text}`);
    if (event.type === 'silence') tell(`waiting for ${event.host} to answer`);
  };
  const settings = (host: string) => settingsOf(context, host, registry, listen ?? warned);
  const clients = new Map<string, Registry>();
  const tell = (text: string) => complain(`${tool}: ${text}\n`);
  return {
    client(host, hurried) {
      const key = `${host} ${String(hurried)}`;
      const known =
        clients.get(key) ??
        new Registry(host, { ...settings(host), ...(hurried ? (fresh ? hurry : haste) : {}) });
      clients.set(key, known);
      return known;
    },
    closeClients() {
      for (const client of clients.values()) client.close();
      clients.clear();
    },
    indexes: places.cache.indexes,
    trees: places.cache.trees,
    known: places.known,
    forgetTrees: () => forgetTrees(places.cache.trees, join(dirname(places.helper), 'lock')),
    withStore: (act) => withStore(context, act),
    architecture: architecture ?? machineBy('node', process.arch)?.name ?? 'all',
    refresh: fresh ? 0 : refreshOf(context),
    tell,
    report: reporter(context),
  };
}

/** Where there is something to fall back on, nobody waits long for an answer. */
const hurry: Partial<RegistrySettings> = {
  patience: { connect: 5000, ping: 5000, answer: 10_000, idle: 10_000 },
  retry: { attempts: 2, silences: 1 },
};

/** And nobody at all where what is known is likely to be enough. */
const haste: Partial<RegistrySettings> = {
  patience: { connect: 2000, ping: 2000, answer: 2000, idle: 2000 },
  retry: { attempts: 1 },
};

/** Asks nothing of Node's streams: a tool may replace itself by another program. */
function reporter(context: Context): (event: BringEvent) => void {
  const progress = makeProgress({ ...context, terminal: isTerminal(2) });
  let bytes = 0;
  let packages = 0;
  return (event) => {
    if (event.type === 'begin') packages += event.packages;
    else if (event.type === 'bytes') bytes += event.bytes;
    else progress.end();
    if (event.type !== 'end') progress.show(`fetching ${packages} packages: ${formatSize(bytes)}`);
  };
}
