import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { asFault } from '../../builder/fault.ts';
import { type Field, items, member, optional, parseJson, string, wrong } from '../../builder/json.ts';
import { display } from '../package/name.ts';
import type { Origin, PackageIdentity } from '../package/record.ts';

/** What the record adds to a package's control. */
export type Build = {
  readonly origin: Origin | undefined;
  readonly buildKey: string | undefined;
  readonly builtFrom: readonly PackageIdentity[];
};

/**
 * Reads the record beside a package's tree, `REPOSITORY/.records/NAME/VERSION.json`. Without a record, or with
 * one of another build, the origin is unknown. Throws INPUT where it is malformed.
 */
export function readBuild(tree: string, control: string): Build {
  const place = dirname(tree);
  const file = join(dirname(place), '.records', basename(place), `${basename(tree)}.json`);
  const bytes = readIfThere(file);
  const record = bytes && parseJson(bytes, display(file));
  if (!record || string(member(record, 'control')) !== control)
    return { origin: 'unknown', buildKey: undefined, builtFrom: [] };
  return {
    origin: optional(member(record, 'origin'), readOrigin),
    buildKey: optional(member(record, 'buildKey'), string),
    builtFrom: items(member(record, 'builtFrom')).map(readIdentity),
  };
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw asFault(error, `reading ${display(file)}`);
  }
}

function readOrigin(field: Field): Origin {
  const { value } = field;
  if (value === 'host' || value === 'bootstrap' || value === 'unknown') return value;
  return wrong(field, 'host, bootstrap or unknown');
}

function readIdentity(field: Field): PackageIdentity {
  const diffID = optional(member(field, 'diffID'), string);
  const name = string(member(field, 'name'));
  const version = string(member(field, 'version'));
  return diffID === undefined ? { name, version } : { name, version, diffID };
}
