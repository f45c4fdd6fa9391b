import type { FieldDiff } from '../../../builder/image/diff.ts';
import { diffImages } from '../../../builder/image/diff.ts';
import { type ImageLayer, openImage } from '../../../builder/image/image.ts';
import { hostPlatform } from '../../../builder/image/platform.ts';
import { diffContents } from '../../image/diff.ts';
import { quote } from '../../package/name.ts';
import { makeCommand, parseCommand } from '../command.ts';
import { type Context, print } from '../context.ts';
import { formatSize } from '../progress.ts';
import { fileLines, packageLines } from './change-lines.ts';
import { type EngineOption, platformOption, transferOptions } from './place.ts';
import { findImage, withStore } from './store.ts';

const examples = `
pkgimage diff web:1 web:2
pkgimage diff --files web:1 web:2
pkgimage diff --json web:1 web:2
`;

const details = `
Packages come first, with the reason as their records tell it: another version, source or recipe, or something that
they were built with; then files by their paths in the package; then layers, and settings of the image.
`;

type Options = Pick<EngineOption, 'platform'> & { readonly files?: true; readonly json?: true };

/** So many files of a package are shown without --files. */
const few = 10;

export async function main(context: Context): Promise<number> {
  const command = makeCommand(
    context,
    'Show what changes from one image to another and why, by package, file and layer, and what an engine fetches.',
    examples,
  )
    .argument('<before>', 'an image: NAME, NAME:TAG or sha256:…')
    .argument('<after>', 'another one')
    .option('--files', `all files that differ, not the first ${few} of each package`)
    .option('--json', 'print it as JSON, with all files')
    .option(...platformOption)
    .addHelpText('after', details);
  if (!parseCommand(command, context.args)) return 0;
  const [before = '', after = ''] = command.args;
  const { files = false, json, ...options } = command.opts<Options>();
  const { platform } = transferOptions(context, options);
  const { contents, ...diff } = await withStore(context, async (store) => {
    const open = async (name: string) =>
      openImage(store, (await findImage(store, name)).descriptor, platform, hostPlatform());
    const [old, now] = [await open(before), await open(after)];
    return { ...diffImages(old, now), contents: await diffContents(store, old, now) };
  });
  if (json) {
    print(`${JSON.stringify({ ...contents, ...diff }, null, 2)}\n`);
    return 0;
  }
  const most = files ? Infinity : few;
  print(
    [
      ...contents.packages.flatMap((each) => packageLines(each, most)),
      ...contents.layers.flatMap(({ name, files }) => [`~ ${name}\n`].concat(fileLines(files, most))),
      ...diff.removed.map((layer) => line('-', layer)),
      ...diff.added.map((layer) => line('+', layer)),
      ...diff.fields.map(fieldLine),
      `${diff.kept.length} layers are the same; ${formatSize(diff.fetch)} to fetch\n`,
    ].join(''),
  );
  return 0;
}

const fieldLine = ({ field, before, after }: FieldDiff) =>
  `~ ${quote(field)}: ${show(before)} -> ${show(after)}\n`;

const show = (value: unknown) => (value === undefined ? 'none' : quote(JSON.stringify(value)));

const line = (sign: string, { diffID, descriptor, history = '' }: ImageLayer) =>
  `${sign} ${diffID}  ${formatSize(descriptor.size).padStart(8)}  ${quote(history)}\n`;
