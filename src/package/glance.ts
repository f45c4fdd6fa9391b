import { localPath } from './layout.ts';
import { type Local, readLocal } from './local.ts';
import { controlOf, listVersions } from './walk.ts';

/** What is in the directory of a repository, each thing as it was when it was first asked for. */
export type Glance = {
  readonly directory: string;
  /** As `listVersions`. */
  versions(name: string): readonly string[];
  /** What is written beside the record. */
  local(name: string, version: string): Local | undefined;
  /** As `controlOf`; what is thrown is thrown again. */
  control(name: string, version: string): string;
};

/** Reads nothing before it is asked. */
export function glanceAt(directory: string): Glance {
  const versions = new Map<string, readonly string[]>();
  const locals = new Map<string, Local | undefined>();
  const controls = new Map<string, string>();
  const local = (name: string, version: string) =>
    remember(locals, `${name} ${version}`, () => readLocal(localPath(directory, name, version)));
  return {
    directory,
    local,
    versions: (name) => remember(versions, name, () => listVersions(directory, name)),
    control: (name, version) =>
      remember(controls, `${name} ${version}`, () =>
        controlOf(directory, name, version, local(name, version)),
      ),
  };
}

/** What `make` gives for a key, made once; undefined may be known too. */
export function remember<T>(known: Map<string, T>, key: string, make: () => T): T {
  const found = known.get(key);
  if (found !== undefined || known.has(key)) return found as T;
  const made = make();
  known.set(key, made);
  return made;
}
