import { resolve } from 'node:path';
import type { Descriptor } from '../../../builder/descriptor.ts';
import { Fault } from '../../../builder/fault.ts';
import { chooseImage } from '../../../builder/image/choose.ts';
import { openStore } from '../../../builder/store/open-store.ts';
import type { BlobStore, Named } from '../../../builder/store/store.ts';
import { formatReference } from '../../../builder/reference.ts';
import { readLock } from '../../image/lock-file.ts';
import { quote } from '../../package/name.ts';
import type { Context } from '../context.ts';
import { usage } from '../option-value.ts';
import { type EngineOption, readPlace, transferOptions } from './place.ts';
import { findImage, namedImages, withStore } from './store.ts';

/** What shall be pushed: an image of a store, and what it is called there. */
export type Pushable = { readonly store: BlobStore; readonly images: readonly Named[] };

/**
 * Runs `act` with the image that the word means: NAME in our store, the image of a lock (`lock:FILE`, or a path that
 * starts with `/`, `./` or `../`), or a place as `pkgimage export` takes it. A layout is read where it is; what
 * is elsewhere goes through our store.
 */
export async function withImage<T>(
  context: Context,
  text: string,
  options: EngineOption,
  act: (source: Pushable) => Promise<T>,
): Promise<T> {
  const lock = lockFile(text);
  if (lock !== undefined) {
    const { top } = readLock(resolve(context.cwd, lock));
    return withStore(context, async (store) => {
      await requireThere(store, top, lock);
      return act({ store, images: [{ name: 'image', descriptor: top }] });
    });
  }
  const place = readPlace(text, context);
  switch (place.transport) {
    case 'rootfs':
    case 'docker':
      throw usage(
        `${quote(text)} cannot be pushed`,
        'name an image; from registry to registry: pkgimage copy',
      );
    case 'oci':
      return withLayout(place.path, (store, list) => {
        const descriptor = chooseImage(list, place.name, place.path);
        return act({ store, images: [{ name: place.name ?? 'image', descriptor }] });
      });
    case 'store':
      return withStore(context, async (store) => {
        const { descriptor, name } = await findImage(store, text);
        return act({ store, images: [{ name: formatReference(name), descriptor }] });
      });
    default:
      return withStore(context, async (store) => {
        const { importImage } = await import('../../../builder/image/import.ts');
        const descriptor = await importImage(store, place, transferOptions(context, options));
        return act({ store, images: [{ name: 'image', descriptor }] });
      });
  }
}

function some(images: readonly Named[], where: string): readonly Named[] {
  if (images.length > 0) return images;
  throw new Fault('NOT_FOUND', `${where}: there is no image`);
}

/** Every named image of `oci:DIR`, or without a word of our own store. */
export function withAllImages<T>(
  context: Context,
  text: string | undefined,
  act: (source: Pushable) => Promise<T>,
): Promise<T> {
  if (text === undefined) {
    return withStore(context, async (store) =>
      act({ store, images: some(await namedImages(store), context.places.store) }),
    );
  }
  const place = readPlace(text, context);
  if (place.transport !== 'oci' || place.name !== undefined) {
    throw usage(`--all does not go with ${quote(text)}`, 'write oci:DIR, or nothing for your own store');
  }
  return withLayout(place.path, (store, images) => act({ store, images: some(images, place.path) }));
}

function lockFile(text: string): string | undefined {
  if (text.startsWith('lock:')) return text.slice('lock:'.length);
  return /^(\.{0,2}\/)/.test(text) ? text : undefined;
}

async function requireThere(store: BlobStore, manifest: Descriptor, lock: string): Promise<void> {
  if (await store.exists(manifest)) return;
  throw new Fault('NOT_FOUND', `the image of ${quote(lock)} is not in the store: ${manifest.digest}`, {
    hint: 'make it again as it was made: pkgimage build … --lock FILE --locked',
  });
}

async function withLayout<T>(
  path: string,
  act: (store: BlobStore, images: readonly Named[]) => Promise<T>,
): Promise<T> {
  const layout = await openStore(path);
  try {
    return await act(layout, await layout.list());
  } finally {
    layout.close();
  }
}
