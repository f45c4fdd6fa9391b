import type { Relation } from '../package/constraint.ts';

/** A number for one version of one package: "is it chosen?". The root, which asks for the wishes, is 0. */
export type Variable = number;

/** A variable or its negation: twice the variable, plus one if negated. */
export type Literal = number;

export const chosen = (variable: Variable): Literal => variable << 1;
export const refused = (variable: Variable): Literal => (variable << 1) | 1;
export const negate = (literal: Literal): Literal => literal ^ 1;
export const variableOf = (literal: Literal): Variable => literal >> 1;
export const isRefusal = (literal: Literal): boolean => (literal & 1) === 1;

/** What can meet a relation. One object for all packages that have the same relation. */
export type Choice = {
  /** Best first, as literals. */
  readonly literals: readonly Literal[];
  /** Whether all of them are versions of one package, so that no more than one can be had. */
  readonly single: boolean;
  /** If `single`, the other versions of that package: whoever needs the relation refuses them. */
  readonly outside: readonly Literal[];
};

/** `owner` is not chosen, or one of the choice is. */
export type Requirement = {
  readonly owner: Variable;
  readonly relation: Relation;
  readonly choice: Choice;
  /** Those of the choice that are worth choosing though another meets the requirement already; mostly all. */
  readonly preferred: readonly Literal[];
};

/** `owner` and any of the targets are not chosen both. */
export type Conflict = {
  readonly owner: Variable;
  readonly relation: Relation;
  readonly targets: readonly Literal[];
};

/** Follows from others, which are kept so that it can be explained. */
export type Learned = {
  readonly from: readonly Reason[];
  /** Variables that are settled for good and so left out of the clause; their own reasons explain them. */
  readonly settled: readonly Variable[];
};

/** One of `head` and `tail` is true. A clause is looked at again only when a watched literal becomes false. */
export type Clause = {
  /** -1 if there is none. Apart from the tail, which requirements share. */
  readonly head: Literal | -1;
  readonly tail: readonly Literal[];
  readonly source: { readonly requirement: Requirement } | { readonly learned: Learned };
  watched: Literal;
  other: Literal;
};

/** Why a literal had to become true, given that the literals of {@link antecedents} are false. */
export type Reason =
  | { readonly kind: 'clause'; readonly clause: Clause }
  /** Another version of the same package is chosen. */
  | { readonly kind: 'version'; readonly chosen: Variable }
  /** The owner needs other versions of that package. */
  | { readonly kind: 'outside'; readonly requirement: Requirement }
  | { readonly kind: 'conflict'; readonly conflict: Conflict; readonly target: Variable };

/** Calls `visit` with every literal but `literal` of the clause that `reason` stands for. */
export function antecedents(reason: Reason, literal: Literal, visit: (other: Literal) => void): void {
  if (reason.kind === 'clause') {
    const { head, tail } = reason.clause;
    if (head !== -1 && head !== literal) visit(head);
    for (const other of tail) if (other !== literal) visit(other);
  } else if (reason.kind === 'version') {
    visit(refused(reason.chosen));
  } else if (reason.kind === 'outside') {
    visit(refused(reason.requirement.owner));
  } else {
    const { owner } = reason.conflict;
    visit(refused(variableOf(literal) === owner ? reason.target : owner));
  }
}
