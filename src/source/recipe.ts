import { readdirSync, readFileSync, statSync, type Stats } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { type Digest, digestOf } from '../../builder/digest.ts';
import { asFault, Fault } from '../../builder/fault.ts';
import { display, isName, isVersion, quote, versionFromPath, versionInPath } from '../package/name.ts';
import { decodeText } from '../package/paragraph.ts';
import { checkSourceControl, type SourceControl } from '../package/source-control.ts';
import { type Problem, valueOf } from '../package/problem.ts';
import { recipeNames } from './recipe-names.ts';
import { compareVersionsTotally } from '../package/version.ts';

/** One file of a recipe, by its path below the recipe's directory. */
export type RecipeFile = {
  readonly path: string;
  readonly executable: boolean;
  readonly bytes: Buffer;
  readonly digest: Digest;
};

/** How a source package is built: `packages/NAME/VERSION/`. */
export type Recipe = {
  readonly directory: string;
  readonly control: SourceControl;
  readonly warnings: readonly Problem[];
  /** All but hidden files and editors' backups, in the order of their paths' bytes. */
  readonly files: readonly RecipeFile[];
};

/** More is no recipe: a source archive belongs in distfiles/. */
const most = { files: 1000, bytes: 16 << 20 } as const;

/**
 * The recipe that a user means: a control file, a directory with one, or NAME, NAME=VERSION or NAME,VERSION out
 * of `recipes` (NAME/VERSION/ below it; the newest if no version is given). A name is one of a source or of a
 * package that a source makes. Relative paths are relative to `from`.
 */
export function findRecipe(argument: string, recipes: string, from: string): Recipe {
  const path = resolve(from, argument);
  const stats = look(path);
  const [name = '', version, ...others] = argument.split(/[=,]/);
  if (!argument.includes('/') && others.length === 0 && isName(name)) {
    const directory = recipeOf(name, version, recipes);
    if (directory !== undefined) return readRecipe(join(directory, 'control'));
    if (!stats) throw unknownRecipe(argument, name, recipes);
  }
  if (!stats) {
    throw new Fault('NOT_FOUND', `there is no recipe ${quote(argument)}`, {
      hint: 'name a control file, a directory that has one, or a package with or without =VERSION',
    });
  }
  return readRecipe(stats.isDirectory() ? join(path, 'control') : path);
}

/** The newest version's directory, or that of `version`. */
function recipeOf(name: string, version: string | undefined, recipes: string): string | undefined {
  const found = sourcesOf(name, recipes).flatMap((source) => {
    const versions = namesIn(join(recipes, source)).map(versionFromPath).filter(isVersion);
    return versions
      .filter((candidate) => version === undefined || candidate === version)
      .map((candidate) => ({ source, version: candidate }));
  });
  const newest = found.sort((a, b) => compareVersionsTotally(a.version, b.version)).at(-1);
  return newest && join(recipes, newest.source, versionInPath(newest.version));
}

/** The source called `name`, or else those that make a package of that name. */
function sourcesOf(name: string, recipes: string): string[] {
  const sources = namesIn(recipes).filter(isName);
  if (sources.includes(name)) return [name];
  return sources.filter((source) =>
    namesIn(join(recipes, source)).some((version) => {
      const file = join(recipes, source, version, 'control');
      if (!look(file)?.isFile()) return false;
      const { value } = checkSourceControl(readFileSync(file, 'utf8'), file);
      return value?.packages.some((made) => made.name === name);
    }),
  );
}

function unknownRecipe(argument: string, name: string, recipes: string): Fault {
  const versions = sourcesOf(name, recipes).flatMap((source) =>
    namesIn(join(recipes, source)).map(versionFromPath),
  );
  return new Fault('NOT_FOUND', `no recipe is called ${quote(argument)} in ${quote(recipes)}`, {
    hint:
      versions.length > 0
        ? `it has ${name} ${versions.join(', ')}`
        : `it has ${recipeNames(recipes).join(' ') || 'none'}`,
  });
}

const whatRecipesAre = 'packages/README.md says what a recipe consists of; pkgbuild --new NAME writes one';

/** Reads the recipe whose control file is `file`. Throws INPUT with the place of the first error. */
export function readRecipe(file: string): Recipe {
  const directory = dirname(file);
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const fault = asFault(error, `cannot read the control file ${quote(file)}`);
    if (!(fault instanceof Fault)) throw fault;
    const version = namesIn(directory).find((name) => look(join(directory, name, 'control')));
    const hint =
      version === undefined ? whatRecipesAre : `name one of its versions: ${quote(join(directory, version))}`;
    throw new Fault(fault.code, fault.message, { hint, cause: error });
  }
  const shown = display(file);
  const checked = checkSourceControl(decodeText(bytes, shown), file);
  const control = valueOf(checked);
  const files = filesIn(directory, basename(file));
  for (const script of ['unpack.sh', 'build.sh']) {
    if (files.some(({ path }) => path === script)) continue;
    throw new Fault('NOT_FOUND', `the recipe ${quote(directory)} has no ${script}`, {
      hint: whatRecipesAre,
    });
  }
  const clash = control.sources.find((name) => files.some(({ path }) => path.split('/')[0] === name));
  if (clash !== undefined) {
    throw new Fault('INPUT', `${shown}: ${quote(clash)} is a distfile and a file of the recipe`, {
      hint: 'both are put into the work directory: rename the file',
    });
  }
  return { directory, control, warnings: checked.warnings, files };
}

/** The control file counts as `control`, whatever it is called. */
function filesIn(directory: string, control: string): RecipeFile[] {
  const files: RecipeFile[] = [];
  let bytes = 0;
  const visit = (below: string): void => {
    for (const name of namesIn(join(directory, below)).filter(isRecipeFile)) {
      const path = below === '' ? name : `${below}/${name}`;
      const file = join(directory, path);
      const stats = look(file);
      if (stats?.isDirectory()) {
        visit(path);
        continue;
      }
      bytes += stats?.size ?? 0;
      if (!stats?.isFile() || files.length >= most.files || bytes > most.bytes) {
        const why = stats?.isFile() ? 'makes the recipe too large' : 'is neither file nor directory';
        throw new Fault('INPUT', `${display(file)} ${why}`, {
          hint: 'a recipe has scripts, patches and small files; source archives are listed in distfiles/',
        });
      }
      const content = readFileSync(file);
      files.push({
        path: path === control ? 'control' : path,
        executable: (stats.mode & 0o111) !== 0,
        bytes: content,
        digest: digestOf(content),
      });
    }
  };
  visit('');
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

const isRecipeFile = (name: string): boolean => !name.startsWith('.') && !name.endsWith('~');

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function look(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw asFault(error, quote(path));
  }
}
