import { keepPackages } from '../layer/package-artifact.ts';
import { planPackage } from '../layer/package-layer.ts';
import type { Workshop } from '../layer/workshop.ts';
import { parseBinaryControl } from '../package/binary-control.ts';
import type { FinishedPackage } from '../package/incoming.ts';
import { scanLinks } from '../package/links.ts';
import type { PackageIdentity, PackageRecord } from '../package/record.ts';
import { pack, type PackedPackage, type Packing } from './pack.ts';
import { linkedOf, readLinkLog } from './link-log.ts';
import type { Plan, PlanRequest } from './plan.ts';

/** What every package of one build has in its record. */
export type Provenance = {
  readonly builtFrom: readonly PackageIdentity[];
  readonly buildKey: string | undefined;
};

export type FinishedBuild = {
  readonly packages: readonly FinishedPackage[];
  /** Of the files of each, by name. */
  readonly bytes: ReadonlyMap<string, number>;
};

/**
 * Makes finished packages, with layers and records, of what a build installed in the work directory; their trees
 * are in `staging`, their layers in the store. Throws what {@link pack} throws.
 */
export async function finish(
  work: string,
  { recipe, version, machine, output }: PlanRequest & { readonly output: string },
  { origin, build: root }: Plan,
  { builtFrom, buildKey }: Provenance,
  { staging, workshop, ...packing }: Packing & { readonly staging: string; readonly workshop: Workshop },
): Promise<FinishedBuild> {
  const { control } = recipe;
  const common = {
    format: 1,
    ...(origin === undefined ? {} : { origin }),
    source: { name: control.name, version: control.version },
    ...(buildKey === undefined ? {} : { buildKey }),
    builtFrom,
  } as const;
  const bytes = new Map<string, number>();
  const packages: FinishedPackage[] = [];
  const log = readLinkLog(work);
  for (const each of await pack(work, output, {
    source: control,
    version,
    architecture: machine.name,
    staging,
    ...packing,
  })) {
    bytes.set(each.name, each.bytes);
    const linked = linkedOf(each.content, log, root);
    packages.push(await finishPackage(each, { ...common, ...(linked ? { linked } : {}) }, workshop));
  }
  await keepLayers(workshop, packages);
  return { packages, bytes };
}

/** Sees to it that the layers stay in the store. */
export const keepLayers = (
  workshop: Workshop,
  packages: readonly Pick<FinishedPackage, 'name' | 'version' | 'record'>[],
): Promise<void> =>
  keepPackages(
    workshop,
    new Map(packages.flatMap((each) => (each.record.layer ? [[each, each.record.layer]] : []))),
  );

/** The layer is made here, once: what is recorded of it is all that images need to know. */
async function finishPackage(
  { name, version, tree, control: text }: PackedPackage,
  common: Omit<PackageRecord, 'control' | 'links' | 'layer'>,
  workshop: Workshop,
): Promise<FinishedPackage> {
  const control = parseBinaryControl(text, `${tree}/control`);
  const layer = await workshop.make(planPackage({ name, version, tree, control }));
  return { name, version, tree, record: { ...common, control: text, links: scanLinks(tree, text), layer } };
}
