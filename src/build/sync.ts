import { Buffer } from 'node:buffer';
import { readdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { joinPath } from '../../builder/tar/path.ts';

/** So many at once, of which the file system makes one journey. */
const together = 32;

/** Waits until every file and directory of a tree is on the disk, so that what is then renamed outlives a crash. */
export async function syncTree(tree: string): Promise<void> {
  const todo = pathsIn(Buffer.from(tree));
  const work = async (): Promise<void> => {
    for (const path of todo) {
      const file = await open(path, 'r');
      try {
        await file.sync();
      } finally {
        await file.close();
      }
    }
  };
  await Promise.all(Array.from({ length: together }, work));
}

/** Files and directories; names need not be UTF-8. */
function* pathsIn(path: Buffer): Generator<Buffer> {
  yield path;
  for (const entry of readdirSync(path, { withFileTypes: true, encoding: 'buffer' })) {
    const inner = joinPath(path, entry.name);
    if (entry.isDirectory()) yield* pathsIn(inner);
    else if (entry.isFile()) yield inner;
  }
}
