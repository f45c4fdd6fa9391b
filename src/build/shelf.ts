import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { canonicalJson } from '../../builder/json.ts';
import { satisfies, type Relation } from '../package/constraint.ts';
import { versionFromPath, versionInPath } from '../package/name.ts';
import type { LinkEntry, PackageRecord } from '../package/record.ts';
import { compareVersionsTotally } from '../package/version.ts';
import type { ChosenPackage } from '../run/chosen.ts';
import { removeTree } from './remove.ts';

// PROVISIONAL: to be replaced by src/package/{repository,publish}
export type Shelf = {
  readonly directory: string;
  newest(relation: Relation): ChosenPackage | undefined;
  find(name: string, version: string): ChosenPackage | undefined;
  withStaging<T>(fn: (directory: string) => Promise<T>): Promise<T>;
  publish(packages: readonly ChosenPackage[]): Promise<readonly ChosenPackage[]>;
};

export function scan(tree: string): LinkEntry[] {
  const links: LinkEntry[] = [];
  const visit = (path: string): void => {
    for (const entry of readdirSync(join(tree, path), { withFileTypes: true })) {
      const inner = `${path}/${entry.name}`;
      links.push({
        path: inner,
        type: entry.isDirectory() ? 'directory' : entry.isSymbolicLink() ? 'symlink' : 'file',
      });
      if (entry.isDirectory()) visit(inner);
    }
  };
  for (const top of ['bin', 'include', 'lib']) if (existsSync(join(tree, top))) visit(top);
  return links.sort((a, b) => (a.path < b.path ? -1 : 1));
}

export function openShelf(directory: string): Shelf {
  const recordOf = (name: string, version: string) =>
    join(directory, '.records', name, `${versionInPath(version)}.json`);
  const find = (name: string, version: string): ChosenPackage | undefined => {
    const tree = join(directory, name, versionInPath(version));
    if (!existsSync(tree) || !existsSync(recordOf(name, version))) return undefined;
    return {
      name,
      version,
      tree,
      record: JSON.parse(readFileSync(recordOf(name, version), 'utf8')) as PackageRecord,
    };
  };
  return {
    directory,
    find,
    newest(relation) {
      for (const { name, range } of relation.alternatives) {
        const folder = join(directory, name);
        if (!existsSync(folder)) continue;
        const version = readdirSync(folder)
          .map(versionFromPath)
          .filter((each) => satisfies(range, each))
          .sort(compareVersionsTotally)
          .at(-1);
        if (version !== undefined) return find(name, version);
      }
      return undefined;
    },
    async withStaging(fn) {
      mkdirSync(join(directory, '.records'), { recursive: true });
      const staging = mkdtempSync(join(directory, '.records', '.tmp-'));
      try {
        return await fn(staging);
      } finally {
        await removeTree(staging);
      }
    },
    async publish(packages) {
      const done: ChosenPackage[] = [];
      for (const { name, version, tree, record } of packages) {
        const to = join(directory, name, versionInPath(version));
        mkdirSync(dirname(to), { recursive: true });
        rmSync(to, { recursive: true, force: true });
        renameSync(tree, to);
        mkdirSync(dirname(recordOf(name, version)), { recursive: true });
        writeFileSync(recordOf(name, version), canonicalJson(record as never));
        done.push({ name, version, tree: to, record });
      }
      return await Promise.resolve(done);
    },
  };
}
