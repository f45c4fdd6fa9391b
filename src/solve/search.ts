import { analyze, literalsOf } from './analyze.ts';
import { chosen, variableOf, type Literal, type Requirement, type Variable } from './clause.ts';
import { root, type Problem } from './problem.ts';
import { add, attach, propagate, type Contradiction } from './propagate.ts';
import { assign, backtrack, cover, createState, decide, levelOf, valueOf, type State } from './state.ts';

export type Outcome = {
  readonly state: State;
  /** Why there is no answer: it depends on no choice. */
  readonly contradiction: Contradiction | undefined;
  /** How many contradictions were met on the way, which is what a search costs. */
  readonly work: number;
};

/**
 * Conflict-driven search: choose what is best, draw the conclusions, and at a contradiction learn a clause that
 * keeps it from coming back. A choice is given up only when what was learned and chosen before it rules it out,
 * so the answer is the best one in the order of the choices, and one is found whenever there is any.
 * After `limit` contradictions it gives up, without one in the outcome.
 */
export function search(problem: Problem, limit = Infinity): Outcome {
  const state = createState(problem);
  cover(state);
  assign(state, chosen(root), undefined);
  for (let work = 0; ;) {
    const contradiction = propagate(state) ?? choose(state);
    if (contradiction === 'done' || work > limit) return { state, contradiction: undefined, work };
    if (contradiction === undefined) continue;
    work += 1;
    const top = literalsOf(contradiction).reduce(
      (most, literal) => Math.max(most, levelOf(state, literal)),
      0,
    );
    if (top === 0) return { state, contradiction, work };
    backtrack(state, top);
    const { clause, to } = analyze(state, contradiction);
    backtrack(state, to);
    add(state, clause);
  }
}

/** Decides on the first open candidate of the first requirement that is not met. */
function choose(state: State): Contradiction | 'done' | undefined {
  for (const agenda of state.agendas) {
    for (;;) {
      const requirement = agenda.requirements[agenda.met];
      if (!requirement) break;
      const candidate = openCandidate(state, requirement);
      if (candidate !== undefined) return attempt(state, candidate);
      agenda.met += 1;
    }
  }
  return 'done';
}

function attempt(state: State, candidate: Variable): Contradiction | undefined {
  const contradiction = attach(state, candidate);
  if (contradiction) return contradiction;
  if (valueOf(state, chosen(candidate)) === 0) decide(state, candidate);
  return undefined;
}

/** Undefined if the requirement is met. */
function openCandidate(state: State, { preferred, choice }: Requirement): Variable | undefined {
  for (const literals of preferred === choice.literals ? [preferred] : [preferred, choice.literals]) {
    let open: Literal | undefined;
    for (const literal of literals) {
      const value = valueOf(state, literal);
      if (value > 0) return undefined;
      if (value === 0) open ??= literal;
    }
    if (open !== undefined) return variableOf(open);
  }
  return undefined;
}
