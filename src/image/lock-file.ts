import { lstatSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { decodeDescriptor, type Descriptor } from '../../builder/descriptor.ts';
import { asFault, Fault } from '../../builder/fault.ts';
import { platformName } from '../../builder/image/platform.ts';
import { canonicalJson, type Field, type Json, member, members, parseJson } from '../../builder/json.ts';
import { readRegularSync } from '../../builder/regular-file.ts';
import { writeDurably } from '../package/durable.ts';
import { quote } from '../package/name.ts';
import type { PlannedSet } from './image-set.ts';
import { decodeImageLock, formatImageLock, type ImageLock, lockFormats } from './lock.ts';

/** What a lock file holds: one image, or one for each platform. `top` is what a name leads to. */
export type LockFile = { readonly images: readonly ImageLock[]; readonly top: Descriptor };

const line = (value: unknown): string => canonicalJson(value as Json).toString();

/** The text of a lock file. That of one image is its lock; that of several has the lock of each, by platform. */
export function formatLock({ images, top }: PlannedSet): string {
  const [only, ...more] = images;
  if (only && more.length === 0) return `${formatImageLock(only.request, only.planned)}\n`;
  const locks = images
    .map(({ request, planned }) => {
      const text = formatImageLock(request, planned).replaceAll('\n', '\n    ');
      return `    ${JSON.stringify(platformName(planned.image.platform))}: ${text}`;
    })
    .sort();
  const fields = [
    `  "formats": ${line(lockFormats)}`,
    `  "index": ${line(top.descriptor)}`,
    `  "platforms": {\n${locks.join(',\n')}\n  }`,
  ];
  return `{\n${fields.join(',\n')}\n}\n`;
}

/** Where the path is a link, what it leads to is written, and the link stays. */
export function writeLock(path: string, text: string): void {
  try {
    const target = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ? realpathSync(path) : path;
    writeDurably(dirname(target), target, Buffer.from(text));
  } catch (error) {
    throw asFault(error, `writing ${quote(path)}`);
  }
}

/** Throws UNSAFE where a lock would take the place of something else; a lock of any format, and nothing, may go. */
export function checkReplaceable(path: string): void {
  let bytes: Buffer;
  try {
    bytes = readRegularSync(path);
  } catch (error) {
    const dangling = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
    const fault = asFault(error, `the lock ${quote(path)}`);
    if (fault instanceof Fault && fault.code === 'NOT_FOUND' && !dangling) return;
    throw fault;
  }
  if (isLock(bytes, path)) return;
  throw new Fault('UNSAFE', `${quote(path)} is there and is no lock, so it is not written over`, {
    hint: 'name another file after --lock, or remove this one',
  });
}

function isLock(bytes: Buffer, path: string): boolean {
  if (bytes.length === 0) return true;
  try {
    return typeof member(member(parseJson(bytes, path), 'formats'), 'lock').value === 'number';
  } catch (error) {
    if (error instanceof Fault) return false;
    throw error;
  }
}

/** Throws NOT_FOUND, or INPUT, naming file and field, for what is no lock or one of another format. */
export function readLock(path: string): LockFile {
  let bytes: Buffer;
  try {
    bytes = readRegularSync(path);
  } catch (error) {
    throw asFault(error, `reading ${quote(path)}`);
  }
  const lock = parseJson(bytes, path);
  checkFormat(lock, path);
  const platforms = member(lock, 'platforms');
  if (platforms.value === undefined) {
    const only = decodeImageLock(lock);
    return { images: [only], top: only.manifest };
  }
  return {
    images: Object.keys(members(platforms)).map((name) => decodeImageLock(member(platforms, name))),
    top: decodeDescriptor(member(lock, 'index')),
  };
}

function checkFormat(lock: Field, path: string): void {
  const found = member(member(lock, 'formats'), 'lock').value;
  if (found === lockFormats.lock) return;
  throw new Fault('INPUT', `${quote(path)}: a lock of format ${String(found)} is not known here`, {
    hint: 'make it again: build with --lock and without --locked',
  });
}
