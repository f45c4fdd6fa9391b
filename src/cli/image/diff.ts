import { diffImages } from '../../../builder/image/diff.ts';
import { type ImageLayer, openImage } from '../../../builder/image/image.ts';
import { quote } from '../../package/name.ts';
import { makeCommand, parseCommand } from '../command.ts';
import { type Context, print } from '../context.ts';
import { formatSize } from '../progress.ts';
import { findImage, withStore } from './store.ts';

const examples = `
pkgimage diff web:1 web:2
pkgimage diff --json web:1 web:2
`;

export async function main(context: Context): Promise<number> {
  const command = makeCommand(
    context,
    'Show which layers and fields change from one image to another, and what an engine fetches.',
    examples,
  )
    .argument('<before>', 'an image: NAME, NAME:TAG or sha256:…')
    .argument('<after>', 'another one')
    .option('--json', 'print it as JSON');
  if (!parseCommand(command, context.args)) return 0;
  const [before = '', after = ''] = command.args;
  const diff = await withStore(context, async (store) => {
    const open = async (name: string) => openImage(store, (await findImage(store, name)).descriptor);
    return diffImages(await open(before), await open(after));
  });
  if (command.opts<{ json?: true }>().json) {
    print(`${JSON.stringify(diff, null, 2)}\n`);
    return 0;
  }
  print(
    [
      ...diff.removed.map((layer) => line('-', layer)),
      ...diff.added.map((layer) => line('+', layer)),
      ...diff.fields.map((each) => `~ ${quote(each.field)}: ${show(each.before)} -> ${show(each.after)}\n`),
      `${diff.kept.length} layers are the same; ${formatSize(diff.fetch)} to fetch\n`,
    ].join(''),
  );
  return 0;
}

const show = (value: unknown) => (value === undefined ? 'none' : quote(JSON.stringify(value)));

const line = (sign: string, { diffID, descriptor, history = '' }: ImageLayer) =>
  `${sign} ${diffID}  ${formatSize(descriptor.size).padStart(8)}  ${quote(history)}\n`;
