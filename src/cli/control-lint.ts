import { resolve } from 'node:path';
import { problemText } from '../package/problem.ts';
import { type LintFinding, lintRecipe } from '../source/lint.ts';
import { readDistfiles, withOwnList } from '../source/list.ts';
import { findRecipe } from '../source/recipe.ts';
import { complain, type Context, print } from './context.ts';

/**
 * Says what is to be said against recipes, each a directory, a control file or a name, in the form that editors jump
 * to. 0 if there are at most warnings, else 1. As JSON it is the result: one line for each recipe.
 */
export async function lintRecipes(
  words: readonly string[],
  context: Context,
  json: boolean,
): Promise<number> {
  const { places, cwd, tool } = context;
  const list = await readDistfiles(places.distfileList);
  const count = { error: 0, warning: 0 };
  for (const word of words) {
    const recipe = findRecipe(word, places.recipes, cwd);
    const findings = lintRecipe(recipe, await withOwnList(recipe, list));
    for (const { severity } of findings) count[severity] += 1;
    if (json) print(`${JSON.stringify({ recipe: resolve(cwd, recipe.directory), findings })}\n`);
    else for (const finding of findings) complain(`${textOf(finding)}\n`);
  }
  const total = count.error + count.warning;
  if (!json && total > 0) complain(`${tool}: ${count.error} errors, ${count.warning} warnings\n`);
  return count.error > 0 ? 1 : 0;
}

function textOf(finding: LintFinding): string {
  const text = problemText(finding, finding.severity === 'warning' ? 'warning' : undefined);
  return `${text}${finding.hint === undefined ? '' : `; ${finding.hint}`} [${finding.rule}]`;
}
