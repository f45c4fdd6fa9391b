import { Fault } from '../../builder/fault.ts';
import { publish, withStaging } from '../package/publish.ts';
import { recordBytes } from '../package/record-file.ts';
import type { Repository } from '../package/repository.ts';
import type { Entry } from './entry.ts';
import { type Bringing, bringTrees, treeOf } from './trees.ts';

export type IntoDirectory = Omit<Bringing, 'trees'> & {
  readonly lockProgram: string;
  /** Take the place of another build of the same version. */
  readonly replace: boolean;
};

/**
 * Unpacks packages into a repository in a directory, all of them or none, with their records; what is there
 * already is left as it is. Throws INTEGRITY where another build of a version is there and may not be replaced.
 */
export async function putIntoDirectory(
  repository: Repository | undefined,
  directory: string,
  entries: readonly Entry[],
  { lockProgram, replace, ...bringing }: IntoDirectory,
): Promise<readonly Entry[]> {
  const news = entries.filter(({ name, version, record }) => {
    if (!repository?.versions(name).includes(version)) return true;
    const there = repository.record(name, version);
    if (there.layer?.diffID === record.layer.diffID) {
      return replace && !recordBytes(there).equals(recordBytes(record));
    }
    if (replace) return true;
    throw new Fault('INTEGRITY', `${directory}: there is another build of ${name} ${version}`, {
      hint: 'to have it replaced write --replace',
    });
  });
  if (news.length === 0) return [];
  await withStaging(directory, async (staging) => {
    await bringTrees(news, { ...bringing, trees: staging });
    const packages = news.map(({ name, version, record }) => ({
      name,
      version,
      record,
      tree: treeOf(staging, record.layer),
    }));
    await publish(directory, packages, lockProgram);
  });
  return news;
}
