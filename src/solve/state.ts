import {
  chosen,
  isRefusal,
  variableOf,
  type Clause,
  type Conflict,
  type Literal,
  type Reason,
  type Requirement,
  type Variable,
} from './clause.ts';
import type { Problem } from './problem.ts';

/** Requirements of what is chosen, in the order in which it was, and how many of the first are met. */
type Agenda = { readonly requirements: Requirement[]; met: number };

/** Where things stood when a decision was made. */
type Mark = {
  readonly trail: number;
  readonly agendas: readonly { readonly length: number; readonly met: number }[];
};

/** The search: what is assumed, why, and what to look at next. The only mutable thing in the solver. */
export type State = {
  readonly problem: Problem;
  /** By variable: 1 chosen, -1 refused, 0 or nothing open. */
  readonly values: number[];
  /** By variable: how many decisions its value depends on. 0 is for good. */
  readonly levels: number[];
  /** By variable; undefined for a decision. */
  readonly reasons: (Reason | undefined)[];
  /** True literals in the order in which they became so. */
  readonly trail: Literal[];
  /** How much of the trail has been propagated. */
  propagated: number;
  readonly marks: Mark[];
  /** By literal: the clauses to look at when it becomes false. */
  readonly watchers: Map<Literal, Clause[]>;
  /** By variable: the conflicts of others that it is a target of. */
  readonly hits: Map<Variable, Conflict[]>;
  /** By variable: whether its demands are among the clauses. */
  readonly attached: Set<Variable>;
  /** What leaves no choice but of a version, and the rest, which waits until that is settled. */
  readonly agendas: readonly [Agenda, Agenda];
};

export function createState(problem: Problem): State {
  return {
    problem,
    values: [],
    levels: [],
    reasons: [],
    trail: [],
    propagated: 0,
    marks: [],
    watchers: new Map(),
    hits: new Map(),
    attached: new Set(),
    agendas: [
      { requirements: [], met: 0 },
      { requirements: [], met: 0 },
    ],
  };
}

export const level = (state: State): number => state.marks.length;

/** 1 true, -1 false, 0 open. */
export function valueOf(state: State, literal: Literal): number {
  const value = state.values[variableOf(literal)] ?? 0;
  return isRefusal(literal) ? -value : value;
}

export const levelOf = (state: State, literal: Literal): number => state.levels[variableOf(literal)] ?? 0;

/** Makes an open literal true. */
export function assign(state: State, literal: Literal, reason: Reason | undefined, at = level(state)): void {
  const variable = variableOf(literal);
  state.values[variable] = isRefusal(literal) ? -1 : 1;
  state.levels[variable] = at;
  state.reasons[variable] = reason;
  state.trail.push(literal);
}

export function decide(state: State, variable: Variable): void {
  state.marks.push({
    trail: state.trail.length,
    agendas: state.agendas.map(({ requirements, met }) => ({ length: requirements.length, met })),
  });
  assign(state, chosen(variable), undefined);
}

/**
 * Takes back all decisions above `to`. What was found out meanwhile and depends on none of them stays, and is
 * propagated again, because what followed from it may be gone.
 */
export function backtrack(state: State, to: number): void {
  const mark = state.marks[to];
  if (!mark) return;
  const kept: Literal[] = [];
  for (const literal of state.trail.splice(mark.trail)) {
    if (levelOf(state, literal) <= to) kept.push(literal);
    else state.values[variableOf(literal)] = 0;
  }
  state.trail.push(...kept);
  state.propagated = mark.trail;
  state.marks.length = to;
  for (const [at, { length, met }] of mark.agendas.entries()) {
    const agenda = state.agendas[at];
    if (!agenda) continue;
    agenda.requirements.length = length;
    agenda.met = met;
  }
}

/** Makes room for the variables that the problem has by now, so that the lists stay dense. */
export function cover(state: State): void {
  while (state.values.length < state.problem.packages.length) {
    state.values.push(0);
    state.levels.push(0);
    state.reasons.push(undefined);
  }
}
