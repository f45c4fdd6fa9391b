import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** To open a file that must be a regular one: opening a pipe would wait for whoever writes into it. */
export const withoutWaiting = constants.O_RDONLY | constants.O_NONBLOCK;

/** As the operating system's own errors are, so that `asFault` takes it. */
export const irregular = (): Error =>
  Object.assign(new Error('EFTYPE: it is no regular file'), { code: 'EFTYPE' });

/** Throws the system's error, and EFTYPE for what is neither a file nor a link to one; never waits for a pipe. */
export function readRegularSync(path: string): Buffer;
export function readRegularSync(path: string, encoding: 'utf8'): string;
export function readRegularSync(path: string, encoding?: 'utf8'): Buffer | string {
  const file = openSync(path, withoutWaiting);
  try {
    if (!fstatSync(file).isFile()) throw irregular();
    return encoding === undefined ? readFileSync(file) : readFileSync(file, encoding);
  } finally {
    closeSync(file);
  }
}
