import { digestOf, hexOf } from '../../builder/digest.ts';
import { canonicalJson } from '../../builder/json.ts';
import type { Distfile } from '../source/distfile.ts';
import type { Recipe } from '../source/recipe.ts';
import type { Machines } from './variables.ts';

/** Part of every key: another number with anything that a build can see of its root, or that we do to its output. */
const formats = { key: 1, layer: 1, root: 1 } as const;

/** What is in the root of a build, and the build that it came out of. */
export type KeyedPackage = { readonly name: string; readonly version: string; readonly key: string };

export type KeyedBuild = {
  readonly recipe: Recipe;
  readonly version: string;
  readonly distfiles: readonly Distfile[];
  readonly packages: readonly KeyedPackage[];
  readonly machines: Machines;
  /** Of the machine's compiler, where it takes part. */
  readonly compiler: string | undefined;
};

/** The build key (DESIGN section 5), 64 hex digits: with equal keys there is no reason to build again. */
export function buildKey({ recipe, version, distfiles, packages, machines, compiler }: KeyedBuild): string {
  const content = {
    formats,
    name: recipe.control.name,
    version,
    recipe: recipe.files.map(({ path, executable, digest }) => [path, executable, digest]),
    distfiles: distfiles.map(({ name, integrity }) => [name, integrity]),
    packages: packages.map(({ name, version, key }) => [name, version, key]),
    machines,
    compiler,
  };
  return hexOf(digestOf(canonicalJson(content)));
}
