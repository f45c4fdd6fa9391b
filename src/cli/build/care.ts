import type { Command } from 'commander';
import { Fault } from '../../../builder/fault.ts';
import type { Keep } from '../../build/failure.ts';
import type { Limits } from '../../build/phase.ts';
import { durationHint, parseDuration } from '../../package/duration.ts';
import { quote } from '../../package/name.ts';

/** What is done for a build beside building: limits, tests, what is left of a failure. */
export type CareOptions = {
  readonly timeout?: string;
  readonly idleTimeout?: string;
  readonly test: boolean;
  readonly keepFailed?: boolean;
};

export const addCareOptions = (command: Command): Command =>
  command
    .option(
      '--timeout <time>',
      'end a script that takes longer: 90s, 30m, 2h, none (default: Timeout, else 12h)',
    )
    .option('--idle-timeout <time>', 'end a script that says nothing for so long (default: 1h)')
    .option('--no-test', 'do not run test.sh of what was built')
    .option('--keep-failed', 'keep the work directory of a failure even where the disk is full')
    .option('--no-keep-failed', 'do not keep it');

/** Throws USAGE for what is no duration. */
export function readCare({ timeout, idleTimeout, keepFailed }: CareOptions): {
  readonly limits: Partial<Limits>;
  readonly keep: Keep;
} {
  return {
    limits: {
      ...(timeout === undefined ? {} : { timeout: readTime('--timeout', timeout) }),
      ...(idleTimeout === undefined ? {} : { idle: readTime('--idle-timeout', idleTimeout) }),
    },
    keep: keepFailed === undefined ? 'usual' : keepFailed ? 'always' : 'never',
  };
}

function readTime(option: string, text: string): number {
  if (text === 'none') return Infinity;
  const seconds = parseDuration(text);
  if (seconds !== undefined) return seconds;
  throw new Fault('USAGE', `${option} ${quote(text)} is no duration`, { hint: `${durationHint}, or none` });
}
