import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isDigest } from '../../../builder/digest.ts';
import type { Damage } from '../../../builder/store/check.ts';
import type { FileStore } from '../../../builder/store/file-store.ts';
import { mendCollections } from '../../../builder/store/mend-collections.ts';
import { openStore } from '../../../builder/store/open-store.ts';
import { fromStore, repair, type Source } from '../../../builder/store/repair.ts';
import type { Context } from '../context.ts';
import { withStore } from './store.ts';

/**
 * Puts blobs that are damaged or missing in order, with what the OCI layouts of `from` have of them. Where no layout
 * has it, a damaged blob is removed: no reader would take it, and a build that finds it missing makes it again; so
 * is what the index of packages says of it. Gives what was wrong and is not any more, or is only missing now.
 */
export async function repairStore(
  context: Context,
  from: readonly string[],
): Promise<{ readonly repaired: readonly Damage[]; readonly removed: readonly Damage[] }> {
  const sources: FileStore[] = [];
  try {
    for (const directory of from)
      sources.push(await openStore(resolve(context.cwd, directory.replace(/^oci:/, ''))));
    return await withStore(context, async (store) => {
      const { repaired, left } = await repair(store, anyOf(sources.map(fromStore)));
      const removed: Damage[] = [];
      for (const damage of left) {
        if (!isDigest(damage.subject) || !(damage.kind === 'digest' || damage.kind === 'type')) continue;
        await rm(store.blobPath(damage.subject), { recursive: true, force: true });
        removed.push(damage);
      }
      if (left.length > 0) await mendCollections(store);
      return { repaired, removed };
    });
  } finally {
    for (const each of sources) each.close();
  }
}

const anyOf =
  (sources: readonly Source[]): Source =>
  async (descriptor) => {
    for (const source of sources) {
      const content = await source(descriptor);
      if (content !== undefined) return content;
    }
    return undefined;
  };
