import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { fromHex } from 'ssri';
import { asFault, Fault } from '../../builder/fault.ts';
import { quote } from '../package/name.ts';
import { checkUrl, type Distfile, isDistfileName, type SourcePackage } from './distfile.ts';

/** What a source package's index says of one of its files. */
export type Published = {
  readonly name: string;
  readonly size: number;
  /** 64 hex digits. */
  readonly sha256: string;
  /** The folder in the archive, such as `pool/main/m/musl`. */
  readonly folder: string;
};

export type EntryOptions = {
  readonly urls: readonly string[];
  readonly source: SourcePackage | undefined;
  /** Undefined if no source package is named. */
  readonly published: Published | undefined;
  /** Whether the source package is Debian's. */
  readonly debian: boolean;
};

/**
 * The list's entry for the archive at `path`, under its own file name. For what Debian publishes its public
 * addresses are added: the pool, and the snapshot archive, which names files by SHA-1 and keeps them for good.
 * Throws INTEGRITY if the file is not what the source package carries.
 */
export async function makeEntry(path: string, options: EntryOptions): Promise<Distfile> {
  const name = basename(path);
  if (!isDistfileName(name)) throw new Fault('INPUT', `${quote(name)} cannot be the name of a distfile`);
  const sums = { sha1: createHash('sha1'), sha256: createHash('sha256'), sha512: createHash('sha512') };
  let size = 0;
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      for (const sum of Object.values(sums)) sum.update(chunk);
      size += chunk.length;
    }
  } catch (error) {
    throw asFault(error, `cannot read ${quote(path)}`);
  }
  const { published, source } = options;
  if (published && (published.size !== size || published.sha256 !== sums.sha256.digest('hex'))) {
    throw new Fault('INTEGRITY', `${name} is not the file that its source package lists`);
  }
  const debian = published && options.debian ? debianUrls(published, sums.sha1.digest('hex')) : [];
  return {
    name,
    size,
    integrity: fromHex(sums.sha512.digest('hex'), 'sha512', { single: true }).toString(),
    urls: [...options.urls, ...debian].map((url) => checkUrl(url, name).href),
    ...(source && { source }),
  };
}

/** A `+` stays as it is in a path (RFC 3986); Debian's own index writes it so too. */
function debianUrls({ folder, name }: Published, sha1: string): string[] {
  if (!folder.startsWith('pool/')) return [];
  const archive = folder.startsWith('pool/updates/') ? 'debian-security' : 'debian';
  return [`https://deb.debian.org/${archive}/${folder}/${name}`, `https://snapshot.debian.org/file/${sha1}`];
}
