import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../../builder/fault.ts';
import { readAptSources } from './aptsources.ts';
import { runProgram } from './program.ts';

/** How apt is called, and where what is made for it may be kept. */
export type AptOptions = {
  /** May be deleted at any time. */
  readonly directory: string;
  /** Makes the directory if it is missing; throws a Fault unless it is the caller's own. */
  readonly ensure: (directory: string) => void;
  readonly env: NodeJS.ProcessEnv;
};

/** Arguments that make every apt program use our lists. `made` is when they were fetched, in ms since the epoch. */
export type AptLists = { readonly args: readonly string[]; readonly made: number };

const day = 86_400_000;

/**
 * The machine's source package lists, kept apart from the machine's own: fetched anew when the newest ones are
 * older than `maxAge`, a day if not said, or when the machine's configuration is another one since. Each set is
 * a directory that is never changed once it has its name, so any number of processes may use and make them.
 * Throws NOT_FOUND if there is no apt or no source, NETWORK if the lists cannot be fetched.
 */
export async function aptLists(
  { directory, env, ensure }: AptOptions,
  signal: AbortSignal | undefined,
  maxAge: number = day,
): Promise<AptLists> {
  const config = await runProgram(
    'apt-config',
    ['shell', 'LIST', 'Dir::Etc::sourcelist/f', 'PARTS', 'Dir::Etc::sourceparts/d'],
    { env, signal },
  );
  if (config.status !== 0) throw new Fault('NOT_FOUND', 'apt-config does not say where the sources are');
  const place = (name: string): string =>
    new RegExp(`^${name}='([^']*)'`, 'm').exec(config.stdout)?.[1] ?? '';
  const { one, deb822 } = await readAptSources(place('LIST'), place('PARTS'));
  if (one === '' && deb822 === '') throw new Fault('NOT_FOUND', 'apt is configured without any source');

  const key = createHash('sha256').update(`${one}\0${deb822}`).digest('hex').slice(0, 16);
  ensure(directory);
  const sets = await findSets(directory);
  const newest = sets.find((set) => set.key === key);
  if (newest && Date.now() - newest.made < maxAge) return lists(directory, newest);

  const made = Date.now();
  const fresh = await mkdtemp(join(directory, `new-${made}-`));
  const name = `${key}-${made}-${process.pid}`;
  try {
    await fetchLists(fresh, { one, deb822 }, env, signal);
    await rename(fresh, join(directory, name));
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  // An older one may still be in use by a process that started before; two days are enough for any.
  const old = sets.filter((set) => made - set.made > 2 * day);
  await Promise.all(old.map((set) => rm(join(directory, set.name), { recursive: true, force: true })));
  return lists(directory, { name, made });
}

type ListSet = { readonly name: string; readonly key: string; readonly made: number };

/** Newest first. What a killed process left behind has the key "new". */
async function findSets(directory: string): Promise<ListSet[]> {
  return (await readdir(directory))
    .flatMap((name): ListSet[] => {
      const [, key = '', made = ''] = /^([0-9a-f]{16}|new)-(\d+)-/.exec(name) ?? [];
      return key === '' ? [] : [{ name, key, made: Number(made) }];
    })
    .sort((a, b) => b.made - a.made);
}

function lists(
  directory: string,
  { name, made }: { readonly name: string; readonly made: number },
): AptLists {
  return { args: listArgs(join(directory, name)), made };
}

/** Only where the lists are is ours: proxies, transports and keys stay the machine's. */
function listArgs(set: string): string[] {
  const options = {
    'Dir::Etc::SourceList': '/dev/null',
    'Dir::Etc::SourceParts': join(set, 'sources'),
    'Dir::State': set,
    'Dir::State::Lists': join(set, 'lists'),
    'Dir::Cache': join(set, 'cache'),
  };
  const args = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  return ['-c', join(set, 'apt.conf'), ...args];
}

/** The machine's hooks are for its own lists; some of them delete files of the machine. */
const configuration = `#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Acquire::Languages "none";
Acquire::IndexTargets::deb-src::DEP-11::DefaultEnabled "false";
Acquire::Retries "2";
`;

async function fetchLists(
  set: string,
  sources: { readonly one: string; readonly deb822: string },
  env: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<void> {
  await Promise.all(
    ['sources', 'lists/partial', 'cache'].map((name) => mkdir(join(set, name), { recursive: true })),
  );
  await writeFile(join(set, 'apt.conf'), configuration);
  if (sources.one) await writeFile(join(set, 'sources/machine.list'), sources.one);
  if (sources.deb822) await writeFile(join(set, 'sources/machine.sources'), sources.deb822);
  const { stderr } = await runProgram('apt-get', [...listArgs(set), '-qq', 'update'], { env, signal });
  // One source of several that does not answer is no reason to give up: the lists that came are used.
  const came = (await readdir(join(set, 'lists'))).some((name) => /_Sources(\.\w+)?$/.test(name));
  if (!came) throw new Fault('NETWORK', `the lists of source packages did not come: ${aptReason(stderr)}`);
}

/** The first error line of an apt program, safe to print. */
export function aptReason(stderr: string): string {
  const line = stderr.split('\n').find((text) => text.startsWith('E: ')) ?? stderr.split('\n')[0] ?? '';
  return (
    line
      .replace(/^E: /, '')
      .replaceAll(/[^\x20-\x7e]+/g, ' ')
      .trim()
      .slice(0, 300) || 'no reason given'
  );
}
