import { Fault } from '../../builder/fault.ts';
import { display, quote } from './name.ts';
import { note, type Problem } from './problem.ts';

/** One field with all its bytes. `raw` goes from its name to its last newline, `lead` holds the comments above it. */
export type Field = {
  readonly name: string;
  /** Of the name; the first line of the file is 1. */
  readonly line: number;
  readonly lead: string;
  readonly raw: string;
};

export type Paragraph = {
  readonly kind: 'paragraph';
  readonly line: number;
  readonly fields: readonly Field[];
};

/** Empty lines and the comments around them. */
type Gap = { readonly kind: 'gap'; readonly text: string };

/** A control file in which nothing is lost: {@link printDocument} gives the very text it was read from. */
export type Document = { readonly file: string; readonly parts: readonly (Paragraph | Gap)[] };

/** One line of a value without the blanks around it; `offset` is where it starts in the field's `raw`. */
export type ValueLine = { readonly text: string; readonly offset: number };

/**
 * Reads paragraphs of fields:
 *
 *     file      = *gap [ paragraph *( 1*gap paragraph ) *gap ]
 *     paragraph = 1*( *comment field )
 *     field     = name ":" value newline *( blank value newline / comment )
 *     gap       = [ blanks ] newline / comment
 *     comment   = "#" text newline                    ; "#" is the first character of the line
 *
 * The last newline may be missing. What is wrong goes to `errors`, one entry a line, and is left out.
 */
export function parseDocument(text: string, file: string, errors: Problem[]): Document {
  const strange = text.search(unprintable);
  if (strange >= 0) {
    note(errors, () => strangeCharacter(text, strange, file));
    return { file, parts: [] };
  }
  const parts: (Paragraph | Gap)[] = [];
  let fields: Field[] = [];
  let names = new Set<string>();
  /** The field under way; without a name it is a bad one that is left out with all its lines. */
  let open: { name: string; line: number; lead: string; start: number } | undefined;
  /** The end of the last line that has its place; from here on there are only comments. */
  let claimed = 0;
  const closeField = () => {
    if (open?.name)
      fields.push({
        name: open.name,
        line: open.line,
        lead: open.lead,
        raw: text.slice(open.start, claimed),
      });
    open = undefined;
  };
  const closeParagraph = () => {
    closeField();
    const [first] = fields;
    if (first) parts.push({ kind: 'paragraph', line: first.line, fields });
    fields = [];
    names = new Set();
  };
  const complain = (line: number, message: string, hint: string) =>
    note(errors, () => ({ file, line, column: 1, message, hint }));
  for (let start = 0, line = 1; start < text.length; line += 1) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const next = newline < 0 ? end : end + 1;
    const first = text[start];
    if (isEmpty(text, start, end)) {
      closeParagraph();
      parts.push({ kind: 'gap', text: text.slice(claimed, next) });
      claimed = next;
    } else if (first === ' ' || first === '\t') {
      if (!open) complain(line, 'no field is above this line', continuation);
      claimed = next;
    } else if (first !== '#') {
      closeField();
      const name = fieldName(text.slice(start, end), names, (message, hint) => complain(line, message, hint));
      open = { name, line, lead: text.slice(claimed, start), start };
      claimed = next;
    }
    start = next;
  }
  closeParagraph();
  if (claimed < text.length) parts.push({ kind: 'gap', text: text.slice(claimed) });
  return { file, parts };
}

/** The name of the field that `line` begins, or empty after a complaint. `names` has those before it, in lower case. */
function fieldName(
  line: string,
  names: Set<string>,
  complain: (message: string, hint: string) => void,
): string {
  const colon = line.indexOf(':');
  const name = colon < 0 ? line : line.slice(0, colon);
  const shown = quote(name.length > 60 ? `${name.slice(0, 60)}…` : name);
  const key = name.toLowerCase();
  if (colon < 0) complain(`${shown} has no colon`, 'a field is written Field: value');
  else if (!namePattern.test(name))
    complain(`${shown} is no field name`, 'it has letters, digits, hyphens; then a colon');
  else if (names.has(key)) complain(`the field ${shown} is here twice`, 'merge the two');
  else {
    names.add(key);
    return name;
  }
  return '';
}

/** The text of a file with its bytes; throws INPUT where they are no UTF-8. */
export function decodeText(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new Fault('INPUT', `${display(file)}: is not UTF-8`, {
      hint: 'control files are UTF-8 text',
      cause,
    });
  }
}

export const printDocument = ({ parts }: Document): string =>
  parts
    .map((part) =>
      part.kind === 'gap' ? part.text : part.fields.map(({ lead, raw }) => lead + raw).join(''),
    )
    .join('');

export const paragraphsOf = ({ parts }: Document): Paragraph[] =>
  parts.filter((part) => part.kind === 'paragraph');

/** The lines of the value, first what follows the colon; comments are left out. */
export function valueLines({ name, raw }: Field): ValueLine[] {
  const lines: ValueLine[] = [];
  for (let at = name.length + 1; at < raw.length;) {
    const newline = raw.indexOf('\n', at);
    let end = newline < 0 ? raw.length : newline;
    const next = end + 1;
    if (raw[at] !== '#' || lines.length === 0) {
      while (at < end && isBlankAt(raw, at)) at += 1;
      while (end > at && isBlankAt(raw, end - 1)) end -= 1;
      lines.push({ text: raw.slice(at, end), offset: at });
    }
    at = next;
  }
  return lines;
}

/** The value as it is, for a field of which nothing is known. */
export const rawValue = (field: Field): string =>
  valueLines(field)
    .map(({ text }) => text)
    .join('\n');

/** Where `offset` of the field's `raw` is in the file. */
export function placeOf({ line, raw }: Field, offset: number): { line: number; column: number } {
  const before = raw.slice(0, offset).split('\n');
  return { line: line + before.length - 1, column: [...(before.at(-1) ?? '')].length + 1 };
}

const namePattern = /^[!"$-,.-9;-~][!-9;-~]*$/;
const continuation = 'an empty line ends a paragraph; inside a value write a blank and a dot';
const unprintable = /[[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\ufeff]--[\t\n]]/v;

const isBlankAt = (text: string, at: number) => text[at] === ' ' || text[at] === '\t';

function isEmpty(text: string, at: number, end: number): boolean {
  while (at < end && isBlankAt(text, at)) at += 1;
  return at === end;
}

function strangeCharacter(text: string, offset: number, file: string): Problem {
  const before = text.slice(0, offset).split('\n');
  const place = { file, line: before.length, column: [...(before.at(-1) ?? '')].length + 1 };
  const character = text[offset] ?? '';
  if (character === '\r') {
    return {
      ...place,
      message: 'the line ends in a carriage return',
      hint: "remove them: sed -i 's/\\r$//' FILE",
    };
  }
  return { ...place, message: `${quote(character)} is no printable character`, hint: 'remove it' };
}
