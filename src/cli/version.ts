import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from './context.ts';

function versionOf({ places }: Context): string {
  const { version } = JSON.parse(readFileSync(join(places.root, 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}

/** What `--version` prints: the tool's name and the version of the package it came with. */
export const versionLine = (context: Context): string =>
  `${context.tool} (static-distro) ${versionOf(context)}\n`;

/** How we call ourselves to servers. */
export const userAgent = (context: Context): string => `static-distro/${versionOf(context)}`;
