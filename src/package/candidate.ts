import { missing, type Reading, readFields } from './field.ts';
import { readConflicts, readName, readProvides, readRelations, readVersion } from './field-value.ts';
import { paragraphsOf, parseDocument, rawValue } from './paragraph.ts';
import { valueOf } from './problem.ts';
import type { Candidate } from './record.ts';

const schema = {
  Package: readName,
  Version: readVersion,
  'Depends-Run': readRelations,
  Provides: readProvides,
  Conflicts: readConflicts,
} as const;

/** What the solver needs of a binary control; other fields are not looked at. Throws INPUT that names `file`. */
export function candidateOf(control: string, file = 'control'): Candidate {
  const reading: Reading = { file, errors: [], warnings: [] };
  const [paragraph] = paragraphsOf(parseDocument(control, file, reading.errors));
  const values = paragraph && readFields(paragraph, schema, reading, () => undefined);
  const name = values?.Package ?? missing('Package', paragraph, reading);
  const version = values?.Version ?? missing('Version', paragraph, reading);
  const depends = values?.['Depends-Run'] ?? [];
  const provides = values?.Provides ?? [];
  const conflicts = values?.Conflicts ?? [];
  const found = name !== undefined && version !== undefined;
  const architecture = paragraph?.fields.find((field) => field.name.toLowerCase() === 'architecture');
  const value = found && {
    name,
    version,
    depends,
    provides,
    conflicts,
    ...(architecture && { architecture: rawValue(architecture).trim() }),
  };
  return valueOf({ ...reading, value: value || undefined });
}
