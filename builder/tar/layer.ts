import type { Buffer } from 'node:buffer';
import { PassThrough } from 'node:stream';
import { type Digest, digester, type Sized } from '../digest.ts';
import type { Compressor } from './compressor.ts';
import { type Compressed, head, tail } from './encoding.ts';
import type { Entry } from './entry.ts';
import type { ScanOptions } from './scan.ts';
import { treeEntries } from './tree.ts';
import { tarParts } from './parts.ts';

/**
 * What is made into a layer: one segment, and before it the constant HEAD or nothing. The entries are taken once,
 * while the layer is written.
 */
export type Plan = { readonly shared: boolean; readonly entries: Iterable<Entry> };

/** Takes a blob whose digest is not known before its end, as `FileStore.add` does. */
export type Sink = (content: AsyncIterable<Uint8Array>) => Promise<Sized>;

/** `size` and `diffID` are of the tar itself. */
export type Layer<E extends Compressed> = {
  readonly diffID: Digest;
  readonly size: number;
  readonly blobs: Readonly<Record<E, Sized>>;
};

/** The layer of a tree at `packages/…`, which can be put together with others (assemble.ts). */
export const planTree = (tree: string, path: string, options?: ScanOptions): Plan => ({
  shared: true,
  entries: treeEntries(tree, path, options),
});

/** The layer of entries that are not a package's, in the order of layer format 1 (`arrange` makes it). */
export const planEntries = (entries: Iterable<Entry>): Plan => ({ shared: false, entries });

/**
 * Writes the layer once and compresses it in every encoding of the compressor at the same time; nothing of it is
 * held in memory. Fails with the first error of the entries, the compressor or a sink, and then the compressor
 * is closed and every sink has failed too.
 */
export async function makeLayer<E extends Compressed>(
  plan: Plan,
  compressor: Compressor<E>,
  sinks: Readonly<Record<E, Sink>>,
): Promise<Layer<E>> {
  const outputs = compressor.encodings.map((encoding) => output(encoding, sinks[encoding]));
  const streams = new Map(outputs.map(({ encoding, stream }) => [encoding, stream]));
  const every = (constant: typeof head | typeof tail) =>
    Promise.all(outputs.map(({ encoding, stream }) => write(stream, constant[encoding])));
  const writing = async () => {
    if (plan.shared) await every(head);
    const tar = await compressor.segment(
      tarParts(plan.entries),
      (encoding, chunk) => write(streams.get(encoding), chunk),
      { before: plan.shared ? head.none : undefined, after: tail.none },
    );
    await every(tail);
    for (const { stream } of outputs) stream.end();
    return tar;
  };
  const written = writing();
  try {
    await Promise.all([written, ...outputs.map(({ stored }) => stored)]);
  } catch (error) {
    for (const { stream } of outputs) stream.destroy(error instanceof Error ? error : undefined);
    throw reasonOf(error, await Promise.allSettled(outputs.map(({ stored }) => stored)));
  }
  const { digest: diffID, size } = await written;
  const blobs = await Promise.all(outputs.map(async ({ encoding, stored }) => [encoding, await stored]));
  return { diffID, size, blobs: Object.fromEntries(blobs) as Record<E, Sized> };
}

/** A sink that fails gives up its stream first and says why later, so it is the stream that is complained of. */
function reasonOf(error: unknown, ended: readonly PromiseSettledResult<Sized>[]): unknown {
  if (!isOfStream(error)) return error;
  const reasons = ended.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []));
  return reasons.find((reason) => !isOfStream(reason)) ?? error;
}

/** A sink that keeps nothing, for whoever only wants to know digest and size. */
export async function measure(content: AsyncIterable<Uint8Array>): Promise<Sized> {
  const digest = digester();
  for await (const chunk of content) digest.update(chunk);
  return digest.finish();
}

/** A stream for each sink, so that a slow one holds the compressor back and neither waits for the other's end. */
function output<E extends Compressed>(encoding: E, sink: Sink) {
  const stream = new PassThrough({ highWaterMark: 1 << 18 });
  stream.on('error', () => undefined);
  const stored = sink(stream);
  stored.catch(() => undefined);
  return { encoding, stream, stored };
}

/** Of a stream that is given up while something is on its way through it, Node never says that it did not arrive. */
const write = (stream: PassThrough | undefined, chunk: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    if (!stream || stream.destroyed) return reject(stream?.errored ?? givenUp());
    const closed = (): void => reject(stream.errored ?? givenUp());
    stream.once('close', closed);
    stream.write(chunk, (error) => {
      stream.off('close', closed);
      if (error) reject(error);
      else resolve();
    });
  });

/** What Node says of a stream that its reader gave up. */
const streamCodes: ReadonlySet<unknown> = new Set(['ERR_STREAM_DESTROYED', 'ABORT_ERR']);

const givenUp = (): Error =>
  Object.assign(new Error('the stream was given up'), { code: 'ERR_STREAM_DESTROYED' });

/** Also where a sink has put it into words of its own. */
const isOfStream = (error: unknown): boolean =>
  error instanceof Error && (('code' in error && streamCodes.has(error.code)) || isOfStream(error.cause));
