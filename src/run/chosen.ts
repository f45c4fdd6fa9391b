import { defaultLinkPriority } from '../package/binary-control.ts';
import { type Reading, readFields } from '../package/field.ts';
import { readInteger } from '../package/field-value.ts';
import { paragraphsOf, parseDocument } from '../package/paragraph.ts';
import { problemFault } from '../package/problem.ts';
import type { Origin, PackageRecord } from '../package/record.ts';
import type { MountedPackage } from './root.ts';

const schema = { 'Link-Priority': readInteger } as const;

/** A package of a repository as a root takes it: its record, and where its tree is. */
export type ChosenPackage = {
  readonly name: string;
  readonly version: string;
  readonly record: PackageRecord;
  readonly tree: string;
};

/** A mounted package, and what generated the code in it. */
export type KnownPackage = MountedPackage & { readonly origin: Origin | undefined };

/** Throws INPUT, naming the package, if its control cannot be read. */
export function mountedPackage({ name, version, record, tree }: ChosenPackage): KnownPackage {
  return {
    name,
    version,
    tree,
    links: record.links,
    origin: record.origin,
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
