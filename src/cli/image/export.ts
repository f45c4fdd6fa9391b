import { exportImage } from '../../../builder/image/export.ts';
import { makeCommand, parseCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { type EngineOption, engineOption, platformOption, readOtherPlace, transferOptions } from './place.ts';
import { findImage, withStore, fromOwnStore } from './store.ts';

const examples = `
pkgimage export tiny oci:./layout:tiny
pkgimage export tiny docker-archive:tiny.tar
pkgimage export tiny rootfs:root.tar
pkgimage export --platform linux/arm64 tiny docker-archive:tiny-arm.tar
`;

const details = `
DEST is oci:DIR[:NAME], oci-archive:FILE[:NAME], docker-archive:FILE[:NAME], rootfs:FILE (a plain tar of the root
file system), docker-daemon:NAME, containers-storage:NAME (podman) or containerd:NAME. A file is whole or not there.
The first two take all platforms of an image, unless one is named; the others one.
`;

export async function main(context: Context): Promise<number> {
  const command = makeCommand(context, 'Write an image to a file, or into an engine.', examples)
    .argument('<name>', 'the image: NAME, NAME:TAG or sha256:…')
    .argument('<dest>', 'where it goes')
    .option(...engineOption)
    .option(...platformOption)
    .addHelpText('after', details);
  if (!parseCommand(command, context.args)) return 0;
  const [text = '', dest = ''] = command.args;
  const place = readOtherPlace(dest, context);
  const options = transferOptions(context, command.opts<EngineOption>());
  await withStore(context, async (store) => {
    const { descriptor, name } = await findImage(store, text);
    await fromOwnStore(() => exportImage(store, descriptor, name, place, options));
  });
  return 0;
}
