import { join } from 'node:path';
import type { Distfile } from '../source/distfile.ts';
import { checkDistfile } from '../source/fetch.ts';
import { print } from './context.ts';

/**
 * Prints for each distfile whether it is in the directory and whole: `NAME: whole`, `wrong` or `absent`. Status 1
 * if one is wrong, or absent though it was named. Of those not named only the ones that are there are printed.
 */
export async function verifyDirectory(
  directory: string,
  list: ReadonlyMap<string, Distfile>,
  wanted: readonly Distfile[] | undefined,
  json: boolean,
): Promise<number> {
  const found: { readonly name: string; readonly state: 'whole' | 'wrong' | 'absent' }[] = [];
  for (const distfile of wanted ?? list.values()) {
    const state = await checkDistfile(join(directory, distfile.name), distfile);
    if (wanted || state !== 'absent') found.push({ name: distfile.name, state });
  }
  if (json) print(`${JSON.stringify({ directory, distfiles: found }, null, 2)}\n`);
  else for (const { name, state } of found) print(`${name}: ${state}\n`);
  return found.every(({ state }) => state === 'whole') ? 0 : 1;
}
