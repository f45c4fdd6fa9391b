import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { asFault } from '../../builder/fault.ts';
import { isVersion, quote, versionFromPath } from '../package/name.ts';
import { parseSourceControl } from '../package/source-control.ts';
import { compareVersionsTotally } from '../package/version.ts';
import { recipeNames } from './recipe-names.ts';

/** A package that a recipe makes, as people look for one. */
export type CatalogueEntry = {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression. */
  readonly license: string | undefined;
  readonly source: string;
  readonly homepage: string | undefined;
  /** The first line. */
  readonly description: string | undefined;
};

/**
 * Every package of a recipe, of all versions of one, or of every recipe below a directory, by name, the newest version
 * first. Throws INPUT, IO.
 */
export function readCatalogue(directory: string): readonly CatalogueEntry[] {
  return recipesAt(directory)
    .flatMap(entriesOf)
    .sort((a, b) =>
      a.name === b.name ? compareVersionsTotally(b.version, a.version) : a.name < b.name ? -1 : 1,
    );
}

const isRecipe = (directory: string): boolean => existsSync(join(directory, 'control'));

function recipesAt(directory: string): readonly string[] {
  if (isRecipe(directory)) return [directory];
  const versions = versionsIn(directory).filter(isRecipe);
  return versions.length > 0
    ? versions
    : recipeNames(directory).flatMap((source) => versionsIn(join(directory, source)));
}

/** The directories of a recipe's versions. */
function versionsIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
      .filter((name) => isVersion(versionFromPath(name)))
      .map((name) => join(directory, name));
  } catch (error) {
    throw asFault(error, `cannot list the recipes in ${quote(directory)}`);
  }
}

function entriesOf(directory: string): CatalogueEntry[] {
  const file = join(directory, 'control');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw asFault(error, `cannot read the control file ${quote(file)}`);
  }
  const { name: source, version, packages } = parseSourceControl(text, file);
  return packages.map(({ name, license, homepage, description }) => ({
    name,
    version,
    license,
    source,
    homepage,
    description: description?.split('\n')[0],
  }));
}

const columns = ['Package', 'Version', 'Licence', 'Source', 'What it is'];

/** As a table in Markdown. */
export function formatCatalogue(entries: readonly CatalogueEntry[]): string {
  const rows = entries.map(({ name, version, license = '', source, homepage, description = '' }) => {
    const linked = homepage === undefined ? cell(source) : `[${cell(source)}](${homepage})`;
    return [cell(name), cell(version), cell(license), linked, cell(description)];
  });
  return [columns, columns.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |\n`).join('');
}

/** What means something in Markdown is escaped. */
const cell = (text: string): string => text.replaceAll(/[\\`*_[\]<>|~]/g, String.raw`\$&`);
