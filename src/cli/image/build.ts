import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../../../builder/fault.ts';
import { formatReference } from '../../../builder/reference.ts';
import type { FileStore } from '../../../builder/store/file-store.ts';
import { openStore } from '../../../builder/store/open-store.ts';
import { type ImageRequest, planImage, storeImage } from '../../image/build.ts';
import { requireClean, uncleanOf } from '../../image/facts.ts';
import { checkLocked, formatLock } from '../../image/lock.ts';
import { openWorkshop } from '../../layer/workshop.ts';
import { removeLeftovers, temporaryName } from '../../run/cache.ts';
import { ensurePrivate } from '../../run/private.ts';
import { makeCommand, parseCommand } from '../command.ts';
import { complain, type Context, print } from '../context.ts';
import { usage } from '../option-value.ts';
import { addImageOptions, type ImageOptions } from './image-options.ts';
import { keepLock, type Lock, openLock } from './lock.ts';
import { readRequest } from './request.ts';
import { workshopsOf } from '../workshops.ts';
import { compressProgramOf, lockProgramOf, readName } from './store.ts';

const examples = `
pkgimage build -d bootstrap/quickstart_packages -p mksh sbase -t tiny --entrypoint /bin/sh
pkgimage build -d ./packages -p mini-httpd -t web:1 --port 80 --entrypoint '["/bin/mini_httpd", "-D"]'
pkgimage digest -d ./packages -p mksh 'make ^4' --encoding zstd-1
`;

/** Makes an image, or with `digest` only tells what it would be; either way its digest is all that is printed. */
export async function main(context: Context): Promise<number> {
  const onlyDigest = context.tool.endsWith(' digest');
  const summary = onlyDigest
    ? 'Print the digest of the image that build makes of the same options; nothing is stored.'
    : 'Make an image of packages and print the digest of its manifest. Without a tag it stays for a day.';
  const command = addImageOptions(makeCommand(context, summary, examples));
  if (!parseCommand(command, context.args)) return 0;
  const options = command.opts<ImageOptions>();
  if (command.args.length > 0) {
    throw usage('there is a word that belongs to no option', 'name packages after -p: -p mksh sbase');
  }
  const names = options.tag.map((tag) => formatReference(readName(tag)));
  const lock = openLock(options, context);
  const request = await readRequest(options, context, lock?.locked, onlyDigest);
  if (options.requireClean) requireClean(request.packages);
  warn(request, context);
  const digest = onlyDigest ? await tell(request, context, lock) : await build(request, names, context, lock);
  print(`${digest}\n`);
  return 0;
}

async function build(
  request: ImageRequest,
  names: readonly string[],
  context: Context,
  lock: Lock | undefined,
): Promise<string> {
  return workshopsOf(context).use(async (workshop) => {
    const { store } = workshop;
    const planned = await planImage(request, workshop);
    if (lock?.locked) checkLocked(lock.path, lock.locked, request, planned);
    const image = await storeImage(planned.image, workshop);
    if (lock) await keepLock(lock, formatLock(request, planned), context);
    for (const name of names) {
      const before = await store.resolve(name);
      if (before?.digest !== image.digest || before.size !== image.size) await store.tag(name, image);
    }
    return image.digest;
  });
}

/** What has to be made goes into a store that is removed again. */
async function tell(request: ImageRequest, context: Context, lock: Lock | undefined): Promise<string> {
  const { store: own, cache } = context.places;
  ensurePrivate(cache.work);
  removeLeftovers(cache.work);
  const directory = join(cache.work, temporaryName());
  mkdirSync(directory, { mode: 0o700 });
  const opened: FileStore[] = [];
  try {
    const store = await openStore(directory, { create: true, lockProgram: lockProgramOf(context) });
    opened.push(store);
    const others = await openIfThere(own);
    opened.push(...others);
    const workshop = openWorkshop({
      store,
      others,
      cache: cache.layers,
      keep: false,
      compressProgram: compressProgramOf(context),
    });
    try {
      const planned = await planImage(request, workshop);
      if (lock?.locked) checkLocked(lock.path, lock.locked, request, planned);
      return planned.image.manifest.descriptor.digest;
    } finally {
      await workshop.close();
    }
  } finally {
    for (const each of opened) each.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function openIfThere(directory: string): Promise<FileStore[]> {
  try {
    return [await openStore(directory, { private: true })];
  } catch (error) {
    if (error instanceof Fault && error.code === 'NOT_FOUND') return [];
    throw error;
  }
}

function warn({ packages }: ImageRequest, { tool }: Context): void {
  for (const origin of ['host', 'unknown'] as const) {
    const found = uncleanOf(packages).filter((each) => each.origin === origin);
    if (found.length === 0) continue;
    complain(`${tool}: warning: Origin: ${origin}: ${found.map((each) => each.package).join(', ')}\n`);
  }
}
