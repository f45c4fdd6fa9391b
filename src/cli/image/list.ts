import { openImages } from '../../../builder/image/image.ts';
import { platformName } from '../../../builder/image/platform.ts';
import { makeCommand, parseCommand } from '../command.ts';
import { type Context, print } from '../context.ts';
import { display } from '../../package/name.ts';
import { formatSize } from '../progress.ts';
import { namedImages, withStore } from './store.ts';

const examples = `
pkgimage list
pkgimage list --json
`;

/** One line an image: name, digest, layers, bytes of them, platforms if there are several. */
export async function main(context: Context): Promise<number> {
  const command = makeCommand(context, 'List the images in the store.', examples).option(
    '--json',
    'print them as JSON',
  );
  if (!parseCommand(command, context.args)) return 0;
  const images = await withStore(context, async (store) => {
    const rows = [];
    for (const { name, descriptor } of await namedImages(store)) {
      const images = await openImages(store, descriptor);
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
    for (const { name, digest, layers, size, platforms } of images) {
      const several = platforms.length > 1 ? `  ${platforms.map(display).join(', ')}` : '';
      const count = `${layers} layers`.padStart(10);
      print(
        `${display(name).padEnd(width)}  ${digest}  ${count}  ${formatSize(size).padStart(8)}${several}\n`,
      );
    }
  }
  return 0;
}
