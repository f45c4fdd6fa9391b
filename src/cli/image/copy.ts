import { exportImage, type TransferOptions } from '../../../builder/image/export.ts';
import { importImage } from '../../../builder/image/import.ts';
import { formatReference, parseReference } from '../../../builder/reference.ts';
import type { FileStore } from '../../../builder/store/file-store.ts';
import { makeCommand, parseCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { usage } from '../option-value.ts';
import {
  type EngineOption,
  engineOption,
  type OtherPlace,
  readPlace,
  type StorePlace,
  transferOptions,
} from './place.ts';
import { findImage, type FoundImage, readName, withStore } from './store.ts';

const examples = `
pkgimage copy tiny tiny:old
pkgimage copy oci-archive:tiny.tar tiny
pkgimage copy docker-daemon:web:1 oci:./layout:web
`;

const details = `
SRC and DEST are NAME[:TAG] in the user's own store, or a place as pkgimage export --help tells; a plain root file
system can only be written. What goes from one other place to another passes through the store.
`;

/** The only verb: bring it in, if it is elsewhere, and take it out, if it shall be. */
export async function main(context: Context): Promise<number> {
  const command = makeCommand(context, 'Copy an image from one place to another.', examples)
    .argument('<src>', 'where it is')
    .argument('<dest>', 'where it goes')
    .option(...engineOption)
    .addHelpText('after', details);
  if (!parseCommand(command, context.args)) return 0;
  const [from = '', to = ''] = command.args;
  const source = readPlace(from, context);
  const destination = readPlace(to, context);
  const options = transferOptions(context, command.opts<EngineOption>());
  await withStore(context, async (store) => {
    const { descriptor, name } = await bringIn(store, from, source, options);
    if (destination.transport === 'store') await store.tag(formatReference(readName(to)), descriptor);
    else await exportImage(store, descriptor, name, destination, options);
  });
  return 0;
}

async function bringIn(
  store: FileStore,
  text: string,
  place: OtherPlace | StorePlace,
  options: TransferOptions,
): Promise<FoundImage> {
  if (place.transport === 'store') return findImage(store, text);
  if (place.transport === 'rootfs') {
    throw usage('a plain root file system is no image', 'copy from oci:DIR, an archive or an engine');
  }
  const descriptor = await importImage(store, place, options);
  const name = 'reference' in place ? place.reference : parseReference('image');
  return { descriptor, name };
}
