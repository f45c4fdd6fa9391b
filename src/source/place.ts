import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { asFault, Fault } from '../../builder/fault.ts';
import { quote } from '../package/name.ts';
import type { Apt } from './apt.ts';
import { checkUrl, type Distfile } from './distfile.ts';
import { download, type Patience } from './download.ts';
import type { Part } from './part.ts';

/** What is the same for every place while one distfile is fetched. */
type Fetching = {
  readonly distfile: Distfile;
  readonly part: Part;
  /** Where the distfile goes. */
  readonly directory: string;
  readonly signal: AbortSignal | undefined;
  /** Hears how many bytes are there, where the part itself does not grow. */
  readonly watch: (bytes: number) => void;
};

/** Somewhere that may have a distfile. */
export type Place = {
  readonly kind: 'directory' | 'mirror' | 'apt' | 'url';
  /** How the user knows it, safe to print. */
  readonly name: string;
  /** Writes the rest of the distfile to the part, or throws a Fault whose message is the reason alone. */
  deliver(fetching: Fetching): Promise<void>;
};

/** A directory that holds files by name, and may hold anything under that name. */
export function directoryPlace(directory: string, kind: 'directory' | 'mirror'): Place {
  return {
    kind,
    name: `${kind} ${quote(directory)}`,
    async deliver({ distfile, part, signal }) {
      const path = join(directory, distfile.name);
      try {
        const stats = await stat(path);
        if (!stats.isFile()) throw new Fault('INPUT', 'what is there is no file');
        if (stats.size !== distfile.size) {
          throw new Fault('INTEGRITY', `has ${stats.size} bytes there, not ${distfile.size}`);
        }
        const chunks = createReadStream(path, {
          start: part.bytes,
          highWaterMark: 1 << 20,
          ...(signal && { signal }),
        });
        for await (const chunk of chunks as AsyncIterable<Buffer>) await part.write(chunk);
      } catch (error) {
        signal?.throwIfAborted();
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new Fault('NOT_FOUND', 'not there');
        throw asFault(error, 'cannot be read');
      }
    },
  };
}

/** A directory, or an address below which files are found by name. Throws USAGE for one that cannot be used. */
export function mirrorPlace(mirror: string, patience: Patience, name: string): Place {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(mirror)) return directoryPlace(mirror, 'mirror');
  let url: URL;
  try {
    url = checkUrl(mirror.endsWith('/') ? mirror : `${mirror}/`, name);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const { hint } = error;
    throw new Fault('USAGE', error.message, { ...(hint !== undefined && { hint }), cause: error });
  }
  return {
    kind: 'mirror',
    name: `mirror ${url.href}`,
    deliver: ({ distfile, part, signal }) =>
      download(new URL(encodeURIComponent(distfile.name), url).href, part, patience, signal),
  };
}

export function urlPlace(url: string, patience: Patience): Place {
  return {
    kind: 'url',
    name: url,
    deliver: ({ part, signal }) => download(url, part, patience, signal),
  };
}

export function aptPlace(apt: Apt, { source }: Distfile): Place {
  return {
    kind: 'apt',
    name: source ? `apt-get source ${source.package}=${source.version}` : 'apt-get source',
    deliver: ({ distfile, part, directory, signal, watch }) =>
      apt.fetch(distfile, part, directory, signal, watch),
  };
}
