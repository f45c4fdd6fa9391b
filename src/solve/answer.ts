import type { Relation } from '../package/constraint.ts';
import { variableOf, type Literal, type Requirement, type Variable } from './clause.ts';
import { choiceOf, demandsOf, packageOf, root } from './problem.ts';
import { valueOf, type State } from './state.ts';
import type { Package } from './universe.ts';

/**
 * The chosen packages that something still needs, breadth first from the request: the wishes in the order in
 * which they were given, then what the first of them depends on, and so on.
 */
export function answerOf(state: State): readonly Package[] {
  const { problem } = state;
  const needed = neededIn(state);
  const order = new Set<Variable>();
  const add = (relation: Relation) => {
    for (const literal of choiceOf(problem, relation).literals) {
      if (needed.has(variableOf(literal))) order.add(variableOf(literal));
    }
  };
  problem.wishes.forEach(add);
  // A set that grows while it is walked is a queue without duplicates.
  for (const variable of order)
    demandsOf(problem, variable).requirements.forEach(({ relation }) => add(relation));
  return Array.from(order, (variable) => packageOf(problem, variable));
}

/**
 * Where `a | b` was answered with a before something else brought b, a may be of no use. Leaves out whatever is
 * not reached from the request, and then, one by one, what everybody who is left can do without.
 */
function neededIn(state: State): ReadonlySet<Variable> {
  const useless = new Set<Variable>();
  for (;;) {
    const reached = reach(state, useless);
    const required = requiredIn(state, reached);
    const spare = [...reached].findLast((variable) => !required.has(variable));
    if (spare === undefined) return reached;
    useless.add(spare);
  }
}

/** Follows requirements that one package meets, and of several that meet one the best, unless one is reached anyhow. */
function reach(state: State, without: ReadonlySet<Variable>): ReadonlySet<Variable> {
  const reached = new Set<Variable>([root]);
  const queue: Variable[] = [root];
  const doubtful: (readonly Variable[])[] = [];
  const add = (variable: Variable | undefined) => {
    if (variable === undefined || reached.has(variable)) return;
    reached.add(variable);
    queue.push(variable);
  };
  for (let at = 0, doubt = 0; at < queue.length || doubt < doubtful.length;) {
    const variable = queue[at];
    if (variable === undefined) {
      const candidates = doubtful[doubt] ?? [];
      doubt += 1;
      if (!candidates.some((candidate) => reached.has(candidate))) add(candidates[0]);
      continue;
    }
    at += 1;
    for (const requirement of demandsOf(state.problem, variable).requirements) {
      const candidates = meeting(state, requirement, (candidate) => !without.has(candidate));
      if (candidates.length > 1) doubtful.push(candidates);
      else add(candidates[0]);
    }
  }
  return reached;
}

/** The root, and what alone meets a requirement of another. */
function requiredIn(state: State, reached: ReadonlySet<Variable>): ReadonlySet<Variable> {
  const required = new Set<Variable>([root]);
  for (const owner of reached) {
    for (const requirement of demandsOf(state.problem, owner).requirements) {
      const [one, another] = meeting(state, requirement, (candidate) => reached.has(candidate));
      if (one !== undefined && another === undefined) required.add(one);
    }
  }
  return required;
}

/** The chosen packages that meet a requirement, best first. */
function meeting(
  state: State,
  { preferred, choice }: Requirement,
  counts: (variable: Variable) => boolean,
): readonly Variable[] {
  const fits = (literal: Literal) => valueOf(state, literal) > 0 && counts(variableOf(literal));
  const best = preferred.filter(fits);
  return (best.length > 0 ? best : choice.literals.filter(fits)).map(variableOf);
}
