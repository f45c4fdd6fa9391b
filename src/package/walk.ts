import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { asFault, Fault } from '../../builder/fault.ts';
import { candidateOf } from './candidate.ts';
import type { Glance } from './glance.ts';
import { treePath } from './layout.ts';
import { type Local, localControl } from './local.ts';
import { display, isName, isVersion, versionFromPath, versionInPath } from './name.ts';
import type { Candidate } from './record.ts';

/** What a version of a package stands in for; `as` is the version it gives that name, if any. */
export type Provided = {
  readonly virtual: string;
  readonly version: string;
  readonly as?: string | undefined;
};

/** Every name that may be a package's; whether it has a version is not looked at. Throws NOT_FOUND, IO. */
export function listNames(directory: string): readonly string[] {
  try {
    return readdirSync(directory).filter(isName).sort();
  } catch (error) {
    throw asFault(error, `cannot read the repository ${display(directory)}`);
  }
}

/** The mtime of a directory, in nanoseconds; undefined if there is none. */
export const timeOf = (path: string): bigint | undefined =>
  lstatSync(path, { bigint: true, throwIfNoEntry: false })?.mtimeNs;

/** The versions that a package has, in no order: directories by a version's name, and no links to some. */
export function listVersions(directory: string, name: string): readonly string[] {
  if (!isName(name)) return [];
  try {
    return readdirSync(`${directory}/${name}`, { withFileTypes: true }).flatMap((entry) => {
      const version = versionFromPath(entry.name);
      return isVersion(version) && versionInPath(version) === entry.name && entry.isDirectory()
        ? [version]
        : [];
    });
  } catch (error) {
    if (isAbsence(error)) return [];
    throw asFault(error, `cannot read ${display(`${directory}/${name}`)}`);
  }
}

/** More than any control file has. */
const mostBytes = 1 << 20;

/**
 * The text of a package's control, out of what is known of its tree where that still counts, so that no file of the
 * tree is opened. Throws NOT_FOUND if the tree has none, INPUT if it is no plain file.
 */
export function controlOf(
  directory: string,
  name: string,
  version: string,
  local: Local | undefined,
): string {
  const known = local && localControl(treePath(directory, name, version), local);
  return known ?? readControl(directory, name, version);
}

function readControl(directory: string, name: string, version: string): string {
  const path = `${treePath(directory, name, version)}/control`;
  const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
  let file: number;
  try {
    file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (isAbsence(error)) {
      throw new Fault('NOT_FOUND', `${name} ${version} is incomplete: there is no ${display(path)}`, {
        hint: `build the package again, or remove ${display(treePath(directory, name, version))}`,
      });
    }
    throw asFault(error, `cannot read ${display(path)}`);
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile() || stats.size > mostBytes) {
      throw new Fault('INPUT', `${display(path)}: no control file: no plain file of at most 1 MiB`);
    }
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw asFault(error, `cannot read ${display(path)}`);
  } finally {
    closeSync(file);
  }
}

/** What the control says of a package. Throws INPUT if that is another one than its place says. */
export function readCandidate({ directory, control }: Glance, name: string, version: string): Candidate {
  const file = `${treePath(directory, name, version)}/control`;
  const candidate = candidateOf(control(name, version), file);
  if (candidate.name === name && candidate.version === version) return candidate;
  throw new Fault(
    'INPUT',
    `${display(file)} says ${candidate.name} ${candidate.version}, but lies where ${name} ${version} belongs`,
    { hint: 'move the package to its place, or correct its control' },
  );
}

/** What all versions of a package provide. Those that cannot be read provide nothing: nobody has named them. */
export function listProvided(glance: Glance, name: string): readonly Provided[] {
  return glance.versions(name).flatMap((version) => {
    try {
      if (!/^provides[ \t]*:/im.test(glance.control(name, version))) return [];
      return readCandidate(glance, name, version).provides.map(({ name: virtual, version: as }) => ({
        virtual,
        version,
        as,
      }));
    } catch (error) {
      if (error instanceof Fault) return [];
      throw error;
    }
  });
}

const isAbsence = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
