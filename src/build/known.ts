import type { PackageRecord } from '../package/record.ts';
import { forgetFailed } from './failed.ts';
import { keepLayers } from './finish.ts';
import type { Key } from './key.ts';
import type { Produced, ProduceRequest, Work } from './produce.ts';
import { lastBuildOf } from './reasons.ts';
import { restore } from './restore.ts';
import type { BuiltPackage, Output } from './results.ts';
import { testPackages } from './test.ts';

/** What is on the shelf, or in the cache and is published now; undefined if it has to be built. */
export async function findBy(work: Work, key: Key): Promise<Produced | undefined> {
  const outputs = work.setting.results.built(key.hex);
  const shelved = onShelf(work.request, key.hex);
  if (shelved) {
    work.request.accept?.(shelved, work.plan.origin);
    await testPackages(work, shelved);
    await forget(work);
    return produced(work, 'there', shelved, outputs[0]?.cpuSeconds ?? 0);
  }
  for (const output of outputs) {
    const taken = await takeOut(work, output);
    if (!taken) continue;
    remember(work, key, output);
    await forget(work);
    return taken;
  }
  return undefined;
}

/** What failed earlier is no longer of use. */
const forget = ({ request, setting }: Work): Promise<void> =>
  forgetFailed(setting.cache, { name: request.recipe.control.name, version: request.version });

type Shelved = BuiltPackage & { readonly tree: string; readonly record: PackageRecord };

/** The packages of the recipe, if all are on the shelf as the build with this key makes them. */
export function onShelf(
  { recipe, version, shelf }: Pick<ProduceRequest, 'recipe' | 'version' | 'shelf'>,
  key: string,
): readonly Shelved[] | undefined {
  const found = recipe.control.packages.map(({ name }) => shelf.find(name, version));
  const whole = found.filter((each) => each?.record.buildKey === key);
  return whole.length === found.length ? (whole as Shelved[]) : undefined;
}

/** Publishes what a build gave before; undefined if its layers are gone. */
async function takeOut(work: Work, output: Output): Promise<Produced | undefined> {
  const { request, setting, plan } = work;
  request.accept?.(output.packages, plan.origin);
  let whole = true;
  const published = await request.shelf.put((staging) =>
    setting.workshops.use(async (workshop) => {
      const restored = await restore(output.packages, { staging, workshop });
      if (restored) await keepLayers(workshop, restored);
      if (restored) await testPackages(work, restored);
      whole = restored !== undefined;
      return restored ?? [];
    }),
  );
  return whole ? produced(work, 'restored', published, output.cpuSeconds) : undefined;
}

/** For what plans and explains the next build of this version. */
export function remember(
  { request, setting, plan, keys }: Work,
  key: Key,
  { cpuSeconds, seconds }: Output,
): void {
  setting.results.keepFiles(request.recipe.files);
  setting.results.keepLast(lastBuildOf(request, plan.views.build), {
    unpack: keys.unpack.hex,
    build: key.hex,
    cpuSeconds,
    seconds,
  });
}

export function produced(
  { plan }: Work,
  how: Produced['how'],
  packages: readonly (BuiltPackage & { readonly tree: string })[],
  cpuSeconds: number,
  { bytes, log }: { readonly bytes?: ReadonlyMap<string, number> | undefined; readonly log?: string } = {},
): Produced {
  return {
    how,
    packages: packages.map(({ name, version, tree, record }) => ({
      name,
      version,
      tree,
      record,
      bytes: bytes?.get(name) ?? record.layer?.size ?? 0,
    })),
    log,
    origin: plan.origin,
    cpuSeconds,
  };
}
