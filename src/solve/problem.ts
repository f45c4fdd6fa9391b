import { formatRelation, satisfies, type Alternative, type Relation } from '../package/constraint.ts';
import {
  chosen,
  variableOf,
  type Choice,
  type Conflict,
  type Literal,
  type Requirement,
  type Variable,
} from './clause.ts';
import { compareVersionsTotally } from '../package/version.ts';
import { versionsIn } from './fitting.ts';
import { orderProviders, orderVersions } from './preference.ts';
import type { Locked, Package, Preferences, Universe, Wish } from './universe.ts';

/** The variables of one package: one after another, newest version first. */
export type Span = {
  readonly first: Variable;
  readonly versions: readonly string[];
  readonly variables: ReadonlyMap<string, Variable>;
};

type Demands = { readonly requirements: readonly Requirement[]; readonly conflicts: readonly Conflict[] };

/** The request in terms of variables, made as far as the search has come. */
export type Problem = {
  readonly universe: Universe;
  readonly wishes: readonly Wish[];
  readonly locked: Locked;
  /** By variable. The root stands for the request. */
  readonly packages: Package[];
  readonly spans: Span[];
  readonly byName: Map<string, Span>;
  readonly choices: Map<string, Choice>;
  readonly demands: (Demands | undefined)[];
  /** Another problem, of which this one keeps some demands and everything else. */
  readonly among?: { readonly problem: Problem; keeps(demand: Requirement | Conflict): boolean };
};

export const root: Variable = 0;

export function createProblem(
  universe: Universe,
  wishes: readonly Wish[],
  preferences: Preferences,
): Problem {
  return {
    universe,
    wishes,
    locked: preferences.locked ?? new Map(),
    packages: [{ name: '', version: '' }],
    spans: [{ first: root, versions: [''], variables: new Map() }],
    byName: new Map(),
    choices: new Map(),
    demands: [],
  };
}

/** The same problem with only those demands that `keeps` is true of. */
export const restrict = (problem: Problem, keeps: (demand: Requirement | Conflict) => boolean): Problem => ({
  ...problem,
  demands: [],
  among: { problem, keeps },
});

/** What a variable asks for once it is chosen. A package meets its own dependencies and never hits itself. */
export function demandsOf(problem: Problem, owner: Variable): Demands {
  const known = problem.demands[owner];
  if (known) return known;
  const demands = problem.among ? demandsAmong(problem.among, owner) : declaredBy(problem, owner);
  problem.demands[owner] = demands;
  return demands;
}

function demandsAmong({ problem, keeps }: NonNullable<Problem['among']>, owner: Variable): Demands {
  const { requirements, conflicts } = demandsOf(problem, owner);
  return { requirements: requirements.filter(keeps), conflicts: conflicts.filter(keeps) };
}

function declaredBy(problem: Problem, owner: Variable): Demands {
  const { depends, conflicts } = owner === root ? requestOf(problem) : candidateOf(problem, owner);
  const own = spanOf(problem, owner);
  return {
    requirements: depends.flatMap((relation) => {
      const choice = choiceOf(problem, relation);
      if (choice.literals.includes(chosen(owner))) return [];
      const preferred = owner === root ? asked(problem, relation, choice) : choice.literals;
      return [{ owner, relation, choice, preferred }];
    }),
    conflicts: conflicts.map((relation) => {
      const { literals } = choiceOf(problem, relation);
      const targets = literals.filter((literal) => spanOf(problem, variableOf(literal)) !== own);
      return { owner, relation, targets };
    }),
  };
}

const candidateOf = (problem: Problem, variable: Variable) => {
  const { name, version } = packageOf(problem, variable);
  return problem.universe.candidate(name, version);
};

/** The wishes, in an order that does not depend on how they were given, names before what leaves a choice. */
function requestOf({ wishes }: Problem): {
  depends: readonly Relation[];
  conflicts: readonly Relation[];
} {
  const depends = wishes
    .map((wish) => ({ wish, key: `${wish.alternatives.length === 1 ? 0 : 1} ${formatRelation(wish)}` }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ wish }) => wish);
  return { depends, conflicts: [] };
}

/** Who asks for a name wants the package of that name, even where another that provides it is chosen too. */
function asked(problem: Problem, { alternatives }: Relation, { literals }: Choice): readonly Literal[] {
  const [first, second] = alternatives;
  if (!first || second) return literals;
  const own = literals.filter((literal) => packageOf(problem, variableOf(literal)).name === first.name);
  return own.length > 0 ? own : literals;
}

/** Everything that can meet the relation: alternatives as written, in each the packages of that name first. */
export function choiceOf(problem: Problem, relation: Relation): Choice {
  const key = formatRelation(relation);
  const known = problem.choices.get(key);
  if (known) return known;
  const variables = new Set(relation.alternatives.flatMap((alternative) => meeting(problem, alternative)));
  const literals = Array.from(variables, chosen);
  const [best] = variables;
  const span = best === undefined ? undefined : spanOf(problem, best);
  const single = span !== undefined && [...variables].every((variable) => spanOf(problem, variable) === span);
  // Where there is only one it is chosen, which refuses the others.
  const others =
    single && literals.length > 1
      ? [...span.variables.values()].filter((variable) => !variables.has(variable))
      : [];
  const choice = { literals, single, outside: others.map(chosen) };
  problem.choices.set(key, choice);
  return choice;
}

/** An unversioned stand-in meets only what asks for no version. */
function meeting(problem: Problem, { name, range }: Alternative): readonly Variable[] {
  const { versions, variables } = named(problem, name);
  const fitting = versionsIn(versions, range);
  const standIns = problem.universe
    .providers(name)
    .filter(({ as }) => range.length === 0 || (as !== undefined && satisfies(range, as)));
  return [
    ...orderVersions(fitting, range, problem.locked.get(name)).map((version) => variables.get(version)),
    ...orderProviders(standIns, problem.locked).map((standIn) =>
      named(problem, standIn.name).variables.get(standIn.version),
    ),
  ].filter((variable) => variable !== undefined);
}

function named(problem: Problem, name: string): Span {
  const known = problem.byName.get(name);
  if (known) return known;
  const first = problem.packages.length;
  const versions = [...new Set(problem.universe.versions(name))].sort((a, b) => compareVersionsTotally(b, a));
  const span = { first, versions, variables: new Map(versions.map((version, at) => [version, first + at])) };
  problem.byName.set(name, span);
  for (const version of versions) {
    problem.packages.push({ name, version });
    problem.spans.push(span);
  }
  return span;
}

export const packageOf = (problem: Problem, variable: Variable): Package => known(problem.packages, variable);

/** All versions of the package that `variable` is one of. */
export const spanOf = (problem: Problem, variable: Variable): Span => known(problem.spans, variable);

function known<T>(list: readonly T[], variable: Variable): T {
  const found = list[variable];
  if (found === undefined) throw new Error(`variable ${variable} does not exist`);
  return found;
}
