import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packagePath } from '../package/name.ts';
import { type ChosenPackage, mountedPackage } from '../run/chosen.ts';
import { hostPath, hostView } from '../run/host.ts';
import type { Plan } from './plan.ts';
import { packagesRoot, type PlainPackage, type Root } from '../run/root.ts';

/** Where a script of a build runs. */
export type BuildRoot = {
  readonly root: Root;
  readonly path: string;
  /** Makes programs of the machine that the build is for. */
  readonly compiler: string;
};

/**
 * The host view (DESIGN section 5): the machine's own programs stand in for those of the build dependencies.
 * `packages` are there too, their programs before the machine's. With a musl among them its musl-gcc is the
 * compiler, so that what is built is static and for musl; without one it is the machine's own, for building musl.
 * `cc` names another one.
 */
export function hostBuildRoot(profiles: string, packages: readonly PlainPackage[], cc?: string): BuildRoot {
  const directories = packages
    .filter(({ tree }) => existsSync(join(tree, 'bin')))
    .map(({ name, version }) => `/${packagePath(name, version)}/bin`);
  return {
    root: hostView(profiles, packages),
    path: [...directories, hostPath].join(':'),
    compiler: cc ?? (packages.some(({ tree }) => existsSync(join(tree, 'bin/musl-gcc'))) ? 'musl-gcc' : 'cc'),
  };
}

/** A root of exactly these packages, in which nothing of the machine is. */
export const packageBuildRoot = (profiles: string, packages: readonly ChosenPackage[]): BuildRoot => ({
  root: packagesRoot(profiles, packages.map(mountedPackage)),
  path: '/bin',
  compiler: 'cc',
});

/** The roots of a plan's scripts. */
export function rootsOf(
  { views, unpack, build: packages, compiler }: Plan,
  profiles: string,
): { readonly unpack: BuildRoot; readonly build: BuildRoot } {
  const cc = compiler?.name || undefined;
  const make = (view: Plan['views']['build'], chosen: readonly ChosenPackage[]) =>
    view === 'host' ? hostBuildRoot(profiles, chosen, cc) : packageBuildRoot(profiles, chosen);
  return { unpack: make(views.unpack, unpack), build: make(views.build, packages) };
}
