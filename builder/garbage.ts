import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes that may have been read and dropped before their memory is looked for. */
const most = 2 << 20;

let collect: ((options: { type: 'minor' }) => void) | undefined;

/**
 * For whoever reads a long stream: Node reads every piece of it into new memory, which V8 does not count as its own and
 * leaves until there are some 60 MB of it. Tell what is returned how much was read; now and then it has V8 look
 * through what is young, which takes less than a millisecond. Costs nothing before.
 */
export function garbageCollector(): (read: number) => void {
  let dropped = 0;
  return (read) => {
    dropped += read;
    if (dropped < most) return;
    dropped = 0;
    collect ??= youngCollector();
    collect({ type: 'minor' });
  };
}

/** Passes a stream on, and has its memory looked after. */
export async function* cleaned(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const clean = garbageCollector();
  for await (const chunk of chunks) {
    yield chunk;
    clean(chunk.length);
  }
}

/** Only a context that is made while the flag is set has it. */
function youngCollector(): typeof collect & object {
  setFlagsFromString('--expose-gc');
  const found = runInNewContext('gc') as typeof collect & object;
  setFlagsFromString('--no-expose-gc');
  return found;
}
