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
  /** In the root in which it is unpacked, and in that in which it is built. */
  readonly unpack: readonly KeyedPackage[];
  readonly build: readonly KeyedPackage[];
  readonly machines: Machines;
  /** Of the machine's compiler, where it takes part. */
  readonly compiler: string | undefined;
};

/** The build key (DESIGN section 5), 64 hex digits: with equal keys there is no reason to build again. */
export function buildKey(build: KeyedBuild): string {
  const { recipe, distfiles } = build;
  const content = {
    formats,
    name: recipe.control.name,
    version: build.version,
    recipe: recipe.files.map(({ path, executable, digest }) => [path, executable, digest]),
    distfiles: distfiles.map(({ name, integrity }) => [name, integrity]),
    unpack: listed(build.unpack),
    build: listed(build.build),
    machines: build.machines,
    compiler: build.compiler,
  };
  return hexOf(digestOf(canonicalJson(content)));
}

const listed = (packages: readonly KeyedPackage[]) =>
  packages.map(({ name, version, key }) => [name, version, key]);
