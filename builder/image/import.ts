import { createReadStream } from 'node:fs';
import type { Descriptor } from '../descriptor.ts';
import { asFault } from '../fault.ts';
import { cleaned } from '../garbage.ts';
import { completeReference, formatReference, type Reference, withTag } from '../reference.ts';
import { copy } from '../store/copy.ts';
import type { FileStore } from '../store/file-store.ts';
import { openStore } from '../store/open-store.ts';
import type { Named } from '../store/store.ts';
import { chooseImage } from './choose.ts';
import type { TransferOptions } from './export.ts';
import { importArchive } from './import-archive.ts';
import { runProgram } from './program.ts';
import type { EnginePlace, FilePlace } from './transport.ts';

/** How each engine is told to write an archive of an image on its standard output. */
const saving = {
  'docker-daemon': { command: ['docker'], args: ['save'] },
  'containers-storage': { command: ['podman'], args: ['save', '--format', 'oci-archive'] },
  containerd: { command: ['ctr'], args: ['images', 'export', '-'] },
} as const;

/**
 * Brings an image from a place into the store, unnamed: name the descriptor that it gives. A place that does not
 * say which of its images may only have one. Throws NOT_FOUND if there is no such image.
 */
export async function importImage(
  store: FileStore,
  place: FilePlace | EnginePlace,
  options: TransferOptions,
): Promise<Descriptor> {
  switch (place.transport) {
    case 'oci': {
      const layout = await openStore(place.path);
      try {
        const descriptor = chooseImage(await layout.list(), place.name, place.path);
        await copy(layout, store, descriptor, options);
        return descriptor;
      } finally {
        layout.close();
      }
    }
    case 'oci-archive':
    case 'docker-archive': {
      const bytes = cleaned(createReadStream(place.path, { highWaterMark: 1 << 20 }));
      try {
        return chooseImage(await importArchive(store, bytes, place.path), place.name, place.path);
      } catch (error) {
        throw asFault(error, `reading ${place.path}`);
      }
    }
    case 'docker-daemon':
    case 'containers-storage':
    case 'containerd': {
      const { command, args } = saving[place.transport];
      const name = nameIn(place.transport, place.reference);
      let images: readonly Named[] = [];
      await runProgram([...(options.commands?.[place.transport] ?? command), ...args, name], {
        output: async (chunks) => {
          images = await importArchive(store, chunks, `${place.transport}:${name}`);
        },
      });
      return chooseImage(images, undefined, `${place.transport}:${name}`);
    }
  }
}

const nameIn = (transport: string, reference: Reference): string =>
  formatReference(transport === 'containerd' ? completeReference(reference) : withTag(reference));
