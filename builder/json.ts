import { Fault } from './fault.ts';

/** What a JSON document of ours holds. Members that are `undefined` are left out. */
export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json | undefined };

/**
 * The one way in which we write JSON: RFC 8785 (no blanks, members sorted by UTF-16 code units, strings as
 * ECMAScript writes them), with integers as the only numbers. So a document's digest depends on its content
 * alone. Documents of others are kept as the bytes that they are and never written again.
 */
export const canonicalJson = (value: Json): Buffer => Buffer.from(write(value));

function write(value: Json): string {
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new RangeError(`a lone surrogate in ${JSON.stringify(value)}`);
    return JSON.stringify(value);
  }
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw new RangeError(`${value} is no integer that JSON can carry`);
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isList(value)) return `[${value.map(write).join(',')}]`;
  const members = Object.keys(value)
    .sort()
    .flatMap((name) => {
      const member = value[name];
      return member === undefined ? [] : [`${write(name)}:${write(member)}`];
    });
  return `{${members.join(',')}}`;
}

const isList = (value: object): value is readonly Json[] => Array.isArray(value);

/** A string from a file or a user, safe to print: quoted, with control characters escaped. */
export const quote = (text: string): string =>
  JSON.stringify(text).replaceAll(/[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, escape);

const escape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** A value in somebody's document, and where it is there: an error must name the document and the field. */
export type Field = { readonly value: unknown; readonly document: string; readonly path: string };

/** Throws INPUT, naming `document`, unless `bytes` are one JSON text in UTF-8. */
export function parseJson(bytes: Uint8Array, document: string): Field {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return { value, document, path: '' };
  } catch (cause) {
    throw new Fault('INPUT', `${document}: no JSON: ${quote(String((cause as Error).message))}`, { cause });
  }
}

/** Ends the reading of a document: says what should have been in the field. */
export function wrong(field: Field, expected: string): never {
  const text = JSON.stringify(field.value) ?? 'nothing';
  const found = quote(text.length > 60 ? `${text.slice(0, 57)}...` : text);
  const place = field.path === '' ? field.document : `${field.document}: ${field.path}`;
  throw new Fault('INPUT', `${place}: expected ${expected}, found ${found}`);
}

/** The object's members as they stand; throws INPUT if it is none. */
export function members(field: Field): Readonly<Record<string, unknown>> {
  const { value } = field;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrong(field, 'an object');
  return value as Readonly<Record<string, unknown>>;
}

export function member(field: Field, name: string): Field {
  const object = members(field);
  const path = field.path === '' ? name : `${field.path}.${name}`;
  return { value: Object.hasOwn(object, name) ? object[name] : undefined, document: field.document, path };
}

export function items(field: Field): readonly Field[] {
  if (!Array.isArray(field.value)) return wrong(field, 'a list');
  return field.value.map((value: unknown, at) => ({ ...field, value, path: `${field.path}[${at}]` }));
}

export function string(field: Field): string {
  return typeof field.value === 'string' ? field.value : wrong(field, 'a string');
}

/** A size or a number of things: not negative, and exact. */
export function count(field: Field): number {
  const { value } = field;
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    ? value
    : wrong(field, 'an integer, not negative');
}

export const strings = (field: Field): readonly string[] => items(field).map(string);

/** An object with a value of one kind behind every name, such as annotations. */
export function record<T>(field: Field, read: (field: Field) => T): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.keys(members(field)).map((name) => [name, read(member(field, name))]));
}

/** `null` is as good as absent (image-spec, config.md). */
export function optional<T>(field: Field, read: (field: Field) => T): T | undefined {
  return field.value === undefined || field.value === null ? undefined : read(field);
}

/** Without the members that are undefined, so that what was read compares equal to what was written. */
export const present = <T extends object>(object: T): T =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
