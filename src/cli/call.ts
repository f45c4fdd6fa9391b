import { realpathSync } from 'node:fs';
import { resolve } from 'node:path/posix';
import type { Call } from '../run/command.ts';
import type { Bind, Root } from '../run/root.ts';
import { checkShare, type Share } from '../run/share.ts';
import type { RunArguments } from './arguments.ts';
import type { Context, Places } from './context.ts';
import { commandEnvironment, isTerminal } from './environment.ts';

/** What the helper is asked for. */
export function makeCall(context: Context, args: RunArguments, root: Root, shares: readonly Share[]): Call {
  const { tool, env } = context;
  const network = args.flags.has('network');
  const terminal = isTerminal(0) || isTerminal(1);
  return {
    name: tool,
    root: network ? { ...root, binds: [...root.binds, ...resolver()] } : root,
    shares,
    directory: resolve(args.work === undefined ? '/' : '/work', args.directory ?? '.'),
    ...commandEnvironment(args, env, terminal),
    network,
    unsafeRoot: args.flags.has('unsafeRoot'),
    ...(args.temporarySize === undefined ? {} : { temporarySize: args.temporarySize }),
    command: args.command ?? ['/bin/sh'],
  };
}

/** What is ours and must not change under those who use it; work directories below the cache are no part of it. */
const ours = ({ packages, store, cache }: Places): string[] => [
  packages,
  store,
  cache.trees,
  cache.profiles,
  cache.builds,
];

/**
 * The directories of the user's that the command sees. `repositories` are the directories that packages come
 * from, which no command may write to. Throws what {@link checkShare} throws.
 */
export function findShares(
  { cwd, places }: Context,
  { work, mounts }: Pick<RunArguments, 'work' | 'mounts'>,
  repositories: readonly string[],
): Share[] {
  const rules = { from: cwd, guarded: [...repositories, ...ours(places)] };
  const found: Share[] = [];
  if (work !== undefined) {
    const source = checkShare(work, { ...rules, option: '-w', writable: true });
    found.push({ source, target: 'work', writable: true });
  }
  for (const { name, directory, writable } of mounts) {
    const source = checkShare(directory, { ...rules, option: `-m ${name}:`, writable });
    found.push({ source, target: `mnt/${name}`, writable });
  }
  return found;
}

/** With the machine's network its resolver's addresses; often a link to a file that a daemon keeps. */
function resolver(): Bind[] {
  try {
    return [{ source: realpathSync('/etc/resolv.conf'), target: 'etc/resolv.conf' }];
  } catch {
    return [];
  }
}
