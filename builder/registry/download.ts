import type { Descriptor } from '../descriptor.ts';
import { Fault } from '../fault.ts';
import { wrongSize } from '../store/blob.ts';
import type { Range } from '../store/store.ts';
import { parseContentRange, parseLength } from './header.ts';
import { isLost, networkFault } from './network-fault.ts';
import { reasonOf } from './problem.ts';
import { ask, blobPath, labelOf, type Place, refuse } from './place.ts';
import { type Answer, discard } from './request.ts';

/** Progress that earns new patience, in bytes: a server that gives a byte at a time shall not keep us for ever. */
const enough = 65536;

/**
 * The bytes of a blob, or a range of them, in order. When the connection breaks it is asked for the rest, from
 * where the registry led to anew, again and again as long as there is progress in between. The size is checked, the digest is
 * not. Throws NOT_FOUND, INTEGRITY, NETWORK.
 */
export async function* download(
  place: Place,
  descriptor: Descriptor,
  range: Range = { from: 0 },
): AsyncGenerator<Uint8Array, void> {
  const { size } = descriptor;
  const end = Math.min(range.to ?? size, size);
  let at = range.from;
  if (at >= end && (size > 0 || at > 0)) return;
  for (let failures = 0; ;) {
    const before = at;
    // Outside of what is tried again: that no answer comes has been tried often enough when it is told.
    const answer = await request(place, descriptor, at, end);
    try {
      let skip = answer.status === 200 ? at : 0;
      for await (const chunk of answer.body) {
        const rest = skip === 0 ? chunk : chunk.subarray(Math.min(skip, chunk.length));
        skip -= chunk.length - rest.length;
        if (rest.length > end - at && end === size) {
          throw wrongSize(descriptor, `more than ${size}`, labelOf(place));
        }
        const part = rest.length <= end - at ? rest : rest.subarray(0, end - at);
        if (part.length === 0) continue;
        at += part.length;
        yield part;
        // Without a break the server may have more to say than it should.
        if (at === end && end < size) return;
      }
      if (at === end) return;
      throw new Error('the answer ended too early');
    } catch (error) {
      const lost = networkFault(error, answer.url, answer.about);
      failures = at - before >= enough ? 0 : failures + 1;
      if (!isLost(lost) || failures >= place.registry.policy.attempts) throw lost;
      await place.registry.pause(failures, reasonOf(lost));
    }
  }
}

async function request(place: Place, descriptor: Descriptor, at: number, end: number): Promise<Answer> {
  const { digest, size } = descriptor;
  const part = at > 0 || end < size;
  const answer = await ask(place, `reading ${digest}`, 'GET', blobPath(place, digest), {
    headers: part ? { Range: `bytes=${at}-${end - 1}` } : {},
  });
  const { status, headers } = answer;
  const where = labelOf(place);
  if (status === 404) {
    await discard(answer);
    throw new Fault('NOT_FOUND', `${where}: there is no blob ${digest}`);
  }
  if (status === 416) {
    await discard(answer);
    throw wrongSize(descriptor, `fewer than ${at + 1}`, where);
  }
  if (status !== 200 && status !== 206) await refuse(place, answer);
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    answer.body.destroy();
    throw new Fault('INTEGRITY', `${where}: ${digest} comes encoded once more, though nobody asked for that`);
  }
  const fault = status === 206 ? wrongRange(headers['content-range'], at, size) : undefined;
  const length = parseLength(headers['content-length']);
  const expected = status === 200 ? size : end - at;
  if (fault !== undefined || (length !== undefined && length !== expected)) {
    answer.body.destroy();
    if (fault !== undefined) throw new Fault('INTEGRITY', `${where}: ${digest}: ${fault}`);
    throw wrongSize(descriptor, String(status === 200 ? length : `other than ${expected} left`), where);
  }
  return answer;
}

function wrongRange(header: string | undefined, at: number, size: number): string | undefined {
  const range = parseContentRange(header);
  if (!range) return 'a part of it came without saying which';
  if (range.from !== at) return `asked from byte ${at} on, the answer starts at ${range.from}`;
  return range.size === undefined || range.size === size
    ? undefined
    : `it should have ${size} bytes and has ${range.size}`;
}
