import { join } from 'node:path';
import { quote } from '../package/name.ts';
import type { Problem } from '../package/problem.ts';
import type { SourceControl } from '../package/source-control.ts';
import type { Distfile } from './distfile.ts';
import { lintScript, type ScriptFinding } from './lint-script.ts';
import type { Recipe, RecipeFile } from './recipe.ts';

/** What is said against a recipe that can be read: an error keeps it from being a good one, a warning may be meant. */
export type LintFinding = Problem & { readonly rule: string; readonly severity: 'error' | 'warning' };

const scripts = ['unpack.sh', 'build.sh', 'test.sh'];

/** Everything that is to be said of a recipe, in the order of its files. `distfiles` are those that are listed. */
export function lintRecipe(recipe: Recipe, distfiles: ReadonlyMap<string, Distfile>): LintFinding[] {
  const { directory, control, files, warnings } = recipe;
  const shown = (path: string): string => join(directory, path);
  const text = (path: string): string => files.find((file) => file.path === path)?.bytes.toString() ?? '';
  const lineOf = (field: string): number =>
    Math.max(
      1,
      text('control')
        .split('\n')
        .findIndex((line) => line.toLowerCase().startsWith(`${field.toLowerCase()}:`)) + 1,
    );
  const ofControl = (
    rule: string,
    severity: LintFinding['severity'],
    field: string,
    message: string,
    hint: string,
  ): LintFinding => ({
    rule,
    severity,
    file: shown('control'),
    line: lineOf(field),
    column: 1,
    field,
    message,
    hint,
  });
  const ofFile = (
    rule: string,
    severity: LintFinding['severity'],
    file: string,
    message: string,
    hint: string,
  ): LintFinding => ({ rule, severity, file: shown(file), line: 1, column: 1, message, hint });

  const odd = warnings.map(ofControlFile);
  const fields = missingFields(control).map(([field, hint]) =>
    ofControl(
      field.toLowerCase(),
      field === 'Homepage' ? 'warning' : 'error',
      field,
      'the field is missing',
      hint,
    ),
  );
  const unlisted = control.sources
    .filter((name) => !distfiles.has(name))
    .map((name) =>
      ofControl(
        'distfile',
        'error',
        'Sources',
        `no distfile is called ${quote(name)}`,
        'add it: pkgfetch --add FILE',
      ),
    );
  const roots = (['Depends-Unpack', 'Depends-Build'] as const)
    .filter(
      (field) => (field === 'Depends-Unpack' ? control.dependsUnpack : control.dependsBuild).length === 0,
    )
    .map((field) =>
      ofControl(
        'root',
        'warning',
        field,
        'the root has nothing in it, not even a shell',
        'name mksh and sbase at least',
      ),
    );
  const untested = files.some(({ path }) => path === 'test.sh')
    ? []
    : [
        ofFile(
          'test',
          'warning',
          'control',
          'the recipe has no test.sh',
          'write one that tries what the packages are for',
        ),
      ];
  const found = scripts.flatMap((name) => {
    const script = files.find(({ path }) => path === name);
    if (!script) return [];
    return lintScript(name, script.bytes).map((finding) => placed(finding, shown(name)));
  });
  const patches = patchFindings(files, text('unpack.sh') + text('build.sh')).map(
    ([rule, severity, file, message, hint]) => ofFile(rule, severity, file, message, hint),
  );
  return [...odd, ...fields, ...unlisted, ...roots, ...untested, ...found, ...patches];
}

const ofControlFile = (problem: Problem): LintFinding => ({
  ...problem,
  rule: 'control',
  severity: 'warning',
});

const placed = (finding: ScriptFinding, file: string): LintFinding => ({ ...finding, file, column: 1 });

/** Of the source, as far as not each package has its own. */
function missingFields({
  description,
  homepage,
  license,
  packages,
}: SourceControl): (readonly [string, string])[] {
  const lacks = (field: 'description' | 'homepage' | 'license', own: string | undefined): boolean =>
    own === undefined && packages.some((made) => made[field] === undefined);
  return [
    ...(lacks('description', description) ? [['Description', 'say in one line what it is'] as const] : []),
    ...(lacks('homepage', homepage) ? [['Homepage', 'where it comes from: https://…'] as const] : []),
    ...(lacks('license', license) ? [['License', 'an SPDX expression: MIT, GPL-2.0-or-later'] as const] : []),
  ];
}

type PatchFinding = readonly [
  rule: string,
  severity: LintFinding['severity'],
  file: string,
  message: string,
  hint: string,
];

/** Patches that nobody applies, those that are applied and not there, and those that do not say what they are for. */
function patchFindings(files: readonly RecipeFile[], script: string): PatchFinding[] {
  const patches = files.filter(({ path }) => /\.(?:patch|diff)$/.test(path));
  const globs = script.includes('*.patch') || script.includes('*.diff') || /\/\*(?=\s|$|;)/m.test(script);
  const named = new Set(
    [...script.matchAll(/(?:\.\.\/|[\s<"'])((?:[\w.+-]+\/)*[\w.+-]+\.(?:patch|diff))/g)].map(
      ([, path = '']) => path,
    ),
  );
  const isNamed = (path: string): boolean =>
    [...named].some((name) => path === name || path.endsWith(`/${name}`) || name.endsWith(`/${path}`));
  const unused = patches
    .filter(({ path }) => !globs && !isNamed(path))
    .map(({ path }): PatchFinding => [
      'patch-unused',
      'error',
      path,
      'no script applies it',
      'apply it in unpack.sh, or remove it',
    ]);
  const silent = patches
    .filter(({ bytes }) => /^(?:---|diff |Index: )/.test(bytes.toString('utf8', 0, 16)))
    .map(({ path }): PatchFinding => [
      'patch-silent',
      'warning',
      path,
      'it does not say what it is for',
      'begin it with what it mends, and where it is from',
    ]);
  return [...unused, ...silent];
}
