import { fstatSync } from 'node:fs';
import type { RunArguments } from './arguments.ts';

/** All variables of the command. Values of `kept` are the caller's secrets and never part of a command line. */
export type CommandEnvironment = {
  readonly environment: Readonly<Record<string, string>>;
  readonly kept: Readonly<Record<string, string>>;
};

/**
 * The command's environment (DESIGN section 5): nothing of the caller's but `TERM` on a terminal and what
 * `--keepenv` names and the caller has. A later setting of a name takes the place of an earlier one.
 */
export function commandEnvironment(
  { work, keep, set }: Pick<RunArguments, 'work' | 'keep' | 'set'>,
  caller: NodeJS.ProcessEnv,
  terminal: boolean,
): CommandEnvironment {
  const valueOf = (name: string) => (Object.hasOwn(caller, name) ? caller[name] : undefined);
  const environment = new Map([
    ['PATH', '/bin'],
    ['HOME', work === undefined ? '/tmp' : '/work'],
    ['USER', 'user'],
    ['LANG', 'C.UTF-8'],
  ]);
  const term = terminal ? valueOf('TERM') : undefined;
  if (term !== undefined) environment.set('TERM', term);
  const kept = new Map<string, string>();
  for (const name of keep) {
    const value = valueOf(name);
    if (value === undefined) continue;
    kept.set(name, value);
    environment.delete(name);
  }
  for (const [name, value] of set) {
    environment.set(name, value);
    kept.delete(name);
  }
  return { environment: Object.fromEntries(environment), kept: Object.fromEntries(kept) };
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
