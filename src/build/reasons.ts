import type { Recipe } from '../source/recipe.ts';
import { type Difference, differences, lineDifference } from './difference.ts';
import type { KeyDocument } from './key.ts';
import type { BuildKeys } from './keys.ts';
import type { LastBuild, Results } from './results.ts';

/** By what the last build of a version is remembered: one in the view of the machine is no last build for a root. */
export const lastBuildOf = (
  { recipe, version }: { readonly recipe: Recipe; readonly version: string },
  view: 'host' | 'packages',
) => ({ name: recipe.control.name, version, view });

/** What is other than it was at the last build; nothing if there was none, or its keys are gone. */
export function reasons(
  { files }: Pick<Recipe, 'files'>,
  keys: BuildKeys,
  last: LastBuild | undefined,
  results: Results,
): readonly Difference[] {
  if (!last) return [];
  const found = new Map<string, Difference>();
  const add = (before: KeyDocument | undefined, after: KeyDocument): void => {
    for (const each of before ? differences(before, after) : []) found.set(`${each.what} ${each.name}`, each);
  };
  add(results.document(last.unpack), keys.unpack.document);
  const unpacked = results.unpacked(keys.unpack.hex) ?? results.unpacked(last.unpack);
  if (unpacked !== undefined) add(results.document(last.build), keys.build(unpacked).document);
  return [...found.values()].map((each) => {
    const now = each.what === 'file' ? files.find(({ path }) => path === each.name) : undefined;
    const old = now && each.before !== undefined ? results.file(each.before.split(' ')[0] ?? '') : undefined;
    const line = old && now ? lineDifference(old, now.bytes) : undefined;
    return line ? Object.assign({}, each, { line }) : each;
  });
}
