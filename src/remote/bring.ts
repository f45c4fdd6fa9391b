import { blame, type Place } from '../../builder/registry/place.ts';
import type { BlobStore } from '../../builder/store/store.ts';
import type { Part } from '../package/elsewhere.ts';
import { ensurePrivate } from '../run/private.ts';
import type { Entry } from './entry.ts';
import type { Surroundings } from './surroundings.ts';
import { bringLayers, bringTrees, missingTrees } from './trees.ts';

/** `place` if it is in a registry. */
type Source = Pick<BlobStore, 'open'> & { readonly place?: Place };

/** Brings packages out of a store of blobs, which is opened only if something of them is not here. */
export const bringFrom =
  ({ trees, withStore, forgetTrees, report, closeClients }: Surroundings, open: () => Source) =>
  async (entries: readonly Entry[], part: Part): Promise<void> => {
    ensurePrivate(trees);
    const missing = part === 'tree' ? missingTrees(trees, entries) : entries;
    if (missing.length === 0) return;
    let source: Source | undefined;
    const far: Pick<BlobStore, 'open'> = {
      open: (descriptor, range) => (source ??= open()).open(descriptor, range),
    };
    report({ type: 'begin', packages: missing.length });
    try {
      await withStore((store) =>
        (part === 'tree' ? bringTrees : bringLayers)(missing, {
          source: far,
          store,
          trees,
          report: (bytes) => report({ type: 'bytes', bytes }),
        }),
      );
      if (part === 'tree') await forgetTrees();
    } catch (error) {
      throw source?.place ? blame(error, source.place) : error;
    } finally {
      closeClients();
      report({ type: 'end' });
    }
  };
