import type { Architecture } from './architecture.ts';
import {
  type BinaryControl,
  defaultLayerRank,
  defaultLinkPriority,
  formatBinaryControl,
  packageSchema,
} from './binary-control.ts';
import type { Relation } from './constraint.ts';
import { formatDuration } from './duration.ts';
import { complainOf, missing, type Reading, readFields, type Values } from './field.ts';
import {
  type Allowance,
  readAllowances,
  readDuration,
  readFileNames,
  readHomepage,
  readInteger,
  readLicense,
  readName,
  readRelations,
  readText,
  readVersion,
} from './field-value.ts';
import type { Fields } from './format.ts';
import { type Document, type Paragraph, paragraphsOf, parseDocument, rawValue } from './paragraph.ts';
import { type Checked, checked, note, valueOf } from './problem.ts';

/** The file `control` of a recipe: what is built, from what, with what. */
export type SourceControl = {
  readonly name: string;
  readonly version: string;
  readonly description: string | undefined;
  readonly homepage: string | undefined;
  readonly license: string | undefined;
  readonly dependsUnpack: readonly Relation[];
  readonly dependsBuild: readonly Relation[];
  readonly dependsTest: readonly Relation[];
  /** Each of the packages has them, behind its own. */
  readonly dependsRun: readonly Relation[];
  /** Names of distfiles. */
  readonly sources: readonly string[];
  readonly layerRank: number;
  /** What the packages may hold that is refused otherwise. */
  readonly allow: readonly Allowance[];
  /** How long each script may take, in seconds. */
  readonly timeout: number | undefined;
  /** At least one; the first paragraph's fields are in them where they have none of their own. */
  readonly packages: readonly SourcePackage[];
  /** Fields of the first paragraph that mean nothing to us. */
  readonly other: Fields;
};

/** A binary package as its source describes it. */
export type SourcePackage = Omit<BinaryControl, 'version' | 'source' | 'builtFrom'>;

const sourceSchema = {
  Source: readName,
  Version: readVersion,
  Description: readText,
  Homepage: readHomepage,
  License: readLicense,
  'Depends-Unpack': readRelations,
  'Depends-Build': readRelations,
  'Depends-Test': readRelations,
  'Depends-Run': readRelations,
  Sources: readFileNames,
  'Layer-Rank': readInteger,
  Allow: readAllowances,
  Timeout: readDuration,
} as const;

const ownSchema = { Package: readName, ...packageSchema } as const;

const perPackage = 'it belongs in the paragraph of a package, below its Package field';
const perSource = 'it belongs in the first paragraph, of the source';
const notInSource = {
  Package: 'an empty line separates the source from its packages',
  Architecture: perPackage,
  Provides: perPackage,
  Conflicts: perPackage,
  'Link-Priority': perPackage,
  Link: perPackage,
  Mode: perPackage,
};
const notInPackage = {
  Source: perSource,
  Version: perSource,
  'Depends-Unpack': perSource,
  'Depends-Build': perSource,
  'Depends-Test': perSource,
  Sources: perSource,
  Allow: perSource,
  Timeout: perSource,
};

/** Reads a source control; throws its first error as INPUT with file, line, column and field. */
export const parseSourceControl = (text: string, file: string): SourceControl =>
  valueOf(checkSourceControl(text, file));

/** Reads a source control to its end, whatever is wrong with it. */
export function checkSourceControl(text: string, file: string): Checked<SourceControl> {
  const reading: Reading = { file, errors: [], warnings: [] };
  const value = readSourceControl(parseDocument(text, file, reading.errors), reading);
  return checked(value, reading);
}

function readSourceControl(document: Document, reading: Reading): SourceControl | undefined {
  const [first, ...others] = paragraphsOf(document);
  if (!first) return missing('Source', undefined, reading);
  const other: [string, string][] = [];
  const values = readFields(first, sourceSchema, reading, (field) => {
    complainOf(field, reading, sourceSchema, notInSource);
    other.push([field.name, rawValue(field)]);
  });
  const packages = readPackages(others, values, reading);
  const name = values.Source ?? missing('Source', first, reading);
  const version = values.Version ?? missing('Version', first, reading);
  if (name === undefined || version === undefined) return undefined;
  return {
    name,
    version,
    description: values.Description,
    homepage: values.Homepage,
    license: values.License,
    dependsUnpack: values['Depends-Unpack'] ?? [],
    dependsBuild: values['Depends-Build'] ?? [],
    dependsTest: values['Depends-Test'] ?? [],
    dependsRun: values['Depends-Run'] ?? [],
    sources: values.Sources ?? [],
    layerRank: values['Layer-Rank'] ?? defaultLayerRank,
    allow: values.Allow ?? [],
    timeout: values.Timeout,
    packages,
    other,
  };
}

type SourceValues = Values<typeof sourceSchema>;

function readPackages(
  paragraphs: readonly Paragraph[],
  source: SourceValues,
  reading: Reading,
): SourcePackage[] {
  const complain = (line: number, message: string, hint: string) =>
    note(reading.errors, () => ({ file: reading.file, line, column: 1, field: 'Package', message, hint }));
  if (paragraphs.length === 0) {
    complain(
      1,
      'no package is made of this source',
      'write one at the end, below an empty line: Package: NAME',
    );
  }
  const seen = new Set<string>();
  return paragraphs.flatMap((paragraph) => {
    const found = readPackage(paragraph, source, reading);
    if (!found) return [];
    if (seen.has(found.name)) complain(paragraph.line, `${found.name} is here twice`, 'merge the two');
    seen.add(found.name);
    return [found];
  });
}

function readPackage(
  paragraph: Paragraph,
  source: SourceValues,
  reading: Reading,
): SourcePackage | undefined {
  const other: [string, string][] = [];
  const values = readFields(paragraph, ownSchema, reading, (field) => {
    complainOf(field, reading, ownSchema, notInPackage);
    other.push([field.name, rawValue(field)]);
  });
  const name = values.Package ?? missing('Package', paragraph, reading);
  if (name === undefined) return undefined;
  const own = values['Depends-Run'] ?? [];
  const texts = new Set(own.map(({ text }) => text));
  return {
    name,
    architecture: values.Architecture,
    description: values.Description ?? source.Description,
    homepage: values.Homepage ?? source.Homepage,
    license: values.License ?? source.License,
    depends: [...own, ...(source['Depends-Run'] ?? []).filter(({ text }) => !texts.has(text))],
    provides: values.Provides ?? [],
    conflicts: values.Conflicts ?? [],
    linkPriority: values['Link-Priority'] ?? defaultLinkPriority,
    links: values.Link ?? [],
    modes: values.Mode ?? [],
    layerRank: values['Layer-Rank'] ?? source['Layer-Rank'] ?? defaultLayerRank,
    other,
  };
}

/** What a build decides: the version (`-v`, `-V` of pkgbuild) and the machine. */
export type BuildIdentity = { readonly version: string; readonly architecture: Architecture | undefined };

/** The control of the package `from` of `source`, as a build makes it. */
export const binaryControlOf = (
  source: SourceControl,
  from: SourcePackage,
  { version, architecture }: BuildIdentity,
): BinaryControl => ({
  ...from,
  version,
  source: { name: source.name, version: source.version },
  architecture: from.architecture ?? architecture,
  builtFrom: [],
  other: [],
});

/** The text of the file `control` in the tree of package `from` of `source`. */
export const makeBinaryControl = (
  source: SourceControl,
  from: SourcePackage,
  identity: BuildIdentity,
): string => formatBinaryControl(binaryControlOf(source, from, identity));

/** The fields of the first paragraph in the order in which they are printed. */
export const sourceFields = (control: SourceControl): Fields => [
  ['Source', control.name],
  ['Version', control.version],
  ['Description', control.description],
  ['Homepage', control.homepage],
  ['License', control.license],
  ['Depends-Unpack', texts(control.dependsUnpack)],
  ['Depends-Build', texts(control.dependsBuild)],
  ['Depends-Test', texts(control.dependsTest)],
  ['Depends-Run', texts(control.dependsRun)],
  ['Sources', control.sources],
  ['Layer-Rank', control.layerRank === defaultLayerRank ? undefined : String(control.layerRank)],
  ['Allow', control.allow],
  ['Timeout', control.timeout === undefined ? undefined : formatDuration(control.timeout)],
  ...control.other,
];

const texts = (relations: readonly Relation[]) => relations.map(({ text }) => text);
