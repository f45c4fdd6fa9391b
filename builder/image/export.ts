import type { Descriptor, Platform } from '../descriptor.ts';
import { Fault } from '../fault.ts';
import { formatReference, parseReference, type Reference, withTag } from '../reference.ts';
import { copy, type CopyOptions } from '../store/copy.ts';
import type { FileStore } from '../store/file-store.ts';
import { writeAll, writeOutput } from '../store/files.ts';
import { openStore } from '../store/open-store.ts';
import { type ArchiveMember, layoutMembers, writeArchive } from './archive.ts';
import { dockerArchiveMembers } from './docker-archive.ts';
import type { Loaded } from './engine.ts';
import { type Image, openImage } from './image.ts';
import { loadContainerd } from './load-containerd.ts';
import { loadDocker } from './load-docker.ts';
import { loadPodman } from './load-podman.ts';
import { hostPlatform } from './platform.ts';
import { writeRootfs } from './rootfs.ts';
import type { EnginePlace, FilePlace, RootfsPlace } from './transport.ts';

export type TransferOptions = CopyOptions & {
  /** For a layout directory, whose names change under a lock. */
  readonly lockProgram: string;
  /** Only the image for it goes. Otherwise all, or the machine's own where only one can. */
  readonly platform?: Platform;
  /** Programs of engines, with arguments that come first: `{ 'docker-daemon': ['docker', '-H', '…'] }`. */
  readonly commands?: Readonly<Partial<Record<EnginePlace['transport'], readonly string[]>>>;
};

/**
 * Sends an image of the store to a place. `name` is what it is called there if the place does not say. Files are
 * whole or not there; layouts keep what they hold; a layout and its archive take all platforms of an index, the
 * others one. Gives what an engine had already, where an engine took it.
 */
export async function exportImage(
  store: FileStore,
  descriptor: Descriptor,
  name: Reference,
  place: FilePlace | RootfsPlace | EnginePlace,
  options: TransferOptions,
): Promise<Loaded | undefined> {
  const image = (): Promise<Image> => openImage(store, descriptor, options.platform, hostPlatform());
  const all = async (): Promise<Descriptor> => (options.platform ? (await image()).descriptor : descriptor);
  const engine = (transport: EnginePlace['transport']) => {
    const command = options.commands?.[transport];
    return command ? { command } : {};
  };
  switch (place.transport) {
    case 'oci': {
      const sent = await all();
      const layout = await openStore(place.path, { lockProgram: options.lockProgram, create: true });
      try {
        await copy(store, layout, sent, options).catch((error: unknown) => {
          throw ofSource(error, place.path, store.directory);
        });
        await layout.tag(place.name ?? 'latest', sent);
      } finally {
        layout.close();
      }
      return undefined;
    }
    case 'oci-archive':
      await writeFile(
        place.path,
        layoutMembers(store, await all(), { name: place.name ?? formatReference(withTag(name)) }),
      );
      return undefined;
    case 'docker-archive': {
      const names = [place.name === undefined ? name : parseReference(place.name)];
      await writeFile(place.path, dockerArchiveMembers(store, await image(), { names }));
      return undefined;
    }
    case 'rootfs': {
      const only = await image();
      await writeOutput(place.path, (file) => writeRootfs(store, only, (bytes) => writeAll(file, bytes)));
      return undefined;
    }
    case 'docker-daemon':
      return loadDocker(store, await image(), [place.reference], engine(place.transport));
    case 'containers-storage':
      return loadPodman(store, await image(), [place.reference], engine(place.transport));
    case 'containerd':
      return loadContainerd(store, await image(), [place.reference], engine(place.transport));
  }
}

/** It is the destination that notices bytes that are wrong, and the source that has them. */
function ofSource(error: unknown, destination: string, source: string): unknown {
  const start = `${destination}: `;
  if (!(error instanceof Fault) || error.code !== 'INTEGRITY' || !error.message.startsWith(start))
    return error;
  const message = `${source}: ${error.message.slice(start.length)}`;
  return new Fault(error.code, message, {
    ...(error.hint !== undefined && { hint: error.hint }),
    cause: error,
  });
}

const writeFile = (path: string, files: AsyncIterable<ArchiveMember>): Promise<void> =>
  writeOutput(path, (file) => writeArchive((bytes) => writeAll(file, bytes), files));
