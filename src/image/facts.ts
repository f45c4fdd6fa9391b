import type { Annotations, Platform } from '../../builder/descriptor.ts';
import { Fault } from '../../builder/fault.ts';
import { type Machine, machineBy } from '../package/architecture.ts';
import { type LayerPackage, titleOf } from '../layer/package.ts';

/** Where a package's code comes from, if it is not known to be from packages alone. */
export type Unclean = { readonly package: string; readonly origin: 'host' | 'unknown' };

export const uncleanOf = (packages: readonly LayerPackage[]): readonly Unclean[] =>
  packages.flatMap((each): Unclean[] => {
    const { origin } = each.record;
    return origin === 'host' || origin === 'unknown' ? [{ package: titleOf(each), origin }] : [];
  });

/** Throws UNSATISFIABLE where one of the packages has in it what no package can answer for. */
export function requireClean(packages: readonly LayerPackage[]): void {
  const [first, ...more] = uncleanOf(packages);
  if (!first) return;
  const others = more.length === 0 ? '' : ` (and ${more.length} more)`;
  throw new Fault('UNSATISFIABLE', `${first.package}${others} is not clean: Origin: ${first.origin}`, {
    hint: 'build it in roots of packages, or leave out --require-clean',
  });
}

/** As Node calls this machine, and the machine that an image is asked for, if it is. */
export type Wanted = { readonly machine: string; readonly wanted?: Machine | undefined };

/**
 * What packages are for; where none says, what is wanted, or else this machine. Throws INPUT if they are for
 * several machines, or for another than is wanted.
 */
export function platformOf(packages: readonly LayerPackage[], { machine, wanted }: Wanted): Platform {
  const found = new Map<string, LayerPackage>();
  for (const each of packages) {
    const { architecture } = each.control;
    if (architecture !== undefined && architecture !== 'all') found.set(architecture, each);
  }
  const [first, second] = [...found];
  if (first && second) {
    throw new Fault(
      'INPUT',
      `${titleOf(first[1])} is for ${first[0]} and ${titleOf(second[1])} for ${second[0]}: no image holds both`,
      { hint: 'name repositories of one architecture, or each with its own: -d aarch64=DIR' },
    );
  }
  if (first && wanted && first[0] !== wanted.name) {
    throw new Fault('INPUT', `${titleOf(first[1])} is for ${first[0]}, not for ${wanted.name}`, {
      hint: `name a repository of ${wanted.name}: -d ${wanted.name}=DIR`,
    });
  }
  const architecture = wanted ?? machineBy('name', first?.[0] ?? '') ?? machineBy('node', machine);
  return { os: 'linux', architecture: architecture?.oci ?? machine };
}

const prefix = 'org.opencontainers.image';

/**
 * What controls say of an image (image-spec, annotations.md): the licenses of all its packages, and title, version,
 * description and home page of `main`, if there is one that it is about. A function of the set.
 */
export function annotationsOf(
  packages: readonly LayerPackage[],
  main: LayerPackage | undefined,
): Annotations {
  const found: Record<string, string> = {};
  const set = (name: string, value: string | undefined) => {
    if (value !== undefined && value !== '') found[name] = value;
  };
  set(`${prefix}.title`, main?.name);
  set(`${prefix}.version`, main?.version);
  set(`${prefix}.description`, main?.control.description?.split('\n', 1)[0]);
  set(`${prefix}.url`, main?.control.homepage);
  set(`${prefix}.licenses`, licensesOf(packages));
  for (const origin of ['host', 'unknown'] as const) {
    const of = uncleanOf(packages).filter((each) => each.origin === origin);
    set(`static-distro.origin.${origin}`, of.map((each) => each.package).join(', '));
  }
  return found;
}

/** Nothing, if one of them does not say: less would be wrong. */
function licensesOf(packages: readonly LayerPackage[]): string | undefined {
  const licenses = new Set<string>();
  for (const { control } of packages) {
    if (control.license === undefined) return undefined;
    licenses.add(/\sOR\s/i.test(control.license) ? `(${control.license})` : control.license);
  }
  return [...licenses].sort().join(' AND ');
}
