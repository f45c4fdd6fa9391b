import { digester, type Sized } from '../digest.ts';
import { head, sharedDirectory, tail } from './encoding.ts';
import type { Entry } from './entry.ts';
import { parents, scan, type ScanOptions } from './scan.ts';
import { writeTar } from './write.ts';

/** The entries of a tree at `packages/…`, without that of `packages` itself, which is HEAD: one segment of a layer. */
export function* treeEntries(tree: string, path: string, options?: ScanOptions): Generator<Entry, void> {
  const [shared, ...above] = parents(path);
  if (shared?.path.toString() !== sharedDirectory) throw new Error(`${path} is not below ${sharedDirectory}`);
  yield* above;
  yield* scan(tree, path, options);
}

/** The diffID and size of the layer of a tree, for which every file of it is read and nothing is compressed. */
export function measureTree(tree: string, path: string, options?: ScanOptions): Sized {
  const plain = digester();
  plain.update(head.none);
  for (const batch of writeTar(treeEntries(tree, path, options))) plain.update(batch);
  plain.update(tail.none);
  return plain.finish();
}
