import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../../../builder/fault.ts';
import { platformName } from '../../../builder/image/platform.ts';
import { formatReference } from '../../../builder/reference.ts';
import type { FileStore } from '../../../builder/store/file-store.ts';
import { openStore } from '../../../builder/store/open-store.ts';
import type { ImageRequest } from '../../image/build.ts';
import { requireClean, uncleanOf } from '../../image/facts.ts';
import { type PlannedSet, planSet, storeSet } from '../../image/image-set.ts';
import { formatLock, writeLock } from '../../image/lock-file.ts';
import { checkAsked, checkLocked } from '../../image/lock.ts';
import { requireRunnable } from '../../image/runnable.ts';
import { openWorkshop } from '../../layer/workshop.ts';
import { quote } from '../../package/name.ts';
import { removeLeftovers, temporaryName } from '../../run/cache.ts';
import { ensurePrivate } from '../../run/private.ts';
import { makeCommand, parseCommand } from '../command.ts';
import { complain, type Context, print } from '../context.ts';
import { usage } from '../option-value.ts';
import { readDescribed } from './described.ts';
import { addImageOptions, type ImageOptions } from './image-options.ts';
import { keepLock, type Lock, openLock } from './lock.ts';
import { readRequests } from './request.ts';
import { workshopsOf } from '../workshops.ts';
import { compressProgramOf, lockProgramOf, readName } from './store.ts';

const examples = `
pkgimage build -d bootstrap/quickstart_packages -p mksh sbase -t tiny --entrypoint /bin/sh
pkgimage build -d ./packages -p mini-httpd -t web:1 --port 80 --entrypoint '["/bin/mini_httpd", "-D"]'
pkgimage digest -d ./packages -p mksh 'make ^4' --encoding zstd-1
pkgimage build -d x86_64=./packages -d aarch64=./arm-packages -p mksh -t tiny
`;

/** Makes an image, or with `digest` only tells what it would be; either way its digest is all that is printed. */
export async function main(context: Context): Promise<number> {
  const onlyDigest = context.tool.endsWith(' digest');
  const summary = onlyDigest
    ? 'Print the digest of the image that build makes of the same options; nothing is stored, but for the file of --lock.'
    : 'Make an image of packages and print the digest of its manifest, or of the index of several platforms. Without a tag it stays for a day.';
  const command = addImageOptions(makeCommand(context, summary, examples));
  if (!parseCommand(command, context.args)) return 0;
  const options = command.opts<ImageOptions>();
  if (command.args.length > 0) {
    throw usage('there is a word that belongs to no option', 'name packages after -p: -p mksh sbase');
  }
  const names = options.tag.map((tag) => formatReference(readName(tag)));
  const lock = openLock(options, context);
  const described = await readDescribed(options, context);
  try {
    const requests = await readRequests(options, context, lock?.locked, described, onlyDigest);
    check(requests, options, context, lock);
    const digest = onlyDigest
      ? await tell(requests, context, lock)
      : await build(requests, names, context, lock);
    print(`${digest}\n`);
  } catch (error) {
    throw described.located(error);
  }
  return 0;
}

/** What can be found wrong before anything is made; and what is not clean is told. */
function check(
  requests: readonly ImageRequest[],
  options: ImageOptions,
  context: Context,
  lock: Lock | undefined,
): void {
  for (const request of requests) {
    const { packages } = request;
    for (const image of lock?.locked?.images ?? []) checkAsked(lock?.path ?? '', image, request);
    requireRunnable(request);
    if (options.requireClean) requireClean(packages);
    warn(packages, context);
  }
}

async function build(
  requests: readonly ImageRequest[],
  names: readonly string[],
  context: Context,
  lock: Lock | undefined,
): Promise<string> {
  return workshopsOf(context).use(async (workshop) => {
    const { store } = workshop;
    const planned = await planSet(requests, workshop);
    checkSet(planned, lock);
    const image = await storeSet(planned, workshop);
    if (lock) await keepLock(lock, formatLock(planned), context);
    for (const name of names) {
      const before = await store.resolve(name);
      if (before?.digest !== image.digest || before.size !== image.size) await store.tag(name, image);
    }
    return image.digest;
  });
}

/** What has to be made goes into a store that is removed again. */
async function tell(
  requests: readonly ImageRequest[],
  context: Context,
  lock: Lock | undefined,
): Promise<string> {
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
      const planned = await planSet(requests, workshop);
      checkSet(planned, lock);
      if (lock && !lock.locked) writeLock(lock.path, formatLock(planned));
      return planned.top.descriptor.digest;
    } finally {
      await workshop.close();
    }
  } finally {
    for (const each of opened) each.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Throws INTEGRITY for the first image that is not the one of its platform in the lock. */
function checkSet({ images }: PlannedSet, lock: Lock | undefined): void {
  for (const { request, planned } of images) {
    const platform = platformName(planned.image.platform);
    const locked = lock?.locked?.images.find((image) => image.platform === platform);
    if (lock && locked) checkLocked(lock.path, locked, request, planned);
    else if (lock?.locked) throw otherPlatform(lock.path, platform);
  }
}

const otherPlatform = (path: string, platform: string): Fault =>
  new Fault('INTEGRITY', `${quote(path)} has no image for ${platform}`, {
    hint: 'to take it as it is now, leave out --locked, and the lock is written again',
  });

async function openIfThere(directory: string): Promise<FileStore[]> {
  try {
    return [await openStore(directory, { private: true })];
  } catch (error) {
    if (error instanceof Fault && error.code === 'NOT_FOUND') return [];
    throw error;
  }
}

function warn(packages: ImageRequest['packages'], { tool }: Context): void {
  for (const origin of ['host', 'unknown'] as const) {
    const found = uncleanOf(packages).filter((each) => each.origin === origin);
    if (found.length === 0) continue;
    complain(`${tool}: warning: Origin: ${origin}: ${found.map((each) => each.package).join(', ')}\n`);
  }
}
