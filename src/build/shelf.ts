import { existsSync } from 'node:fs';
import type { FinishedPackage } from '../package/incoming.ts';
import { publish, withStaging } from '../package/publish.ts';
import { openRepository, type Repository } from '../package/repository.ts';
import type { ChosenPackage } from '../run/chosen.ts';
import { syncTree } from './sync.ts';

/** A repository as builds use it: packages are taken from it and put there. It need not exist before the first. */
export type Shelf = {
  readonly directory: string;
  find(name: string, version: string): ChosenPackage | undefined;
  /** As it is now; undefined if there is none yet. */
  repository(): Repository | undefined;
  /** Throws where nothing can be put: before somebody builds for it. */
  require(): Promise<void>;
  /** Makes finished trees in a directory that `make` gets, publishes all of them, and gives where they are. */
  put(make: (staging: string) => Promise<readonly FinishedPackage[]>): Promise<readonly FinishedPackage[]>;
};

/** `lock` is the program `native/lock`. What others put into the repository meanwhile is seen. */
export function openShelf(directory: string, lock: string): Shelf {
  const open = () => (existsSync(directory) ? openRepository(directory) : undefined);
  const find = (name: string, version: string): ChosenPackage | undefined => {
    const repository = open();
    if (!repository?.versions(name).includes(version)) return undefined;
    return { name, version, record: repository.record(name, version), tree: repository.tree(name, version) };
  };
  return {
    directory,
    find,
    repository: open,
    require: () => withStaging(directory, () => Promise.resolve()),
    put: (make) =>
      withStaging(directory, async (staging) => {
        const packages = await make(staging);
        for (const { tree } of packages) await syncTree(tree);
        return await publish(directory, packages, lock);
      }),
  };
}
