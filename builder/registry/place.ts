import type { Digest } from '../digest.ts';
import { Fault } from '../fault.ts';
import { problemFault, readProblem } from './problem.ts';
import type { Ask, Registry } from './registry.ts';
import type { Answer } from './request.ts';
import type { Scope } from './scope.ts';

/** A repository of a registry, as far as requests need to know it. */
export type Place = {
  readonly registry: Registry;
  readonly name: string;
  /** What its requests shall be allowed to do. */
  readonly scopes: readonly Scope[];
};

/** `HOST/NAME`, which starts every message; what was being done comes after it. */
export const labelOf = ({ registry, name }: Place): string => `${registry.host}/${name}`;

/** `doing` is for messages: `reading 1.2`. */
export const ask = (
  place: Place,
  doing: string,
  method: Ask['method'],
  to: string | URL,
  more: Omit<Ask, 'doing' | 'method' | 'to' | 'scopes' | 'name'> & {
    readonly scopes?: readonly Scope[];
  } = {},
): Promise<Answer> =>
  place.registry.send({ scopes: place.scopes, ...more, doing, method, to, name: place.name });

export const blobPath = ({ name }: Place, digest: Digest): string => `${name}/blobs/${digest}`;

/** `reference` is a tag or a digest. */
export const manifestPath = ({ name }: Place, reference: string): string => `${name}/manifests/${reference}`;

/** Ends with an answer that nobody expected: says what was being done and what the registry says. */
export async function refuse(place: Place, answer: Answer): Promise<never> {
  throw faultOf(place, answer, await readProblem(answer));
}

export function faultOf(
  place: Place,
  { about }: Answer,
  problem: Awaited<ReturnType<typeof readProblem>>,
): Fault {
  const fault = problemFault(problem, about, place.registry.host);
  const { login } = place.registry.known;
  if (problem.status !== 401 || login === undefined) return fault;
  return new Fault(fault.code, fault.message, {
    cause: problem,
    hint: `${login} is refused; log in to ${place.registry.host} again`,
  });
}

/**
 * For what is thrown while a store takes in blobs of a repository: the store notices that they are not what they should
 * be, but it is the registry that sent them.
 */
export function blame(error: unknown, place: Place): unknown {
  if (!(error instanceof Fault) || error.code !== 'INTEGRITY') return error;
  const wrong = /(?:\S*\/\S*: )?(sha256:[0-9a-f]{64}) (?:has other bytes|should have \d+ bytes)/.exec(
    error.message,
  );
  if (!wrong) return error;
  const { message, cause } = error;
  const before = message.slice(0, wrong.index);
  const rest = message.slice(wrong.index + wrong[0].indexOf(wrong[1] ?? ''));
  return new Fault('INTEGRITY', `${before}${labelOf(place)}: ${rest}`, {
    cause,
    hint: `what ${place.registry.host} sends is wrong, nothing of it is kept; tell who runs it, or take another registry`,
  });
}
