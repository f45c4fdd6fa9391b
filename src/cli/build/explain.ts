import type { Assessment } from '../../build/assess.ts';
import type { Difference } from '../../build/difference.ts';
import { display } from '../../package/name.ts';

const states = { there: 'there', cached: 'cached', build: 'build', open: 'open' } as const;

/** One line of a plan. */
export function planLine(each: Assessment): string {
  const why = reasonOf(each);
  return `${states[each.state].padEnd(7)} ${each.name}${why === '' ? '' : `: ${why}`}\n`;
}

function reasonOf(each: Assessment): string {
  if (each.state === 'open') return `known when ${each.awaits.join(', ')} is built`;
  return each.state === 'build' ? whyBuilt(each) : '';
}

/** Why something is built, in a few words. */
export function whyBuilt({ before, why }: Pick<Assessment, 'before' | 'why'>): string {
  if (!before) return 'not built before';
  const [first, ...others] = why;
  if (!first) return 'its result is no longer in the cache';
  return `${short(first)}${others.length > 0 ? `, and ${others.length} more` : ''}`;
}

/** All that is known of why a node is built, on lines of its own. */
export function explanation(each: Assessment): string {
  const lines = each.why.map((difference) => `  ${long(difference)}\n`);
  return `${planLine(each)}${lines.join('')}`;
}

const whats = {
  file: (name: string) => `${name} of the recipe`,
  distfile: (name: string) => `the archive ${name}`,
  input: (name: string) => name,
  unpacked: () => 'what was unpacked',
  compiler: () => "the machine's compiler",
  other: (name: string) => `${name} of the key`,
} as const;

/** An input is its version, diffID and priority. */
const version = (text: string): string => text.split(' ')[0] ?? '';

function short({ what, name, before, after }: Difference): string {
  const subject = display(whats[what](name));
  if (before === undefined) return `${subject} is new`;
  if (after === undefined) return `${subject} is gone`;
  if (what === 'input' && version(before) !== version(after))
    return `${subject} is ${version(after)}, was ${version(before)}`;
  return `${subject} ${what === 'input' ? 'has other bytes' : 'is another'}`;
}

function long(difference: Difference): string {
  const { before, after } = difference;
  const was = before === undefined ? '' : ` (was ${display(before)})`;
  return `${short(difference)}${after === undefined ? '' : `: ${display(after)}`}${was}`;
}
