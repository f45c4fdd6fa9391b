import type { Digest } from '../../builder/digest.ts';
import { packageLayer } from '../layer/package-layer.ts';
import { readPackage } from '../layer/package.ts';
import type { Workshops } from '../layer/workshop.ts';
import { type ChosenPackage, mountedPackage } from '../run/chosen.ts';

/** A package in the root of a build, as the build can tell it from others: by what is in it, and what it covers. */
export type Input = {
  readonly name: string;
  readonly version: string;
  readonly diffID: Digest;
  /** `Link-Priority`. */
  readonly priority: number;
};

/** Of a package whose record knows its layer. */
export function knownInput(each: ChosenPackage): Input | undefined {
  const diffID = each.record.layer?.diffID;
  if (diffID === undefined) return undefined;
  const { name, version, priority } = mountedPackage(each);
  return { name, version, diffID, priority };
}

/** The layer of a package that has none in its record, because it was put there by hand, is made. */
export async function readInputs(
  packages: readonly ChosenPackage[],
  workshops: Workshops,
): Promise<readonly Input[]> {
  const known = packages.map(knownInput);
  const whole = known.filter((input) => input !== undefined);
  if (whole.length === packages.length) return whole;
  return await workshops.use(async (workshop) => {
    const inputs: Input[] = [];
    for (const each of packages) {
      const { diffID } = await packageLayer(workshop, readPackage(each));
      const { name, version, priority } = mountedPackage(each);
      inputs.push({ name, version, diffID, priority });
    }
    return inputs;
  });
}
