import { Buffer } from 'node:buffer';
import { Fault } from '../fault.ts';

/** How many bytes come next in a frame, and whether the parser wants to see them, all together. */
type Step = { readonly size: number; readonly seen: boolean };

const magic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;

/** The kind of block that is one byte, repeated. */
const repeated = 1;

/**
 * Passes a zstd stream on, cut so that no piece goes beyond the end of a frame (RFC 8878, section 3.1): Node before 26
 * takes what follows in the same piece for garbage, and ignores it. Throws INTEGRITY for what is no frame, and
 * for one that is cut off.
 */
export async function* cutAtFrames(
  blob: AsyncIterable<Uint8Array>,
  where: string,
): AsyncGenerator<Uint8Array, void> {
  let frame: Generator<Step, void, Buffer> | undefined;
  let step: Step = { size: 0, seen: false };
  let held: Uint8Array[] = [];
  let have = 0;
  for await (const chunk of blob) {
    let start = 0;
    for (let at = 0; at < chunk.length;) {
      if (!frame) {
        frame = walk(where);
        step = frame.next().value ?? step;
      }
      const part = chunk.subarray(at, at + step.size - have);
      at += part.length;
      have += part.length;
      if (step.seen) held.push(part);
      if (have < step.size) break;
      const next = frame.next(Buffer.concat(held));
      held = [];
      have = 0;
      if (next.value) step = next.value;
      if (!next.done) continue;
      frame = undefined;
      yield chunk.subarray(start, at);
      start = at;
    }
    if (start < chunk.length) yield chunk.subarray(start);
  }
  if (frame) throw malformed(where, 'it is cut off');
}

/** The parts of one frame, none of them empty. */
function* walk(where: string): Generator<Step, void, Buffer> {
  const first = (yield seen(4)).readUInt32LE();
  if ((first & 0xfffffff0) >>> 0 === skippableMagic) {
    const size = (yield seen(4)).readUInt32LE();
    if (size > 0) yield passed(size);
    return;
  }
  if (first !== magic) throw malformed(where, 'something that is no frame is in it');
  const descriptor = (yield seen(1)).readUInt8();
  const rest = headerRest(descriptor);
  if (rest > 0) yield passed(rest);
  for (let last = false; !last;) {
    const header = (yield seen(3)).readUIntLE(0, 3);
    last = (header & 1) === 1;
    const kind = (header >> 1) & 3;
    const size = kind === repeated ? 1 : header >> 3;
    if (size > 0) yield passed(size);
  }
  if (descriptor & 4) yield passed(4);
}

/** Bytes of window, dictionary and content size, which the descriptor tells (section 3.1.1.1). */
function headerRest(descriptor: number): number {
  const single = (descriptor >> 5) & 1;
  const contentSize = descriptor >> 6;
  return (single ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] ?? 0) + ([single, 2, 4, 8][contentSize] ?? 0);
}

const seen = (size: number): Step => ({ size, seen: true });
const passed = (size: number): Step => ({ size, seen: false });

const malformed = (where: string, what: string): Fault =>
  new Fault('INTEGRITY', `${where}: the layer is no zstd: ${what}`, { hint: 'fetch or make it again' });
