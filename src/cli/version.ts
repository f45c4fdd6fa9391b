import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from './context.ts';

/** What `--version` prints: the tool's name and the version of the package it came with. */
export function versionLine({ tool, places }: Context): string {
  const { version } = JSON.parse(readFileSync(join(places.root, 'package.json'), 'utf8')) as {
    version: string;
  };
  return `${tool} (static-distro) ${version}\n`;
}
