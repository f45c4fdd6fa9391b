import { readFileSync, readlinkSync } from 'node:fs';

let made = 0;

/**
 * A part of a file name that says whose an unfinished file is: PID namespace, process and its start, so that a
 * reused process number is not taken for the owner, and a number of its own for each call.
 */
export function ownerToken(): string {
  made += 1;
  return `${namespace()}-${process.pid}-${startOf(process.pid) ?? 0}-${made}`;
}

export const isToken = (text: string): boolean => /^\d+-\d+-\d+-\d+$/.test(text);

/** Processes of another PID namespace (a container with the same directory) cannot be seen: they get this long. */
const unseenLife = 3_600_000;

/** Whether the owner may still be at work. `touched` is when the file was last written, in ms since the epoch. */
export function ownerLives(token: string, touched: number): boolean {
  const [space = '', pid = '', start = ''] = token.split('-');
  if (Number(space) !== namespace()) return Date.now() - touched < unseenLife;
  return startOf(Number(pid)) === Number(start);
}

function namespace(): number {
  try {
    return Number(/\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? 0);
  } catch {
    return 0;
  }
}

/** Field 22 of proc_pid_stat(5), ticks since boot; the name in field 2 may hold anything, so count from its end. */
function startOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  } catch {
    return undefined;
  }
}
