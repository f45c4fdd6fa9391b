import type { Fault } from '../../builder/fault.ts';
import { quote } from '../package/name.ts';
import {
  example,
  isOption,
  type MountArgument,
  readMount,
  readPath,
  readSetting,
  readSize,
  readVariable,
  usage,
} from './option-value.ts';

/** The command line of `withpkgs` and `withenv`, read but not yet judged. */
export type RunArguments = {
  readonly repositories: readonly string[];
  /** The words after `-p`, in the order given. */
  readonly packages: readonly string[];
  readonly work: string | undefined;
  readonly directory: string | undefined;
  readonly mounts: readonly MountArgument[];
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly keep: readonly string[];
  /** In bytes. */
  readonly temporarySize: number | undefined;
  readonly flags: ReadonlySet<Flag>;
  /** Undefined if none is given. */
  readonly command: readonly string[] | undefined;
};

const flags = {
  '--net': 'network',
  '--unsafe-root': 'unsafeRoot',
  '--dry-run': 'dryRun',
  '--json': 'json',
  '--verbose': 'verbose',
  '-v': 'verbose',
  '--doctor': 'doctor',
  '--help': 'help',
  '-h': 'help',
  '--version': 'version',
} as const;

export type Flag = (typeof flags)[keyof typeof flags];

const isFlag = (word: string): word is keyof typeof flags => Object.hasOwn(flags, word);
const startsCommand = (word: string): boolean => /^(\/|\.\/|\.\.\/)/.test(word);

/**
 * Reads a command line (DESIGN section 3, "Parsing"):
 *
 *     line    = *( option / "-p" 1*constraint ) [ "--" ] [ command *argument ]
 *     command = the first word outside a list of constraints that is no option and no option's value, or one in
 *               a list that begins with "/", "./" or "../"
 *
 * Nothing after the command's first word is looked at. Throws USAGE, naming the option.
 */
export function parseArguments(words: readonly string[]): RunArguments {
  const repositories: string[] = [];
  const packages: string[] = [];
  const mounts: MountArgument[] = [];
  const set: (readonly [string, string])[] = [];
  const keep: string[] = [];
  const found = new Set<Flag>();
  const single = new Map<string, string>();
  let command: readonly string[] | undefined;

  const once = (option: string, value: string) => {
    if (single.has(option)) throw usage(`${option} is given twice`, 'leave one of them out');
    single.set(option, value);
  };
  const take: Record<string, (value: string) => void> = {
    '-d': (value) => void repositories.push(readPath('-d', value)),
    '-w': (value) => once('-w', readPath('-w', value)),
    '-c': (value) => once('-c', readPath('-c', value)),
    '-m': (value) => void mounts.push(readMount(readPath('-m', value), mounts)),
    '--setenv': (value) => void set.push(readSetting(value)),
    '--keepenv': (value) => void keep.push(readVariable('--keepenv', value)),
    '--tmp-size': (value) => once('--tmp-size', value),
  };

  let at = 0;
  for (; at < words.length; at++) {
    const word = words[at] ?? '';
    if (!isOption(word)) {
      command = words.slice(at);
      break;
    }
    const equals = word.startsWith('--') ? word.indexOf('=') : -1;
    const option = equals < 0 ? word : word.slice(0, equals);
    if (word === '--') {
      command = at + 1 < words.length ? words.slice(at + 1) : undefined;
      break;
    } else if (word === '-p') {
      const end = listEnd(words, at + 1);
      if (end === at + 1) throw usage('-p names no package', 'write one or more after it: -p mksh sbase');
      packages.push(...words.slice(at + 1, end));
      at = end - 1;
    } else if (Object.hasOwn(take, option)) {
      const value = equals < 0 ? words[++at] : word.slice(equals + 1);
      if (value === undefined) throw usage(`${option} needs a value`, `write ${example[option] ?? option}`);
      take[option]?.(value);
    } else if (isFlag(word)) {
      found.add(flags[word]);
    } else {
      throw unknown(word);
    }
  }
  const size = single.get('--tmp-size');
  return {
    repositories,
    packages,
    work: single.get('-w'),
    directory: single.get('-c'),
    mounts,
    set,
    keep,
    temporarySize: size === undefined ? undefined : readSize(size),
    flags: found,
    command,
  };
}

/** Where the list that begins at `from` ends: at an option, or at a word that starts the command. */
function listEnd(words: readonly string[], from: number): number {
  const end = words.findIndex((word, at) => at >= from && (isOption(word) || startsCommand(word)));
  return end < 0 ? words.length : end;
}

function unknown(word: string): Fault {
  const attached = /^-[dpwcm](?=.)/.exec(word)?.[0];
  if (attached !== undefined) {
    return usage(
      `unknown option ${quote(word)}`,
      `the value is a word of its own: ${attached} ${word.slice(2)}`,
    );
  }
  const flag = word.replace(/=.*/s, '');
  if (isFlag(flag)) return usage(`${flag} takes no value`, `write ${flag}`);
  return usage(`unknown option ${quote(word)}`, 'if a command begins before it, write -- before the command');
}
