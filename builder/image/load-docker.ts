import { Fault } from '../fault.ts';
import type { Reference } from '../reference.ts';
import type { BlobStore } from '../store/store.ts';
import { writeArchive } from './archive.ts';
import { dockerArchiveMembers } from './docker-archive.ts';
import { type EngineOptions, layersOfAll, type Loaded } from './engine.ts';
import type { Image } from './image.ts';
import { runProgram } from './program.ts';

/**
 * Loads an image into docker, through its own program and so to wherever that points. Docker names a layer by all
 * layers below it and itself, and takes an archive in which those that it has are missing; so only what is above
 * the longest run of layers that some image there begins with is sent. Where images are kept in containerd's store,
 * all of them are.
 */
export async function loadDocker(
  store: BlobStore,
  image: Image,
  names: readonly Reference[],
  { command = ['docker'] }: EngineOptions = {},
): Promise<Loaded> {
  const total = image.layers.length;
  const present = await presentLayers(image, command);
  const send = (present: number) =>
    runProgram([...command, 'load', '--quiet'], {
      input: (write) => writeArchive(write, dockerArchiveMembers(store, image, { names, present })),
    });
  try {
    await send(present);
    return { sent: total - present, present };
  } catch (error) {
    // An image that the layers were counted on may have been removed meanwhile.
    if (present === 0 || !(error instanceof Fault) || error.code !== 'IO') throw error;
    await send(0);
    return { sent: total, present: 0 };
  }
}

/** How many of the image's lowest layers some image in docker has as its own lowest. */
async function presentLayers(image: Image, command: readonly string[]): Promise<number> {
  const driver = await driverOf(command);
  if (driver === undefined || driver.includes('io.containerd.snapshotter')) return 0;
  const runs = (await layersOfAll(command)).map((diffIDs) => {
    const differs = image.layers.findIndex(({ diffID }, at) => diffIDs[at] !== diffID);
    return differs < 0 ? image.layers.length : differs;
  });
  return Math.max(0, ...runs);
}

/** Undefined if it cannot be told: what is called docker may be another program, which then gets all layers. */
async function driverOf(command: readonly string[]): Promise<string | undefined> {
  try {
    return await runProgram([...command, 'info', '--format', '{{json .DriverStatus}}']);
  } catch (error) {
    if (error instanceof Fault && error.code === 'IO') return undefined;
    throw error;
  }
}
