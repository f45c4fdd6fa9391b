import { Fault } from '../../builder/fault.ts';
import { display, quote } from '../package/name.ts';
import type { Call } from '../run/command.ts';
import { type FailedBuild, writeFailed } from './failed.ts';
import { isFull, roomHint } from './disk.ts';
import type { Share } from '../run/share.ts';
import type { Log } from './log.ts';
import type { Workplace } from './workplace.ts';

/** Whether what failed is kept: `usual` unless the disk is full, as it would only fill it on. */
export type Keep = 'always' | 'usual' | 'never';

/** A failure that the user can look into; what is thrown says in one line what it was. */
export type FailedEvent = {
  readonly event: 'failed';
  /** The end of the log. */
  readonly lines: readonly string[];
  readonly log: string;
  /** The work directory, if it was kept. */
  readonly kept: string | undefined;
};

/** What a failure happened in. */
export type Scene = {
  readonly name: string;
  readonly version: string;
  readonly phase: string;
  readonly place: Workplace;
  readonly log: Log;
  /** How the last script was called; none if there was no script yet. */
  readonly call: Call | undefined;
};

export type FailureSetting = {
  readonly cache: string;
  readonly keep?: Keep;
  readonly signal: AbortSignal | undefined;
  readonly listen: (event: FailedEvent) => void;
};

/** How many lines of the log a failure shows. */
const shownLines = 20;

/** Failures that have been told of where they happened. */
const told = new WeakSet<Fault>();

/**
 * Keeps what failed, tells of it, and gives the failure with where its traces are. What is no failure of the build
 * is given back as it is: a build that was stopped because another one failed has not failed itself. `adjust`
 * changes what is kept of the call, once the work directory is at its place.
 */
export async function explain(
  error: unknown,
  scene: Scene,
  { cache, keep = 'usual', signal, listen }: FailureSetting,
  adjust: (call: Call) => Call | Promise<Call> = (call) => call,
): Promise<unknown> {
  const { log, call, place } = scene;
  if (error === signal?.reason || !(error instanceof Fault) || told.has(error)) return error;
  const ofBuild = error.code === 'BUILD' || error.code === 'UNSAFE';
  if (!ofBuild && error.code !== 'IO') return error;
  log.end();
  const kept =
    ofBuild && keep !== 'never' && !(keep === 'usual' && isFull(place.path)) ? await place.keep() : undefined;
  if (ofBuild) listen({ event: 'failed', lines: log.tail(shownLines), log: log.path, kept });
  const advice = error.hint ?? (ofBuild ? undefined : roomHint(error.message));
  const words = [...(advice === undefined ? [] : [advice]), `log: ${quote(log.path)}`];
  if (kept !== undefined) words.push(`work directory: ${quote(kept)}`);
  if (kept !== undefined && call) {
    const { name, version, phase } = scene;
    const failed: FailedBuild = {
      format: 1,
      name,
      version,
      phase,
      work: kept,
      log: log.path,
      call: await adjust({ ...call, shares: (call.shares ?? []).map((share) => moved(share, kept)) }),
    };
    writeFailed(cache, failed);
    words.push(`a shell in its root: ${shellCommand(failed)}`);
  }
  const fault = new Fault(error.code, error.message, { hint: words.join('; '), cause: error });
  told.add(fault);
  return fault;
}

const moved = (share: Share, source: string): Share => ({ ...share, source });

/** What opens a shell in the root of a failed build. */
export const shellCommand = ({ name, version }: Pick<FailedBuild, 'name' | 'version'>): string =>
  `pkgbuild --shell ${display(`${name}=${version}`)}`;
