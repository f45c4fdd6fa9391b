import { Fault } from '../../../builder/fault.ts';
import { labelOf } from '../../package/elsewhere.ts';
import { display } from '../../package/name.ts';
import type { Candidate } from '../../package/record.ts';
import type { Repository } from '../../package/repository.ts';
import type { Chosen } from '../../solve/choose.ts';

/**
 * Throws INPUT if what was chosen has its like for another machine in another of the repositories: which machine the
 * image is for would then follow from who has the newest version. Packages for all machines, and those that do not say,
 * go with any.
 */
export function requireOneMachine(repositories: readonly Repository[], chosen: readonly Chosen[]): void {
  for (const { name, version, repository } of chosen) {
    const own = machineOf(repository, name, version);
    if (own === undefined) continue;
    for (const other of repositories) {
      // A local repository hides what remote ones have of a name.
      if (other === repository || (other.remote && !repository.remote)) continue;
      for (const each of other.versions(name)) {
        const machine: string = machineOf(other, name, each) ?? own;
        if (machine === own) continue;
        const [here, there] = [repository, other].map((place) => display(labelOf(place)));
        throw new Fault(
          'INPUT',
          `${name} ${version} of ${here} is for ${own}, and ${name} ${each} of ${there} for ${machine}`,
          { hint: `say which repository is for which: -d ${own}=${here} -d ${machine}=${there}` },
        );
      }
    }
  }
}

/** Nothing of a package that cannot be read: nobody has asked for it. */
function machineOf(repository: Repository, name: string, version: string): string | undefined {
  let candidate: Candidate;
  try {
    candidate = repository.candidate(name, version);
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
  return candidate.architecture === 'all' ? undefined : candidate.architecture;
}
