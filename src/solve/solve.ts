import { answerOf } from './answer.ts';
import { coreOf } from './core.ts';
import { explain, explainUnknown } from './explain.ts';
import { createProblem } from './problem.ts';
import { search } from './search.ts';
import type { Package, Preferences, Universe, Wish } from './universe.ts';

/**
 * Chooses packages, one version of each name at most, that meet every wish and each other's dependencies and
 * do not conflict. Finds an answer whenever there is one, and always the same, in whatever order packages and
 * wishes are given. Of several: what is asked for by name as new as possible, then what that needs; versions
 * with `~` last; of alternatives the first; nothing for a dependency that is met anyhow.
 *
 * Gives the packages breadth first from the wishes. Throws {@link Unsatisfiable}, and what the universe throws.
 */
export function solve(
  universe: Universe,
  wishes: readonly Wish[],
  preferences: Preferences = {},
): readonly Package[] {
  const { state, contradiction } = search(createProblem(universe, wishes, preferences));
  if (!contradiction) return answerOf(state);
  const { option } = preferences;
  throw explainUnknown(universe, wishes, option) ?? explain(universe, coreOf(state, contradiction), option);
}
