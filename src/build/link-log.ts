import { Buffer } from 'node:buffer';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { posix } from 'node:path';
import type { Linked, PackageRecord } from '../package/record.ts';
import { openDirectory, pathBeneath } from './beneath.ts';
import type { ReadTree } from './collection.ts';
import { linkLogName } from './variables.ts';

/** What linkers said, by the name of what they made: which members of which archives are in it. */
export type LinkLog = ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>;

/** A package in the root of a build, as far as archives are known again. */
type RootPackage = { readonly name: string; readonly version: string; readonly record: PackageRecord };

/** A log that is longer is somebody's joke, in bytes. */
const most = 256 << 20;

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/** Reads what the linkers of a build wrote, which is as hostile as all of its output; empty if there is nothing. */
export function readLinkLog(work: string): LinkLog {
  const directory = openDirectory(work);
  let file: number | undefined;
  try {
    file = openSync(pathBeneath(directory, linkLogName), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const stats = fstatSync(file);
    if (!stats.isFile() || stats.size > most) return new Map();
    const bytes = Buffer.alloc(stats.size);
    const length = readSync(file, bytes);
    return parseLinkLog(bytes.toString('utf8', 0, length));
  } catch {
    return new Map();
  } finally {
    if (file !== undefined) closeSync(file);
    directory.close();
  }
}

/**
 * Lines `> OUTPUT`, and after each `ARCHIVE(MEMBER)`, or `(ARCHIVE)MEMBER` as `ld -t -t` has it. Of several outputs
 * of one name the last counts, as configure scripts link many that are called the same.
 */
export function parseLinkLog(text: string): LinkLog {
  const found = new Map<string, Map<string, Set<string>>>();
  let current: Map<string, Set<string>> | undefined;
  for (const line of text.split('\n')) {
    const output = /^> (.+)$/.exec(line)?.[1];
    if (output !== undefined) {
      current = new Map();
      found.set(posix.basename(output), current);
      continue;
    }
    const [, before, archive, member] = /^(?:\(([^()]+)\)|([^()]+)\()([^()]+)\)?$/.exec(line) ?? [];
    const path = before ?? archive;
    if (path === undefined || member === undefined || !current) continue;
    const normal = posix.normalize(path);
    const members = current.get(normal) ?? new Set();
    current.set(normal, members.add(member));
  }
  return found;
}

/**
 * What is linked into each program of a package; nothing for one of which no linker told. `packages` were in the
 * root of the build; other archives are the package's own, or of the machine. Undefined if nothing is known at all.
 */
export function linkedOf(
  { entries, traits }: ReadTree,
  log: LinkLog,
  packages: readonly RootPackage[],
): Linked | undefined {
  if (log.size === 0) return undefined;
  const names = new Map<string, string[]>();
  for (const entry of entries) {
    if (entry.kind !== 'hardlink') continue;
    const first = entry.first.toString();
    names.set(first, [...(names.get(first) ?? []), entry.path.toString()]);
  }
  const programs = traits
    .filter(({ kind }) => kind === 'program')
    .map(({ path }) => path.toString())
    .sort();
  return Object.fromEntries(
    programs.map((path) => {
      const all = [path, ...(names.get(path) ?? [])].map((name) => posix.basename(name));
      const archives = all.map((name) => log.get(name)).find((made) => made !== undefined);
      return [path, archives ? byPackage(archives, packages) : {}];
    }),
  );
}

function byPackage(
  archives: ReadonlyMap<string, ReadonlySet<string>>,
  packages: readonly RootPackage[],
): Linked[string] {
  const known = [...archives].flatMap(([path, members]) => {
    const name = archiveName(path, packages);
    return name === undefined ? [] : [[name, [...members].sort()] as const];
  });
  return Object.fromEntries(known.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** `musl/lib/libc.a` for that archive of the package musl, under its own path or under that of its link. */
function archiveName(path: string, packages: readonly RootPackage[]): string | undefined {
  const [, name, , inner] = /^\/packages\/([^/]+)\/([^/]+)\/(.+)$/.exec(path) ?? [];
  if (name !== undefined && inner !== undefined) return `${name}/${inner}`;
  if (!path.startsWith('/')) return undefined;
  const link = path.slice(1).replace(/^usr\//, '');
  const owner = packages.find(({ record }) => record.links.some((each) => each.path === link));
  return owner && `${owner.name}/${link}`;
}
