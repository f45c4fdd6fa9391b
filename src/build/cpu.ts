import { readFileSync } from 'node:fs';

/** Clock ticks a second in /proc, the same on every Linux that Node runs on (USER_HZ). */
const ticks = 100;

let counted = 0;

/**
 * The CPU seconds of children that have been reaped since the last call, with all their descendants: called as
 * each child ends, those of that child. Node does not tell (it has no RUSAGE_CHILDREN); of two children that end
 * in the same moment the first gets the other's too, which is good enough for planning.
 */
export function reapedSeconds(): number {
  const before = counted;
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    // Fields 16 and 17 of proc_pid_stat(5); the name in field 2 may hold anything, so count from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    counted = (Number(fields[13]) + Number(fields[14])) / ticks;
  } catch {
    return 0;
  }
  return Math.max(0, counted - before);
}
