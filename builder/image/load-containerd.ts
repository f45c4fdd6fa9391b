import type { Descriptor } from '../descriptor.ts';
import { isDigest } from '../digest.ts';
import { Fault } from '../fault.ts';
import { completeReference, formatReference, type Reference } from '../reference.ts';
import type { BlobStore } from '../store/store.ts';
import { layoutMembers, writeArchive } from './archive.ts';
import type { EngineOptions, Loaded } from './engine.ts';
import type { Image } from './image.ts';
import { runProgram } from './program.ts';

/**
 * Imports that containerd's own collector disturbed are done again, so many in all. It takes what no image names any
 * more, such as what one of the same layers has just given up its name with, between our question and the import
 * or in the middle of that (containerd 1.6: 8 of 60 imports that took each other's names).
 */
const attempts = 5;

/**
 * Imports an image into containerd, in the namespace that `command` or its environment says. Blobs that are
 * already in that namespace's content store are not sent. Names are complete there: `web` is
 * `docker.io/library/web:latest`.
 */
export async function loadContainerd(
  store: BlobStore,
  image: Image,
  names: readonly Reference[],
  { command = ['ctr'] }: EngineOptions = {},
): Promise<Loaded> {
  const [first = `docker.io/library/image:${image.id.slice(7, 19)}`, ...others] = names.map((name) =>
    formatReference(completeReference(name)),
  );
  const has = await importInto(command, store, image, first);
  for (const name of others) await runProgram([...command, 'images', 'tag', '--force', first, name]);
  const present = image.layers.filter(({ descriptor }) => has.has(descriptor.digest)).length;
  return { sent: image.layers.length - present, present };
}

/** Gives the digests of what was there before. */
async function importInto(
  command: readonly string[],
  store: BlobStore,
  image: Image,
  name: string,
): Promise<ReadonlySet<string>> {
  for (let attempt = 1; ; attempt += 1) {
    const listed = await runProgram([...command, 'content', 'ls', '--quiet']);
    const has = new Set(listed.split('\n').filter(isDigest));
    const skip = ({ digest }: Descriptor) => digest !== image.descriptor.digest && has.has(digest);
    try {
      await runProgram([...command, 'images', 'import', '-'], {
        input: (write) => writeArchive(write, layoutMembers(store, image.descriptor, { name, skip })),
      });
      return has;
    } catch (error) {
      if (attempt === attempts || !isCollected(error)) throw error;
    }
  }
}

const isCollected = (error: unknown): boolean =>
  error instanceof Fault && /(?:snapshot|content digest) sha256:[0-9a-f]{64}.*not found/.test(error.message);
