import { canonicalJson, type Json } from '../../builder/json.ts';
import type { KeyDocument } from './key.ts';

/** One thing that decides a build and that is not what it was. `before` or `after` is missing where it came or went. */
export type Difference = {
  readonly what: 'file' | 'distfile' | 'input' | 'unpacked' | 'compiler' | 'other';
  /** Of the recipe's file, the archive, the package; otherwise of the member of the key. */
  readonly name: string;
  readonly before?: string;
  readonly after?: string;
  /** Of a text: the first line that is another. */
  readonly line?: LineDifference;
};

/** Counted from 1; a text that ends before has no such line. */
export type LineDifference = { readonly number: number; readonly before?: string; readonly after?: string };

/** The members of a key that are lists, and which items of an entry come before what it is compared by. */
const lists = { recipe: 'file', distfiles: 'distfile', inputs: 'input', outputs: 'input' } as const;

/** Why two keys differ, sorted by kind and name. */
export function differences(before: KeyDocument, after: KeyDocument): readonly Difference[] {
  const found: Difference[] = [];
  for (const member of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [old, now] = [before[member], after[member]];
    if (same(old, now)) continue;
    if (Object.hasOwn(lists, member)) {
      found.push(...inLists(lists[member as keyof typeof lists], entries(old), entries(now)));
    } else {
      const what = member === 'unpacked' || member === 'compiler' ? member : 'other';
      found.push(difference(what, member, text(old), text(now)));
    }
  }
  return found;
}

function inLists(
  what: Difference['what'],
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): Difference[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names
    .filter((name) => before.get(name) !== after.get(name))
    .map((name) => difference(what, name, before.get(name), after.get(name)));
}

const difference = (
  what: Difference['what'],
  name: string,
  before: string | undefined,
  after: string | undefined,
): Difference => ({
  what,
  name,
  ...(before === undefined ? {} : { before }),
  ...(after === undefined ? {} : { after }),
});

/** Each entry of a list is its name and then what it is. */
function entries(list: Json | undefined): ReadonlyMap<string, string> {
  if (!Array.isArray(list)) return new Map();
  return new Map(
    (list as readonly Json[]).map((entry): [string, string] => {
      const [name, ...rest] = Array.isArray(entry) ? (entry as readonly Json[]) : [entry];
      const [executable, digest] = rest;
      if (typeof executable === 'boolean')
        return [String(name), `${text(digest)}${executable ? ' executable' : ''}`];
      return [String(name), rest.map((item) => text(item) ?? '').join(' ')];
    }),
  );
}

const same = (a: Json | undefined, b: Json | undefined): boolean => text(a) === text(b);

function text(value: Json | undefined): string | undefined {
  if (value === undefined) return undefined;
  return typeof value === 'string' ? value : canonicalJson(value).toString();
}

/** Undefined where the texts are the same, or one of them is no text. */
export function lineDifference(before: Uint8Array, after: Uint8Array): LineDifference | undefined {
  if ([before, after].some((bytes) => bytes.includes(0))) return undefined;
  const [old, now] = [before, after].map((bytes) => Buffer.from(bytes).toString().split('\n'));
  if (!old || !now) return undefined;
  const at = Array.from({ length: Math.max(old.length, now.length) }).findIndex(
    (_, index) => old[index] !== now[index],
  );
  if (at < 0) return undefined;
  const [was, is] = [old[at], now[at]];
  return {
    number: at + 1,
    ...(was === undefined ? {} : { before: was }),
    ...(is === undefined ? {} : { after: is }),
  };
}
