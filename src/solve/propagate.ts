import {
  isRefusal,
  negate,
  refused,
  variableOf,
  type Clause,
  type Literal,
  type Reason,
  type Variable,
} from './clause.ts';
import { demandsOf, root, spanOf } from './problem.ts';
import { assign, cover, level, levelOf, valueOf, type State } from './state.ts';

/** `literal` is false, and by `reason` it would have to be true. */
export type Contradiction = { readonly literal: Literal; readonly reason: Reason };

/** Draws every conclusion from what is assumed so far. */
export function propagate(state: State): Contradiction | undefined {
  for (;;) {
    const literal = state.trail[state.propagated];
    if (literal === undefined) return undefined;
    state.propagated += 1;
    const found =
      (isRefusal(literal) ? undefined : take(state, variableOf(literal))) ?? visit(state, negate(literal));
    if (found) return found;
  }
}

/** A literal has to be true. `at` is the number of decisions that this depends on. */
function imply(state: State, literal: Literal, reason: Reason, at = level(state)): Contradiction | undefined {
  const value = valueOf(state, literal);
  if (value < 0) return { literal, reason };
  if (value === 0) assign(state, literal, reason, at);
  return undefined;
}

/** Conclusions from the choice of a package that no clause holds. */
function take(state: State, variable: Variable): Contradiction | undefined {
  const { problem } = state;
  const span = spanOf(problem, variable);
  const version: Reason = { kind: 'version', chosen: variable };
  for (let other = span.first; other < span.first + span.versions.length; other += 1) {
    if (other === variable) continue;
    const found = imply(state, refused(other), version);
    if (found) return found;
  }
  const attaching = attach(state, variable);
  if (attaching) return attaching;
  const { requirements, conflicts } = demandsOf(problem, variable);
  for (const requirement of requirements) {
    const { choice, relation, preferred } = requirement;
    const asked = variable === root && relation.alternatives.length === 1 && preferred !== choice.literals;
    state.agendas[choice.single || asked ? 0 : 1].requirements.push(requirement);
    const reason: Reason = { kind: 'outside', requirement };
    for (const literal of choice.outside) {
      const found = imply(state, negate(literal), reason);
      if (found) return found;
    }
  }
  for (const conflict of conflicts) {
    for (const literal of conflict.targets) {
      const reason: Reason = { kind: 'conflict', conflict, target: variableOf(literal) };
      const found = imply(state, negate(literal), reason);
      if (found) return found;
    }
  }
  for (const conflict of state.hits.get(variable) ?? []) {
    const found = imply(state, refused(conflict.owner), { kind: 'conflict', conflict, target: variable });
    if (found) return found;
  }
  return undefined;
}

/**
 * Brings in what a package demands, when it is chosen or just before. If something it needs cannot be had at
 * all it is refused for good here, which is far cheaper than to choose it and learn that.
 */
export function attach(state: State, owner: Variable): Contradiction | undefined {
  if (state.attached.has(owner)) return undefined;
  const { requirements, conflicts } = demandsOf(state.problem, owner);
  state.attached.add(owner);
  cover(state);
  // All are brought in, whatever comes of one: it happens only once.
  let contradiction: Contradiction | undefined;
  for (const requirement of requirements) {
    const head = refused(owner);
    const tail = requirement.choice.literals;
    const found = add(state, { head, tail, source: { requirement }, watched: head, other: head });
    contradiction ??= found;
  }
  for (const conflict of conflicts) {
    for (const literal of conflict.targets) {
      const target = variableOf(literal);
      const list = state.hits.get(target);
      if (list) list.push(conflict);
      else state.hits.set(target, [conflict]);
      if (valueOf(state, literal) <= 0) continue;
      const reason: Reason = { kind: 'conflict', conflict, target };
      const found = imply(state, refused(owner), reason, levelOf(state, literal));
      contradiction ??= found;
    }
  }
  return contradiction;
}

/** Adds a clause at any time: it watches the two literals that stay or become true or open the longest. */
export function add(state: State, clause: Clause): Contradiction | undefined {
  const { head, tail } = clause;
  const rank = (literal: Literal) => (valueOf(state, literal) < 0 ? levelOf(state, literal) : Infinity);
  let [first, second] = [-1, -1];
  let [best, next] = [-1, -1];
  const consider = (literal: Literal) => {
    const found = rank(literal);
    if (found > best) [first, best, second, next] = [literal, found, first, best];
    else if (found > next) [second, next] = [literal, found];
  };
  if (head !== -1) consider(head);
  for (const literal of tail) {
    if (next === Infinity) break;
    consider(literal);
  }
  clause.watched = first;
  clause.other = second === -1 ? first : second;
  watch(state, clause.watched, clause);
  if (clause.other !== clause.watched) watch(state, clause.other, clause);
  if (next === Infinity) return undefined;
  return imply(state, first, { kind: 'clause', clause }, Math.max(next, 0));
}

function watch(state: State, literal: Literal, clause: Clause): void {
  const list = state.watchers.get(literal);
  if (list) list.push(clause);
  else state.watchers.set(literal, [clause]);
}

/** A literal became false: every clause that watches it looks for another, or has its last one left. */
function visit(state: State, literal: Literal): Contradiction | undefined {
  const list = state.watchers.get(literal);
  if (!list) return undefined;
  let kept = 0;
  for (const [at, clause] of list.entries()) {
    const partner = clause.watched === literal ? clause.other : clause.watched;
    const replacement =
      valueOf(state, partner) > 0 ? undefined : replacementFor(state, clause, literal, partner);
    if (replacement !== undefined) {
      clause.watched = partner;
      clause.other = replacement;
      watch(state, replacement, clause);
      continue;
    }
    list[kept] = clause;
    kept += 1;
    const found = imply(state, partner, { kind: 'clause', clause });
    if (found) {
      list.splice(kept, at + 1 - kept);
      return found;
    }
  }
  list.length = kept;
  return undefined;
}

function replacementFor(
  state: State,
  clause: Clause,
  literal: Literal,
  partner: Literal,
): Literal | undefined {
  const fits = (other: Literal) => other !== literal && other !== partner && valueOf(state, other) >= 0;
  if (clause.head !== -1 && fits(clause.head)) return clause.head;
  return clause.tail.find(fits);
}
