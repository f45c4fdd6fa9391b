import { type InspectedImage, inspect } from '../../../builder/image/inspect.ts';
import { quote } from '../../package/name.ts';
import { makeCommand, parseCommand } from '../command.ts';
import { type Context, print } from '../context.ts';
import { formatSize } from '../progress.ts';
import { findImage, withStore } from './store.ts';

const examples = `
pkgimage inspect tiny
pkgimage inspect --json tiny
`;

export async function main(context: Context): Promise<number> {
  const command = makeCommand(context, 'Show what an image is made of, and how it is run.', examples)
    .argument('<name>', 'the image: NAME, NAME:TAG or sha256:…')
    .option('--json', 'print everything as JSON');
  if (!parseCommand(command, context.args)) return 0;
  const [name = ''] = command.args;
  const inspection = await withStore(context, async (store) =>
    inspect(store, (await findImage(store, name)).descriptor),
  );
  if (command.opts<{ json?: true }>().json) print(`${JSON.stringify(inspection, null, 2)}\n`);
  else {
    const { images, digest } = inspection;
    const head = images.length > 1 ? `index       ${digest}, ${images.length} platforms\n\n` : '';
    print(`${head}${images.map(table).join('\n')}`);
  }
  return 0;
}

/** Everything that a file said is quoted. */
function table(image: InspectedImage): string {
  const { settings } = image;
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['digest', image.digest],
    ['id', image.id],
    ['platform', quote(image.platform)],
    ['created', image.created && quote(image.created)],
    ['size', formatSize(image.size)],
    ['entrypoint', words(settings.Entrypoint)],
    ['cmd', words(settings.Cmd)],
    ['env', words(settings.Env)],
    ['user', settings.User && quote(settings.User)],
    ['workdir', settings.WorkingDir && quote(settings.WorkingDir)],
    ['ports', settings.ExposedPorts && words(Object.keys(settings.ExposedPorts))],
    ['volumes', settings.Volumes && words(Object.keys(settings.Volumes))],
    ['stop signal', settings.StopSignal && quote(settings.StopSignal)],
    ...pairs('label', settings.Labels ?? {}),
    ...pairs('annotation', image.annotations),
    ...image.layers.map(({ diffID, size, history }): readonly [string, string] => [
      'layer',
      `${diffID}  ${formatSize(size).padStart(8)}  ${history === undefined ? '' : quote(history)}`,
    ]),
  ];
  return rows
    .filter(([, text]) => text !== undefined && text !== '')
    .map(([what, text = '']) => `${what.padEnd(11)} ${text}\n`)
    .join('');
}

const words = (list: readonly string[] | undefined) => list?.map(quote).join(' ');

const pairs = (what: string, map: Readonly<Record<string, string>>) =>
  Object.entries(map).map(([name, value]): readonly [string, string] => [what, quote(`${name}=${value}`)]);
