import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { decodeDigest } from '../../builder/descriptor.ts';
import { type Digest, digestOf } from '../../builder/digest.ts';
import { asFault, Fault } from '../../builder/fault.ts';
import {
  canonicalJson,
  count,
  type Field,
  items,
  member,
  optional,
  parseJson,
  string,
} from '../../builder/json.ts';
import { withLock } from '../../builder/lock.ts';
import { writeDurably } from '../package/durable.ts';
import { checkName, checkVersion, quote } from '../package/name.ts';
import { selectDistfiles } from '../source/distfile.ts';
import type { Job } from './graph.ts';

export type LockedPackage = { readonly name: string; readonly version: string; readonly diffID: Digest };

/** One build of `packages/build.lock`. */
export type LockedBuild = {
  readonly source: string;
  /** In full. */
  readonly version: string;
  readonly architecture: string;
  /** Of the recipe's files and archives: what is expected is expected of these. */
  readonly recipe: Digest;
  /** The exact closures of `Depends-Unpack`, `-Build` and `-Test`; none where the root is no promise (stage 1). */
  readonly unpack?: readonly LockedPackage[];
  readonly build?: readonly LockedPackage[];
  readonly test?: readonly LockedPackage[];
  /** What comes out. */
  readonly outputs: readonly LockedPackage[];
};

/** By {@link lockKey}. */
export type BuildLock = ReadonlyMap<string, LockedBuild>;

const format = 1;

export const lockKey = ({
  source,
  version,
  architecture,
}: Pick<LockedBuild, 'source' | 'version' | 'architecture'>): string =>
  `${source} ${version} ${architecture}`;

/** Of everything that the user reviews: the recipe's files and the archives by hash. */
export const recipeDigest = ({ recipe, distfiles }: Pick<Job, 'recipe' | 'distfiles'>): Digest =>
  digestOf(
    canonicalJson([
      recipe.files.map(({ path, executable, digest }) => [path, executable, digest]),
      selectDistfiles(distfiles, recipe.control.sources, recipe.control.name).map(({ name, integrity }) => [
        name,
        integrity,
      ]),
    ]),
  );

/** Empty if there is no such file. Throws INPUT, naming the file and the field. */
export function readBuildLock(path: string): BuildLock {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return new Map();
    throw asFault(error, `cannot read ${quote(path)}`);
  }
  const field = parseJson(bytes, path);
  if (count(member(field, 'format')) !== format) {
    throw new Fault('INPUT', `${quote(path)} has a format that is not known here`, {
      hint: 'a newer version of the tools wrote it: use that one',
    });
  }
  const builds = items(member(field, 'builds')).map(decodeBuild);
  return new Map(builds.map((build) => [lockKey(build), build]));
}

/** Sorted, each package on a line of its own, so that a change shows as what it is. */
export function formatBuildLock(lock: BuildLock): string {
  const builds = [...lock].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, build]) => formatBuild(build));
  return `{\n  "format": ${format},\n  "builds": [${builds.length > 0 ? `\n${builds.join(',\n')}\n  ` : ''}]\n}\n`;
}

/**
 * Puts builds into the file at `path` in the place of those with the same source, version and architecture, while
 * nobody else does. `program` is `native/lock`. Gives how many are other than they were.
 */
export async function updateBuildLock(
  path: string,
  builds: readonly LockedBuild[],
  program: string,
): Promise<number> {
  const directory = dirname(path);
  return await withLock(program, directory, {}, async () => {
    const before = readBuildLock(path);
    const after = new Map([...before, ...builds.map((build) => [lockKey(build), build] as const)]);
    const text = formatBuildLock(after);
    const changed = builds.filter((build) => {
      const old = before.get(lockKey(build));
      return !old || formatBuild(old) !== formatBuild(build);
    });
    try {
      if (changed.length > 0) writeDurably(directory, path, Buffer.from(text));
    } catch (error) {
      throw asFault(error, `cannot write ${quote(path)}`);
    }
    return changed.length;
  });
}

function formatBuild({ source, version, architecture, recipe, ...lists }: LockedBuild): string {
  const head = Object.entries({ source, version, architecture, recipe }).map(
    ([name, value]) => `      ${JSON.stringify(name)}: ${JSON.stringify(value)}`,
  );
  const parts = (['unpack', 'build', 'test', 'outputs'] as const).flatMap((name) => {
    const list = lists[name];
    return list === undefined ? [] : [`      "${name}": ${formatList(list)}`];
  });
  return `    {\n${[...head, ...parts].join(',\n')}\n    }`;
}

function formatList(list: readonly LockedPackage[]): string {
  if (list.length === 0) return '[]';
  const sorted = [...list].sort((a, b) => (a.name < b.name ? -1 : 1));
  const lines = sorted.map(
    ({ name, version, diffID }) =>
      `        { "name": ${JSON.stringify(name)}, "version": ${JSON.stringify(version)}, "diffID": "${diffID}" }`,
  );
  return `[\n${lines.join(',\n')}\n      ]`;
}

function decodeBuild(field: Field): LockedBuild {
  const list = (name: string) => optional(member(field, name), (each) => items(each).map(decodePackage));
  const [unpack, build, test] = [list('unpack'), list('build'), list('test')];
  return {
    source: nameIn(member(field, 'source')),
    version: versionIn(member(field, 'version')),
    architecture: string(member(field, 'architecture')),
    recipe: decodeDigest(member(field, 'recipe')),
    ...(unpack ? { unpack } : {}),
    ...(build ? { build } : {}),
    ...(test ? { test } : {}),
    outputs: items(member(field, 'outputs')).map(decodePackage),
  };
}

const decodePackage = (field: Field): LockedPackage => ({
  name: nameIn(member(field, 'name')),
  version: versionIn(member(field, 'version')),
  diffID: decodeDigest(member(field, 'diffID')),
});

const nameIn = (field: Field): string => checkName(string(field), `${field.document}: ${field.path}`);
const versionIn = (field: Field): string => checkVersion(string(field), `${field.document}: ${field.path}`);
