import type { Workshops } from '../layer/workshop.ts';
import type { ChosenPackage } from '../run/chosen.ts';
import type { Difference } from './difference.ts';
import type { GraphOptions, Ingredient, Node } from './graph.ts';
import { type BuildKeys, keysOf } from './keys.ts';
import { onShelf } from './known.ts';
import { defaultOutput, packageOf, planOf } from './node-plan.ts';
import { lastBuildOf, reasons } from './reasons.ts';
import type { BuiltPackage, Results } from './results.ts';

/** What a run of the graph would do with one node. */
export type Assessment = {
  readonly name: string;
  /**
   * `there`: on the shelf; `cached`: taken from the cache of builds; `build`: built; `open`: known only when what it
   * needs is built, as that may come out as it was.
   */
  readonly state: 'there' | 'cached' | 'build' | 'open';
  /** Why it is built: what is other than at the last build; nothing if there was none, or its result is gone. */
  readonly why: readonly Difference[];
  /** Whether the version was built before by this user. */
  readonly before: boolean;
  /** For `open`: the nodes that it waits for. */
  readonly awaits: readonly string[];
  /** As far as it is known without unpacking. */
  readonly key: string | undefined;
  /** What the last build took, if there was one. */
  readonly cpuSeconds: number | undefined;
};

export type AssessSetting = Pick<GraphOptions, 'machine' | 'shelf'> & {
  readonly results: Results;
  readonly workshops: Workshops;
};

/** Looks what has to be done for each node, in their order, and does nothing. */
export async function assess(nodes: readonly Node[], setting: AssessSetting): Promise<readonly Assessment[]> {
  const known = new Map<string, readonly BuiltPackage[]>();
  const found: Assessment[] = [];
  for (const node of nodes) {
    const { recipe, version } = node;
    const last = setting.results.last(lastBuildOf(node, node.method.view));
    const common = { name: node.name, before: last !== undefined, cpuSeconds: last?.cpuSeconds };
    const awaits = makers(node).filter((name) => !known.has(name));
    if (awaits.length > 0) {
      found.push({ ...common, state: 'open', why: [], awaits, key: undefined });
      continue;
    }
    const keys = await keysIn(node, setting, known);
    const unpacked = setting.results.unpacked(keys.unpack.hex);
    const key = unpacked === undefined ? undefined : keys.build(unpacked);
    const shelved = key && onShelf({ recipe, version, shelf: setting.shelf }, key.hex);
    const [output] = key ? setting.results.built(key.hex) : [];
    const packages = shelved ?? output?.packages;
    if (packages) known.set(node.name, packages);
    const state = shelved ? 'there' : output ? 'cached' : 'build';
    const why = state === 'build' ? reasons(recipe, keys, last, setting.results) : [];
    found.push({ ...common, state, why, awaits: [], key: key?.hex });
  }
  return found;
}

/** The nodes that make something of the roots; others that are needed only have to be done before. */
const makers = ({ roots }: Node): string[] => [
  ...new Set([...roots.unpack, ...roots.build].flatMap(({ from }) => ('node' in from ? [from.node] : []))),
];

async function keysIn(
  node: Node,
  { machine, workshops, shelf }: AssessSetting,
  known: ReadonlyMap<string, readonly BuiltPackage[]>,
): Promise<BuildKeys> {
  const find = ({ name, version, from }: Ingredient): ChosenPackage => {
    if ('repository' in from) return packageOf({ name, version, from });
    const made = known.get(from.node)?.find((each) => each.name === name);
    if (!made) throw new Error(`${name} ${version} is not known yet`);
    return { ...made, tree: shelf.directory };
  };
  const request = { ...node, machine, output: defaultOutput };
  return await keysOf(request, planOf(node, machine, find), workshops);
}
