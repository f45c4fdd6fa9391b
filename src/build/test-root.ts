import { parseRequest } from '../package/relation.ts';
import type { SourceControl } from '../package/source-control.ts';
import type { Wish } from '../solve/universe.ts';
import type { Recipe } from '../source/recipe.ts';

/** The script of a recipe that tries what was built; a recipe need not have one. */
export const testScript = 'test.sh';

export const hasTest = ({ files }: Recipe): boolean => files.some(({ path }) => path === testScript);

/** What has to be in the root of a test: all that was built, exactly as it was, and `Depends-Test`. */
export function testWishes(
  { name, dependsTest }: SourceControl,
  made: readonly { readonly name: string; readonly version: string }[],
): Wish[] {
  return [
    ...made.map((each) => ({
      ...parseRequest(`${each.name}=${each.version}`),
      from: `the test of ${name}`,
    })),
    ...dependsTest.map((relation) => ({ ...relation, from: `Depends-Test of ${name}` })),
  ];
}
