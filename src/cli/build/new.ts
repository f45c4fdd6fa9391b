import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { asFault, Fault } from '../../../builder/fault.ts';
import { checkName, checkVersion, quote, versionInPath } from '../../package/name.ts';
import { recipeTemplate } from '../../source/template.ts';
import { type Context, print } from '../context.ts';
import { usage } from '../option-value.ts';
import type { PlaceOptions } from './options.ts';

/**
 * Writes a recipe to start from, and prints its directory: NAME/VERSION below `--recipes`, or below `packages` of the
 * current directory where that is one of recipes, else below the current directory.
 */
export function newRecipe(words: readonly string[], { recipes }: PlaceOptions, { cwd }: Context): number {
  const [word, ...others] = words;
  if (word === undefined || others.length > 0)
    throw usage('--new needs one NAME or NAME=VERSION', 'name one');
  const [name = '', version = '1.0'] = word.split(/[=,]/);
  checkName(name, '--new');
  checkVersion(version, '--new');
  const usual = existsSync(join(cwd, 'packages')) ? 'packages' : '.';
  const directory = resolve(cwd, recipes ?? usual, name, versionInPath(version));
  if (existsSync(directory)) {
    throw new Fault('IO', `${quote(directory)} is there already`, {
      hint: 'name another version, or remove it',
    });
  }
  try {
    mkdirSync(directory, { recursive: true });
    for (const [file, text] of Object.entries(recipeTemplate(name, version)))
      writeFileSync(join(directory, file), text, { flag: 'wx' });
  } catch (error) {
    throw asFault(error, `cannot write the recipe ${quote(directory)}`);
  }
  const short = relative(cwd, directory);
  print(`${short.startsWith('..') ? directory : short}\n`);
  return 0;
}
