import { lstatSync, mkdirSync, statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { asFault, Fault } from '../../builder/fault.ts';
import { quote } from '../package/name.ts';
import { markUsed } from './used.ts';

const caller = (): number => process.geteuid?.() ?? 0;

const elsewhere = 'set STATIC_DISTRO_HOME to a directory of your own (with sudo: sudo -H)';

/** For one's own eyes: what is in a cache may come from private directories. */
const privateMode = 0o700;

/**
 * Makes sure that `path` is a directory that belongs to the caller and that nobody else can write to; makes it
 * and its parents if it is missing. What is in such a directory may be trusted: nobody can have put it there.
 * Throws UNSAFE for somebody else's. Root makes nothing below another user's directory either: with sudo, that
 * user could not use their own cache any more.
 */
export function ensurePrivate(path: string): void {
  const stats = look(path);
  if (stats) {
    checkPrivate(path, stats);
    return;
  }
  const missing = [path];
  let parent = dirname(path);
  let parentStats = look(parent);
  while (!parentStats && parent !== dirname(parent)) {
    missing.unshift(parent);
    parent = dirname(parent);
    parentStats = look(parent);
  }
  if (parentStats && parentStats.uid !== caller() && parentStats.uid !== 0) notOurs(parent, parentStats.uid);
  for (const directory of missing) make(directory);
  const made = look(path);
  if (made) checkPrivate(path, made);
}

/** One at a time: Node's `recursive` never comes back where a parent exists that takes no directory, as in /proc. */
function make(directory: string): void {
  try {
    mkdirSync(directory, { mode: privateMode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw elsewhereFault(error, `cannot make the cache directory ${quote(directory)}`);
  }
}

function elsewhereFault(error: unknown, doing: string): unknown {
  const fault = asFault(error, doing);
  return fault instanceof Fault
    ? new Fault(fault.code, fault.message, { hint: elsewhere, cause: error })
    : fault;
}

/** Throws UNSAFE unless the directory is the caller's and nobody else's to write to. */
export function checkPrivate(path: string, stats: Stats): void {
  if (!stats.isDirectory()) throw new Fault('IO', `${quote(path)} is no directory`);
  if (stats.uid !== caller()) notOurs(path, stats.uid);
  if ((stats.mode & 0o022) !== 0) {
    throw new Fault('UNSAFE', `other users can write to ${quote(path)}, so what is in it is not trusted`, {
      hint: `if you know that nobody did: chmod go-w ${quote(path)}`,
    });
  }
}

/**
 * Whether there is such a directory in a cache; then it is marked as used. Throws UNSAFE for one that somebody else may
 * have put there.
 */
export function hasPrivateTree(path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (!stats) return false;
  checkPrivate(path, stats);
  return markUsed(path);
}

function notOurs(path: string, uid: number): never {
  throw new Fault('UNSAFE', `${quote(path)} belongs to user ${uid}, not to user ${caller()} who calls`, {
    hint: elsewhere,
  });
}

function look(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw elsewhereFault(error, `cannot look at ${quote(path)}`);
  }
}
