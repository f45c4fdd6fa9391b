import { type Digest, isDigest, type Sized } from '../../builder/digest.ts';
import { asFault, Fault } from '../../builder/fault.ts';
import { canonicalJson } from '../../builder/json.ts';
import { readRegularSync } from '../../builder/regular-file.ts';
import { display, isName, isVersion, quote } from './name.ts';
import type { Linked, LinkEntry, Origin, PackageIdentity, PackageRecord, RecordedLayer } from './record.ts';

/** The one form of a record: canonical JSON (RFC 8785). */
export const recordBytes = (record: PackageRecord): Buffer => canonicalJson(record);

/** Undefined if there is no such file. Throws INPUT, naming the file and the field, for what is no record. */
export function readRecord(file: string): PackageRecord | undefined {
  const text = readText(file);
  return text === undefined ? undefined : parseRecord(text, file);
}

function readText(file: string): string | undefined {
  try {
    return readRegularSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) {
      return undefined;
    }
    throw asFault(error, `cannot read ${display(file)}`);
  }
}

/** The record that the text of `file` is. Throws as {@link readRecord} does. */
export function parseRecord(text: string, file: string): PackageRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw wrong(file, `no JSON: ${quote((cause as Error).message)}`);
  }
  return checkRecord(value, file);
}

/** By hand, because a package may have ten thousand links and all that is chosen is read at every start. */
export function checkRecord(value: unknown, file: string): PackageRecord {
  if (!isObject(value)) throw wrong(file, 'expected an object');
  const { format, control, origin, source, buildKey, builtFrom, links, linked, layer } = value;
  if (format !== 1) {
    throw new Fault('INPUT', `${display(file)}: format ${quote(String(format))} is not known here, only 1`, {
      hint: 'a newer version of the tools wrote it: use that one',
    });
  }
  if (!isString(control)) throw wrong(file, 'control: expected a string');
  if (origin !== undefined && !isOrigin(origin))
    throw wrong(file, `origin: unknown: ${quote(String(origin))}`);
  if (source !== undefined && !isIdentity(source)) throw wrong(file, 'source: expected a name and a version');
  if (buildKey !== undefined && !isString(buildKey)) throw wrong(file, 'buildKey: expected a string');
  if (!isListOf(builtFrom, isIdentity)) throw wrong(file, 'builtFrom: expected a list of names and versions');
  if (!isListOf(links, isLink)) throw wrong(file, 'links: expected a list of paths and types');
  if (linked !== undefined && !isLinked(linked)) throw wrong(file, 'linked: expected members of archives');
  if (layer !== undefined && !isLayer(layer))
    throw wrong(file, 'layer: expected digests and sizes of a layer');
  return {
    format,
    control,
    ...(origin === undefined ? {} : { origin }),
    ...(source === undefined ? {} : { source }),
    ...(buildKey === undefined ? {} : { buildKey }),
    builtFrom,
    links,
    ...(linked === undefined ? {} : { linked }),
    ...(layer === undefined ? {} : { layer }),
  };
}

const wrong = (file: string, message: string) =>
  new Fault('INPUT', `${display(file)}: ${message}`, {
    hint: 'the record is damaged: remove it, and its package counts as of unknown origin until it is built again',
  });

const isString = (value: unknown): value is string => typeof value === 'string';

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isListOf = <T>(value: unknown, fits: (item: unknown) => item is T): value is readonly T[] =>
  Array.isArray(value) && value.every(fits);

const isOrigin = (value: unknown): value is Origin =>
  value === 'host' || value === 'bootstrap' || value === 'unknown';

const isIdentity = (value: unknown): value is PackageIdentity =>
  isObject(value) &&
  isString(value['name']) &&
  isName(value['name']) &&
  isString(value['version']) &&
  isVersion(value['version']) &&
  (value['diffID'] === undefined || isDigestText(value['diffID']));

const isLink = (value: unknown): value is LinkEntry =>
  isObject(value) &&
  isString(value['path']) &&
  (value['type'] === 'file' || value['type'] === 'directory' || value['type'] === 'symlink');

const isLinked = (value: unknown): value is Linked =>
  isObject(value) &&
  Object.values(value).every(
    (archives) => isObject(archives) && Object.values(archives).every((each) => isListOf(each, isString)),
  );

const isDigestText = (value: unknown): value is Digest => isString(value) && isDigest(value);

const isSized = (value: unknown): value is Sized =>
  isObject(value) && isDigestText(value['digest']) && isSize(value['size']);

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const isLayer = (value: unknown): value is RecordedLayer =>
  isObject(value) &&
  isDigestText(value['diffID']) &&
  isSize(value['size']) &&
  isObject(value['blobs']) &&
  isSized(value['blobs']['gzip-1']) &&
  isSized(value['blobs']['zstd-1']);
