import { mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
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
 * without a host is `localhost/NAME` there, as podman itself calls what is from no registry.
 */
export async function loadPodman(
  store: FileStore,
  image: Image,
  names: readonly Reference[],
  { command = ['podman'] }: EngineOptions = {},
): Promise<Loaded> {
  const local = names.map((name) => formatReference(withTag({ ...name, host: name.host ?? 'localhost' })));
  const [first = `localhost/image:${image.id.slice(7, 19)}`, ...others] = local;
  const has = new Set((await layersOfAll(command)).flat());
  await withView(store, image, first, async (layout) => {
    await runProgram([...command, 'pull', '--quiet', `oci:${layout}:${first}`]);
  });
  for (const name of others) await runProgram([...command, 'tag', first, name]);
  const present = image.layers.filter(({ diffID }) => has.has(diffID)).length;
  return { sent: image.layers.length - present, present };
}

/** A layout that has one name and borrows our blobs: podman makes the name in the layout its own. */
async function withView(
  store: FileStore,
  { descriptor }: Image,
  name: string,
  use: (layout: string) => Promise<void>,
): Promise<void> {
  const layout = await mkdtemp(join(tmpdir(), 'static-distro-podman-'));
  try {
    await symlink(join(await realpath(store.directory), 'blobs'), join(layout, 'blobs'));
    await writeFile(join(layout, 'oci-layout'), layoutFile);
    await writeFile(join(layout, 'index.json'), formatIndex(withName(emptyIndex, name, descriptor)));
    await use(layout);
  } catch (error) {
    throw asFault(error, `showing the store to podman in ${layout}`);
  } finally {
    await rm(layout, { recursive: true, force: true });
  }
}
