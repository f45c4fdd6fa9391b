import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../builder/fault.ts';
import type { ProduceSetting } from '../src/build/produce.ts';
import { openRepository, type Repository } from '../src/package/repository.ts';
import { findRecipe } from '../src/source/recipe.ts';
import { ensurePrivate } from '../src/run/private.ts';
import { repositories, type Step, steps } from './stages.ts';
import { placeOf, type StepOptions } from './step.ts';
import type { Check } from './verify.ts';

/** What takes as long as all others together. */
const longest = 'gcc';

/** Everything of the last repository but gcc once more with other circumstances: `pkgbuild --check`. */
export const checkAgain: Check = (options, setting) => again(options, setting, (name) => name !== longest);

/** The same of gcc. */
export const checkAgainLongest: Check = (options, setting) =>
  again(options, setting, (name) => name === longest);

/**
 * Builds sources again, one after another. What gave the same bytes is written down with its build key and these, so
 * that a check that was cut off goes on where it was, and what has become other is checked again.
 */
async function again(
  { root }: StepOptions,
  { cache, signal: stop }: ProduceSetting,
  chosen: (source: string) => boolean,
): Promise<string> {
  ensurePrivate(cache);
  const file = join(cache, 'bootstrap-checked');
  const checked = new Set(readLines(file));
  const wrong: string[] = [];
  let count = 0;
  let before = 0;
  for (const [step, name] of lastBuilds()) {
    if (!chosen(name)) continue;
    count += 1;
    const line = `${name} ${identityOf(step, name, root)}`;
    if (checked.has(line)) {
      before += 1;
      continue;
    }
    const places = step.from.flatMap((each) => ['-p', `bootstrap/${each}`]);
    const words = ['--check', '--no-lock', '-r', `bootstrap/${step.shelf}`, ...places, name];
    const program = join(root, 'bin/pkgbuild');
    const child = spawn(program, words, { cwd: root, stdio: 'inherit' });
    const end = (): boolean => child.kill();
    stop?.addEventListener('abort', end);
    const [status, signal] = (await once(child, 'close')) as [number | null, string | null];
    stop?.removeEventListener('abort', end);
    stop?.throwIfAborted();
    // By a signal, perhaps one that pkgbuild has heard itself: nobody wants the next one built then.
    if (signal !== null || (status ?? 0) > 128)
      throw new Fault('BUILD', `${name}: ended before it was built`);
    if (status === 0) appendFileSync(file, `${line}\n`);
    else wrong.push(name);
  }
  if (wrong.length > 0) throw new Fault('INTEGRITY', `other bytes, or none: ${wrong.join(' ')}`);
  const known = before > 0 ? `, ${before} of them in an earlier run of this` : '';
  return `${count} sources give the same bytes with other circumstances${known}`;
}

/** The sources of the last repository, and how each was built. */
const lastBuilds = (): readonly (readonly [Step, string])[] =>
  steps
    .filter(({ shelf }) => shelf === repositories.stage3)
    .flatMap((step) => step.sources.map((name) => [step, name] as const));

/** What it was built of, and what came out. */
function identityOf(step: Step, source: string, root: string): string {
  const repository: Repository = openRepository(placeOf(root, step.shelf));
  const { control } = findRecipe(source, join(root, step.recipes), root);
  return control.packages
    .map(({ name }) => repository.record(name, control.version + step.suffix))
    .map(({ buildKey, layer }) => `${buildKey} ${layer?.diffID}`)
    .join(' ');
}

function readLines(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
}
