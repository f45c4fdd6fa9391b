import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The machine's package sources asked for source packages; `one` is of the one-line style, `deb822` of the other. */
export type AptSources = { readonly one: string; readonly deb822: string };

/**
 * Reads the machine's own configuration (sources.list(5)): the file `list` and what is in the directory `parts`,
 * by the rules that apt goes by. Media that would have to be inserted are left out. What cannot be read counts
 * as absent.
 */
export async function readAptSources(list: string, parts: string): Promise<AptSources> {
  const names = (await readdir(parts).catch(() => [])).filter((name) =>
    /^[\w.-]+\.(list|sources)$/.test(name),
  );
  const read = (name: string): Promise<string> => readFile(join(parts, name), 'utf8').catch(() => '');
  const texts = async (ending: string): Promise<string[]> =>
    Promise.all(
      names
        .filter((name) => name.endsWith(ending))
        .sort()
        .map(read),
    );
  const main = await readFile(list, 'utf8').catch(() => '');
  return {
    one: oneLineSources([main, ...(await texts('.list'))].join('\n')),
    deb822: deb822Sources((await texts('.sources')).join('\n\n')),
  };
}

/** `deb` and `deb-src` lines as `deb-src` lines, each once. */
export function oneLineSources(text: string): string {
  const lines = new Set<string>();
  for (const line of text.split('\n')) {
    const rest = /^\s*deb(?:-src)?\s+([^#]*)/.exec(line)?.[1]?.trim();
    if (rest && !/\bcdrom:/.test(rest)) lines.add(`deb-src ${rest}\n`);
  }
  return [...lines].join('');
}

/** The enabled paragraphs, each once, with `Types: deb-src`. */
export function deb822Sources(text: string): string {
  const paragraphs = new Set<string>();
  for (const paragraph of text.split(/\n(?:[ \t]*\n)+/)) {
    const fields = paragraph
      .split('\n')
      .filter((line) => !line.startsWith('#'))
      .join('\n')
      .split(/\n(?=\S)/)
      .filter((field) => /^[\w-]+:/.test(field.trim()));
    const value = (name: string): string =>
      fields.find((field) => field.trim().toLowerCase().startsWith(`${name}:`))?.split(/:\s*/s, 2)[1] ?? '';
    if (!/\bdeb\b/.test(value('types')) || /^(no|false|without|off|disable|0)\b/i.test(value('enabled')))
      continue;
    if (/\bcdrom:/.test(paragraph)) continue;
    const rest = fields.filter((field) => !/^\s*types:/i.test(field)).map((field) => field.trim());
    paragraphs.add(['Types: deb-src', ...rest].join('\n'));
  }
  return [...paragraphs].map((paragraph) => `${paragraph}\n\n`).join('');
}
