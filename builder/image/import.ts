import { createReadStream } from 'node:fs';
import type { Descriptor } from '../descriptor.ts';
import { asFault, Fault } from '../fault.ts';
import { quote } from '../json.ts';
import { completeReference, formatReference, type Reference, withTag } from '../reference.ts';
import { copy } from '../store/copy.ts';
import type { FileStore } from '../store/file-store.ts';
import { openStore } from '../store/open-store.ts';
import type { Named } from '../store/store.ts';
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
      const bytes = createReadStream(place.path, { highWaterMark: 1 << 20 });
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

/** The one with that name, or the only one. Throws NOT_FOUND, INPUT, and says what there is. */
export function chooseImage(images: readonly Named[], name: string | undefined, where: string): Descriptor {
  const found = name === undefined ? images : images.filter((image) => sameName(image.name, name));
  const [only] = found;
  if (only && new Set(found.map(({ descriptor }) => descriptor.digest)).size === 1) return only.descriptor;
  const names = images.map((image) => quote(image.name)).join(', ');
  if (name === undefined && only) {
    throw new Fault('INPUT', `${where}: there are several images`, {
      hint: `say which behind a colon: ${names}`,
    });
  }
  const what = name === undefined ? 'no image' : `no image called ${quote(name)}`;
  throw new Fault(
    'NOT_FOUND',
    `${where}: there is ${what}`,
    names === '' ? {} : { hint: `there are ${names}` },
  );
}

/** `web` is also `web:latest`, as tools differ in what they write down. */
const sameName = (there: string, wanted: string): boolean => there === wanted || there === `${wanted}:latest`;
