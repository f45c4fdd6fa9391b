import { fstatSync } from 'node:fs';
import type { RunArguments } from './arguments.ts';

/**
 * All of the command's environment (DESIGN section 5): nothing of the caller's but `TERM` on a terminal and what
 * `--keepenv` names and the caller has. A later setting of a name takes the place of an earlier one.
 */
export function commandEnvironment(
  { work, keep, set }: Pick<RunArguments, 'work' | 'keep' | 'set'>,
  caller: NodeJS.ProcessEnv,
  terminal: boolean,
): Record<string, string> {
  const environment = new Map([
    ['PATH', '/bin'],
    ['HOME', work === undefined ? '/tmp' : '/work'],
    ['USER', 'user'],
    ['LANG', 'C.UTF-8'],
  ]);
  for (const name of terminal ? ['TERM', ...keep] : keep) {
    const value = Object.hasOwn(caller, name) ? caller[name] : undefined;
    if (value !== undefined) environment.set(name, value);
  }
  for (const [name, value] of set) environment.set(name, value);
  return Object.fromEntries(environment);
}

/** Major numbers of terminals: consoles and serial lines, `/dev/tty`, pseudo-terminals, USB, ARM's, hypervisors'. */
const terminals = new Set([4, 5, ...Array.from({ length: 8 }, (_, at) => 136 + at), 188, 204, 229]);

/** Whether a descriptor is a terminal. Asking Node loads its streams (3 ms) and leaves a pipe non-blocking. */
export function isTerminal(descriptor: number): boolean {
  try {
    const stats = fstatSync(descriptor);
    return stats.isCharacterDevice() && terminals.has((stats.rdev >> 8) & 0xfff);
  } catch {
    return false;
  }
}
