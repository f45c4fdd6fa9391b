import { Fault } from '../../builder/fault.ts';
import type { Machine } from '../package/architecture.ts';
import type { Candidate } from '../package/record.ts';
import type { Repository } from '../package/repository.ts';
import { resolve } from '../solve/choose.ts';
import type { Locked } from '../solve/universe.ts';
import type { Distfile } from '../source/distfile.ts';
import type { Recipe } from '../source/recipe.ts';
import { circleFault, circleIn, circlesIn, withLater } from './circle.ts';
import { type Method, type Roots, wishesOf, withoutLibrary } from './plan.ts';
import { candidatesOf, prospects, without } from './prospect.ts';
import type { Shelf } from './shelf.ts';
import { hasTest, testWishes } from './test-root.ts';

/** One source to be built in a graph. */
export type Job = {
  readonly recipe: Recipe;
  /** With `-v` and `-V` applied. */
  readonly version: string;
  readonly method: Method;
  /** The list of source archives. */
  readonly distfiles: ReadonlyMap<string, Distfile>;
};

/** A package of a root: of a repository, or made by another node. */
export type Ingredient = {
  readonly name: string;
  readonly version: string;
  readonly from: { readonly node: string } | { readonly repository: Repository };
};

/** A job whose roots are decided. */
export type Node = Job & {
  /** `NAME VERSION` of the source. */
  readonly name: string;
  readonly roots: Roots<Ingredient>;
  /** The nodes that have to be done before, in their order. */
  readonly needs: readonly string[];
};

export type GraphOptions = {
  readonly machine: Machine;
  /** Where packages are published. In the view of this machine it is a source of dependencies, too. */
  readonly shelf: Shelf;
  /** Where dependencies are taken from that no job makes. */
  readonly from: readonly Repository[];
  /** Each job sees only what jobs before it make, so that there are no circles; without it, what all others make. */
  readonly ordered?: boolean;
  /** Whether tests of recipes are run, so that what they need has to be there before. */
  readonly tests?: boolean;
  /** Versions to keep, as `packages/build.lock` has them. */
  readonly locked?: (job: Job) => { readonly unpack?: Locked; readonly build?: Locked };
};

export type Graph = {
  /** In an order in which they can be built. */
  readonly nodes: readonly Node[];
  /** Jobs for which there is no root, and why. */
  readonly refused: readonly { readonly name: string; readonly error: unknown }[];
};

export const nodeName = ({ recipe, version }: Pick<Job, 'recipe' | 'version'>): string =>
  `${recipe.control.name} ${version}`;

/** A job while it is decided which others it may use. */
type Draft = {
  readonly job: Job;
  readonly name: string;
  readonly made: readonly Candidate[];
  hidden: Set<string>;
};

/**
 * Decides the roots of all jobs before anything is built, out of what the jobs make and what the repositories
 * have, so that what comes out never depends on the order in which builds end. A job takes what others make; not
 * what it makes itself, nor, where jobs need each other in a circle, what the circle makes: the first of the circle
 * that can be built of what the repositories have breaks it.
 *
 * Throws UNSATISFIABLE naming a circle that nothing breaks. What has no root for another reason is in `refused`, and
 * what it would have made is not used.
 */
export function planGraph(jobs: readonly Job[], options: GraphOptions): Graph {
  const drafts = jobs.map((job): Draft => {
    const name = nodeName(job);
    return {
      job,
      name,
      made: candidatesOf(job.recipe, job.version, options.machine),
      hidden: new Set([name]),
    };
  });
  if (options.ordered) {
    for (const [at, draft] of drafts.entries())
      draft.hidden = new Set(drafts.slice(at).map(({ name }) => name));
  }
  const refused: { name: string; error: unknown }[] = [];
  for (;;) {
    const nodes: Node[] = [];
    const alive = drafts.filter(({ name }) => !refused.some((each) => each.name === name));
    for (const draft of alive) {
      try {
        nodes.push(decide(draft, alive, options));
      } catch (error) {
        refused.push({ name: draft.name, error: lonely(draft, alive, options) ?? error });
      }
    }
    if (nodes.length < alive.length) continue;
    const [circle] = circlesIn(nodes);
    if (!circle) {
      const tools = options.tests ? toolsOfTests(alive, options) : new Map<string, readonly string[]>();
      return { nodes: sorted(withLater(spared(nodes, options), tools)), refused };
    }
    const breaker = alive.find(
      (draft) => circle.includes(draft.name) && breaks(draft, circle, alive, options),
    );
    if (!breaker) throw circleFault(circleIn(nodes, circle));
    for (const name of circle) breaker.hidden.add(name);
  }
}

/** How the user names repositories of what builds need. */
const ours = { option: '-p' } as const;

/** What a job can have in its roots. */
function sightOf({ job, hidden }: Draft, drafts: readonly Draft[], options: GraphOptions) {
  const seen = drafts.filter((draft) => !hidden.has(draft.name));
  const planned = prospects(seen.flatMap(({ made }) => made));
  const maker = new Map(seen.flatMap((each) => each.made.map((made) => [idOf(made), each.name] as const)));
  const all = new Set(drafts.flatMap(({ made }) => made.map(idOf)));
  const shelf = job.method.view === 'host' ? options.shelf.repository() : undefined;
  const stale = shelf && without(shelf, (...id) => all.has(id.join(' ')));
  // What an earlier run of the graph published is no source of it, or the next run would not do the same.
  const others = options.from.map((each) =>
    each.directory === options.shelf.directory ? without(each, (...id) => all.has(id.join(' '))) : each,
  );
  return { planned, maker, stale, others };
}

/** For each job the others that make something of the root of its test; none where there is no such root. */
function toolsOfTests(
  drafts: readonly Draft[],
  options: GraphOptions,
): ReadonlyMap<string, readonly string[]> {
  const tested = drafts.filter(({ job }) => job.method.view === 'packages' && hasTest(job.recipe));
  return new Map(
    tested.map((draft) => {
      const { planned, maker, others } = sightOf(draft, drafts, options);
      const repositories = [prospects(draft.made), planned, ...others];
      try {
        const root = resolve(repositories, testWishes(draft.job.recipe.control, draft.made), ours);
        const makers = root.flatMap(({ repository, ...id }) =>
          repository === planned ? (maker.get(idOf(id)) ?? []) : [],
        );
        return [draft.name, makers];
      } catch (error) {
        // Said when the test is to be run: packages may be there by then that nobody knows of now.
        if (error instanceof Fault && error.code === 'UNSATISFIABLE') return [draft.name, []];
        throw error;
      }
    }),
  );
}

/** The roots of one job. */
function decide(draft: Draft, drafts: readonly Draft[], options: GraphOptions): Node {
  const { job, name } = draft;
  const { planned, maker, stale, others } = sightOf(draft, drafts, options);
  const wishes = wishesOf(job.recipe.control, job.method);
  const locked = options.locked?.(job) ?? {};
  const root = (phase: 'unpack' | 'build', from: readonly Repository[]): readonly Ingredient[] => {
    const kept = locked[phase];
    const repositories = [planned, ...(stale ? [stale] : []), ...from];
    return resolve(repositories, wishes[phase], kept ? { ...ours, locked: kept } : ours)
      .map(({ name, version, repository }): Ingredient => {
        const node = repository === planned ? maker.get(idOf({ name, version })) : undefined;
        return { name, version, from: node === undefined ? { repository } : { node } };
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  };
  const rootsOf = (from: readonly Repository[]) => ({
    unpack: root('unpack', from),
    build: root('build', from),
  });
  const roots = attempt(job, options, () => {
    try {
      return rootsOf(others);
    } catch (error) {
      if (!options.from.some(({ directory }) => directory === options.shelf.directory)) throw error;
      return rootsOf(options.from);
    }
  });
  const needs = [...roots.unpack, ...roots.build].flatMap(({ from }) => ('node' in from ? [from.node] : []));
  return { ...job, name, roots, needs: [...new Set(needs)] };
}

function attempt<T>({ method, recipe }: Job, { shelf }: GraphOptions, solve: () => T): T {
  try {
    return solve();
  } catch (error) {
    const usual = method.view === 'host' && method.packages === undefined;
    throw usual ? withoutLibrary(error, recipe.control, shelf.directory) : error;
  }
}

const idOf = ({ name, version }: { readonly name: string; readonly version: string }) => `${name} ${version}`;

function breaks(
  draft: Draft,
  circle: readonly string[],
  drafts: readonly Draft[],
  options: GraphOptions,
): boolean {
  try {
    decide({ ...draft, hidden: new Set([...draft.hidden, ...circle]) }, drafts, options);
    return true;
  } catch {
    return false;
  }
}

/** Why a job has no root, if it is that it would need itself. */
function lonely(draft: Draft, drafts: readonly Draft[], options: GraphOptions): unknown {
  if (options.ordered) return undefined;
  try {
    const { needs } = decide({ ...draft, hidden: new Set() }, drafts, options);
    return needs.includes(draft.name) ? circleFault([draft.name, draft.name]) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Where what is built replaces what others are built with, because both are in one directory, the others go first:
 * nobody may take away a tree that a build has in its root.
 */
function spared(nodes: readonly Node[], { shelf, from, machine }: GraphOptions): Node[] {
  if (!from.some(({ directory }) => directory === shelf.directory)) return [...nodes];
  return nodes.map((node) => {
    const made = new Set(candidatesOf(node.recipe, node.version, machine).map(idOf));
    const users = nodes.filter(
      (other) =>
        other.name !== node.name &&
        [...other.roots.unpack, ...other.roots.build].some(
          (each) => 'repository' in each.from && made.has(idOf(each)),
        ),
    );
    return { ...node, needs: [...new Set([...node.needs, ...users.map(({ name }) => name)])] };
  });
}

/** What is needed first; otherwise as they were. */
function sorted(nodes: readonly Node[]): Node[] {
  const done = new Map<string, Node>();
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const visit = (node: Node): void => {
    if (done.has(node.name)) return;
    for (const name of node.needs) {
      const needed = byName.get(name);
      if (needed) visit(needed);
    }
    done.set(node.name, node);
  };
  for (const node of nodes) visit(node);
  return [...done.values()];
}
