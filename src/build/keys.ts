import type { Digest } from '../../builder/digest.ts';
import type { Workshops } from '../layer/workshop.ts';
import type { PackageIdentity } from '../package/record.ts';
import { selectDistfiles } from '../source/distfile.ts';
import { type Input, readInputs } from './input.ts';
import { buildKey, type Key, type KeyedBuild, unpackKey } from './key.ts';
import type { Plan, PlanRequest, Roots } from './plan.ts';

/** The keys of a build: that of building is known once it is known what unpacking gives. */
export type BuildKeys = {
  readonly unpack: Key;
  readonly build: (unpacked: Digest) => Key;
  /** Every package that is in one of the roots, once, sorted by name, and what is in it. */
  readonly builtFrom: readonly PackageIdentity[];
};

/** Throws NOT_FOUND for a source archive that is not listed, and what making the layer of an input throws. */
export async function keysOf(
  request: PlanRequest & { readonly output: string },
  plan: Plan,
  workshops: Workshops,
): Promise<BuildKeys> {
  const inputs = {
    unpack: await readInputs(plan.unpack, workshops),
    build: await readInputs(plan.build, workshops),
  };
  return keysFrom(request, plan, inputs);
}

/** The same, of inputs that are known. */
export function keysFrom(
  { recipe, version, output, distfiles }: PlanRequest & { readonly output: string },
  { views, machines, compiler }: Omit<Plan, 'unpack' | 'build'>,
  inputs: Roots<Input>,
): BuildKeys {
  const keyed = (phase: 'unpack' | 'build'): KeyedBuild => ({
    recipe,
    version,
    output,
    view: views[phase],
    machines,
  });
  const archives = selectDistfiles(distfiles, recipe.control.sources, recipe.control.name);
  return {
    unpack: unpackKey(keyed('unpack'), archives, inputs.unpack),
    build: (unpacked) => buildKey(keyed('build'), unpacked, inputs.build, compiler),
    builtFrom: identities(inputs),
  };
}

function identities({ unpack, build }: Roots<Input>): PackageIdentity[] {
  const found = new Map([...unpack, ...build].map((each) => [`${each.name} ${each.version}`, each]));
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { name, version, diffID }]) => ({ name, version, diffID }));
}
