import { readFileSync } from 'node:fs';
import { decodeDigest } from '../../builder/descriptor.ts';
import { type Digest, digestOf, hexOf } from '../../builder/digest.ts';
import { asFault, Fault } from '../../builder/fault.ts';
import { canonicalJson, member, parseJson, record } from '../../builder/json.ts';
import { writeDurably } from '../package/durable.ts';
import type { Entry } from './entry.ts';

/**
 * What has been taken from a repository on trust: each version that has ever been seen there, and what it was.
 * It is data and no cache: who lost it would trust anew.
 */
export type Known = ReadonlyMap<string, Digest>;

const pathOf = (directory: string, label: string): string =>
  `${directory}/known-${hexOf(digestOf(label)).slice(0, 32)}.json`;

const keyOf = ({ name, version, architecture }: Entry): string => `${name} ${version} ${architecture}`;

/** Undefined if nothing has ever been taken from there. Throws INPUT for a file that is damaged. */
export function readKnown(directory: string, label: string): Known | undefined {
  const path = pathOf(directory, label);
  try {
    const known = record(member(parseJson(readFileSync(path), path), 'versions'), decodeDigest);
    return new Map(Object.entries(known));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw asFault(error, `reading ${path}`);
  }
}

/** Remembers what is new, and with `accept` also what is another now than it was. */
export function writeKnown(
  directory: string,
  label: string,
  known: Known | undefined,
  entries: readonly Entry[],
): void {
  const path = pathOf(directory, label);
  const versions = new Map(known);
  for (const entry of entries) versions.set(keyOf(entry), entry.record.layer.diffID);
  if (
    known &&
    versions.size === known.size &&
    [...versions].every(([key, value]) => known.get(key) === value)
  )
    return;
  try {
    writeDurably(
      directory,
      path,
      canonicalJson({ format: 1, label, versions: Object.fromEntries(versions) }),
    );
  } catch (error) {
    throw asFault(error, `writing ${path}`);
  }
}

/** Throws INTEGRITY if a version is not what it was when it was seen first. */
export function checkKnown(known: Known | undefined, entries: readonly Entry[], label: string): void {
  const changed = entries.filter((entry) => {
    const before = known?.get(keyOf(entry));
    return before !== undefined && before !== entry.record.layer.diffID;
  });
  const [first] = changed;
  if (!first) return;
  const others = changed.length === 1 ? '' : `, and ${changed.length - 1} more`;
  throw new Fault(
    'INTEGRITY',
    `${label}: ${first.name} ${first.version} (${first.architecture}) is another package than it was before${others}`,
    { hint: `ask who publishes there; to take all as it is now: pkgrepo index --accept ${label}` },
  );
}
