import type { Descriptor } from '../../../builder/descriptor.ts';
import type { Digest } from '../../../builder/digest.ts';
import { Fault } from '../../../builder/fault.ts';
import { type Image, openImages } from '../../../builder/image/image.ts';
import { platformName } from '../../../builder/image/platform.ts';
import type { BlobStore } from '../../../builder/store/store.ts';
import { makeCommand, parseCommand } from '../command.ts';
import { type Context, print } from '../context.ts';
import { display } from '../../package/name.ts';
import { formatSize } from '../progress.ts';
import { namedImages, withStore } from './store.ts';

const examples = `
pkgimage list
pkgimage list --json
`;

type Row = {
  readonly name: string;
  readonly digest: Digest;
  readonly layers: number;
  readonly size: number;
  readonly platforms: readonly string[];
  /** Something else has got a name, such as an artifact. */
  readonly noImage?: true;
};

/** Undefined for what is none; what is damaged is a failure. */
async function imagesOf(store: BlobStore, descriptor: Descriptor): Promise<readonly Image[] | undefined> {
  try {
    return await openImages(store, descriptor);
  } catch (error) {
    if (error instanceof Fault && error.code === 'INPUT') return undefined;
    throw error;
  }
}

/** One line an image: name, digest, layers, bytes of them, platforms if there are several. */
export async function main(context: Context): Promise<number> {
  const command = makeCommand(context, 'List the images in the store.', examples).option(
    '--json',
    'print them as JSON',
  );
  if (!parseCommand(command, context.args)) return 0;
  const images = await withStore(context, async (store) => {
    const rows: Row[] = [];
    for (const { name, descriptor } of await namedImages(store)) {
      const images = await imagesOf(store, descriptor);
      if (!images) {
        rows.push({ name, digest: descriptor.digest, layers: 0, size: 0, platforms: [], noImage: true });
        continue;
      }
      const layers = images.flatMap((image) => image.layers);
      const size = layers.reduce((sum, layer) => sum + layer.descriptor.size, 0);
      const platforms = images.map(({ platform }) => platformName(platform));
      rows.push({ name, digest: descriptor.digest, layers: layers.length, size, platforms });
    }
    return rows;
  });
  if (command.opts<{ json?: true }>().json) print(`${JSON.stringify({ images }, null, 2)}\n`);
  else {
    const width = Math.max(0, ...images.map(({ name }) => display(name).length));
    for (const { name, digest, layers, size, platforms, noImage } of images) {
      if (noImage) {
        print(`${display(name).padEnd(width)}  ${digest}  ${'no image'.padStart(10)}\n`);
        continue;
      }
      const several = platforms.length > 1 ? `  ${platforms.map(display).join(', ')}` : '';
      const count = `${layers} layers`.padStart(10);
      print(
        `${display(name).padEnd(width)}  ${digest}  ${count}  ${formatSize(size).padStart(8)}${several}\n`,
      );
    }
  }
  return 0;
}
