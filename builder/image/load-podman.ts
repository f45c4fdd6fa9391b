import { randomBytes } from 'node:crypto';
import { mkdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asFault } from '../fault.ts';
import { formatReference, type Reference, withTag } from '../reference.ts';
import type { FileStore } from '../store/file-store.ts';
import { emptyIndex, formatIndex, layoutFile, withName } from '../store/layout.ts';
import { type EngineOptions, layersOfAll, type Loaded } from './engine.ts';
import type { Image } from './image.ts';
import { runProgram } from './program.ts';

/**
 * Loads an image into podman, which takes blobs right out of the store, and only those that it has not. A name
 * without a host is `localhost/NAME` there, as podman itself calls what is from no registry. Layers that podman has in
 * another encoding count as present, though it reads them once more.
 */
export async function loadPodman(
  store: FileStore,
  image: Image,
  names: readonly Reference[],
  { command = ['podman'] }: EngineOptions = {},
): Promise<Loaded> {
  const has = new Set((await layersOfAll(command)).flat());
  await withView(store, image, async (layout, name) => {
    const id = (await runProgram([...command, 'pull', '--quiet', `oci:${layout}:${name}`])).trim();
    for (const wanted of names) {
      const local = formatReference(withTag({ ...wanted, host: wanted.host ?? 'localhost' }));
      await runProgram([...command, 'tag', id, local]);
    }
    await forget(command, id, name);
  });
  const present = image.layers.filter(({ diffID }) => has.has(diffID)).length;
  return { sent: image.layers.length - present, present };
}

/** Older podman calls the image by the layout's path, newer by the name in the layout: both have our word in it. */
async function forget(command: readonly string[], id: string, word: string): Promise<void> {
  const format = '{{range .RepoTags}}{{.}} {{end}}';
  const tags = (await runProgram([...command, 'image', 'inspect', '--format', format, id])).trim().split(' ');
  for (const tag of tags) if (tag.includes(word)) await runProgram([...command, 'untag', id, tag]);
}

/** A layout that has one name, which is a word of its own in lower case, and borrows our blobs. */
async function withView(
  store: FileStore,
  { descriptor }: Image,
  use: (layout: string, name: string) => Promise<void>,
): Promise<void> {
  const name = `static-distro-${randomBytes(8).toString('hex')}`;
  const layout = join(tmpdir(), name);
  try {
    await mkdir(layout, { mode: 0o700 });
    await symlink(join(await realpath(store.directory), 'blobs'), join(layout, 'blobs'));
    await writeFile(join(layout, 'oci-layout'), layoutFile);
    await writeFile(join(layout, 'index.json'), formatIndex(withName(emptyIndex, name, descriptor)));
    await use(layout, name);
  } catch (error) {
    throw asFault(error, `showing the store to podman in ${layout}`);
  } finally {
    await rm(layout, { recursive: true, force: true });
  }
}
