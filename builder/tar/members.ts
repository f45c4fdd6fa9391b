import { Buffer } from 'node:buffer';
import type { Member } from './archive.ts';
import type { Header } from './entry.ts';
import { layerReader } from './read.ts';

type Event = { readonly header: Header } | { readonly data: Buffer };

/**
 * The members of a layer in format 1, whose names may be any bytes. A body is to be read, or left alone, before the
 * next member is asked for. Throws INTEGRITY as soon as it is no such layer.
 */
export async function* readMembers(
  tar: AsyncIterable<Uint8Array>,
  where: string,
): AsyncGenerator<Member, void> {
  let passed: Event[] = [];
  const reader = layerReader(where, {
    entry: (header) => passed.push({ header }),
    data: (data) => passed.push({ data: Buffer.from(data) }),
    end: () => undefined,
  });
  const events = (async function* () {
    for await (const chunk of tar) {
      reader.push(chunk);
      yield* passed;
      passed = [];
    }
    reader.finish();
  })();
  let next = await events.next();
  async function* body(): AsyncGenerator<Uint8Array, void> {
    for (; !next.done && 'data' in next.value; next = await events.next()) yield next.value.data;
  }
  try {
    while (!next.done) {
      const { value } = next;
      if (!('header' in value)) throw new Error('bytes come before the first header');
      next = await events.next();
      yield { header: value.header, body: body() };
      while (!next.done && 'data' in next.value) next = await events.next();
    }
  } finally {
    await events.return();
  }
}
