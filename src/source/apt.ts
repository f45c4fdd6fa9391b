import { createReadStream } from 'node:fs';
import { copyFile, mkdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../../builder/fault.ts';
import { type AptLists, type AptOptions, aptLists, aptReason } from './aptlists.ts';
import type { Distfile, SourcePackage } from './distfile.ts';
import type { Published } from './entry.ts';
import { ownerToken } from '../package/owner.ts';
import { leftovers, type Part } from './part.ts';
import { runProgram } from './program.ts';

/** One version of a source package in the machine's lists, with the archives of it. */
type AptSource = SourcePackage & { readonly files: readonly Published[] };

/** The machine's package manager as a place to get archives from; it says at most once what it cannot do. */
export type Apt = {
  /** Every version that the lists have of a source package, the newest lists first if `anew`. */
  show(name: string, signal: AbortSignal | undefined, anew?: boolean): Promise<AptSource[]>;
  /**
   * Brings a distfile into `part` by `apt-get source --tar-only`. The version asked for is the one that the
   * distfile names, or else any that carries a file of that name and size: a distribution replaces versions.
   * `watch` hears how many bytes are there. Throws NOT_FOUND or NETWORK.
   */
  fetch(
    distfile: Distfile,
    part: Part,
    directory: string,
    signal: AbortSignal | undefined,
    watch: (bytes: number) => void,
  ): Promise<void>;
};

/** Lists younger than this are not fetched again when they lack something; in milliseconds. */
const young = 3_600_000;

export function makeApt(options: AptOptions): Apt {
  let ready: Promise<AptLists> | undefined;
  let renewed: Promise<AptLists> | undefined;
  const lists = (signal: AbortSignal | undefined, anew: boolean): Promise<AptLists> => {
    if (anew) renewed ??= aptLists(options, signal, young);
    else ready ??= aptLists(options, signal);
    return renewed ?? ready ?? aptLists(options, signal);
  };

  const show: Apt['show'] = async (name, signal, anew = false) => {
    const { args } = await lists(signal, anew);
    const { stdout } = await runProgram('apt-cache', [...args, 'showsrc', '--only-source', name], {
      env: options.env,
      signal,
    });
    return parseSources(stdout).filter((source) => source.package === name);
  };

  const find = async (distfile: Distfile, source: SourcePackage, signal: AbortSignal | undefined) => {
    for (const anew of [false, true]) {
      const carriers = (await show(source.package, signal, anew)).filter(({ files }) =>
        files.some(({ name, size }) => name === distfile.name && size === distfile.size),
      );
      // The sort is stable, so the lists' own order decides among the others.
      carriers.sort((a, b) => Number(b.version === source.version) - Number(a.version === source.version));
      if (carriers.length > 0) return carriers;
    }
    throw new Fault('NOT_FOUND', `no version of ${source.package} in this machine's sources carries it`);
  };

  return {
    show,
    async fetch(distfile, part, directory, signal, watch) {
      const { source } = distfile;
      if (!source) throw new Fault('NOT_FOUND', 'the list names no source package for it');
      const versions = new Set((await find(distfile, source, signal)).map(({ version }) => version));
      const { args } = await lists(signal, false);
      for (const left of await leftovers(directory, distfile.name, 'apt')) {
        await rm(left, { recursive: true, force: true });
      }
      const reasons: string[] = [];
      for (const version of versions) {
        const call = [...args, '-qq', 'source', '--download-only', '--only-source', '--tar-only'];
        const reason = await receive([...call, `${source.package}=${version}`], version);
        if (reason === undefined) return;
        reasons.push(reason);
      }
      throw new Fault('NETWORK', reasons.join('; '));

      async function receive(call: readonly string[], version: string): Promise<string | undefined> {
        const work = join(directory, `.${distfile.name}.${ownerToken()}.apt`);
        const file = join(work, distfile.name);
        await mkdir(work);
        const watching = setInterval(() => {
          stat(file).then(
            ({ size }) => watch(size),
            () => undefined,
          );
        }, 200);
        try {
          await seed(part, file);
          const { stderr } = await runProgram('apt-get', call, { env: options.env, cwd: work, signal });
          // Other archives of the version may have failed, which is nothing to us.
          const size = await sizeOf(file);
          return size === distfile.size ? undefined : `version ${version}: ${aptReason(stderr)}`;
        } finally {
          clearInterval(watching);
          await collect(part, file);
          await rm(work, { recursive: true, force: true });
        }
      }
    },
  };
}

/** Gives apt what is here already. Its If-Range compares the time, so that has to be as the server said it. */
async function seed(part: Part, file: string): Promise<void> {
  if (part.bytes === 0) return;
  const { atime, mtime } = await stat(part.path);
  await copyFile(part.path, file);
  await utimes(file, atime, mtime);
}

/** Takes what apt brought, whole or not, if it is more than what is here. */
async function collect(part: Part, file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (!found || found.size <= part.bytes) return;
  const chunks = createReadStream(file, { start: part.bytes, highWaterMark: 1 << 20 });
  for await (const chunk of chunks as AsyncIterable<Buffer>) await part.write(chunk);
  part.stamp(found.mtime);
}

const sizeOf = async (file: string): Promise<number> => (await stat(file).catch(() => undefined))?.size ?? 0;

/** The paragraphs of `apt-cache showsrc` (deb-src-control(5), with `Directory` from the index). */
function parseSources(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const paragraph of text.split(/\n\n+/)) {
    const field = (name: string): string =>
      new RegExp(`^${name}:[ \\t]*(.*(?:\\n[ \\t].*)*)`, 'm').exec(paragraph)?.[1]?.trim() ?? '';
    const version = field('Version');
    const folder = field('Directory');
    if (version === '') continue;
    const files = field('Checksums-Sha256')
      .split('\n')
      .flatMap((line): Published[] => {
        const [sha256 = '', size = '', name = ''] = line.trim().split(/\s+/);
        return /\.tar\.\w+$/.test(name) && !/\.debian\.tar\./.test(name)
          ? [{ name, size: Number(size), sha256, folder }]
          : [];
      });
    sources.push({ package: field('Package'), version, files });
  }
  return sources;
}
