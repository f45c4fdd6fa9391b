/** One comparison in the package's own version order. Shorthands are expanded to these when parsed. */
export type Comparator = {
  readonly op: '=' | '!=' | '<' | '<=' | '>' | '>=';
  readonly version: string;
};

/** A package name and which versions will do: any one of the sets, of which every comparator must hold. */
export type Alternative = {
  readonly name: string;
  /** An empty list means any version. */
  readonly range: readonly (readonly Comparator[])[];
};

/** One entry of a dependency field, or one constraint of a request: any one of its alternatives. */
export type Relation = {
  readonly alternatives: readonly Alternative[];
  /** As it was written. */
  readonly text: string;
};
