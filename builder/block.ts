import { garbageCollector } from './garbage.ts';

/** Bytes of a block: what is read at once of something long. */
export const blockSize = 1 << 20;

/** Unused blocks that are kept. */
const most = 32;

const unused: Buffer[] = [];

/** Where a block knows how many views of it are in use, and a view that it is: bundles have their own copies of this module. */
const mark = Symbol.for('static-distro: in use');
type Block = ArrayBufferLike & { [mark]?: { views: number; readonly unused: Buffer[] } };
type View = Uint8Array & { [mark]?: boolean };

let clean: ((bytes: number) => void) | undefined;

/** New memory for what is read. V8 looks for what is dropped of it, which it would not by itself. */
export function newMemory(size: number): Buffer {
  clean ??= garbageCollector();
  clean(size);
  return Buffer.allocUnsafeSlow(size);
}

/**
 * Memory for long streams that is used again, as to get new memory from the system and to clear it costs as much as to
 * hash what is read into it. The block is the first view of itself that is in use. It comes back when every view has been
 * given back, and is V8's business if one never is: so who keeps bytes, or cuts them into pieces, need not know of it.
 */
export function takeBlock(): Buffer {
  const block = unused.pop() ?? newMemory(blockSize);
  (block.buffer as Block)[mark] = { views: 0, unused };
  return hold(block);
}

/** A part of a block is in use from now on. Does nothing to other memory. */
export function hold(view: Buffer): Buffer {
  const block = (view.buffer as Block)[mark];
  if (!block) return view;
  block.views += 1;
  (view as View)[mark] = true;
  return view;
}

/** For the last reader of a chunk, such as a store that has written it: nobody looks at this view any more. */
export function giveBack(view: Uint8Array): void {
  const block = (view.buffer as Block)[mark];
  if (!block || !(view as View)[mark]) return;
  (view as View)[mark] = false;
  block.views -= 1;
  if (block.views === 0 && block.unused.length < most) block.unused.push(Buffer.from(view.buffer));
}
