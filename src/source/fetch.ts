import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fromHex } from 'ssri';
import { asFault, Fault } from '../../builder/fault.ts';
import { quote } from '../package/name.ts';
import { type Apt, makeApt } from './apt.ts';
import type { AptOptions } from './aptlists.ts';
import { type Distfile, selectDistfiles } from './distfile.ts';
import { type Patience, usualPatience } from './download.ts';
import { openPart, type Part } from './part.ts';
import { aptPlace, directoryPlace, mirrorPlace, type Place, urlPlace } from './place.ts';

export type FetchOptions = {
  /** Where distfiles are kept; made if it is missing. */
  readonly directory: string;
  /** Local directories that may have files by name. */
  readonly from?: readonly string[] | undefined;
  /** A directory, or a URL below which files are found by name. */
  readonly mirror?: string | undefined;
  /** Undefined: the machine's package manager is not asked. */
  readonly apt?: AptOptions | undefined;
  /** The option that names another directory with distfiles, for hints. */
  readonly option?: string | undefined;
  /** How many at once, 3 if not said. */
  readonly jobs?: number | undefined;
  readonly patience?: Patience | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly listen?: ((event: FetchEvent) => void) | undefined;
};

/** What happens, for progress. `bytes` counts what is on this machine already. */
export type FetchEvent =
  | { readonly event: 'bytes'; readonly name: string; readonly bytes: number }
  | { readonly event: 'refused' | 'fetched'; readonly name: string; readonly text: string };

/** Why one place did not do. `place` and `reason` are safe to print. */
type Attempt = { readonly place: string; readonly kind: Place['kind']; readonly reason: string };

export type Outcome =
  | {
      readonly distfile: Distfile;
      readonly path: string;
      /** `present`, or the place that it came from. */
      readonly from: string;
    }
  | { readonly distfile: Distfile; readonly tried: readonly Attempt[]; readonly fault: Fault };

/**
 * Brings distfiles to a directory: what is there and whole stays; otherwise local directories, the mirror, the
 * machine's package manager and the list's URLs are tried in this order. Only the right bytes ever get the name, and
 * other ones that had it stay until then.
 * Gives the paths in the order of `names`. Throws the fault of the first that cannot be had, after all others
 * have ended; NOT_FOUND for a name that is not listed.
 */
export async function fetchDistfiles(
  list: ReadonlyMap<string, Distfile>,
  names: readonly string[],
  options: FetchOptions,
): Promise<string[]> {
  const outcomes = await fetchAll(selectDistfiles(list, names), options);
  const paths = new Map<string, string>();
  for (const outcome of outcomes) {
    if ('fault' in outcome) throw outcome.fault;
    paths.set(outcome.distfile.name, outcome.path);
  }
  return names.map((name) => paths.get(name) ?? join(options.directory, name));
}

/** As {@link fetchDistfiles}, but one failure does not hide the others. Throws the signal's reason if aborted. */
export async function fetchAll(distfiles: readonly Distfile[], options: FetchOptions): Promise<Outcome[]> {
  const { from = [], mirror, jobs = 3, patience = usualPatience } = options;
  const common = from.map((directory) => directoryPlace(directory, 'directory'));
  if (mirror) common.push(mirrorPlace(mirror, patience, 'STATIC_DISTRO_MIRROR'));
  const apt = options.apt && makeApt(options.apt);
  const outcomes: Outcome[] = [];
  const todo = distfiles.entries();
  const work = async (): Promise<void> => {
    for (const [index, distfile] of todo) {
      const places = [...common, ...ownPlaces(distfile, apt, patience)];
      try {
        outcomes[index] = await fetchOne(distfile, places, options);
      } catch (error) {
        // What is no failure of a place, such as a full disk or Ctrl-C, concerns the others too.
        for (const rest of todo) void rest;
        throw error;
      }
    }
  };
  const workers = await Promise.allSettled(Array.from({ length: jobs }, work));
  for (const worker of workers) if (worker.status === 'rejected') throw worker.reason;
  return outcomes;
}

function ownPlaces(distfile: Distfile, apt: Apt | undefined, patience: Patience): Place[] {
  return [...(apt ? [aptPlace(apt, distfile)] : []), ...distfile.urls.map((url) => urlPlace(url, patience))];
}

async function fetchOne(
  distfile: Distfile,
  places: readonly Place[],
  options: FetchOptions,
): Promise<Outcome> {
  const { directory, signal, listen = () => undefined } = options;
  const { name } = distfile;
  signal?.throwIfAborted();
  const path = join(directory, name);
  const state = await checkDistfile(path, distfile);
  if (state === 'whole') return { distfile, path, from: 'present' };
  const tried: Attempt[] = [];
  if (state === 'wrong') {
    // It may be all that its owner has: it stays until the right bytes take its place.
    const reason = 'other bytes than the list says';
    tried.push({ place: quote(path), kind: 'directory', reason });
    listen({ event: 'refused', name, text: `${quote(path)}: ${reason}` });
  }
  const part = watched(await openPart(directory, distfile), name, listen);
  const watch = (bytes: number): void => listen({ event: 'bytes', name, bytes });
  let fault: Fault | undefined;
  let place = places[0];
  for (let index = 0; place; place = places[index]) {
    const { resumed } = part;
    try {
      if (part.bytes < part.size) await place.deliver({ distfile, part, directory, signal, watch });
      const complete = await part.complete();
      listen({ event: 'fetched', name, text: place.name });
      return { distfile, path: complete, from: place.name };
    } catch (error) {
      if (!(error instanceof Fault)) {
        await part.leave();
        throw error;
      }
      // The part was dropped for wrong bytes that an earlier run may have left: this place gets a second try.
      if (resumed && error.code === 'INTEGRITY' && part.bytes === 0) continue;
      const { kind } = place;
      tried.push({ place: place.name, kind, reason: error.message });
      listen({ event: 'refused', name, text: `${place.name}: ${error.message}` });
      if (fault?.code !== 'INTEGRITY') fault = error;
      index += 1;
    }
  }
  await part.leave();
  return {
    distfile,
    tried,
    fault: explain(distfile, tried, state === 'wrong' ? 'INTEGRITY' : (fault?.code ?? 'NOT_FOUND'), options),
  };
}

/** The part, with every byte that it gets told to the listener. */
function watched(part: Part, name: string, listen: (event: FetchEvent) => void): Part {
  const write: Part['write'] = async (chunk) => {
    await part.write(chunk);
    listen({ event: 'bytes', name, bytes: part.bytes });
  };
  return Object.create(part, { write: { value: write } }) as Part;
}

function explain(
  { name, urls }: Distfile,
  tried: readonly Attempt[],
  code: Fault['code'],
  { directory, option }: FetchOptions,
): Fault {
  const reasons =
    tried.map(({ place, reason }) => `${place}: ${reason}`).join('; ') || 'no place to get it from';
  const [url] = urls;
  const hint = url
    ? `get it by other means, for example: curl -fL -o ${shell(join(directory, name))} ${shell(url)}`
    : `copy it to ${shell(directory)}${option === undefined ? '' : `, or name a directory that has it with ${option}`}`;
  return new Fault(code, `${name} cannot be had: ${reasons}`, { hint });
}

/** Quoted for the user's shell where it needs to be. */
const shell = (text: string): string =>
  /^[\w@%+=:,./~-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** Whether a file is a distfile, by size and hash. A link is followed; what is no file is an error. */
export async function checkDistfile(path: string, distfile: Distfile): Promise<'whole' | 'wrong' | 'absent'> {
  try {
    const stats = await stat(path);
    if (!stats.isFile()) throw new Fault('IO', `${quote(path)} is in the way: it is no file`);
    if (stats.size !== distfile.size) return 'wrong';
    const hash = createHash('sha512');
    const chunks = createReadStream(path, { highWaterMark: 1 << 20 });
    for await (const chunk of chunks as AsyncIterable<Buffer>) hash.update(chunk);
    return fromHex(hash.digest('hex'), 'sha512').match(distfile.integrity) ? 'whole' : 'wrong';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'absent';
    throw asFault(error, `cannot read ${quote(path)}`);
  }
}
