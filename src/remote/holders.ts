import { readdirSync, readFileSync } from 'node:fs';
import type { Descriptor } from '../../builder/descriptor.ts';
import type { Digest } from '../../builder/digest.ts';
import { asFault, Fault } from '../../builder/fault.ts';
import { canonicalHost } from '../../builder/registry/host.ts';
import { member, parseJson, string } from '../../builder/json.ts';
import { parseRegistryPlace } from './place.ts';
import { readState } from './state.ts';

/**
 * The repositories of a registry that have a layer of a package, as far as they have been read or published to, for
 * `RepositoryOptions.sources` of a push: it can mount from there what it would send. `indexes` is the cache of
 * what repositories held. That one has it no longer costs a request and is no fault.
 */
export function holdersOf(indexes: string, host: string): (descriptor: Descriptor) => readonly string[] {
  const holders = new Map<Digest, Set<string>>();
  for (const label of labelsIn(indexes)) {
    const place = parseRegistryPlace(label);
    if (canonicalHost(place.host) !== canonicalHost(host)) continue;
    for (const { record } of readState(indexes, label)?.entries ?? []) {
      for (const { digest } of Object.values(record.layer.blobs)) {
        holders.set(digest, (holders.get(digest) ?? new Set()).add(place.name));
      }
    }
  }
  return ({ digest }) => [...(holders.get(digest) ?? [])];
}

/** A file that cannot be read, or is being removed, is passed over: it is a cache. */
function labelsIn(indexes: string): readonly string[] {
  return attempt(indexes, () => readdirSync(indexes), [])
    .filter((name) => /^state-[0-9a-f]{64}\.json$/.test(name))
    .flatMap((name) => {
      const path = `${indexes}/${name}`;
      return attempt(path, () => [string(member(parseJson(readFileSync(path), path), 'label'))], []);
    });
}

function attempt<T>(path: string, act: () => T, otherwise: T): T {
  try {
    return act();
  } catch (error) {
    if (asFault(error, path) instanceof Fault) return otherwise;
    throw error;
  }
}
