import { compareVersions, isPrerelease } from './version.ts';

/** One comparison in the package's own version order. Shorthands are expanded to these when parsed. */
export type Comparator = {
  readonly op: '=' | '!=' | '<' | '<=' | '>' | '>=';
  readonly version: string;
};

/** A package name and which versions will do: any one of the sets, of which every comparator must hold. */
export type Alternative = {
  readonly name: string;
  /** An empty list means any version. */
  readonly range: Range;
};

export type Range = readonly (readonly Comparator[])[];

/** One entry of a dependency field, or one constraint of a request: any one of its alternatives. */
export type Relation = {
  readonly alternatives: readonly Alternative[];
  /** As it was written. */
  readonly text: string;
};

/** Whether `version`, of a package of that name, is one of those that `range` allows. */
export const satisfies = (range: Range, version: string): boolean =>
  range.length === 0 || range.some((set) => set.every((comparator) => holds(comparator, version)));

function holds({ op, version: bound }: Comparator, version: string): boolean {
  const order = compareVersions(version, bound);
  if (op === '=') return order === 0;
  if (op === '!=') return order !== 0;
  if (op === '<') return order < 0;
  if (op === '<=') return order <= 0;
  return op === '>' ? order > 0 : order >= 0;
}

/**
 * Whether `range` itself speaks of the pre-release `version`, so that it ranks by its version alone; any other
 * version with `~` comes after all without. `>= 8~rc1` names `8~rc1` and `8~rc2`, and not `9~beta`; the bound
 * `< 8~~`, which shorthands expand to, names none that it allows.
 */
export const namesPrerelease = (range: Range, version: string): boolean =>
  isPrerelease(version) &&
  range.some(
    (set) =>
      set.some(
        ({ op, version: bound }) =>
          op !== '!=' && isPrerelease(bound) && compareVersions(release(bound), release(version)) === 0,
      ) && set.every((comparator) => holds(comparator, version)),
  );

/** What a pre-release comes before: `8~rc1` and `8-~~stage1` before `8`. */
const release = (version: string): string => version.slice(0, version.indexOf('~')).replace(/-$/, '');

/** The relation in plain comparators; as a request it parses to the same alternatives. */
export function formatRelation({ alternatives }: Pick<Relation, 'alternatives'>): string {
  const [only, ...others] = alternatives;
  const exact = others.length === 0 && only?.range.length === 1 ? only.range[0] : undefined;
  const [comparator] = exact?.length === 1 ? exact : [];
  // After an operator it would be a shorthand.
  if (only && comparator?.op === '=' && /\.[x*]$/i.test(comparator.version)) {
    return `${only.name},${comparator.version}`;
  }
  return alternatives.map(formatAlternative).join(' | ');
}

const formatAlternative = ({ name, range }: Alternative): string =>
  range.length === 0 ? name : `${name} ${formatRange(range)}`;

const formatRange = (range: Range): string =>
  range.map((set) => set.map(({ op, version }) => `${op} ${version}`).join(' ')).join(' || ') || '*';
