import { digestOf, hexOf } from '../digest.ts';
import { Fault } from '../fault.ts';

/** Docker refuses to run an image of 126 layers. */
export const mostLayers = 125;

/** Each layer costs an engine about 70 ms to pull. */
export const defaultBudget = 32;

/** The top two layers are for what belongs to one image alone: profile and settings. */
const reserved = 2;

/** The rank of applications: what images differ in. */
const applicationRank = 900;

/** In bytes: what is as large as this is worth a layer, which an engine that has it need not fetch. */
const large = 4 << 20;

/** So many places at least are left for what shares its layer. */
const leastShared = 8;

/** A package's layer, before it is decided whether it stays one. */
export type Part = {
  readonly name: string;
  readonly version: string;
  /** Lower is further down: what many images have in common. */
  readonly rank: number;
  /** Of its blob in one certain encoding, whichever the image is made in; or the image ID would depend on it. */
  readonly size: number;
};

/**
 * Which parts share a layer: the layers from bottom to top, in each the parts in the order of name and version.
 * Every part is in one of them. `budget` is the number of layers in the whole image.
 *
 * Trees commute but engines' chain IDs don't, so the order depends on no other part: rank, bytes of the name,
 * bytes of the version. Two images then share the longest possible prefix. Where there are more parts than
 * places, large ones keep a layer of their own, in the same order, while enough places are left; each other one
 * goes into the bucket that its name alone decides, so that a change touches one bucket. The buckets are below
 * the applications, as engines fetch again whatever is above a layer that differs.
 */
export function planLayers<T extends Part>(parts: readonly T[], budget: number): readonly (readonly T[])[] {
  if (!Number.isInteger(budget) || budget <= reserved || budget > mostLayers) {
    throw new Fault('INPUT', `a layer budget of ${budget} is not possible`, {
      hint: `give a number from ${reserved + 1} to ${mostLayers}`,
    });
  }
  const sorted = parts.toSorted(
    (a, b) => a.rank - b.rank || compareBytes(a.name, b.name) || compareBytes(a.version, b.version),
  );
  const places = budget - reserved;
  if (sorted.length <= places) return sorted.map((part) => [part]);

  const own = sorted.filter(({ size }) => size >= large).slice(0, Math.max(0, places - leastShared));
  const alone = new Set(own);
  const shared = sorted.filter((part) => !alone.has(part));
  const layers = own.map((part) => [part]);
  const below = own.filter(({ rank }) => rank < applicationRank).length;
  return layers.toSpliced(below, 0, ...intoBuckets(shared, places - own.length));
}

/** The largest power of two buckets that fits: adding a part then moves no other to another bucket. */
function intoBuckets<T extends Part>(parts: readonly T[], places: number): T[][] {
  const count = 2 ** Math.floor(Math.log2(places));
  const buckets = Array.from({ length: count }, (): T[] => []);
  for (const part of parts) buckets[bucketOf(part.name, count)]?.push(part);
  for (const bucket of buckets) {
    bucket.sort((a, b) => compareBytes(a.name, b.name) || compareBytes(a.version, b.version));
  }
  return buckets.filter((bucket) => bucket.length > 0);
}

/** The first four bytes of the name's SHA-256, modulo the number of buckets. */
const bucketOf = (name: string, count: number): number =>
  Number.parseInt(hexOf(digestOf(name)).slice(0, 8), 16) % count;

const compareBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
