import { Fault } from '../../builder/fault.ts';
import { type BinaryControl, binaryFields } from '../package/binary-control.ts';
import type { Relation } from '../package/constraint.ts';
import type { Fields } from '../package/format.ts';
import { display, quote } from '../package/name.ts';
import { nearest } from '../package/nearest.ts';
import type { PackageRecord } from '../package/record.ts';
import { binaryControlOf, type SourceControl, sourceFields } from '../package/source-control.ts';
import type { ControlInput } from './control-input.ts';
import { usage } from './option-value.ts';

/** The options of the original's pkgcontrol and srccontrol, each of which prints one list. */
export const letters = ['n', 'v', 's', 'p', 'r', 'b', 'u'] as const;
type Letter = (typeof letters)[number];

/** A control as it is printed. Fields that it might have, and has not, are there without a value. */
export type View = {
  readonly file: string;
  readonly kind: 'source' | 'binary';
  readonly fields: Fields;
  /** Of a source: the packages, as their own controls will be. */
  readonly packages: readonly Fields[] | undefined;
  /** The lists of the original's options; undefined where this kind has none. */
  readonly lists: Readonly<Record<Letter, readonly string[] | undefined>>;
};

/** What is to be seen of an input without errors; of a source, only the package of that name if one is given. */
export function viewOf({ file, value, record }: ControlInput, packageName: string | undefined): View {
  if (!value) throw new Error('a control with errors is viewed');
  if (value.kind === 'binary') {
    if (packageName === undefined || packageName === value.control.name)
      return viewBinary(file, value.control, record);
    throw noPackage(file, packageName, [value.control.name]);
  }
  if (packageName === undefined) return viewSource(file, value.control);
  const control = packagesOf(value.control).find(({ name }) => name === packageName);
  if (control) return viewBinary(file, control, undefined);
  throw noPackage(
    file,
    packageName,
    value.control.packages.map(({ name }) => name),
  );
}

const viewSource = (file: string, control: SourceControl): View => ({
  file,
  kind: 'source',
  fields: sourceFields(control),
  packages: packagesOf(control).map(binaryFields),
  lists: {
    n: [control.name],
    v: [control.version],
    s: control.sources,
    p: control.packages.map(({ name }) => name),
    r: texts(control.dependsRun),
    b: texts(control.dependsBuild),
    u: texts(control.dependsUnpack),
  },
});

const viewBinary = (file: string, control: BinaryControl, record: PackageRecord | undefined): View => ({
  file,
  kind: 'binary',
  fields: record
    ? [...binaryFields({ ...control, builtFrom: [] }), ...recordFields(record)]
    : binaryFields(control),
  packages: undefined,
  lists: {
    n: [control.name],
    v: [control.version],
    s: control.source && [`${control.source.name},${control.source.version}`],
    p: [control.name],
    r: texts(control.depends),
    b: (record?.builtFrom ?? control.builtFrom).map(({ name, version }) => `${name},${version}`),
    u: undefined,
  },
});

/** What the record adds, written as fields. */
export const recordFields = ({ origin, buildKey, builtFrom, layer }: PackageRecord): Fields => [
  ['Origin', origin],
  ['Build-Key', buildKey],
  [
    'Built-From',
    builtFrom.map(({ name, version, diffID }) => [name, version, diffID ?? []].flat().join(' ')),
  ],
  ['Diff-ID', layer?.diffID],
  [
    'Layer',
    Object.entries(layer?.blobs ?? {}).map(([encoding, { digest, size }]) => `${encoding} ${digest} ${size}`),
  ],
];

/** A field by its name, in whatever case. Throws USAGE where this kind of control never has it. */
export function fieldOf({ file, kind, fields }: View, wanted: string): Fields[number] {
  const found = fields.find(([name]) => name.toLowerCase() === wanted.toLowerCase());
  if (found) return found;
  const near = nearest(
    wanted,
    fields.map(([name]) => name),
  );
  const hint = near === undefined ? 'pkgcontrol --json shows all that it has' : `did you mean ${near}?`;
  throw usage(`${display(file)}: a ${kind} control has no field ${quote(wanted)}`, hint);
}

const packagesOf = (control: SourceControl): BinaryControl[] =>
  control.packages.map((from) => ({
    ...binaryControlOf(control, from, { version: control.version, architecture: undefined }),
    other: from.other,
  }));

function noPackage(file: string, name: string, there: readonly string[]): Fault {
  const hint = `it has: ${there.slice(0, 20).join(' ')}`;
  return new Fault('NOT_FOUND', `${display(file)}: has no package ${quote(name)}`, { hint });
}

const texts = (relations: readonly Relation[]) => relations.map(({ text }) => text);
