import { existsSync } from 'node:fs';
import { satisfies, type Relation } from '../package/constraint.ts';
import type { FinishedPackage } from '../package/incoming.ts';
import { publish, withStaging } from '../package/publish.ts';
import { openRepository } from '../package/repository.ts';
import { orderVersions } from '../solve/preference.ts';
import type { ChosenPackage } from '../run/chosen.ts';
import { syncTree } from './sync.ts';

/** A repository as builds use it: packages are taken from it and put there. It need not exist before the first. */
export type Shelf = {
  readonly directory: string;
  /** The package that the solver would take for a dependency that nothing else limits. */
  newest(relation: Relation): ChosenPackage | undefined;
  find(name: string, version: string): ChosenPackage | undefined;
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
    newest({ alternatives }) {
      for (const { name, range } of alternatives) {
        const versions = open()?.versions(name) ?? [];
        const fitting = versions.filter((version) => satisfies(range, version));
        const [best] = orderVersions(fitting, range, undefined);
        if (best !== undefined) return find(name, best);
      }
      return undefined;
    },
    put: (make) =>
      withStaging(directory, async (staging) => {
        const packages = await make(staging);
        for (const { tree } of packages) await syncTree(tree);
        return await publish(directory, packages, lock);
      }),
  };
}
