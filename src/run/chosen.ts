import { defaultLinkPriority } from '../package/binary-control.ts';
import { type Reading, readFields } from '../package/field.ts';
import { readInteger } from '../package/field-value.ts';
import { paragraphsOf, parseDocument } from '../package/paragraph.ts';
import { problemFault } from '../package/problem.ts';
import type { PackageRecord } from '../package/record.ts';
import type { MountedPackage } from './root.ts';

const schema = { 'Link-Priority': readInteger } as const;

/** A package of a repository as a root takes it: its record, and where its tree is. */
export type ChosenPackage = {
  readonly name: string;
  readonly version: string;
  readonly record: PackageRecord;
  readonly tree: string;
};

/** Throws INPUT, naming the package, if its control cannot be read. */
export function mountedPackage({ name, version, record, tree }: ChosenPackage): MountedPackage {
  return {
    name,
    version,
    tree,
    links: record.links,
    priority: linkPriority(record.control, `${tree}/control`),
  };
}

/** Other fields are not looked at, so this costs little where all that is wanted is the root. */
function linkPriority(control: string, file: string): number {
  const reading: Reading = { file, errors: [], warnings: [] };
  const [paragraph] = paragraphsOf(parseDocument(control, file, reading.errors));
  const values = paragraph && readFields(paragraph, schema, reading, () => undefined);
  const [error] = reading.errors;
  if (error) throw problemFault(error);
  return values?.['Link-Priority'] ?? defaultLinkPriority;
}
