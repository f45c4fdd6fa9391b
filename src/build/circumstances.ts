import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, realpathSync, statfsSync, statSync } from 'node:fs';
import { release } from 'node:os';
import type { Caller } from './phase.ts';

/** Circumstances of a build that must not show in what it makes, and what of them is other than usual. */
export type Circumstances = {
  readonly caller: Caller;
  /** Where the work directory is made, if on another file system than usual. */
  readonly place: string | undefined;
  /** Whom the work directory belongs to outside of the root, if not to the caller. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  /** For people: what is varied, and what cannot be here. */
  readonly varied: readonly string[];
  readonly same: readonly string[];
};

export type CircumstanceOptions = {
  /** The program `native/vary`. */
  readonly program: string;
  /** Where work directories are usually. */
  readonly usual: string;
  /** What a build may write there, in bytes, as far as it can be guessed. */
  readonly room: number;
  /** Programs of the machine run, which may refuse a kernel that seems to be old. */
  readonly host: boolean;
};

const words: Readonly<Record<string, string>> = {
  'old-kernel': 'the release of the kernel',
  'fixed-addresses': 'addresses of programs (fixed)',
  'one-processor': 'how many processors there are',
  'small-stack': 'limits',
  'closed-umask': 'the umask of the caller',
};

/** Nobody's, on any machine. */
const stranger = { uid: 54321, gid: 54322 };

/** Whatever a caller may have set. */
const env = {
  LANG: 'tr_TR.UTF-8',
  LC_ALL: 'tr_TR.UTF-8',
  TZ: 'Pacific/Chatham',
  HOME: '/nonexistent',
  USER: 'stranger',
  CFLAGS: '-O0',
  MAKEFLAGS: '-k',
  SOURCE_DATE_EPOCH: '1',
  POSIXLY_CORRECT: '1',
  PATH: '/usr/bin:/bin',
};

/** Throws nothing: what a machine does not allow is left as it is, and told. */
export function findCircumstances({ program, usual, room, host }: CircumstanceOptions): Circumstances {
  const can = probe(program).filter((word) => word !== 'old-kernel' || !host || runsOnOldKernel(program));
  const place = otherPlace(usual, room);
  const owner = process.geteuid?.() === 0 ? stranger : undefined;
  const varied = ['jobs', 'the order in which the work directory is filled', 'the environment of the caller'];
  const same = ['the clock, which nobody can set for one program: it only goes on'];
  for (const [word, text] of Object.entries(words)) {
    if (!can.includes(word)) same.push(text);
    else varied.push(word === 'old-kernel' ? `${text} (2.6, not ${release()})` : text);
  }
  if (place === undefined)
    same.push('the file system of the work directory: there is no other with enough room');
  else varied.push(`the file system (${place}), and so the order of directories`);
  if (owner) varied.push('the owner of the work directory');
  else same.push('the caller, who only root can exchange');
  const through = can.length > 0 ? [program, ...can, '--'] : [];
  return { caller: { through, env }, place, owner, varied, same };
}

function probe(program: string): readonly string[] {
  try {
    return execFileSync(program, ['--probe'], { encoding: 'utf8' }).trim().split('\n');
  } catch {
    return [];
  }
}

/** Dynamic programs of some machines ask the kernel's release before they start. */
function runsOnOldKernel(program: string): boolean {
  try {
    execFileSync(program, ['old-kernel', '--', '/bin/sh', '-c', ':'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const candidates = ['/dev/shm', '/run/user', '/tmp', '/var/tmp'];

/** A directory on another file system, from which programs can be run. */
function otherPlace(usual: string, room: number): string | undefined {
  const device = deviceOf(usual);
  const own = candidates.map((path) => (path === '/run/user' ? `${path}/${process.geteuid?.() ?? 0}` : path));
  return own.find((path) => {
    try {
      accessSync(path, constants.W_OK);
      const { bavail, bsize } = statfsSync(path);
      return deviceOf(path) !== device && bavail * bsize > room && !forbidsPrograms(path);
    } catch {
      return false;
    }
  });
}

/** Of what is there of a path. */
function deviceOf(path: string): number {
  let at = path;
  while (!existsSync(at)) at = at.slice(0, at.lastIndexOf('/')) || '/';
  return statSync(at).dev;
}

/** Whether it is mounted noexec. */
function forbidsPrograms(path: string): boolean {
  const real = realpathSync(path);
  const mounts = readFileSync('/proc/self/mounts', 'latin1')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, at = '']) => real === at || at === '/' || real.startsWith(`${at}/`));
  const [last] = mounts.toSorted(([, a = ''], [, b = '']) => b.length - a.length);
  return (last?.[3] ?? '').split(',').includes('noexec');
}
