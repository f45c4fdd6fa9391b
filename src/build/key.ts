import { type Digest, digestOf, hexOf } from '../../builder/digest.ts';
import { canonicalJson, type Json } from '../../builder/json.ts';
import type { Distfile } from '../source/distfile.ts';
import type { Recipe, RecipeFile } from '../source/recipe.ts';
import type { Input } from './input.ts';
import type { Machines } from './variables.ts';

/** Part of every key: another number with anything that a build can see of its root, or that we do to its output. */
const formats = { key: 2, layer: 1, root: 3 } as const;

/** What a key is the hash of: kept beside what was built, so that two keys can be told apart by what differs. */
export type KeyDocument = { readonly [name: string]: Json | undefined };

/** `hex`: 64 hex digits, SHA-256 of the document as canonical JSON (DESIGN section 5, "Build key"). */
export type Key = { readonly hex: string; readonly document: KeyDocument };

/** What all phases of a build have in common. */
export type KeyedBuild = {
  readonly recipe: Recipe;
  readonly version: string;
  /** Where `build.sh` installs to, a name in the work directory. */
  readonly output: string;
  readonly view: 'host' | 'packages';
  readonly machines: Machines;
};

/** The compiler of the host view: what it is called there, and the digest of all of it that decides the output. */
export type KeyedCompiler = { readonly name: string; readonly identity: string };

/** With equal keys the sources are unpacked to the same files. */
export const unpackKey = (build: KeyedBuild, distfiles: readonly Distfile[], inputs: readonly Input[]): Key =>
  keyOf('unpack', build, {
    distfiles: distfiles.map(({ name, integrity }) => [name, integrity]),
    inputs: listed(inputs),
  });

/**
 * With equal keys there is no reason to build again. `unpacked` is what unpacking gave, by content; everything in
 * the root counts by content too, so what was built again to the same bytes changes nothing here.
 */
export const buildKey = (
  build: KeyedBuild,
  unpacked: Digest,
  inputs: readonly Input[],
  compiler: KeyedCompiler | undefined,
): Key => keyOf('build', build, { unpacked, inputs: listed(inputs), compiler });

/** With equal keys a test that has passed passes again. `outputs` are the packages under test. */
export const testKey = (build: KeyedBuild, outputs: readonly Input[], inputs: readonly Input[]): Key =>
  keyOf('test', build, { outputs: listed(outputs), inputs: listed(inputs) });

/** The files that a phase sees: a test is not there when the package is made, so it can change without the package. */
export const filesOf = (
  { files }: Pick<Recipe, 'files'>,
  phase: 'unpack' | 'build' | 'test',
): readonly RecipeFile[] => (phase === 'test' ? files : files.filter(({ path }) => path !== 'test.sh'));

function keyOf(phase: 'unpack' | 'build' | 'test', build: KeyedBuild, more: KeyDocument): Key {
  const { recipe, version, output, view, machines } = build;
  const document = {
    formats,
    phase,
    view,
    name: recipe.control.name,
    version,
    output,
    recipe: filesOf(recipe, phase).map(({ path, executable, digest }) => [path, executable, digest]),
    machines,
    ...more,
  };
  return { hex: hexOf(digestOf(canonicalJson(document))), document };
}

const listed = (inputs: readonly Input[]) =>
  inputs.map(({ name, version, diffID, priority }) => [name, version, diffID, priority]);
