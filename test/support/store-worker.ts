/**
 * One process of many that use a store, for tests that kill it or let it run out of space.
 *
 *     store-worker.ts DIRECTORY write SEED COUNT    name COUNT images and enter each into a collection
 *     store-worker.ts DIRECTORY same                name one image that all of them make
 *     store-worker.ts DIRECTORY collect COUNT       collect garbage COUNT times
 *     store-worker.ts DIRECTORY export NAME OUT COUNT    write an image to OUT.tar and OUT.layout COUNT times
 *
 * A line on standard output, `NAME DIGEST`, is a promise that the store keeps NAME. Ends with status 3 and the
 * Fault as JSON where the store could not do it.
 */
import { writeSync } from 'node:fs';
import type { Descriptor } from '../../builder/descriptor.ts';
import { Fault } from '../../builder/fault.ts';
import { exportImage } from '../../builder/image/export.ts';
import { parseReference } from '../../builder/reference.ts';
import { collect } from '../../builder/store/collect.ts';
import { updateCollection } from '../../builder/store/collection.ts';
import type { FileStore } from '../../builder/store/file-store.ts';
import { lockProgram, newStore, putImage } from './images.ts';

const [directory = '', action = '', ...numbers] = process.argv.slice(2);

async function write(store: FileStore, seed: string, count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    const name = `image-${seed}-${at}`;
    const image = await retry(
      () => putImage(store, ['shared by all', `of ${seed}`, 'x'.repeat(20_000) + name]),
      (image) => store.tag(name, image),
    );
    writeSync(1, `${name} ${image.digest}\n`);
    const key = `key ${seed} ${at}`;
    const entry = await retry(
      () => putImage(store, ['shared by all', key]),
      (entry) => updateCollection(store, 'packages', new Map([[key, entry]])),
    );
    writeSync(1, `${key} ${entry.digest}\n`);
  }
}

async function exportTo(store: FileStore, from: string, out: string, count: number): Promise<void> {
  const image = await store.resolve(from);
  if (!image) throw new Error('there is no image to be exported');
  const name = parseReference('exported');
  for (let at = 0; at < count; at++) {
    await exportImage(
      store,
      image,
      name,
      { transport: 'docker-archive', path: `${out}.tar` },
      { lockProgram },
    );
    await exportImage(store, image, name, { transport: 'oci', path: `${out}.layout` }, { lockProgram });
  }
}

/** A collector may take what is put before it is named; whoever names it is told, and puts it again. */
async function retry(put: () => Promise<Descriptor>, name: (image: Descriptor) => Promise<void>) {
  for (let attempt = 1; ; attempt++) {
    const image = await put();
    try {
      await name(image);
      return image;
    } catch (error) {
      if (attempt === 5 || !(error instanceof Fault) || error.code !== 'INTEGRITY') throw error;
    }
  }
}

try {
  const store = await newStore(directory);
  if (action === 'write') await write(store, numbers[0] ?? '', Number(numbers[1]));
  else if (action === 'same') {
    const image = await putImage(store, ['the same', 'for all']);
    await store.tag('same', image);
    writeSync(1, `same ${image.digest}\n`);
  } else if (action === 'export')
    await exportTo(store, numbers[0] ?? '', numbers[1] ?? '', Number(numbers[2]));
  else for (let at = 0; at < Number(numbers[0]); at++) await collect(store, { now: Date.now() });
} catch (error) {
  if (!(error instanceof Fault)) throw error;
  writeSync(2, `${JSON.stringify({ code: error.code, message: error.message })}\n`);
  process.exitCode = 3;
}
