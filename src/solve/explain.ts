import { satisfies, type Alternative, type Relation } from '../package/constraint.ts';
import { quote } from '../package/name.ts';
import { nearMiss } from '../package/near-miss.ts';
import { nearest } from '../package/nearest.ts';
import type { Fact } from './core.ts';
import { describeExisting, describeVersions, list } from './ranges.ts';
import type { Universe, Wish } from './universe.ts';
import { Unsatisfiable } from './unsatisfiable.ts';

/** What names repositories in most tools. */
const usualOption = '-d';

/** The error for wishes that name nothing that exists; undefined if there is none of these. */
export function explainUnknown(
  universe: Universe,
  wishes: readonly Wish[],
  option = usualOption,
): Unsatisfiable | undefined {
  const unknown = [...wishes.entries()].filter(([, { alternatives }]) =>
    alternatives.every(({ name }) => !exists(universe, name)),
  );
  if (unknown.length === 0) return undefined;
  const core = unknown.map(([, relation]): Fact => ({ kind: 'wish', relation }));
  const message = core
    .map(({ relation }) => `${absence(universe, relation)} (${origin(relation)})`)
    .join('; ');
  const places = unknown.map(([at]) => at);
  return new Unsatisfiable(message, hintFor(universe, core, option), core, places);
}

/** The error for facts that cannot be true together, in one line. */
export function explain(universe: Universe, core: readonly Fact[], option = usualOption): Unsatisfiable {
  const facts = merge(core).map((alike) => () => describe(universe, core, alike));
  const start = facts.length === 1 ? 'nothing meets' : 'no set of packages meets all of';
  const left = facts.length - shownFirst - shownLast;
  const shown =
    left < 2
      ? facts.map((fact) => fact())
      : [
          ...facts.slice(0, shownFirst).map((fact) => fact()),
          `${left} more`,
          ...facts.slice(-shownLast).map((fact) => fact()),
        ];
  return new Unsatisfiable(`${start} ${shown.join('; ')}`, hintFor(universe, core, option), core, []);
}

/** Of very many facts, the wishes at the start and what does not fit at the end say most. */
const shownFirst = 6;
const shownLast = 3;

/** Puts together what the versions of a package say of the same name, each another thing, if that is much. */
function merge(core: readonly Fact[]): readonly (readonly Fact[])[] {
  const groups = [...Map.groupBy(core, about).values()];
  return groups.flatMap((alike) =>
    alike.length > 3 && alike[0]?.owner ? [alike] : alike.map((one) => [one]),
  );
}

const about = ({ kind, owner, relation }: Fact) =>
  [kind, owner?.name ?? '', ...relation.alternatives.map(({ name }) => name)].join(' ');

function describe(universe: Universe, core: readonly Fact[], alike: readonly Fact[]): string {
  const [fact] = alike;
  if (!fact) return '';
  const { kind, relation, owner } = fact;
  const text = quote(relation.text) + (alike.length > 1 ? ` and ${alike.length - 1} like it` : '');
  const met = relation.alternatives.some((alternative) => candidates(universe, alternative).length > 0);
  const absent = met ? '' : `: ${absence(universe, relation)}`;
  if (!owner) return `${text} (${origin(relation)})${absent}`;
  const declaring = alike.flatMap((each) => each.owner?.versions ?? []);
  const versions = describeVersions(owner.name, declaring, universe.versions(owner.name));
  if (kind === 'depends') return `${text} (Depends-Run of ${versions})${absent}`;
  return `not ${text} (Conflicts of ${versions}${standIns(universe, core, owner.name, relation)})`;
}

const origin = ({ from }: Wish) => from ?? 'asked for';

const exists = (universe: Universe, name: string) =>
  universe.versions(name).length > 0 || universe.providers(name).length > 0;

/** The names of what meets an alternative, one for each version that does. */
function candidates(universe: Universe, { name, range }: Alternative): readonly string[] {
  return [
    ...universe.versions(name).flatMap((version) => (satisfies(range, version) ? [name] : [])),
    ...universe
      .providers(name)
      .flatMap(({ name, as }) => (range.length === 0 || (as && satisfies(range, as)) ? [name] : [])),
  ];
}

/** What there is of the names in a relation that nothing meets. */
function absence(universe: Universe, relation: Relation): string {
  const names = new Set(relation.alternatives.map(({ name }) => name));
  return Array.from(names, (name) => {
    const versions = universe.versions(name);
    if (versions.length > 0) return describeExisting(name, versions);
    const providers = new Set(universe.providers(name).map(({ name }) => name));
    if (providers.size === 0) return `there is no package ${quote(name)}`;
    return `${list([...providers])} provides ${name}, but in no such version`;
  }).join(', ');
}

/** Which packages that the core speaks of are hit by a conflict without being named in it. */
function standIns(universe: Universe, core: readonly Fact[], owner: string, conflict: Relation): string {
  const spoken = new Set(
    core.flatMap(({ kind, relation, owner }) => [
      ...(owner ? [owner.name] : []),
      ...(kind === 'conflicts' ? [] : relation.alternatives.flatMap((each) => candidates(universe, each))),
    ]),
  );
  const named = new Set(conflict.alternatives.map(({ name }) => name));
  const hit = new Set(conflict.alternatives.flatMap((alternative) => candidates(universe, alternative)));
  const found = [...hit].filter((name) => spoken.has(name) && !named.has(name) && name !== owner).sort();
  if ([...named].some((name) => spoken.has(name)) || found.length === 0) return '';
  return `, which ${list(found)} ${found.length === 1 ? 'provides' : 'provide'}`;
}

function hintFor(universe: Universe, core: readonly Fact[], option: string): string | undefined {
  const alternatives = core.flatMap(({ relation }) => relation.alternatives);
  const missing = alternatives.find(({ name }) => !exists(universe, name))?.name;
  if (missing !== undefined) {
    const meant = nearest(missing, universe.names());
    if (meant !== undefined && meant !== missing) return `did you mean ${quote(meant)}?`;
    return `name the repository that has ${quote(missing)} with ${option}`;
  }
  for (const alternative of alternatives) {
    if (candidates(universe, alternative).length > 0) continue;
    const trap = nearMiss(alternative, universe.versions(alternative.name));
    if (trap !== undefined) return trap;
  }
  const wishes = core.filter(({ kind }) => kind === 'wish').map(({ relation }) => quote(relation.text));
  return wishes.length < 2 ? undefined : `leave out or relax one of ${list(wishes)}`;
}
