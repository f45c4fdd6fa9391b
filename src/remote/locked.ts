import { existsSync, readFileSync } from 'node:fs';
import type { Digest } from '../../builder/digest.ts';
import { hexOf } from '../../builder/digest.ts';
import { Fault } from '../../builder/fault.ts';
import { canonicalJson, parseJson } from '../../builder/json.ts';
import { labelOf } from '../../builder/registry/place.ts';
import { limit } from '../../builder/store/limit.ts';
import { writeDurably } from '../package/durable.ts';
import type { Elsewhere } from '../package/elsewhere.ts';
import { ensurePrivate } from '../run/private.ts';
import { readArtifact } from './artifact.ts';
import { bringFrom } from './bring.ts';
import type { Entry } from './entry.ts';
import { repositoryAt } from './open-registry.ts';
import { type RegistryPlace, registryLabel } from './place.ts';
import { decodeEntry, jsonOf } from './record-index.ts';
import { farRepository } from './repository.ts';
import { readState } from './state.ts';
import type { Surroundings } from './surroundings.ts';
import { buildOf, buildTag, packageTag } from './tag.ts';

/** A package as a lock names it. */
export type LockedPackage = { readonly name: string; readonly version: string; readonly diffID: Digest };

/**
 * The packages of a lock that are in a registry, each by the tag of its build, which never moves: neither the index nor
 * what is there now matters, and nothing is taken on trust. Those that it does not have are left out.
 */
export async function openLocked(
  place: RegistryPlace,
  locked: readonly LockedPackage[],
  surroundings: Surroundings,
): Promise<Elsewhere> {
  const { indexes, trees, architecture } = surroundings;
  const label = registryLabel(place);
  ensurePrivate(indexes);
  const near = new Map(readState(indexes, label)?.entries.map((entry) => [entry.record.layer.diffID, entry]));
  const slots = limit(8);
  const find = async (each: LockedPackage): Promise<readonly Entry[]> => {
    const known = near.get(each.diffID) ?? recall(indexes, each.diffID);
    const fits = known?.name === each.name && known.version === each.version;
    const entry = fits ? known : await slots(() => fetchBuild(place, each, surroundings));
    if (entry && !fits) remember(indexes, entry);
    return entry ? [entry] : [];
  };
  return farRepository({
    label,
    remote: true,
    stale: false,
    entries: (await Promise.all(locked.map(find))).flat(),
    architecture,
    trees,
    bring: bringFrom(surroundings, () => repositoryAt(place, surroundings)),
  });
}

async function fetchBuild(
  place: RegistryPlace,
  { name, version, diffID }: LockedPackage,
  surroundings: Surroundings,
): Promise<Entry | undefined> {
  const repository = repositoryAt(place, surroundings);
  for (const architecture of [surroundings.architecture, 'all'] as const) {
    const tag = buildTag(packageTag({ name, version, architecture }), diffID);
    const document = await repository.read(tag);
    if (!document) continue;
    const where = `${labelOf(repository.place)}: ${tag}`;
    const found = await readArtifact(repository, document.descriptor, where);
    if (found.name === name && found.version === version && found.record.layer.diffID === diffID) {
      return { ...found, builds: [buildOf(diffID)] };
    }
    throw new Fault('INTEGRITY', `${where}: is not the package that the lock names, which is ${diffID}`, {
      hint: 'somebody moved a tag that never moves; take the package from another repository',
    });
  }
  return undefined;
}

const memoOf = (indexes: string, diffID: Digest): string => `${indexes}/build-${hexOf(diffID)}.json`;

function recall(indexes: string, diffID: Digest): Entry | undefined {
  const path = memoOf(indexes, diffID);
  return existsSync(path) ? decodeEntry(parseJson(readFileSync(path), path)) : undefined;
}

const remember = (indexes: string, entry: Entry): void =>
  writeDurably(indexes, memoOf(indexes, entry.record.layer.diffID), canonicalJson(jsonOf(entry)));
