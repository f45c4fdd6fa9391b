import { resolve } from 'node:path';
import { formatCatalogue, readCatalogue } from '../source/catalogue.ts';
import { type Context, print } from './context.ts';

/** Prints what the recipes below a directory make, those that come with the tools if none is named. */
export function printCatalogue(paths: readonly string[], { cwd, places }: Context, json: boolean): number {
  const directories = paths.length === 0 ? [places.recipes] : paths.map((path) => resolve(cwd, path));
  const entries = directories.flatMap(readCatalogue);
  print(json ? `${JSON.stringify(entries, null, 2)}\n` : formatCatalogue(entries));
  return 0;
}
