import { spawnSync, type SpawnSyncReturns, type StdioOptions } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRoot, output, root as checkout } from './tools.ts';

/** Who calls the helper. As root all is tried twice, the second time as a user that nobody else is. */
export type Caller = { readonly name: string; readonly ids: { uid: number; gid: number } | undefined };

const stranger = { uid: 12345, gid: 12345 };

export const callers: readonly Caller[] = isRoot
  ? [
      { name: 'root', ids: undefined },
      { name: 'a user', ids: stranger },
    ]
  : [{ name: 'a user', ids: undefined }];

/** Whom files in a shared directory belong to: its owner, also when root calls. */
export const owner = isRoot ? stranger : { uid: process.getuid?.() ?? -1, gid: process.getgid?.() ?? -1 };

/** A prepared root directory, and what is mounted in it; everybody may read it. */
export type Place = {
  readonly base: string;
  readonly helper: string;
  readonly probe: string;
  readonly profile: string;
  /** A directory of {@link owner}. */
  readonly work: string;
  /** Options of the helper that every call needs. */
  readonly options: readonly string[];
};

const directories = [
  'dev/shm',
  'dev/pts',
  'proc',
  'sys',
  'tmp',
  'run',
  'var',
  'mnt',
  'work',
  'etc',
  'packages/probe/1',
];
const devices = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];

/** As src/run prepares one, but by hand, so that a mistake there and one here don't cancel out. */
export function writeProfile(profile: string): void {
  for (const directory of directories) mkdirSync(join(profile, directory), { recursive: true });
  for (const device of devices) writeFileSync(join(profile, 'dev', device), '');
  symlinkSync('/proc/self/fd', join(profile, 'dev/fd'));
}

export function makePlace(): Place {
  output('make', ['-s', '-C', join(checkout, 'native'), 'all', 'probe']);
  const base = mkdtempSync(join(tmpdir(), 'static-distro-test-'));
  chmodSync(base, 0o755);
  const helper = join(base, 'withenv');
  const tree = join(base, 'tree');
  const profile = join(base, 'profile');
  mkdirSync(tree);
  copyFileSync(join(checkout, 'native/build/withenv'), helper);
  copyFileSync(join(checkout, 'native/build/probe'), join(tree, 'probe'));
  writeProfile(profile);
  const work = join(base, 'work');
  mkdirSync(work);
  give(work);
  const options = [
    '--profile',
    profile,
    '--bind',
    tree,
    'packages/probe/1',
    '--setenv',
    'PATH=/packages/probe/1',
  ];
  return { base, helper, probe: join(tree, 'probe'), profile, work, options };
}

export function give(path: string): void {
  if (isRoot) chownSync(path, owner.uid, owner.gid);
}

export type Outcome = SpawnSyncReturns<string>;

export type CallOptions = {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdio?: StdioOptions;
  readonly cwd?: string;
};

/** Runs any program as the caller. */
export function runAs(caller: Caller, words: readonly string[], options: CallOptions = {}): Outcome {
  const [program = '', ...args] = words;
  const result = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    timeout: 60_000,
    env: { ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.input === undefined ? {} : { input: options.input }),
    ...(options.stdio === undefined ? {} : { stdio: options.stdio }),
    ...caller.ids,
  });
  if (result.error) throw result.error;
  return result;
}

/** The helper's command line. */
export const helperWords = (place: Place, more: readonly string[], command: readonly string[]): string[] => [
  place.helper,
  ...place.options,
  ...more,
  '--',
  ...command,
];

/** `probe` with these words, in a root. */
export const probeInside = (
  place: Place,
  caller: Caller,
  words: readonly string[],
  more: readonly string[] = [],
  options: CallOptions = {},
): Outcome => runAs(caller, helperWords(place, more, ['probe', ...words]), options);

/** `WHAT: RESULT` lines, as the probe gives its answers. */
export function answers(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const at = line.lastIndexOf(': ');
    if (at > 0) found[line.slice(0, at)] = line.slice(at + 2);
  }
  return found;
}
