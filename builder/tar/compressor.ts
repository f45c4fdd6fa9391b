import { Buffer } from 'node:buffer';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { Fault } from '../fault.ts';
import { garbageCollector } from '../garbage.ts';
import type { Compressed } from './encoding.ts';

/** What native/compress calls the encodings in its output, and the end of a segment. */
const kinds: Readonly<Record<number, Compressed>> = { 1: 'gzip-1', 2: 'zstd-1' };
const endOfSegment = 3;

/** Gets the bytes of each encoding in order; the compressor waits for it. */
export type Receive<E extends Compressed> = (encoding: E, chunk: Buffer) => Promise<void>;

type Segment = {
  receive(encoding: string, chunk: Buffer): Promise<void>;
  end(): void;
  fail(error: unknown): void;
};

/**
 * A running `native/compress`, which compresses segments of layers in all of `encodings` at once. One segment at
 * a time; more wait. Whoever makes one must close it, as it keeps the process alive. After a failure it is closed.
 */
export class Compressor<E extends Compressed> {
  readonly encodings: readonly E[];
  readonly #program: string;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #closed: Promise<void>;
  #last: Promise<void> = Promise.resolve();
  #segment: Segment | undefined;
  #failure: unknown;

  /** `command`: the program and what comes before the encodings, such as `--threads 1`. */
  constructor(command: readonly string[], encodings: readonly E[]) {
    const [program = '', ...args] = command;
    this.#program = program;
    this.encodings = encodings;
    this.#child = spawn(program, [...args, ...encodings], { stdio: ['pipe', 'pipe', 'pipe'] });
    // Why it cannot be written to is told by how it ends.
    this.#child.stdin.on('error', () => undefined);
    this.#closed = this.#run();
  }

  /** Compresses `chunks`, each of which is sent before the second after it is asked for, as one segment. */
  segment(chunks: Iterable<Buffer>, receive: Receive<E>): Promise<void> {
    const done = this.#last.then(() => this.#compress(chunks, receive));
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** Waits for segments that were asked for, then ends the program. */
  async close(): Promise<void> {
    await this.#last;
    this.#child.stdin.end();
    await this.#closed;
  }

  async #compress(chunks: Iterable<Buffer>, receive: Receive<E>): Promise<void> {
    const { promise, resolve: end, reject: fail } = Promise.withResolvers<void>();
    promise.catch(() => undefined);
    this.#segment = { receive: (encoding, chunk) => receive(encoding as E, chunk), end, fail };
    if (this.#failure !== undefined) throw this.#failure;
    try {
      let sending = Promise.resolve(true);
      for (const chunk of chunks) {
        if (!(await sending)) break;
        sending = this.#send(chunk);
      }
      await sending;
      await this.#send(Buffer.alloc(0));
      await promise;
    } catch (error) {
      this.#fail(error);
      throw error;
    } finally {
      this.#segment = undefined;
    }
  }

  /** False once the program cannot be written to. */
  #send(chunk: Buffer): Promise<boolean> {
    const { stdin } = this.#child;
    const size = Buffer.alloc(4);
    size.writeUInt32LE(chunk.length);
    return new Promise((resolve) => {
      const sent = (error: Error | null | undefined) => resolve(!error);
      stdin.cork();
      stdin.write(size, chunk.length === 0 ? sent : undefined);
      if (chunk.length > 0) stdin.write(chunk, sent);
      stdin.uncork();
    });
  }

  async #run(): Promise<void> {
    const ended = new Promise<string>((resolve) => {
      this.#child.on('error', ({ message }) => resolve(message));
      this.#child.on('close', (code, signal) =>
        resolve(code === 0 ? '' : `ended by ${signal ?? `status ${code}`}`),
      );
    });
    let complaint = '';
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text.slice(0, 1000)));
    try {
      await this.#read();
    } catch (error) {
      this.#fail(error);
    }
    const end = await ended;
    this.#fail(
      new Fault('IO', `${this.#program}: ${complaint.trim().split('\n', 1)[0] || end || 'ended too early'}`, {
        hint: 'layers are compressed by native/compress of the same version; make -C native compress builds it',
      }),
    );
  }

  /** Only the first failure counts: the others follow from it. */
  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#child.kill();
    this.#segment?.fail(this.#failure);
  }

  /** Reads records until the output ends: a kind, a size of four bytes, and that many bytes. */
  async #read(): Promise<void> {
    const header = Buffer.alloc(5);
    const clean = garbageCollector();
    let have = 0;
    let left = 0;
    for await (const chunk of this.#child.stdout as AsyncIterable<Buffer>) {
      clean(chunk.length);
      for (let at = 0; at < chunk.length;) {
        if (have < header.length) {
          const taken = chunk.copy(header, have, at, at + header.length - have);
          have += taken;
          at += taken;
          if (have < header.length) continue;
          left = header.readUInt32LE(1);
        } else {
          const part = chunk.subarray(at, at + left);
          const encoding = kinds[header[0] ?? 0];
          if (!encoding)
            throw new Fault('IO', `${this.#program}: this is not the compressor of this version`);
          await this.#segment?.receive(encoding, part);
          at += part.length;
          left -= part.length;
        }
        if (left > 0) continue;
        if (header[0] === endOfSegment) this.#segment?.end();
        have = 0;
      }
    }
  }
}
