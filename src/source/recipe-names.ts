import { readdirSync } from 'node:fs';
import { asFault } from '../../builder/fault.ts';
import { isName, quote } from '../package/name.ts';

/** The sources that a directory of recipes has, sorted. */
export function recipeNames(recipes: string): readonly string[] {
  try {
    return readdirSync(recipes, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && isName(entry.name))
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    throw asFault(error, `cannot list the recipes in ${quote(recipes)}`);
  }
}
