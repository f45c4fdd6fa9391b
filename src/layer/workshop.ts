import { statSync } from 'node:fs';
import type { Descriptor } from '../../builder/descriptor.ts';
import { Fault } from '../../builder/fault.ts';
import type { FileStore } from '../../builder/store/file-store.ts';
import type { Compressor } from '../../builder/tar/compressor.ts';
import { type Compressed, type Encoding, mediaTypeOf } from '../../builder/tar/encoding.ts';
import { type Layer, makeLayer, type Plan } from '../../builder/tar/layer.ts';

/** What a layer is in every encoding that we make: all that an image needs to know of it. */
export type KnownLayer = Layer<Compressed>;

export const encodings: readonly Compressed[] = ['gzip-1', 'zstd-1'];

/**
 * Where layers are made and what is known of them. `store` gets what is made; `others` are read beside it. With
 * `keep` what has been learnt is written to the directory `cache`, and a layer that is known must also be there:
 * to tell a digest, neither is needed.
 */
export type Workshop = {
  readonly store: FileStore;
  readonly others: readonly FileStore[];
  readonly cache: string;
  readonly keep: boolean;
  make(plan: Plan): Promise<KnownLayer>;
  close(): Promise<void>;
};

export type WorkshopOptions = Pick<Workshop, 'store' | 'others' | 'cache' | 'keep'> & {
  /** `native/compress`; started when the first layer has to be made. */
  readonly compressProgram: string;
};

/** Opens the place where layers are made for as long as it is needed. */
export type Workshops = {
  /** Throws NOT_FOUND where no layer can be made; a long build is better told before than after. */
  require(): void;
  use<T>(act: (workshop: Workshop) => Promise<T>): Promise<T>;
};

export function openWorkshop({ compressProgram, ...places }: WorkshopOptions): Workshop {
  let started: Promise<Compressor<Compressed>> | undefined;
  const { store } = places;
  const sink = (encoding: Compressed) => (content: AsyncIterable<Uint8Array>) =>
    store.add(mediaTypeOf[encoding], content);
  return {
    ...places,
    async make(plan) {
      requireProgram(compressProgram);
      started ??= startCompressor(compressProgram);
      const { diffID, size, blobs } = await makeLayer(plan, await started, {
        'gzip-1': sink('gzip-1'),
        'zstd-1': sink('zstd-1'),
      });
      return knownLayer(diffID, size, blobs);
    },
    close: async () => (await started)?.close(),
  };
}

/** What it takes to run a program is loaded only here: an image of known packages is made without. */
async function startCompressor(program: string): Promise<Compressor<Compressed>> {
  const { Compressor } = await import('../../builder/tar/compressor.ts');
  return new Compressor([program], encodings);
}

/** A checkout has it only after its own step, as its sources are fetched. */
export function requireProgram(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })) return;
  throw new Fault('NOT_FOUND', `the compressor of layers is missing: ${path}`, {
    hint: 'in a checkout, build it: node scripts/compressor.ts',
  });
}

/** Without what a store says beside digest and size. */
export const knownLayer = (
  diffID: KnownLayer['diffID'],
  size: number,
  blobs: KnownLayer['blobs'],
): KnownLayer => {
  const [gzip, zstd] = [blobs['gzip-1'], blobs['zstd-1']];
  return {
    diffID,
    size,
    blobs: {
      'gzip-1': { digest: gzip.digest, size: gzip.size },
      'zstd-1': { digest: zstd.digest, size: zstd.size },
    },
  };
};

export const blobOf = ({ diffID, size, blobs }: KnownLayer, encoding: Encoding): Descriptor => ({
  mediaType: mediaTypeOf[encoding],
  ...(encoding === 'none' ? { digest: diffID, size } : blobs[encoding]),
});

/** Whether both blobs are there to be read. Marks them as used. */
export async function isStored({ store, others }: Workshop, layer: KnownLayer): Promise<boolean> {
  const stores = [store, ...others];
  const found = await Promise.all(
    encodings.map(async (encoding) => {
      const each = await Promise.all(stores.map((place) => place.exists(blobOf(layer, encoding))));
      return each.includes(true);
    }),
  );
  return !found.includes(false);
}

/** The bytes of a blob, verified, from wherever it is. */
export async function* openBlob(
  { store, others }: Workshop,
  blob: Descriptor,
): AsyncGenerator<Uint8Array, void> {
  for (const each of [store, ...others]) {
    if (await each.exists(blob)) return yield* each.open(blob);
  }
  throw new Fault('NOT_FOUND', `${store.directory}: the layer ${blob.digest} is not there`, {
    hint: 'it went while it was needed; try again',
  });
}
