import { Fault } from '../../builder/fault.ts';
import { planLayers } from '../../builder/image/layering.ts';
import { quote } from '../package/name.ts';
import { knownGroupLayer, makeGroupLayer } from './group-layer.ts';
import { type LayerPackage, titleOf } from '../layer/package.ts';
import { keepPackages } from '../layer/package-artifact.ts';
import { ensureStored } from '../layer/package-layer.ts';
import { isStored, type KnownLayer, type Workshop } from '../layer/workshop.ts';

/** A layer, and the packages in it: none in those of profile and settings, which come in this order. */
export type NamedLayer = {
  readonly layer: KnownLayer;
  readonly history: string;
  readonly members: readonly LayerPackage[];
};

export type LayerPlan = {
  /** The most layers of the whole image. */
  readonly budget: number;
  /** Which packages share layers, each as `NAME VERSION`, where that has been decided before. */
  readonly plan?: readonly (readonly string[])[];
};

/** The layers of packages, from bottom to top. */
export async function packageLayers(
  { budget, plan }: LayerPlan,
  workshop: Workshop,
  known: ReadonlyMap<LayerPackage, KnownLayer>,
): Promise<readonly NamedLayer[]> {
  const parts = [...known].map(([each, layer]) => {
    const { name, version, control } = each;
    return { name, version, rank: control.layerRank, size: layer.blobs['gzip-1'].size, each, layer };
  });
  const groups = plan ? obey(plan, parts) : planLayers(parts, budget);
  const there = await Promise.all(groups.map((group) => knownLayerOf(group, workshop)));
  const made: NamedLayer[] = [];
  for (const [at, group] of groups.entries()) {
    const layer = there[at] ?? (await makeLayerOf(group, workshop));
    made.push({ layer, history: group.map(titleOf).join(', '), members: group.map(({ each }) => each) });
  }
  if (workshop.keep) await keepPackages(workshop, known);
  return made;
}

type Grouped = { readonly name: string; readonly each: LayerPackage; readonly layer: KnownLayer };

/** Undefined if there is something to do before an image can have it. */
async function knownLayerOf(group: readonly Grouped[], workshop: Workshop): Promise<KnownLayer | undefined> {
  const [first, ...more] = group;
  if (!first || more.length > 0) return knownGroupLayer(workshop, group);
  return !workshop.keep || (await isStored(workshop, first.layer)) ? first.layer : undefined;
}

async function makeLayerOf(group: readonly Grouped[], workshop: Workshop): Promise<KnownLayer> {
  for (const { each, layer } of group) await ensureStored(workshop, each, layer);
  const [first, ...more] = group;
  return first && more.length === 0 ? first.layer : makeGroupLayer(workshop, group);
}

/** Throws INPUT for a plan that does not have each package once. */
function obey<T extends { readonly name: string; readonly version: string }>(
  plan: readonly (readonly string[])[],
  parts: readonly T[],
): readonly (readonly T[])[] {
  const left = new Map(parts.map((part) => [titleOf(part), part]));
  const layers = plan.map((titles) =>
    titles.map((title) => {
      const part = left.get(title);
      if (!part || !left.delete(title)) throw planFault(title);
      return part;
    }),
  );
  for (const title of left.keys()) throw planFault(title);
  return layers;
}

const planFault = (title: string): Fault =>
  new Fault('INPUT', `the plan of layers in the lock and its packages differ in ${quote(title)}`, {
    hint: 'make the lock again: build with --lock and without --locked',
  });
