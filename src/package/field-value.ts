import { Fault } from '../../builder/fault.ts';
import { type Architecture, isArchitecture, machines } from './architecture.ts';
import type { Relation } from './constraint.ts';
import { durationHint, parseDuration } from './duration.ts';
import type { ReadValue, Report } from './field.ts';
import { checkLicense } from './license.ts';
import { isName, isVersion, nameHint, quote, versionHint } from './name.ts';
import { type Field, type ValueLine, valueLines } from './paragraph.ts';
import { readRelation } from './relation.ts';

/** A name that a package provides, with the version of it, if it gives one. */
export type Provided = { readonly name: string; readonly version?: string };

/** A file of the package whose mode in the layer is not 0644 or 0755; `mode` as octal digits, `4755`. */
export type Mode = { readonly path: string; readonly mode: string };

/** A package as control files name it in one line, `NAME VERSION`. */
export type NameVersion = { readonly name: string; readonly version: string };

export const readName: ReadValue<string> = (field, report) => {
  const { text, offset } = onlyLine(field, report);
  if (isName(text)) return text;
  throw report.fail(offset, `${quote(text)} is no package name`, nameHint);
};

export const readVersion: ReadValue<string> = (field, report) => {
  const { text, offset } = onlyLine(field, report);
  if (isVersion(text)) return text;
  throw report.fail(offset, `${quote(text)} is no version`, versionHint);
};

/** The lines of a description, indented as far as they are against each other; a line with only a dot is an empty one. */
export const readText: ReadValue<string> = (field, { fail }) => {
  const [first, ...others] = valueLines(field);
  if (!first?.text) {
    throw fail(field.name.length + 1, 'the first line is empty', 'one line says what it is; more may follow');
  }
  const indented = others.filter(({ text }) => text !== '.');
  const least = indented.reduce((least, line) => Math.min(least, indentation(field, line)), Infinity);
  const below = others.map((line) =>
    line.text === '.' ? '' : ' '.repeat(indentation(field, line) - least) + line.text,
  );
  return [first.text, ...below].join('\n');
};

const indentation = ({ raw }: Field, { offset }: ValueLine) => offset - raw.lastIndexOf('\n', offset - 1) - 1;

export const readHomepage: ReadValue<string> = (field, report) => {
  const { text, offset } = onlyLine(field, report);
  if (/^https?:\/\/[!-~]+$/.test(text) && URL.canParse(text)) return text;
  throw report.fail(offset, `${quote(text)} is no address of a page`, 'write https://…');
};

export const readLicense: ReadValue<string> = (field, report) => {
  const { text, offset } = onlyLine(field, report);
  checkLicense(field.raw, offset, offset + text.length, report.fail);
  return text;
};

export const readArchitecture: ReadValue<Architecture> = (field, report) => {
  const { text, offset } = onlyLine(field, report);
  if (isArchitecture(text)) return text;
  const names = machines.map(({ name }) => name).join(', ');
  const same = machines.find(({ oci }) => oci === text)?.name;
  throw report.fail(
    offset,
    `${quote(text)} is no architecture`,
    same ? `write ${same}` : `one of ${names}, all`,
  );
};

/** A whole number from 0 to 999. */
export const readInteger: ReadValue<number> = (field, report) => {
  const { text, offset } = onlyLine(field, report);
  if (/^[0-9]{1,3}$/.test(text)) return Number(text);
  throw report.fail(offset, `${quote(text)} is no whole number from 0 to 999`);
};

/** In seconds. */
export const readDuration: ReadValue<number> = (field, report) => {
  const { text, offset } = onlyLine(field, report);
  const seconds = parseDuration(text);
  if (seconds !== undefined) return seconds;
  throw report.fail(offset, `${quote(text)} is no duration`, durationHint);
};

/** What packages may hold that is refused otherwise. */
export const allowances = ['build-path', 'dynamic'] as const;

export type Allowance = (typeof allowances)[number];

export const readAllowances: ReadValue<readonly Allowance[]> = (field, report) =>
  readEach(words(field), ({ text, offset }) => {
    const found = allowances.find((allowance) => allowance === text);
    if (found) return found;
    throw report.fail(
      offset,
      `${quote(text)} is nothing that can be allowed`,
      `one of ${allowances.join(', ')}`,
    );
  });

/** Dependencies: one a line, or separated by commas. */
export const readRelations: ReadValue<readonly Relation[]> = (field, report) => {
  const relations = readEach(entries(field), ({ text, offset }) =>
    readRelation(field.raw, offset, offset + text.length, report.fail),
  );
  warnOfHalves(field, relations, report);
  return relations;
};

export const readConflicts: ReadValue<readonly Relation[]> = (field, report) =>
  readEach(entries(field), ({ text, offset }) => {
    const relation = readRelation(field.raw, offset, offset + text.length, report.fail);
    if (relation.alternatives.length === 1) return relation;
    throw report.fail(offset, 'a conflict is with one package', 'write each on a line of its own');
  });

export const readProvides: ReadValue<readonly Provided[]> = (field, report) =>
  readEach(entries(field), ({ text, offset }) => {
    const { alternatives } = readRelation(field.raw, offset, offset + text.length, report.fail);
    const [{ name, range } = { name: '', range: [] }, ...others] = alternatives;
    const [only, ...more] = range.flat();
    if (others.length === 0 && only === undefined) return { name };
    if (others.length === 0 && more.length === 0 && only?.op === '=') return { name, version: only.version };
    throw report.fail(
      offset,
      `${quote(text)} is more than a name and a version`,
      'write NAME or NAME = VERSION',
    );
  });

/** Names of source archives, which are names of files. */
export const readFileNames: ReadValue<readonly string[]> = (field, report) =>
  readEach(words(field), ({ text, offset }) => {
    if (/^[0-9A-Za-z][0-9A-Za-z.+_~-]{0,254}$/.test(text)) return text;
    throw report.fail(
      offset,
      `${quote(text)} is no name of a source archive`,
      'a file name of letters, digits and . + _ ~ -',
    );
  });

export const readPaths: ReadValue<readonly string[]> = (field, report) =>
  readEach(words(field), (word) => checkPath(word, report));

export const readModes: ReadValue<readonly Mode[]> = (field, report) =>
  readEach(entries(field), (entry) => {
    const [path = '', mode = '', ...others] = entry.text.split(/[ \t]+/);
    checkPath({ text: path, offset: entry.offset }, report);
    if (/^[0-7]{4}$/.test(mode) && others.length === 0) return { path, mode };
    throw report.fail(
      entry.offset,
      `${quote(entry.text)} is no path and mode`,
      'write PATH MODE: bin/su 4755',
    );
  });

/** `NAME VERSION` on one line, as the original wrote it. */
export const readNameVersion: ReadValue<NameVersion> = (field, report) =>
  checkNameVersion(onlyLine(field, report), report);

export const readNameVersions: ReadValue<readonly NameVersion[]> = (field, report) =>
  readEach(entries(field), (entry) => checkNameVersion(entry, report));

function checkNameVersion({ text, offset }: ValueLine, { fail }: Report): NameVersion {
  const [name = '', version = '', ...others] = text.split(/[ \t]+/);
  if (others.length > 0 || version === '')
    throw fail(offset, `${quote(text)} is no name and version`, 'write NAME VERSION');
  if (!isName(name)) throw fail(offset, `${quote(name)} is no package name`, nameHint);
  if (!isVersion(version)) throw fail(offset, `${quote(version)} is no version`, versionHint);
  return { name, version };
}

function checkPath({ text, offset }: ValueLine, { fail }: Report): string {
  const parts = text.split('/');
  if (parts.every((part) => part !== '' && part !== '.' && part !== '..')) return text;
  throw fail(
    offset,
    `${quote(text)} is no path inside the package`,
    'write it without leading slash, "." and ".."',
  );
}

function onlyLine(field: Field, { fail }: Report): ValueLine {
  const [first, second] = valueLines(field);
  if (second) throw fail(second.offset, 'the value has more than one line', 'write it on one line');
  if (!first?.text) throw fail(field.name.length + 1, 'the field is empty', 'write a value or remove it');
  return first;
}

/** What lines and commas separate; empty entries do not count. */
const entries = (field: Field): ValueLine[] => pieces(field, /[^,]+/g);

/** What lines, blanks and commas separate. */
const words = (field: Field): ValueLine[] => pieces(field, /[^, \t]+/g);

function pieces(field: Field, pattern: RegExp): ValueLine[] {
  return valueLines(field).flatMap((line) => {
    if (!/[, \t]/.test(line.text)) return line.text === '' ? [] : [line];
    return [...line.text.matchAll(pattern)]
      .map(({ 0: text, index }) => ({
        text: text.trim(),
        offset: line.offset + index + (text.length - text.trimStart().length),
      }))
      .filter(({ text }) => text !== '');
  });
}

/** Reads every item, so that one bad item does not hide the errors of the next; the errors are noted already. */
function readEach<T>(items: readonly ValueLine[], read: (item: ValueLine) => T): T[] {
  return items.flatMap((item) => {
    try {
      return [read(item)];
    } catch (error) {
      if (error instanceof Fault) return [];
      throw error;
    }
  });
}

/** `httpd >= 2, httpd < 3` may be met by two packages that provide httpd, one half each. */
function warnOfHalves(field: Field, relations: readonly Relation[], { warn }: Report): void {
  const ranged = new Set<string>();
  for (const { alternatives } of relations) {
    const [first, second] = alternatives;
    if (!first || second || first.range.length === 0) continue;
    if (ranged.has(first.name)) {
      const message = `${first.name} has two entries: where several packages provide it, two may meet one each`;
      warn(field.name.length + 1, message, `write both in one entry: ${first.name} >= 2 < 3`);
    }
    ranged.add(first.name);
  }
}
