import { Fault } from '../../../builder/fault.ts';
import { type Machine, machineBy, machines } from '../../package/architecture.ts';
import { quote } from '../../package/name.ts';
import { usage } from '../option-value.ts';

/** The repositories of an image for one platform; without a machine, for whichever their packages are. */
export type Side = { readonly machine: Machine | undefined; readonly words: readonly string[] };

/**
 * What the words after `-d` say: `ARCH=DIR` is a repository for that architecture, all others are together. With
 * `platforms`, such as `linux/arm64`, only these are made. Throws USAGE for a platform without a repository.
 */
export function readSides(words: readonly string[], platforms: readonly string[]): readonly Side[] {
  const plain: string[] = [];
  const labelled = new Map<Machine, string[]>();
  for (const word of words) {
    const [, label = '', rest = ''] = /^(\w+)=(.+)$/s.exec(word) ?? [];
    const machine = machineBy('name', label);
    if (machine) labelled.set(machine, [...(labelled.get(machine) ?? []), rest]);
    else plain.push(word);
  }
  const sides = machines.flatMap((machine): Side[] => {
    const own = labelled.get(machine);
    return own ? [{ machine, words: own }] : [];
  });
  const hasPlain = plain.length > 0 || sides.length === 0;
  if (platforms.length === 0) return hasPlain ? [{ machine: undefined, words: plain }, ...sides] : sides;
  const wanted = new Set(platforms.map(readMachine));
  const [rest, ...others] = [...wanted].filter((machine) => !labelled.has(machine));
  const missing = hasPlain ? others[0] : rest;
  if (missing) {
    throw new Fault('USAGE', `no repository is named for ${platformText(missing)}`, {
      hint: `write -d ${missing.name}=DIR beside the others`,
      field: ['platforms', String(platforms.indexOf(platformText(missing)))],
    });
  }
  const own = sides.filter(({ machine }) => machine && wanted.has(machine));
  return rest ? [{ machine: rest, words: plain }, ...own] : own;
}

export const platformText = ({ oci }: Machine): string => `linux/${oci}`;

/** What is written after `--platform` for an image of ours. Throws USAGE for what we make none for. */
export function readMachine(text: string): Machine {
  const machine = machineBy('oci', /^linux\/(\w+)$/.exec(text)?.[1] ?? '');
  if (machine) return machine;
  throw usage(
    `the platform ${quote(text)} is not known`,
    `there are ${machines.map(platformText).join(' and ')}`,
  );
}
