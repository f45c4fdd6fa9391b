import type { Fault } from '../../builder/fault.ts';

/** Makes the error for what stands at `offset` of the text; the caller knows the file or option it came from. */
export type Fail = (offset: number, message: string, hint?: string) => Fault;

/** A place in a text that is being read, up to `end`. */
export type Cursor = { readonly text: string; at: number; readonly end: number; readonly fail: Fail };

/** The character at the cursor, empty at the end. */
export const peek = ({ text, at, end }: Cursor): string => (at < end ? (text[at] ?? '') : '');

export const isBlank = (character: string): boolean => character === ' ' || character === '\t';

export function skipBlanks(cursor: Cursor): void {
  while (isBlank(peek(cursor))) cursor.at += 1;
}

/** The longest run of what `pattern` (sticky, one character class repeated) matches, which may be empty. */
export function take(cursor: Cursor, pattern: RegExp): string {
  pattern.lastIndex = cursor.at;
  const found = pattern.exec(cursor.text)?.[0].slice(0, cursor.end - cursor.at) ?? '';
  cursor.at += found.length;
  return found;
}
