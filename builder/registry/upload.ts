import type { Descriptor } from '../descriptor.ts';
import { Fault } from '../fault.ts';
import { contentFrom, verified, wrongSize } from '../store/blob.ts';
import type { Content } from '../store/store.ts';
import { isTooBig, smallerChunk } from './chunk.ts';
import { parseLength, parseUploadRange, resolveLocation, withQuery } from './header.ts';
import { beginUpload } from './mount.ts';
import { isLost, isSilence } from './network-fault.ts';
import { ask, blobPath, faultOf, labelOf, type Place } from './place.ts';
import { type Problem, readProblem, reasonOf } from './problem.ts';
import { type Answer, type Body, discard } from './request.ts';
import type { Session, Sessions } from './session.ts';

/**
 * Bytes in a request once a longer one has broken off and the registry kept nothing of it, as several do: else a
 * blob that takes longer than connections last would never get there.
 */
const afterBreak = 8 << 20;

/** Smaller blobs are not worth a file that remembers their upload, in bytes. */
const worthRemembering = 1 << 20;

export type Upload = {
  readonly place: Place;
  readonly descriptor: Descriptor;
  readonly content: Content;
  readonly sessions: Sessions | undefined;
};

/** How an upload stands between two requests. */
type State = {
  session: Session | undefined;
  /** Most bytes in one request. */
  chunk: number;
  /** Tries in a row without progress. */
  failures: number;
  /** Of these, those in which nothing was heard for as long as we are patient. */
  silences: number;
  /** The most that was ever confirmed: only what goes beyond it is progress. */
  best: number;
  /** The registry took a chunk and lost it, so chunks are no way. */
  dropped: boolean;
  /** Something of it was sent by parts, so that a wrong digest may be the registry's doing. */
  parted: boolean;
};

/**
 * Sends a blob that the registry does not have: in one request, or in chunks if that is too much for somebody
 * on the way. After a lost connection the registry is asked how far it has got, or whether it has finished
 * after all, and gets the rest. Throws INTEGRITY if the bytes are not what the descriptor says.
 */
export async function upload(task: Upload, begun: Session | undefined): Promise<void> {
  const { place, descriptor, sessions } = task;
  const { registry } = place;
  const limit = registry.known.chunk ?? registry.settings.chunk ?? Number.POSITIVE_INFINITY;
  const state: State = {
    session: begun,
    chunk: limit,
    failures: 0,
    silences: 0,
    best: 0,
    dropped: false,
    parted: false,
  };
  const saved = begun ? undefined : await sessions?.take(place, descriptor);
  if (saved) await resume(task, state, saved);
  while (!(await step(task, state))) {
    if (state.failures >= registry.policy.attempts) {
      throw new Fault('NETWORK', `${labelOf(place)}: sending ${descriptor.digest}: no progress any more`, {
        hint: 'do it again: what has arrived is kept where the registry allows it',
      });
    }
  }
  await sessions?.forget(place, descriptor);
}

/** One request that carries bytes or ends the upload. True when the registry has the blob. */
async function step(task: Upload, state: State): Promise<boolean> {
  const { place, descriptor } = task;
  const { size } = descriptor;
  state.session ??= await remember(task, await beginUpload(place, descriptor.digest));
  const { location, offset } = state.session;
  const length = Math.min(size - offset, state.chunk);
  const last = offset + length === size && (offset === 0 || length === 0);
  if (!last || offset > 0) state.parted = true;
  let answer: Answer;
  try {
    answer = await ask(
      place,
      `sending ${descriptor.digest}`,
      last ? 'PUT' : 'PATCH',
      last ? withQuery(location, 'digest', descriptor.digest) : location,
      {
        again: false,
        body: bodyOf(task, offset, length),
        headers: {
          'Content-Type': 'application/octet-stream',
          // No unit: the specification wants none, and there are registries that refuse one.
          ...(!last && { 'Content-Range': `${offset}-${offset + length - 1}` }),
        },
      },
    );
  } catch (error) {
    if (!isLost(error)) throw error;
    return recover(task, state, last, error);
  }
  if (last && [200, 201, 202, 204].includes(answer.status)) {
    await discard(answer);
    return true;
  }
  if (!last && [200, 201, 202, 204].includes(answer.status)) {
    await discard(answer);
    await advance(task, state, answer, length);
    return false;
  }
  return complain(task, state, last, length, answer);
}

/** The registry's word for how much it has counts, not how much was sent. */
async function advance(task: Upload, state: State, answer: Answer, length: number): Promise<void> {
  const { location, offset } = state.session ?? { location: answer.url, offset: 0 };
  const said = parseUploadRange(answer.headers.range);
  const now = said ?? offset + length;
  if (now > offset && now <= offset + length) {
    progress(state, now);
    state.session = await remember(task, { location: nextLocation(task, answer, location), offset: now });
    return;
  }
  // Some registries take one chunk and drop the others without a word.
  state.failures += 1;
  state.dropped = true;
  state.chunk = Number.POSITIVE_INFINITY;
  await restart(task, state);
}

function progress(state: State, offset: number): void {
  if (offset > state.best) state.failures = state.silences = 0;
  state.best = Math.max(state.best, offset);
}

function nextLocation({ place }: Upload, answer: Answer, before: URL): URL {
  const location = resolveLocation(answer.headers.location, answer.url) ?? before;
  place.registry.check(location, answer);
  return location;
}

/** The registry says no. */
async function complain(
  task: Upload,
  state: State,
  last: boolean,
  length: number,
  answer: Answer,
): Promise<boolean> {
  const { place } = task;
  const problem = await readProblem(answer);
  const fault = faultOf(place, answer, problem);
  const minimum = parseLength(String(answer.headers['oci-chunk-min-length'] ?? '')) ?? 0;
  if (isTooBig(answer.status, problem.message)) {
    const chunk = smallerChunk(length);
    if (chunk === undefined || chunk < minimum || state.dropped) throw fault;
    state.chunk = place.registry.known.chunk = chunk;
    await restart(task, state);
    return false;
  }
  if (answer.status === 404 || answer.status === 416 || place.registry.isBusy(answer.status)) {
    return recover(task, state, last, fault, problem);
  }
  // What was pieced together may be wrong through no fault of the content.
  if (problem.code === 'DIGEST_INVALID' && state.parted) {
    state.failures += 1;
    state.parted = false;
    await restart(task, state);
    if (state.failures < 2) return false;
  }
  throw fault;
}

/**
 * Nobody knows what has become of the last request: the registry may have finished, or have a part. `fault` is
 * thrown when that has happened too often.
 */
async function recover(
  task: Upload,
  state: State,
  last: boolean,
  fault: Fault,
  problem?: Problem,
): Promise<boolean> {
  const { place, descriptor, sessions } = task;
  state.failures += 1;
  if (isLost(fault) && isSilence(fault)) state.silences += 1;
  const { attempts, silences } = place.registry.policy;
  if (state.failures >= attempts || state.silences >= silences) throw fault;
  if (!problem || problem.status === 404) await place.registry.pause(state.failures - 1, reasonOf(fault));
  if (last && (await isThere(place, descriptor))) return true;
  const session = state.session;
  if (session && problem?.status !== 404) await resume(task, state, session, problem?.status === 416);
  else {
    state.session = undefined;
    await sessions?.forget(place, descriptor);
  }
  return false;
}

/** HEAD of the blob, which is how an upload whose end nobody saw is settled. */
export async function isThere(place: Place, { digest, size }: Descriptor): Promise<boolean> {
  const answer = await ask(place, `looking for ${digest}`, 'HEAD', blobPath(place, digest), {
    follow: false,
  });
  await discard(answer);
  // A registry leads elsewhere only to what it has; and addresses signed for GET refuse HEAD.
  if (answer.status >= 300 && answer.status < 400) return true;
  return answer.status === 200 && (parseLength(answer.headers['content-length']) ?? size) === size;
}

/** Asks how far the upload has got (end-13). An offset at which nothing can go on begins a new one, as one that was refused. */
async function resume(task: Upload, state: State, session: Session, refused = false): Promise<void> {
  const { place, descriptor } = task;
  const before = session.offset;
  let answer: Answer | undefined;
  try {
    answer = await ask(place, `asking how much of ${descriptor.digest} is there`, 'GET', session.location, {
      again: false,
    });
    await discard(answer);
  } catch (error) {
    if (!isLost(error)) throw error;
  }
  const known =
    answer && answer.status >= 200 && answer.status < 300
      ? parseUploadRange(answer.headers.range)
      : undefined;
  if (answer && known !== undefined && known > 0 && known <= descriptor.size) {
    progress(state, known);
    state.session = await remember(task, {
      location: nextLocation(task, answer, session.location),
      offset: known,
    });
  } else if (before > 0 && !refused && answer?.status !== 404 && state.failures < 2 && known === undefined) {
    // It cannot tell; the place that it confirmed last is worth one try.
    state.session = session;
  } else {
    if (!state.dropped) state.chunk = Math.min(state.chunk, afterBreak);
    await restart(task, state);
  }
}

async function restart(task: Upload, state: State): Promise<void> {
  state.session = undefined;
  await task.sessions?.forget(task.place, task.descriptor);
}

async function remember({ place, descriptor, sessions }: Upload, session: Session): Promise<Session> {
  if (descriptor.size >= worthRemembering) await sessions?.save(place, descriptor, session);
  return session;
}

function bodyOf({ place, descriptor, content }: Upload, offset: number, length: number): Body {
  if (offset === 0 && length === descriptor.size) {
    return { size: length, read: () => verified(descriptor, contentFrom(content, 0), 'what is to be sent') };
  }
  return { size: length, read: () => take(contentFrom(content, offset), length, descriptor, labelOf(place)) };
}

async function* take(
  chunks: AsyncIterable<Uint8Array>,
  length: number,
  descriptor: Descriptor,
  where: string,
): AsyncGenerator<Uint8Array, void> {
  let rest = length;
  if (rest === 0) return;
  for await (const chunk of chunks) {
    const part = chunk.subarray(0, rest);
    rest -= part.length;
    yield part;
    if (rest === 0) return;
  }
  throw wrongSize(descriptor, `${rest} fewer`, where);
}
