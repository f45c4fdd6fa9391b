import type { Root } from './root.ts';
import type { Share } from './share.ts';

/** One command in one root: all that the helper is told. */
export type Call = {
  /** The tool that the helper speaks for in its messages. */
  readonly name: string;
  readonly root: Root;
  readonly shares?: readonly Share[];
  /** Where the command starts, an absolute path of the root. */
  readonly directory: string;
  /** With `kept` all of the command's environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** The helper's own environment, so that no value is in a command line, which every user can read. */
  readonly kept?: Readonly<Record<string, string>>;
  /** The machine's network in the place of an empty one. */
  readonly network?: boolean;
  /** Of everything that is written beside the shares, in bytes. */
  readonly temporarySize?: number;
  /** Root's command runs as root of the machine. */
  readonly unsafeRoot?: boolean;
  /** The command ends when the calling process does; for callers that stay. */
  readonly dieWithParent?: boolean;
  readonly command: readonly string[];
};

/** By its place: `trees/DIFFID` of the cache, which is bounded. A lock on anything else that is called so does no harm. */
const isCachedTree = (path: string): boolean => /\/trees\/[0-9a-f]{64}$/.test(path);

/**
 * The helper's arguments, without its own path. It locks the profile, and trees of the cache, for as long as the command
 * runs.
 */
export function helperArguments(call: Call): string[] {
  const { root, shares = [], environment } = call;
  const words = ['--name', call.name, '--profile', root.profile];
  for (const { source, target } of root.binds) {
    words.push('--bind', source, target);
    if (isCachedTree(source)) words.push('--lock', source);
  }
  for (const { source, target, writable } of shares) {
    words.push(writable ? '--share-rw' : '--share', source, target);
  }
  words.push('--chdir', call.directory);
  for (const [name, value] of Object.entries(environment)) words.push('--setenv', `${name}=${value}`);
  for (const name of Object.keys(call.kept ?? {})) words.push('--keepenv', name);
  if (call.network) words.push('--net');
  if (call.temporarySize !== undefined) words.push('--tmp-size', String(call.temporarySize));
  if (call.unsafeRoot) words.push('--unsafe-root');
  if (call.dieWithParent) words.push('--die-with-parent');
  words.push('--', ...call.command);
  return words;
}
