/** Fields in order: a text, the items of a list, or undefined or no items where there is none. */
export type Fields = readonly (readonly [name: string, value: string | readonly string[] | undefined])[];

/** A paragraph in the one way that our tools write: a list has one item a line, text goes on behind one blank. */
export const formatParagraph = (fields: Fields): string =>
  fields.map(([name, value]) => formatField(name, value)).join('');

function formatField(name: string, value: string | readonly string[] | undefined): string {
  if (value === undefined || value.length === 0) return '';
  if (typeof value !== 'string') return `${name}:\n${value.map((item) => `  ${item}\n`).join('')}`;
  return `${name}: ${value
    .split('\n')
    .map((line) => line || '.')
    .join('\n ')}\n`;
}
