import { accessSync, constants, readFileSync } from 'node:fs';
import process from 'node:process';
import { Fault } from '../../builder/fault.ts';
import { quote } from '../package/name.ts';

/**
 * Replaces this process by the helper with the environment `kept`; of its files only standard input, output
 * and error stay. Does not come back:
 * where the kernel refuses, Node aborts, so what can be refused is looked at before. Before a call nothing may
 * have been written through `process.stdout` or `process.stderr`, which would leave them non-blocking.
 */
export function enter(
  helper: string,
  args: readonly string[],
  kept: Readonly<Record<string, string>> = {},
): never {
  checkHelper(helper);
  checkLength([helper, ...args, ...Object.entries(kept).map((pair) => pair.join('='))]);
  if (!process.execve) throw new Error('this Node has no process.execve');
  return process.execve(helper, [helper, ...args], { ...kept });
}

/** Throws SANDBOX if the helper is not there to be run. */
export function checkHelper(helper: string): void {
  try {
    accessSync(helper, constants.X_OK);
  } catch (cause) {
    throw new Fault('SANDBOX', `the helper ${quote(helper)} is not there or cannot be run`, {
      hint: 'it is compiled by npm start, or in a checkout by: make -C native',
      cause,
    });
  }
}

/** Below this no kernel refuses a command line; the limit of one word does not change. */
const alwaysFits = 128 * 1024;
const wordLimit = 128 * 1024;

function checkLength(words: readonly string[]): void {
  const sizes = words.map((word) => Buffer.byteLength(word) + 1);
  const total = sizes.reduce((sum, size) => sum + size + 8, 0);
  const limit = total < alwaysFits ? alwaysFits : Math.max(alwaysFits, stackLimit() / 4) - 8192;
  if (total >= limit || sizes.some((size) => size > wordLimit)) {
    throw new Fault('USAGE', 'the command with its packages and environment is too long for this machine', {
      hint: 'write the arguments to a file, or raise the limit of the stack: ulimit -s',
    });
  }
}

/** In bytes; the kernel takes a quarter of it for arguments, and never more than 6 MiB. */
function stackLimit(): number {
  const text = readFileSync('/proc/self/limits', 'latin1');
  const soft = Number(/^Max stack size\s+(\d+)/m.exec(text)?.[1] ?? Infinity);
  return Math.min(soft, 24 * 1024 * 1024);
}
