import { type BinaryControl, checkBinaryControl } from './binary-control.ts';
import { paragraphsOf, parseDocument } from './paragraph.ts';
import type { Checked } from './problem.ts';
import { checkSourceControl, type SourceControl } from './source-control.ts';

/** A control file of either kind. */
export type Control =
  | { readonly kind: 'source'; readonly control: SourceControl }
  | { readonly kind: 'binary'; readonly control: BinaryControl };

/** Reads a control file whose kind is not known beforehand. */
export function checkControl(text: string, file: string): Checked<Control> {
  if (isSource(text, file)) {
    const source = checkSourceControl(text, file);
    return { ...source, value: source.value && { kind: 'source', control: source.value } };
  }
  const binary = checkBinaryControl(text, file);
  return { ...binary, value: binary.value && { kind: 'binary', control: binary.value } };
}

/** A binary control has the field Package in its first paragraph, as one that lacks the empty line above it has. */
function isSource(text: string, file: string): boolean {
  const [first, ...others] = paragraphsOf(parseDocument(text, file, []));
  const names = new Set(first?.fields.map(({ name }) => name.toLowerCase()));
  if (!names.has('source')) return !names.has('package');
  return others.length > 0 || !names.has('package') || onlyInSource.some((name) => names.has(name));
}

const onlyInSource = ['sources', 'depends-unpack', 'depends-build', 'depends-test'];
