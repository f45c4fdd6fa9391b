import { Fault } from '../../builder/fault.ts';
import type { Repository } from '../package/repository.ts';
import type { ChosenPackage } from '../run/chosen.ts';
import type { Graph, GraphOptions, Ingredient, Node } from './graph.ts';
import { JobPool } from './job-pool.ts';
import { defaultOutput, packageOf, planOf } from './node-plan.ts';
import type { Plan } from './plan.ts';
import {
  produce,
  type ProduceEvent,
  type ProduceRequest,
  type Produced,
  type ProduceSetting,
} from './produce.ts';
import { schedule } from './schedule.ts';
import type { Shelf } from './shelf.ts';

export type GraphEvent =
  | { readonly event: 'start'; readonly node: Node; readonly plan: Plan }
  | { readonly event: 'progress'; readonly node: Node; readonly of: ProduceEvent }
  | { readonly event: 'done'; readonly node: Node; readonly produced: Produced }
  | { readonly event: 'failed'; readonly node: Node; readonly error: unknown }
  /** Not built, because of what it needs. */
  | { readonly event: 'skipped'; readonly node: Node; readonly needs: readonly string[] };

export type RunOptions = Pick<GraphOptions, 'machine' | 'shelf'> & {
  /** Runs the tests of recipes; what these need beside what is on the shelf is taken from here. */
  readonly test?: readonly Repository[];
  /** How many builds may run at once. */
  readonly slots: number;
  /** How many processes may compile at once, in all builds together. */
  readonly jobs: number;
  readonly keepGoing?: boolean;
  /** Builds even what is known. */
  readonly again?: boolean;
  /** CPU seconds that a node is expected to take, by name. */
  readonly weights?: ReadonlyMap<string, number>;
  /** Looks at the packages of a node before they are published, and throws if they must not be. */
  readonly accept?: (
    node: Node,
    plan: Plan,
    ...made: Parameters<NonNullable<ProduceRequest['accept']>>
  ) => void;
  readonly listen: (event: GraphEvent) => void;
};

export type GraphResult = {
  readonly produced: ReadonlyMap<string, Produced>;
  readonly failed: ReadonlyMap<string, unknown>;
  readonly skipped: ReadonlyMap<string, readonly string[]>;
};

/** What a node that has never been built is taken to need, in CPU seconds. */
const unknownWeight = 10;

/**
 * Builds the nodes of a graph, as many at once as there are slots, those first that most others wait for. What is
 * built is published at once, and what is known is not built, so a run that ended in any way goes on where it was.
 * Gives how it went; with `keepGoing` failures are in there, otherwise the first one is thrown when what ran has
 * ended. Throws the signal's reason.
 */
export async function runGraph(
  graph: Graph,
  setting: ProduceSetting,
  options: RunOptions,
): Promise<GraphResult> {
  const { slots, keepGoing = false, listen } = options;
  const produced = new Map<string, Produced>();
  const pool = new JobPool(options.jobs);
  const tasks = graph.nodes.map((node) => ({
    ...node,
    weight: options.weights?.get(node.name) ?? unknownWeight,
  }));
  const outcome = await schedule(tasks, { slots, keepGoing, signal: setting.signal }, async (node) => {
    try {
      const result = await runNode(node, { produced, setting, options, pool });
      produced.set(node.name, result);
      listen({ event: 'done', node, produced: result });
    } catch (error) {
      if (error !== setting.signal?.reason) listen({ event: 'failed', node, error });
      throw error;
    }
  });
  setting.signal?.throwIfAborted();
  const failed = new Map([
    ...graph.refused.map(({ name, error }) => [name, error] as const),
    ...outcome.failed,
  ]);
  const [first] = failed.values();
  if (!keepGoing && failed.size > 0) throw first;
  for (const node of graph.nodes) {
    const needs = outcome.skipped.get(node.name);
    if (needs) listen({ event: 'skipped', node, needs });
  }
  return { produced, failed, skipped: outcome.skipped };
}

type NodeRun = {
  readonly produced: ReadonlyMap<string, Produced>;
  readonly setting: ProduceSetting;
  readonly options: RunOptions;
  readonly pool: JobPool;
};

async function runNode(node: Node, { produced, setting, options, pool }: NodeRun): Promise<Produced> {
  const { machine, shelf, accept, listen, again = false } = options;
  const find = (each: Ingredient): ChosenPackage => {
    if (!('node' in each.from)) return packageOf(each);
    const made = produced.get(each.from.node)?.packages.find(({ name }) => name === each.name);
    if (made) return made;
    throw new Fault('INTEGRITY', `${each.name} ${each.version} was not made by ${each.from.node}`);
  };
  const { recipe, version, distfiles } = node;
  const planned = { recipe, version, distfiles, machine };
  const plan = planOf(node, machine, find);
  listen({ event: 'start', node, plan });
  const request: ProduceRequest = {
    ...planned,
    shelf,
    jobs: Math.max(1, Math.floor(options.jobs / options.slots)),
    pool,
    again,
    unpack: true,
    build: true,
    pack: true,
    work: undefined,
    output: defaultOutput,
    ...(options.test ? { test: testRepositories(shelf, options.test) } : {}),
    ...(accept ? { accept: (...made) => accept(node, plan, ...made) } : {}),
  };
  return await produce(request, setting, plan, (of) => listen({ event: 'progress', node, of }));
}

/** What tests can be run with: what has been published by now, and then the others. */
export function testRepositories(shelf: Shelf, others: readonly Repository[]): readonly Repository[] {
  const own = shelf.repository();
  return own ? [own, ...others] : others;
}
