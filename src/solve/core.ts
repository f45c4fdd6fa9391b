import { formatRelation, type Relation } from '../package/constraint.ts';
import { literalsOf } from './analyze.ts';
import { antecedents, chosen, refused, variableOf } from './clause.ts';
import type { Conflict, Learned, Reason, Requirement, Variable } from './clause.ts';
import { packageOf, restrict, root, type Problem } from './problem.ts';
import type { Contradiction } from './propagate.ts';
import { search } from './search.ts';
import type { State } from './state.ts';
import type { Wish } from './universe.ts';

/** Something that is asked for or that packages declare, and that is needed to show that there is no answer. */
export type Fact = {
  readonly kind: 'wish' | 'depends' | 'conflicts';
  readonly relation: Wish;
  /** Whose field says so, in which of its versions; absent for a wish. */
  readonly owner?: { readonly name: string; readonly versions: readonly string[] };
};

type Core = ReadonlyMap<string, Fact>;

/** What leaving out may cost in all: demands of packages looked at again, and contradictions met again. */
const mostDemands = 30_000;
const mostWork = 3000;

/**
 * The facts behind a contradiction: the wishes as given, then what packages declare. None of them can be left
 * out, which is found by trying: without it, is there still no answer? Where that is much work it is cut short.
 */
export function coreOf(state: State, contradiction: Contradiction): readonly Fact[] {
  let core = factsOf(state, contradiction);
  const { problem } = state;
  let [demands, work] = [0, 0];
  for (const key of [...core.keys()].reverse()) {
    if (!core.has(key) || demands > mostDemands || work > mostWork) continue;
    const rest = new Map(core);
    rest.delete(key);
    demands += [...rest.values()].reduce((sum, { owner }) => sum + (owner?.versions.length ?? 1), 0);
    const keeps = (demand: Requirement | Conflict) => rest.has(keyOf(problem, demand));
    const again = search(restrict(problem, keeps), mostWork - work);
    work += again.work;
    if (again.contradiction) core = factsOf(again.state, again.contradiction);
  }
  return [...core.values()];
}

/** Everything that a contradiction was derived from. */
function factsOf(state: State, contradiction: Contradiction): Core {
  const demands = new Set<Requirement | Conflict>();
  // Grows while it is walked.
  const sources = new Set<Reason | Variable>([
    contradiction.reason,
    ...literalsOf(contradiction).map(variableOf),
  ]);
  for (const source of sources) {
    if (typeof source !== 'number') {
      const demand = demandOf(source);
      if (demand) demands.add(demand);
      const { from, settled } = learnedIn(source);
      for (const each of [...from, ...settled]) sources.add(each);
      continue;
    }
    const reason = state.reasons[source];
    if (!reason) continue;
    sources.add(reason);
    const literal = (state.values[source] ?? 0) > 0 ? chosen(source) : refused(source);
    antecedents(reason, literal, (other) => sources.add(variableOf(other)));
  }
  return group(state, [...demands]);
}

function demandOf(reason: Reason): Requirement | Conflict | undefined {
  if (reason.kind === 'conflict') return reason.conflict;
  if (reason.kind === 'outside') return reason.requirement;
  if (reason.kind === 'version' || !('requirement' in reason.clause.source)) return undefined;
  return reason.clause.source.requirement;
}

function learnedIn(reason: Reason): Learned {
  const source = reason.kind === 'clause' ? reason.clause.source : undefined;
  return source && 'learned' in source ? source.learned : { from: [], settled: [] };
}

/** One fact for all versions of a package that declare the same. */
function group({ problem }: State, demands: readonly (Requirement | Conflict)[]): Core {
  const core = new Map<string, Fact & { owner?: { name: string; versions: string[] } }>();
  const wish = (relation: Relation) => problem.wishes.indexOf(relation);
  const sorted = demands.toSorted((a, b) => a.owner - b.owner || wish(a.relation) - wish(b.relation));
  for (const demand of sorted) {
    const { owner, relation } = demand;
    const { name, version } = packageOf(problem, owner);
    const key = keyOf(problem, demand);
    const known = core.get(key);
    if (known) known.owner?.versions.push(version);
    else if (owner === root) core.set(key, { kind: 'wish', relation });
    else core.set(key, { kind: kindOf(demand), relation, owner: { name, versions: [version] } });
  }
  return core;
}

const kindOf = (demand: Requirement | Conflict) => ('choice' in demand ? 'depends' : 'conflicts');

const keyOf = (problem: Problem, demand: Requirement | Conflict) =>
  `${kindOf(demand)} ${packageOf(problem, demand.owner).name} ${formatRelation(demand.relation)}`;
