import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { digestOf } from '../../builder/digest.ts';
import { asFault, Fault } from '../../builder/fault.ts';
import { canonicalJson, type Field, type Json, parseJson } from '../../builder/json.ts';
import { writeDurably } from '../package/durable.ts';
import { quote } from '../package/name.ts';

/**
 * A JSON file of a cache: its digest in the first line, then the text, so that damage is found whatever it hits.
 * After a crash there is all of it or what was there before.
 */
export function writeSealed(path: string, value: Json): void {
  const text = canonicalJson(value);
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeDurably(dirname(path), path, Buffer.concat([Buffer.from(`${digestOf(text)}\n`), text]));
  } catch (error) {
    throw asFault(error, `cannot write ${quote(path)}`);
  }
}

/** Undefined if there is no such file, or it is damaged: then it is removed, and what it held is made again. */
export function readSealed<T>(path: string, read: (field: Field) => T): T | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw asFault(error, `cannot read ${quote(path)}`);
  }
  const end = bytes.indexOf('\n');
  const text = bytes.subarray(end + 1);
  if (bytes.toString('latin1', 0, Math.max(end, 0)) === digestOf(text)) {
    try {
      return read(parseJson(text, path));
    } catch (error) {
      // Of another version of the tools.
      if (!(error instanceof Fault)) throw error;
    }
  }
  rmSync(path, { force: true });
  return undefined;
}
