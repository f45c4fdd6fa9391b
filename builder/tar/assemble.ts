import { Buffer } from 'node:buffer';
import { Fault } from '../fault.ts';
import { type Encoding, head, tail } from './encoding.ts';

/** A package layer's blob. `name` is what decides its place: the directory below `packages`. */
export type Member = {
  readonly name: string;
  readonly size: number;
  /** Names the blob in messages. */
  readonly where: string;
  open(): AsyncIterable<Uint8Array>;
};

/**
 * The blob of a layer that holds several packages: HEAD, their segments in the order of name bytes, TAIL. Nothing
 * is compressed again. Throws INTEGRITY if a member's blob is not a package layer's in that encoding; verifying
 * its digest is `open`'s work.
 */
export async function* assemble(
  encoding: Encoding,
  members: readonly Member[],
): AsyncGenerator<Uint8Array, void> {
  const sorted = [...members].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  const twice = sorted.find(({ name }, i) => name === sorted[i + 1]?.name);
  if (twice) throw new Error(`${twice.name} is twice in one layer`);
  yield head[encoding];
  for (const member of sorted) yield* segmentOf(encoding, member);
  yield tail[encoding];
}

/** How long the assembled blob is. */
export const assembledSize = (encoding: Encoding, members: readonly Pick<Member, 'size'>[]): number => {
  const around = head[encoding].length + tail[encoding].length;
  return members.reduce((sum, { size }) => sum + size - around, around);
};

/** What is between HEAD and TAIL. */
async function* segmentOf(
  encoding: Encoding,
  { size, where, open }: Member,
): AsyncGenerator<Uint8Array, void> {
  const first = head[encoding].length;
  const last = size - tail[encoding].length;
  const ends: Buffer[] = [];
  let at = 0;
  for await (const chunk of open()) {
    const middle = chunk.subarray(clamp(first - at, chunk.length), clamp(last - at, chunk.length));
    if (at < first) ends.push(Buffer.from(chunk.subarray(0, clamp(first - at, chunk.length))));
    if (at + chunk.length > last) ends.push(Buffer.from(chunk.subarray(clamp(last - at, chunk.length))));
    if (middle.length > 0) yield middle;
    at += chunk.length;
  }
  if (at !== size || !Buffer.concat(ends).equals(Buffer.concat([head[encoding], tail[encoding]])))
    throw new Fault('INTEGRITY', `${where}: this is no package layer in the encoding ${encoding}`, {
      hint: 'make the layer of the package again from its tree',
    });
}

const clamp = (value: number, most: number): number => Math.max(0, Math.min(value, most));
