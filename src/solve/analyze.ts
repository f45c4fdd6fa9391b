import {
  antecedents,
  negate,
  variableOf,
  type Clause,
  type Literal,
  type Reason,
  type Variable,
} from './clause.ts';
import type { Contradiction } from './propagate.ts';
import { level, levelOf, type State } from './state.ts';

/** The literals that contradict each other: all are false, and one would have to be true. */
export function literalsOf({ literal, reason }: Contradiction): readonly Literal[] {
  const literals = [literal];
  antecedents(reason, literal, (other) => literals.push(other));
  return literals;
}

/**
 * What a contradiction teaches: resolves it with the reasons of the last decision's consequences until one of
 * those is left (the first unique implication point). The clause that comes out makes that one's negation true
 * as soon as the decisions above `to` are taken back, its first literal.
 */
export function analyze(state: State, contradiction: Contradiction): { clause: Clause; to: number } {
  const seen = new Set<Variable>();
  const settled: Variable[] = [];
  const from: Reason[] = [contradiction.reason];
  const earlier: Literal[] = [];
  const now = level(state);
  let pending = 0;
  const consider = (literal: Literal) => {
    const variable = variableOf(literal);
    if (seen.has(variable)) return;
    seen.add(variable);
    const at = levelOf(state, literal);
    if (at === 0) settled.push(variable);
    else if (at === now) pending += 1;
    else earlier.push(literal);
  };
  for (const literal of literalsOf(contradiction)) consider(literal);
  for (let at = state.trail.length - 1; at >= 0; at -= 1) {
    const literal = state.trail[at] ?? 0;
    if (levelOf(state, literal) !== now || !seen.has(variableOf(literal))) continue;
    if (pending === 1) {
      const tail = [negate(literal), ...earlier];
      const source = { learned: { from, settled } };
      const to = earlier.reduce((most, other) => Math.max(most, levelOf(state, other)), 0);
      return { clause: { head: -1, tail, source, watched: -1, other: -1 }, to };
    }
    pending -= 1;
    const reason = state.reasons[variableOf(literal)];
    if (!reason) throw new Error('a decision is not the last of its level');
    from.push(reason);
    antecedents(reason, literal, consider);
  }
  throw new Error('a contradiction does not depend on the last decision');
}
