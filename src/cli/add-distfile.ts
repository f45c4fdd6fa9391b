import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { Fault } from '../../builder/fault.ts';
import { makeApt } from '../source/apt.ts';
import type { AptOptions } from '../source/aptlists.ts';
import type { Distfile, SourcePackage } from '../source/distfile.ts';
import { makeEntry, type Published } from '../source/entry.ts';
import { addDistfiles } from '../source/list.ts';
import { type Context, print } from './context.ts';

export type AddOptions = {
  /** The list. */
  readonly path: string;
  readonly source: SourcePackage | undefined;
  readonly urls: readonly string[];
  readonly apt: AptOptions | undefined;
  readonly json: boolean;
};

/**
 * Puts files into the list of distfiles and prints their entries. With a source package, the machine's lists
 * must know that version, and it must carry each file with the same size and hash.
 */
export async function addFiles(
  files: readonly string[],
  { path, source, urls, apt, json }: AddOptions,
  { cwd }: Context,
): Promise<number> {
  if (files.length === 0) throw new Fault('USAGE', '--add: no file is named');
  if (files.length > 1 && urls.length > 0) throw new Fault('USAGE', '--url: name one file only');
  const published = source && apt && (await publishedFiles(source, apt));
  const debian = source !== undefined && (await isDebian());
  const entries: Distfile[] = [];
  for (const file of files) {
    const carried = published?.find(({ name }) => name === basename(file));
    if (published && source && !carried) {
      throw new Fault('NOT_FOUND', `${source.package} ${source.version} carries no ${basename(file)}`, {
        hint: `it carries ${published.map(({ name }) => name).join(', ') || 'no archive'}`,
      });
    }
    entries.push(await makeEntry(resolve(cwd, file), { urls, source, published: carried, debian }));
  }
  const added = await addDistfiles(path, entries);
  if (json) print(`${JSON.stringify({ distfiles: added }, null, 2)}\n`);
  else for (const { name, size, integrity } of added) print(`${name} ${size} ${integrity}\n`);
  return 0;
}

async function publishedFiles(source: SourcePackage, apt: AptOptions): Promise<readonly Published[]> {
  const versions = await makeApt(apt).show(source.package, undefined);
  const found = versions.filter(({ version }) => version === source.version);
  if (found.length === 0) {
    const known = [...new Set(versions.map(({ version }) => version))].join(', ');
    throw new Fault('NOT_FOUND', `this machine's sources have no ${source.package} ${source.version}`, {
      hint: known
        ? `they have ${known}`
        : 'apt-cache search finds names; a source package may be called otherwise',
    });
  }
  return found.flatMap(({ files }) => files);
}

/** Whether the pool of this machine's distribution is Debian's, so that its public addresses are known. */
const isDebian = async (): Promise<boolean> =>
  /^ID="?debian"?$/m.test(await readFile('/etc/os-release', 'utf8').catch(() => ''));
