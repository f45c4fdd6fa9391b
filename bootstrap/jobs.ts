import { join } from 'node:path';
import type { HostCompiler } from '../src/build/compiler.ts';
import type { Job } from '../src/build/graph.ts';
import type { Method } from '../src/build/plan.ts';
import { packagePath } from '../src/package/name.ts';
import { parseRequest } from '../src/package/relation.ts';
import type { Distfile } from '../src/source/distfile.ts';
import { findRecipe, type Recipe } from '../src/source/recipe.ts';
import { cross, type Step } from './stages.ts';

export type JobOptions = {
  /** The directory of the project. */
  readonly root: string;
  readonly compiler: HostCompiler;
  /** Of the machine that packages are for: `x86_64-linux-musl`. */
  readonly triple: string;
  readonly distfiles: ReadonlyMap<string, Distfile>;
  /** The machine's C compiler; without, `cc`. */
  readonly cc?: string;
};

/** What a step builds, in its order. Throws what {@link findRecipe} throws. */
export function jobsOf(step: Step, { root, compiler, triple, distfiles, cc: own = 'cc' }: JobOptions): Job[] {
  const recipes = step.sources.map((name) => findRecipe(name, join(root, step.recipes), root));
  const library = recipes.find(({ control }) => control.name === cross.library);
  const method = (recipe: Recipe): Method => {
    const { dependsBuild } = recipe.control;
    if (step.way === 'roots') return { view: 'packages' };
    // What unpacks the sources does not get into what is built of them.
    if (step.way === 'unpacked') return { view: 'packages', unpack: 'host' };
    if (step.way === 'machine') return { view: 'host', compiler, packages: dependsBuild, cc: own };
    const needed: string[] = [...cross.packages];
    let cc = `${triple}-gcc`;
    if (library && recipe !== library) {
      const version = library.control.version + step.suffix;
      needed.push(`${cross.library}=${version}`);
      cc += ` --sysroot=/${packagePath(cross.library, version)}`;
    }
    const packages = needed.map((word) => parseRequest(word));
    return { view: 'host', compiler, packages, cc, origin: 'bootstrap' };
  };
  return recipes.map((recipe) => ({
    recipe,
    version: recipe.control.version + step.suffix,
    method: method(recipe),
    distfiles,
  }));
}
