import type { Repository } from '../package/repository.ts';
import type { Universe } from './universe.ts';

/** Several repositories as one, and where each package comes from. */
export type United = Universe & {
  /** The repository that a package of this universe is taken from. */
  home(name: string, version: string): Repository | undefined;
};

/**
 * Unites the versions of all; the same name and version is taken from the first that has it. What a local
 * repository has a version of is never taken from a remote one, or anybody who can publish a higher version of
 * a name there could replace a package of the user's own (dependency confusion).
 */
export function unite(repositories: readonly Repository[]): United {
  const trusted = (name: string) => {
    const local = repositories.filter(({ remote, versions }) => !remote && versions(name).length > 0);
    return local.length > 0 ? local : repositories.filter(({ remote }) => remote);
  };
  const home = (name: string, version: string) =>
    trusted(name).find(({ versions }) => versions(name).includes(version));
  return {
    home,
    names: () => [...new Set(repositories.flatMap(({ names }) => names()))],
    versions: (name) => [...new Set(trusted(name).flatMap(({ versions }) => versions(name)))],
    candidate(name, version) {
      const repository = home(name, version);
      if (!repository) throw new Error(`${name} ${version} is in no repository`);
      return repository.candidate(name, version);
    },
    providers: (virtual) =>
      repositories.flatMap((repository) =>
        repository.providers(virtual).filter(({ name, version }) => home(name, version) === repository),
      ),
  };
}
