import { arrange, directory, file, symlink } from '../../builder/tar/arrange.ts';
import type { Entry } from '../../builder/tar/entry.ts';
import { planEntries } from '../../builder/tar/layer.ts';
import { mountedPackage } from '../run/chosen.ts';
import { fileMode, type ProfileEntry } from '../run/entry.ts';
import { profileEntries, profileKey } from '../run/profile.ts';
import { decodeLayer, memoPath, readMemo, writeMemo } from '../layer/known.ts';
import type { LayerPackage } from '../layer/package.ts';
import { isStored, type KnownLayer, type Workshop } from '../layer/workshop.ts';

/** The layer of what joins the packages into one root; throws what `profileEntries` throws. */
export async function profileLayer(
  workshop: Workshop,
  packages: readonly LayerPackage[],
): Promise<KnownLayer> {
  const mounted = packages.map(mountedPackage);
  const path = memoPath(workshop.cache, 'profile', profileKey(mounted));
  const known = readMemo(path, decodeLayer);
  if (known && (!workshop.keep || (await isStored(workshop, known)))) return known;
  const layer = await workshop.make(planEntries(arrange(profileEntries(mounted).map(entryOf))));
  writeMemo(workshop, path, layer);
  return layer;
}

/** What the profile of the packages is made of. */
export const profileOf = (packages: readonly LayerPackage[]): readonly ProfileEntry[] =>
  profileEntries(packages.map(mountedPackage));

function entryOf(entry: ProfileEntry): Entry {
  if (entry.kind === 'link') return symlink(entry.path, entry.target);
  if (entry.kind === 'file') return file(entry.path, entry.text, { mode: fileMode });
  return directory(entry.path, { mode: entry.mode });
}
