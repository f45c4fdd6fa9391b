import { existsSync } from 'node:fs';
import type { Digest } from '../../../builder/digest.ts';
import { collect } from '../../../builder/store/collect.ts';
import { forget } from '../../layer/forgotten.ts';
import { removeLeftovers } from '../../run/cache.ts';
import { makeCommand, parseCommand } from '../command.ts';
import { type Context, print } from '../context.ts';
import { formatSize } from '../progress.ts';
import { lockedImages } from './lock.ts';
import { withStore } from './store.ts';

const examples = `
pkgimage gc --dry-run
pkgimage gc
`;

type Options = { readonly dryRun?: true; readonly json?: true };

export async function main(context: Context): Promise<number> {
  const command = makeCommand(
    context,
    'Remove what no image needs, no package that was used in the last 30 days, and nobody in the last day; and what is remembered of trees and layers that are gone.',
    examples,
  )
    .option('--dry-run', 'tell what would go, and remove nothing')
    .option('--json', 'print it as JSON');
  if (!parseCommand(command, context.args)) return 0;
  const { dryRun = false, json } = command.opts<Options>();
  const keep = await lockedImages(context);
  const { layers, work } = context.places.cache;
  if (!dryRun && existsSync(work)) removeLeftovers(work);
  const collected = await withStore(context, async (store) => {
    const found = await collect(store, { now: Date.now(), dryRun, keep });
    const gone = new Set(found.blobs.map(({ digest }) => digest));
    const isThere = (digest: Digest) => !gone.has(digest) && existsSync(store.blobPath(digest));
    return { ...found, memories: forget(layers, isThere, { dryRun }) };
  });
  if (json) print(`${JSON.stringify(collected, null, 2)}\n`);
  else {
    const { blobs, entries, unfinished, memories } = collected;
    const size = blobs.reduce((sum, blob) => sum + blob.size, 0);
    print(
      `${dryRun ? 'would remove' : 'removed'} ${blobs.length} blobs, ${formatSize(size)}, ${memories} memories; ` +
        `${entries.length} packages, ${unfinished} unfinished files\n`,
    );
  }
  return 0;
}
