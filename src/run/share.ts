import { accessSync, constants, realpathSync, statfsSync, statSync, type Stats } from 'node:fs';
import { resolve } from 'node:path';
import { asFault, Fault } from '../../builder/fault.ts';
import { quote } from '../package/name.ts';

/** A directory of the user's that the command sees. `target` is relative to the root: `work`, `mnt/NAME`. */
export type Share = { readonly source: string; readonly target: string; readonly writable: boolean };

export type ShareRules = {
  /** What relative paths are relative to. */
  readonly from: string;
  /** The option that names the directory, for messages: `-w`. */
  readonly option: string;
  readonly writable: boolean;
  /** Directories that no command may write to: our repositories, stores and caches. */
  readonly guarded: readonly string[];
};

const procType = 0x9fa0;

/**
 * The real path of a directory that may be shared. Throws NOT_FOUND or IO if the caller cannot use it as asked,
 * UNSAFE for the whole machine (`/`, any procfs), and, to write, for a guarded directory and all below one. A
 * directory that holds a guarded one is the user's to give: it holds more that matters as much.
 */
export function checkShare(directory: string, { from, option, writable, guarded }: ShareRules): string {
  const what = `${option} ${quote(directory)}`;
  const { path, stats } = look(resolve(from, directory), what);
  if (!stats.isDirectory()) {
    throw new Fault('IO', `${what} is no directory`, { hint: 'name the directory that holds it' });
  }
  const root = statSync('/');
  if ((stats.dev === root.dev && stats.ino === root.ino) || statfsSync(path).type === procType) {
    throw new Fault('UNSAFE', `${what}: ${quote(path)} would show the whole machine`, {
      hint: 'name a directory that holds only what the command needs',
    });
  }
  if (writable) {
    const guard = guarded.map(real).find((place) => path === place || path.startsWith(`${place}/`));
    if (guard !== undefined) {
      throw new Fault('UNSAFE', `${what} would let the command change packages in ${quote(guard)}`, {
        hint: 'name another directory, or look at this one with -m NAME:DIR (read-only)',
      });
    }
  }
  try {
    accessSync(path, constants.R_OK | constants.X_OK | (writable ? constants.W_OK : 0));
  } catch (cause) {
    throw new Fault('IO', `${what} cannot be ${writable ? 'written to' : 'read'} by you`, {
      hint: `see who may: ls -ld ${quote(path)}`,
      cause,
    });
  }
  return path;
}

function look(path: string, what: string): { path: string; stats: Stats } {
  try {
    const real = realpathSync.native(path);
    return { path: real, stats: statSync(real) };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new Fault('NOT_FOUND', `${what}: there is no such directory`, {
        hint: `make it first: mkdir -p ${quote(path)}`,
        cause: error,
      });
    }
    throw asFault(error, what);
  }
}

/** A place that does not exist guards nothing that a path could be in. */
function real(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}
