import type { Machine } from '../package/architecture.ts';
import { bring } from '../package/elsewhere.ts';
import type { ChosenPackage } from '../run/chosen.ts';
import type { Ingredient, Node } from './graph.ts';
import { makePlan, type Plan } from './plan.ts';

/** Where `build.sh` installs to if nothing else is said. */
export const defaultOutput = 'out';

/** A package that a repository has. */
export function packageOf({ name, version, from }: Ingredient): ChosenPackage {
  if (!('repository' in from)) throw new Error(`${name} ${version} is in no repository yet`);
  const { repository } = from;
  return { name, version, record: repository.record(name, version), tree: repository.tree(name, version) };
}

/** The plan of a node; `find` gives what its roots are made of, if other nodes make some of it. */
export function planOf(node: Node, machine: Machine, find = packageOf): Plan {
  const { unpack, build } = node.roots;
  const roots = { unpack: unpack.map(find), build: build.map(find) };
  const far = [...unpack, ...build].flatMap(({ name, version, from }) =>
    'repository' in from ? [{ name, version, repository: from.repository }] : [],
  );
  return { ...makePlan({ ...node, machine }, node.method, roots), bring: () => bring(far, 'tree') };
}
