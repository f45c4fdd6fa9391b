import { resolve } from 'node:path';
import { Fault } from '../../builder/fault.ts';
import { quote } from '../package/name.ts';
import { ensurePrivate } from '../run/private.ts';
import { type Distfile, parseSource, selectDistfiles } from '../source/distfile.ts';
import { fetchAll } from '../source/fetch.ts';
import { readDistfiles, withOwnList } from '../source/list.ts';
import { findRecipe } from '../source/recipe.ts';
import { addFiles } from './add-distfile.ts';
import { makeCommand, parseCommand } from './command.ts';
import { type Context, print } from './context.ts';
import { fetchOptions } from './fetch-options.ts';
import { makeFetchReport } from './fetch-report.ts';
import { interruptible } from './interrupt.ts';
import { formatSize, makeProgress } from './progress.ts';
import { verifyDirectory } from './verify-distfiles.ts';

/** As commander gives them. */
export type FetchArguments = {
  readonly directory?: string;
  readonly from?: readonly string[];
  readonly recipe?: readonly string[];
  readonly all?: true;
  readonly jobs: string;
  readonly apt: boolean;
  readonly distfiles?: string;
  readonly list?: true;
  readonly verify?: true;
  readonly add?: true;
  readonly source?: string;
  readonly url?: readonly string[];
  readonly json?: true;
  readonly quiet?: true;
};

const examples = `
pkgfetch musl_1.2.3.orig.tar.gz
pkgfetch --recipe mksh ./my/recipe
pkgfetch --all --from /mnt/archives
pkgfetch --add ./musl_1.2.3.orig.tar.gz --source musl=1.2.3-1
`;

const many = (value: string, before: readonly string[] = []): string[] => [...before, value];

/** Fetches source archives, checks them, keeps the list of them. */
export async function main(context: Context): Promise<number> {
  const command = makeCommand(context, 'Fetches the source archives of packages and verifies them.', examples)
    .argument('[name...]', 'names of distfiles; with --add, files')
    .option('-d, --directory <dir>', 'where distfiles are kept (default: the cache of the user)')
    .option('--from <dir>', 'look in this directory first; repeatable', many)
    .option('--recipe <recipe...>', 'what these recipes need: names or directories')
    .option('--all', 'everything in the list')
    .option('-j, --jobs <n>', 'how many at once', '3')
    .option('--no-apt', 'do not ask the package manager of this machine')
    .option('--distfiles <file>', 'another list of distfiles')
    .option('--list', 'print the list')
    .option('--verify', 'check what is in the directory, fetch nothing')
    .option('--add', 'put files into the list')
    .option('--source <package=version>', 'with --add: the source package that carries them')
    .option('--url <url>', 'with --add: a public address of the file; repeatable', many)
    .option('--json', 'print the result as JSON')
    .option('-q, --quiet', 'no progress');
  if (!parseCommand(command, context.args)) return 0;
  const options = command.opts<FetchArguments>();
  const names = command.args;
  checkModes(options);
  const path = resolve(context.cwd, options.distfiles ?? context.places.distfileList);
  if (options.add) {
    const source = options.source === undefined ? undefined : parseSource(options.source, '--source');
    const { apt } = fetchOptions(context);
    return addFiles(
      names,
      { path, source, urls: options.url ?? [], apt, json: options.json ?? false },
      context,
    );
  }
  const list = await readDistfiles(path);
  const wanted = await select(list, names, options, context);
  if (options.list) return printList(wanted ?? [...list.values()], options.json ?? false);
  const directory = resolve(context.cwd, options.directory ?? context.places.cache.distfiles);
  if (options.verify) return verifyDirectory(directory, list, wanted, options.json ?? false);
  if (!wanted) {
    throw new Fault('USAGE', 'no distfile is named', {
      hint: 'name some (pkgfetch --list prints them), or --recipe DIR, or --all',
    });
  }
  if (options.directory === undefined) ensurePrivate(directory);
  return interruptible((signal) => fetch(wanted, directory, options, context, signal));
}

/** Throws USAGE where options exclude each other. */
function checkModes({ list, verify, add, source, url = [] }: FetchArguments): void {
  const modes = [list && '--list', verify && '--verify', add && '--add'].filter((mode) => mode !== undefined);
  if (modes.length > 1) throw new Fault('USAGE', `${modes.join(' and ')} exclude each other`);
  if (!add && (source !== undefined || url.length > 0)) {
    throw new Fault('USAGE', '--source and --url belong to --add');
  }
}

/** Undefined if nothing is named in any way. */
async function select(
  list: ReadonlyMap<string, Distfile>,
  names: readonly string[],
  { recipe = [], all }: FetchArguments,
  { cwd, places }: Context,
): Promise<Distfile[] | undefined> {
  if (all) return [...list.values()];
  if (recipe.length === 0 && names.length === 0) return undefined;
  const found = new Map(selectDistfiles(list, names).map((distfile) => [distfile.name, distfile]));
  for (const word of recipe) {
    const { directory, control } = findRecipe(word, places.recipes, cwd);
    const listed = await withOwnList({ directory }, list);
    for (const each of selectDistfiles(listed, control.sources, control.name)) found.set(each.name, each);
  }
  return [...found.values()];
}

function printList(distfiles: readonly Distfile[], json: boolean): number {
  if (json) {
    print(`${JSON.stringify({ distfiles }, null, 2)}\n`);
    return 0;
  }
  const width = Math.max(0, ...distfiles.map(({ name }) => name.length));
  for (const { name, size, source } of distfiles) {
    const from = source ? `  ${source.package}=${source.version}` : '';
    print(`${name.padEnd(width)}  ${formatSize(size).padStart(7)}${from}\n`);
  }
  return 0;
}

async function fetch(
  distfiles: readonly Distfile[],
  directory: string,
  options: FetchArguments,
  context: Context,
  signal: AbortSignal,
): Promise<number> {
  const jobs = Number(options.jobs);
  if (!Number.isInteger(jobs) || jobs < 1 || jobs > 16) {
    throw new Fault('USAGE', `-j: ${quote(options.jobs)} is no number from 1 to 16`);
  }
  const usual = fetchOptions(context);
  const report = makeFetchReport(distfiles, makeProgress(context, options.quiet));
  try {
    const outcomes = await fetchAll(distfiles, {
      ...usual,
      directory,
      option: '--from',
      from: options.from?.map((from) => resolve(context.cwd, from)),
      apt: options.apt ? usual.apt : undefined,
      jobs,
      signal,
      listen: report.listen,
    });
    return report.finish(outcomes, options.json ?? false);
  } finally {
    report.end();
  }
}
