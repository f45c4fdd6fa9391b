import type { Descriptor } from '../descriptor.ts';
import { isDigest } from '../digest.ts';
import { completeReference, formatReference, type Reference } from '../reference.ts';
import type { BlobStore } from '../store/store.ts';
import { layoutMembers, writeArchive } from './archive.ts';
import type { EngineOptions, Loaded } from './engine.ts';
import type { Image } from './image.ts';
import { runProgram } from './program.ts';

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
  const has = new Set(
    (await runProgram([...command, 'content', 'ls', '--quiet'])).split('\n').filter(isDigest),
  );
  const skip = ({ digest }: Descriptor) => digest !== image.descriptor.digest && has.has(digest);
  const [first = `docker.io/library/image:${image.id.slice(7, 19)}`, ...others] = names.map((name) =>
    formatReference(completeReference(name)),
  );
  await runProgram([...command, 'images', 'import', '-'], {
    input: (write) => writeArchive(write, layoutMembers(store, image.descriptor, { name: first, skip })),
  });
  for (const name of others) await runProgram([...command, 'images', 'tag', '--force', first, name]);
  const present = image.layers.filter(({ descriptor }) => has.has(descriptor.digest)).length;
  return { sent: image.layers.length - present, present };
}
