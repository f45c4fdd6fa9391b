import type { Sized } from '../../builder/digest.ts';
import { Fault } from '../../builder/fault.ts';
import { paragraphsOf, parseDocument } from '../package/paragraph.ts';
import { type Reading, readFields } from '../package/field.ts';
import { readArchitecture, readName, readVersion } from '../package/field-value.ts';
import type { PackageRecord, RecordedLayer } from '../package/record.ts';
import { packageTag, type Subject } from './tag.ts';

/** A record that says what the package is as a layer: one that can be had from elsewhere. */
export type LayeredRecord = PackageRecord & { readonly layer: RecordedLayer };

/** A package that is somewhere else: in a registry, or in an OCI layout. */
export type Entry = Subject & {
  /** Of its artifact. */
  readonly manifest: Sized;
  readonly record: LayeredRecord;
  /** Every build that has ever been there, as their tags name them; sorted. */
  readonly builds: readonly string[];
};

export const tagOf = (entry: Subject): string => packageTag(entry);

const schema = { Package: readName, Version: readVersion, Architecture: readArchitecture } as const;

/**
 * What package the record is of, by its control. One without an architecture runs on each, as nothing says
 * otherwise. Throws INPUT, naming `where`, for a control that does not say, or a record without a layer.
 */
export function subjectOf(
  record: PackageRecord,
  where: string,
): Subject & { readonly record: LayeredRecord } {
  const { layer, control } = record;
  const reading: Reading = { file: where, errors: [], warnings: [] };
  const [paragraph] = paragraphsOf(parseDocument(control, where, reading.errors));
  const values = paragraph && readFields(paragraph, schema, reading, () => undefined);
  const { Package: name, Version: version, Architecture: architecture = 'all' } = values ?? {};
  if (name === undefined || version === undefined || reading.errors.length > 0) {
    throw new Fault('INPUT', `${where}: its control does not say what package it is of`);
  }
  if (!layer) throw new Fault('INPUT', `${where}: the record of ${name} ${version} has no layer`);
  return { name, version, architecture, record: { ...record, layer } };
}
