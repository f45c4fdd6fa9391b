import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { assess, type Assessment } from '../src/build/assess.ts';
import { type Graph, type GraphOptions, planGraph } from '../src/build/graph.ts';
import type { ProduceSetting } from '../src/build/produce.ts';
import { candidatesOf, without } from '../src/build/prospect.ts';
import { openShelf } from '../src/build/shelf.ts';
import type { Machine } from '../src/package/architecture.ts';
import { openRepository } from '../src/package/repository.ts';
import { type JobOptions, jobsOf } from './jobs.ts';
import { type Step, weights } from './stages.ts';

export type StepOptions = JobOptions & {
  readonly machine: Machine;
  /** How many processes may compile at once. */
  readonly jobs: number;
  /** Where repositories are, if not in `bootstrap/`. */
  readonly places?: (name: string) => string;
};

/** A step whose roots are decided. */
export type PlannedStep = {
  readonly step: Step;
  readonly graph: Graph;
  readonly options: GraphOptions;
  readonly assessments: readonly Assessment[];
  /** CPU seconds that each is expected to take, by name. */
  readonly weights: ReadonlyMap<string, number>;
};

/** Where a repository of the bootstrap is. */
export const placeOf = (root: string, name: string): string => join(root, 'bootstrap', name);

/**
 * Decides what a step does. What it made in an earlier run is not there before its turn, so that roots are the same
 * in every run. Throws {@link Unsatisfiable} while what it needs of earlier steps is not there.
 */
export async function planStep(
  step: Step,
  options: StepOptions,
  setting: ProduceSetting,
): Promise<PlannedStep> {
  const { root, machine, places = (name: string) => placeOf(root, name) } = options;
  const directory = places(step.shelf);
  const jobs = jobsOf(step, options);
  const made = new Set(
    jobs.flatMap(({ recipe, version }) =>
      candidatesOf(recipe, version, machine).map((each) => `${each.name} ${each.version}`),
    ),
  );
  const from = step.from
    .map(places)
    .filter(existsSync)
    .map((each) => openRepository(each))
    .map((each) => (each.directory === directory ? without(each, (...id) => made.has(id.join(' '))) : each));
  const graphOptions = {
    machine,
    shelf: openShelf(directory, setting.lock),
    from,
    ordered: true,
    tests: step.way === 'roots',
  };
  const graph = planGraph(jobs, graphOptions);
  for (const { error } of graph.refused) throw error;
  const assessments = await assess(graph.nodes, { ...graphOptions, ...setting });
  return {
    step,
    graph,
    options: graphOptions,
    assessments,
    weights: new Map(
      graph.nodes.map(({ name, recipe }, at) => [
        name,
        assessments[at]?.cpuSeconds ?? weights.get(recipe.control.name) ?? 20,
      ]),
    ),
  };
}
