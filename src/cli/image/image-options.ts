import type { Annotations } from '../../../builder/descriptor.ts';
import type { Settings } from '../../../builder/image/settings.ts';
import { defaultBudget } from '../../../builder/image/layering.ts';
import type { Encoding } from '../../../builder/tar/encoding.ts';
import type { Command } from 'commander';
import { quote } from '../../package/name.ts';
import { usage } from '../option-value.ts';
import type { Description } from './description.ts';

/** What describes an image on the command line, as commander gives it. */
export type ImageOptions = {
  readonly d: readonly string[];
  readonly package?: readonly string[];
  readonly tag: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly env: readonly string[];
  readonly user?: string;
  readonly workdir?: string;
  readonly port: readonly string[];
  readonly volume: readonly string[];
  readonly stopSignal?: string;
  readonly label: readonly string[];
  readonly annotation: readonly string[];
  readonly budget?: string;
  readonly encoding?: string;
  readonly created?: string;
  readonly requireClean?: true;
  readonly file?: string;
  readonly lock?: string;
  readonly locked?: true;
  readonly add: readonly string[];
  readonly account: readonly string[];
  readonly platform: readonly string[];
};

const many = (value: string, before: readonly string[]): readonly string[] => [...before, value];

export const addImageOptions = (command: Command): Command =>
  command
    .option(
      '-d <repository>',
      'where packages are, or ARCH=REPOSITORY where those of another architecture are; may be given several times',
      many,
      [],
    )
    .option('-p, --package <constraint...>', 'packages, and which of their versions will do')
    .option('-t, --tag <name>', 'NAME or NAME:TAG of the image; may be given several times', many, [])
    .option('--entrypoint <word...>', 'the program and its first arguments; or a JSON list of them')
    .option('--cmd <word...>', 'arguments that whoever runs it may replace; or a JSON list')
    .option('--env <name=value>', 'set in the environment; may be given several times', many, [])
    .option('--user <user>', 'USER or USER:GROUP, names or numbers (default: 0)')
    .option('--workdir <path>', 'where it starts (default: /)')
    .option('--port <port>', 'such as 80 or 53/udp, that it listens on; may be given several times', many, [])
    .option('--volume <path>', 'where data is that outlives it; may be given several times', many, [])
    .option('--stop-signal <signal>', 'such as SIGINT, what ends it')
    .option('--label <name=value>', 'in the config; may be given several times', many, [])
    .option('--annotation <name=value>', 'on the manifest; may be given several times', many, [])
    .option(
      '--add <path=source>',
      'PATH=FILE-OR-DIRECTORY[,mode=0755][,owner=1000:1000], a program of yours; may be given several times',
      many,
      [],
    )
    .option('--account <account>', 'NAME:UID[:GID[:HOME[:SHELL]]]; may be given several times', many, [])
    .option(
      '--platform <platform>',
      'linux/amd64 or linux/arm64, of those that -d names (default: all); may be given several times',
      many,
      [],
    )
    .option('-f, --file <file>', 'a description of the image, YAML or JSON; options go over what it says')
    .option('--budget <n>', `the most layers, 3 to 125 (default: ${defaultBudget})`)
    .option('--encoding <encoding>', 'of layers: gzip-1, zstd-1 or none (default: gzip-1)')
    .option('--created <seconds>', 'since 1970 (default: $SOURCE_DATE_EPOCH, or 0)')
    .option('--lock <file>', 'write down all that the image is made of')
    .option('--locked', 'take it from the file of --lock, and fail if another image comes out')
    .option('--require-clean', 'fail if a package was not built by packages alone');

/** How the image is run. Throws USAGE for what cannot be read; what an engine cannot use is found later. */
export const readSettings = (options: ImageOptions, file: Description): Settings => ({
  ...describedSettings(file),
  ...(options.entrypoint && { entrypoint: readWords('--entrypoint', options.entrypoint) }),
  ...(options.cmd && { cmd: readWords('--cmd', options.cmd) }),
  ...(options.env.length > 0 && { env: { ...file.env, ...readPairs('--env', options.env) } }),
  ...(options.user !== undefined && { user: options.user }),
  ...(options.workdir !== undefined && { workdir: options.workdir }),
  ...(options.port.length > 0 && { ports: [...(file.ports ?? []), ...options.port] }),
  ...(options.volume.length > 0 && { volumes: [...(file.volumes ?? []), ...options.volume] }),
  ...(options.label.length > 0 && { labels: { ...file.labels, ...readPairs('--label', options.label) } }),
  ...(options.stopSignal !== undefined && { stopSignal: options.stopSignal }),
});

const describedSettings = ({
  entrypoint,
  cmd,
  env,
  user,
  workdir,
  ports,
  volumes,
  labels,
  stopSignal,
}: Description): Settings => ({
  ...(entrypoint && { entrypoint }),
  ...(cmd && { cmd }),
  ...(env && { env }),
  ...(user !== undefined && { user }),
  ...(workdir !== undefined && { workdir }),
  ...(ports && { ports }),
  ...(volumes && { volumes }),
  ...(labels && { labels }),
  ...(stopSignal !== undefined && { stopSignal }),
});

/** Words as they are, or one JSON list, in which a word may start with a hyphen. */
function readWords(option: string, words: readonly string[]): readonly string[] {
  const [first = '', ...more] = words;
  if (more.length > 0 || !first.startsWith('[')) return words;
  try {
    const list: unknown = JSON.parse(first);
    if (Array.isArray(list) && list.every((word) => typeof word === 'string')) return list;
  } catch {
    // What is wrong with it does not matter: it is no list of words.
  }
  throw usage(`${option} ${quote(first)} is no list of words`, `write ${option} '["/bin/sh", "-c"]'`);
}

export function readPairs(option: string, texts: readonly string[]): Annotations {
  const pairs = texts.map((text): readonly [string, string] => {
    const at = text.indexOf('=');
    if (at < 1) throw usage(`${option} ${quote(text)} sets nothing`, `write ${option} NAME=VALUE`);
    return [text.slice(0, at), text.slice(at + 1)];
  });
  return Object.fromEntries(pairs);
}

const encodings: readonly Encoding[] = ['gzip-1', 'zstd-1', 'none'];

export function readEncoding(text: string): Encoding {
  const found = encodings.find((encoding) => encoding === text);
  if (found) return found;
  throw usage(`--encoding ${quote(text)} is not known`, `there are ${encodings.join(', ')}`);
}

export function readNumber(option: string, text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(number)) return number;
  throw usage(`${option} ${quote(text)} is no number`, 'write a whole number, 0 or more');
}
