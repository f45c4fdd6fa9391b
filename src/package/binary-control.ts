import type { Architecture } from './architecture.ts';
import type { Relation } from './constraint.ts';
import { complainOf, missing, type Reading, readFields } from './field.ts';
import {
  type Mode,
  type NameVersion,
  type Provided,
  readArchitecture,
  readConflicts,
  readHomepage,
  readInteger,
  readLicense,
  readModes,
  readName,
  readNameVersion,
  readNameVersions,
  readPaths,
  readProvides,
  readRelations,
  readText,
  readVersion,
} from './field-value.ts';
import { type Fields, formatParagraph } from './format.ts';
import { type Document, paragraphsOf, parseDocument, rawValue } from './paragraph.ts';
import { type Checked, checked, note, valueOf } from './problem.ts';

/** The file `control` in a package's tree: what is true of the package wherever it is built. */
export type BinaryControl = {
  readonly name: string;
  readonly version: string;
  /** The source package and its version, which `-~~stage1` and the like are not part of. */
  readonly source: NameVersion | undefined;
  readonly architecture: Architecture | undefined;
  readonly description: string | undefined;
  readonly homepage: string | undefined;
  readonly license: string | undefined;
  readonly depends: readonly Relation[];
  readonly provides: readonly Provided[];
  readonly conflicts: readonly Relation[];
  /** Who wins where two packages bring the same name. */
  readonly linkPriority: number;
  /** Files outside `bin lib include` that are linked into the root. */
  readonly links: readonly string[];
  readonly modes: readonly Mode[];
  /** Where the package's layer comes among others. */
  readonly layerRank: number;
  /** Of packages that the original's tools made; ours have it in the record. */
  readonly builtFrom: readonly NameVersion[];
  /** Fields that mean nothing to us. */
  readonly other: Fields;
};

export const defaultLinkPriority = 50;
export const defaultLayerRank = 500;

/** The fields of a package, which a source control may give in its paragraph of the package too. */
export const packageSchema = {
  Architecture: readArchitecture,
  Description: readText,
  Homepage: readHomepage,
  License: readLicense,
  'Depends-Run': readRelations,
  Provides: readProvides,
  Conflicts: readConflicts,
  'Link-Priority': readInteger,
  Link: readPaths,
  Mode: readModes,
  'Layer-Rank': readInteger,
} as const;

const schema = {
  Package: readName,
  Version: readVersion,
  Source: readNameVersion,
  ...packageSchema,
  'Built-From': readNameVersions,
} as const;

const buildOnly = 'it belongs in the source control, in the recipe';
const recordOnly = 'it belongs in the record, which the build writes beside the tree';
const elsewhere = {
  'Depends-Unpack': buildOnly,
  'Depends-Build': buildOnly,
  'Depends-Test': buildOnly,
  Sources: buildOnly,
  Origin: recordOnly,
};

/** Reads a binary control; throws its first error as INPUT with file, line, column and field. */
export const parseBinaryControl = (text: string, file: string): BinaryControl =>
  valueOf(checkBinaryControl(text, file));

/** Reads a binary control to its end, whatever is wrong with it. */
export function checkBinaryControl(text: string, file: string): Checked<BinaryControl> {
  const reading: Reading = { file, errors: [], warnings: [] };
  const value = readBinaryControl(parseDocument(text, file, reading.errors), reading);
  return checked(value, reading);
}

function readBinaryControl(document: Document, reading: Reading): BinaryControl | undefined {
  const [paragraph, another] = paragraphsOf(document);
  if (another) {
    const message = 'a binary control has one paragraph';
    const { line } = another;
    note(reading.errors, () => ({
      file: reading.file,
      line,
      column: 1,
      message,
      hint: 'remove the empty line',
    }));
  }
  if (!paragraph) return missing('Package', undefined, reading);
  const other: [string, string][] = [];
  const values = readFields(paragraph, schema, reading, (field) => {
    complainOf(field, reading, schema, elsewhere);
    other.push([field.name, rawValue(field)]);
  });
  const name = values.Package ?? missing('Package', paragraph, reading);
  const version = values.Version ?? missing('Version', paragraph, reading);
  if (name === undefined || version === undefined) return undefined;
  return {
    name,
    version,
    source: values.Source,
    architecture: values.Architecture,
    description: values.Description,
    homepage: values.Homepage,
    license: values.License,
    depends: values['Depends-Run'] ?? [],
    provides: values.Provides ?? [],
    conflicts: values.Conflicts ?? [],
    linkPriority: values['Link-Priority'] ?? defaultLinkPriority,
    links: values.Link ?? [],
    modes: values.Mode ?? [],
    layerRank: values['Layer-Rank'] ?? defaultLayerRank,
    builtFrom: values['Built-From'] ?? [],
    other,
  };
}

/** The fields in the order in which they are written; what has its default is left out. */
export const binaryFields = (control: BinaryControl): Fields => [
  ['Package', control.name],
  ['Version', control.version],
  ['Source', control.source && `${control.source.name} ${control.source.version}`],
  ['Architecture', control.architecture],
  ['Description', control.description],
  ['Homepage', control.homepage],
  ['License', control.license],
  ['Depends-Run', control.depends.map(({ text }) => text)],
  [
    'Provides',
    control.provides.map(({ name, version }) => (version === undefined ? name : `${name} = ${version}`)),
  ],
  ['Conflicts', control.conflicts.map(({ text }) => text)],
  ['Link-Priority', control.linkPriority === defaultLinkPriority ? undefined : String(control.linkPriority)],
  ['Link', control.links],
  ['Mode', control.modes.map(({ path, mode }) => `${path} ${mode}`)],
  ['Layer-Rank', control.layerRank === defaultLayerRank ? undefined : String(control.layerRank)],
  ['Built-From', control.builtFrom.map(({ name, version }) => `${name} ${version}`)],
  ...control.other,
];

export const formatBinaryControl = (control: BinaryControl): string => formatParagraph(binaryFields(control));
