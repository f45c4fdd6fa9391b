import { giveBack, hold } from '../block.ts';

/** Bytes that wait to be read before no more are taken from the network. */
const most = 1 << 20;

/**
 * The body of an answer, as it comes in: read by one, once. Parts that follow each other in memory are given as
 * one, and what comes in one go of the event loop together, since each step of a reader costs more than its bytes.
 */
export class Inbox implements AsyncIterable<Buffer> {
  readonly #resume: () => void;
  readonly #cancel: () => void;
  readonly #parts: Buffer[] = [];
  #waiting = 0;
  #state: 'open' | 'ended' | { readonly error: Error } = 'open';
  #wake: (() => void) | undefined;
  #planned = false;

  /** `resume`: there is room again. `cancel`: nobody wants the rest. */
  constructor(resume: () => void, cancel: () => void) {
    this.#resume = resume;
    this.#cancel = cancel;
  }

  /** Bytes that nobody has read yet. */
  get waiting(): number {
    return this.#waiting;
  }

  get hasRoom(): boolean {
    return this.#waiting < most;
  }

  push(part: Buffer): void {
    const last = this.#parts.at(-1);
    this.#waiting += part.length;
    if (last && last.buffer === part.buffer && last.byteOffset + last.length === part.byteOffset) {
      const whole = Buffer.from(last.buffer, last.byteOffset, last.length + part.length);
      this.#parts[this.#parts.length - 1] = hold(whole);
      giveBack(last);
    } else this.#parts.push(hold(part));
    if (this.#planned || !this.#wake) return;
    this.#planned = true;
    setImmediate(() => this.#tell());
  }

  end(): void {
    if (this.#state === 'open') this.#state = 'ended';
    this.#tell();
  }

  fail(error: Error): void {
    if (this.#state === 'open') this.#state = { error };
    this.#tell();
  }

  destroy(): void {
    this.fail(new Error('nobody reads the answer any more'));
    this.#cancel();
  }

  #tell(): void {
    this.#planned = false;
    this.#wake?.();
    this.#wake = undefined;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void> {
    try {
      for (;;) {
        const part = this.#parts.shift();
        if (part) {
          const full = !this.hasRoom;
          this.#waiting -= part.length;
          if (full && this.hasRoom) this.#resume();
          yield part;
        } else if (this.#state === 'open') await new Promise<void>((wake) => (this.#wake = wake));
        else if (this.#state === 'ended') return;
        else throw this.#state.error;
      }
    } finally {
      if (this.#state === 'open') this.destroy();
    }
  }
}
