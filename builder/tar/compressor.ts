import { Buffer } from 'node:buffer';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { Fault } from '../fault.ts';
import { garbageCollector } from '../garbage.ts';
import type { Sized } from '../digest.ts';
import type { Compressed } from './encoding.ts';
import type { Part } from './parts.ts';
import { type Around, readEnd, readFault, recordHeader, segmentRecords } from './records.ts';

/** What native/compress calls the encodings in its output, the end of a segment, and a file that it cannot pack. */
const kinds: Readonly<Record<number, Compressed>> = { 1: 'gzip-1', 2: 'zstd-1' };
const endOfSegment = 3;
const faultOfFile = 4;

/** Records without bytes of a layer are short: two names are the most. */
const mostNote = 16 * 1024;

/** Gets the bytes of each encoding in order; the compressor waits for it. */
export type Receive<E extends Compressed> = (encoding: E, chunk: Buffer) => Promise<void>;

type Segment = {
  receive(encoding: string, chunk: Buffer): Promise<void>;
  end(of: Sized): void;
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

  /**
   * Compresses the parts of a tar as one segment. Files among them are read by the program, which also tells the digest
   * of the whole, with what is around it.
   */
  segment(parts: Iterable<Part>, receive: Receive<E>, around?: Around): Promise<Sized> {
    const done = this.#last.then(() => this.#compress(segmentRecords(parts, around), receive));
    this.#last = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }

  /** Waits for segments that were asked for, then ends the program. */
  async close(): Promise<void> {
    await this.#last;
    this.#child.stdin.end();
    await this.#closed;
  }

  async #compress(batches: Iterable<Buffer>, receive: Receive<E>): Promise<Sized> {
    const { promise, resolve: end, reject: fail } = Promise.withResolvers<Sized>();
    promise.catch(() => undefined);
    this.#segment = { receive: (encoding, chunk) => receive(encoding as E, chunk), end, fail };
    if (this.#failure !== undefined) throw this.#failure;
    try {
      let sending = Promise.resolve(true);
      for (const batch of batches) {
        if (!(await sending)) break;
        sending = this.#send(batch);
      }
      return await promise;
    } catch (error) {
      this.#fail(error);
      throw error;
    } finally {
      this.#segment = undefined;
    }
  }

  /** False once the program cannot be written to. */
  #send(batch: Buffer): Promise<boolean> {
    return new Promise((resolve) => this.#child.stdin.write(batch, (error) => resolve(!error)));
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
    const header = Buffer.alloc(recordHeader);
    const clean = garbageCollector();
    let have = 0;
    let left = 0;
    let note = Buffer.alloc(0);
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
          if (encoding) await this.#segment?.receive(encoding, part);
          else note = this.#lengthen(note, part);
          at += part.length;
          left -= part.length;
        }
        if (left > 0) continue;
        if (!kinds[header[0] ?? 0]) this.#take(header[0], note);
        note = Buffer.alloc(0);
        have = 0;
      }
    }
  }

  #take(kind: number | undefined, note: Buffer): void {
    if (kind === faultOfFile && note.length > 12) throw readFault(note);
    const end = kind === endOfSegment ? readEnd(note) : undefined;
    if (!end) throw this.#stranger();
    this.#segment?.end(end);
  }

  #lengthen(note: Buffer, part: Buffer): Buffer<ArrayBuffer> {
    if (note.length + part.length > mostNote) throw this.#stranger();
    return Buffer.concat([note, part]);
  }

  #stranger(): Fault {
    return new Fault('IO', `${this.#program}: this is not the compressor of this version`);
  }
}
