import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { run, temporary, tool } from './tools.ts';

/** A recipe `demo`, a place for everything of a test, and pkgbuild with them. */
export type Demo = {
  readonly place: string;
  readonly recipe: string;
  readonly repository: string;
  /** Where work directories are made. */
  readonly work: string;
  readonly env: Readonly<Record<string, string>>;
  /** The words before a recipe and its options. */
  readonly options: readonly string[];
  /** Writes a file of the recipe. */
  write(file: string, text: string): void;
  pkgbuild(...args: string[]): ReturnType<typeof run>;
};

/** `files` are the recipe's; `optionsIn` gives more words for pkgbuild, when the place of everything is there. */
export function makeDemo(
  t: ExecutionContext,
  files: Readonly<Record<string, string>>,
  optionsIn: (place: string) => readonly string[],
): Demo {
  const place = join(temporary(t), 'a place');
  const recipe = join(place, 'demo');
  const repository = join(place, 'repository');
  mkdirSync(recipe, { recursive: true });
  const write = (file: string, text: string): void => writeFileSync(join(recipe, file), text);
  for (const [file, text] of Object.entries(files)) write(file, text);
  const env = { STATIC_DISTRO_HOME: join(place, 'home') };
  const options = ['-r', repository, '--no-apt', ...optionsIn(place)];
  return {
    place,
    recipe,
    repository,
    work: join(place, 'home/cache/work'),
    env,
    options,
    write,
    pkgbuild: (...args) => run(tool('pkgbuild'), [...options, ...args], { env, cwd: place }),
  };
}

/** Of a directory that need not be there. */
export const namesIn = (directory: string): string[] =>
  existsSync(directory) ? readdirSync(directory).sort() : [];

/** The machine's processes that have `word` in their command line. */
export const processesWith = (word: string): string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'latin1').includes(word);
      } catch {
        return false;
      }
    });
