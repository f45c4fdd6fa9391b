import { Buffer } from 'node:buffer';
import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { asFault, Fault, withField } from '../../builder/fault.ts';
import { arrange, directory, file, symlink } from '../../builder/tar/arrange.ts';
import type { Entry } from '../../builder/tar/entry.ts';
import { planEntries } from '../../builder/tar/layer.ts';
import { scan } from '../../builder/tar/scan.ts';
import { display, quote } from '../package/name.ts';
import type { ProfileEntry } from '../run/entry.ts';
import { accountEntries, type Account } from './account.ts';
import type { KnownLayer, Workshop } from '../layer/workshop.ts';

/** Something that no package brings. `path` is below the root, without a slash at its ends. */
export type Added = {
  readonly path: string;
  /** `host`: the absolute path of a file, link or directory on this machine. */
  readonly content: { readonly host: string } | { readonly text: string } | 'directory';
  /** As on this machine, 0755 or 0644, if it is not said. */
  readonly mode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
};

export type Additions = { readonly files: readonly Added[]; readonly accounts: readonly Account[] };

/** Where nothing can be added: what engines mount there hides it, and packages are what they are. */
const closed = new Set(['dev', 'packages', 'proc', 'sys']);

/**
 * The layer of what an image has beside its packages, over their `profile`. Throws
 * INPUT, naming the path, for what would change a package or go where a link leads; NOT_FOUND, UNSAFE for files.
 */
export async function settingsLayer(
  workshop: Workshop,
  profile: readonly ProfileEntry[],
  additions: Additions,
): Promise<KnownLayer> {
  const entries = [
    ...additions.files.flatMap((added, at) => entriesOf(added, ['files', String(at)])),
    ...accountEntries(profile, additions.accounts).map((entry): Given => ({ entry, field: ['accounts'] })),
  ];
  return workshop.make(planEntries(arrange(withParents(entries, profile))));
}

/** What is added, and the field of the description that asks for it. */
type Given = { readonly entry: Entry; readonly field: readonly string[] };

const entriesOf = (added: Added, field: readonly string[]): readonly Given[] =>
  read(added, field).map((entry) => ({ entry, field: [...field, 'path'] }));

function read({ path, content, mode, uid = 0, gid = 0 }: Added, field: readonly string[]): readonly Entry[] {
  const owner = { uid, gid };
  const attributes = (usual: number) => ({ ...owner, mode: mode ?? usual });
  if (content === 'directory') return [directory(path, attributes(0o755))];
  if ('text' in content) return [file(path, content.text, attributes(0o644))];
  const { host } = content;
  const top = mode === undefined ? owner : { ...owner, mode };
  try {
    const stats = lstatSync(host);
    if (stats.isSymbolicLink()) {
      if (mode === undefined) return [symlink(path, readlinkSync(host, { encoding: 'buffer' }), owner)];
      throw new Fault('INPUT', `adding ${quote(host)}: it is a link, which has no mode`, {
        hint: 'leave the mode out, or name the file that it leads to',
        field: [...field, 'mode'],
      });
    }
    if (stats.isFile()) {
      const usual = stats.mode & 0o111 ? 0o755 : 0o644;
      return [file(path, { file: host, size: stats.size }, attributes(usual))];
    }
    if (!stats.isDirectory()) {
      throw new Fault('UNSAFE', `adding ${quote(host)}: it is ${kindOf(stats)}, which no image can hold`, {
        hint: 'only directories, files and links are added',
      });
    }
    return [...scan(host, path)].map((entry, at): Entry => Object.assign({}, entry, at === 0 ? top : owner));
  } catch (error) {
    throw withField(asFault(error, `adding ${quote(host)}`), [...field, 'source']);
  }
}

function kindOf(stats: Stats): string {
  if (stats.isFIFO()) return 'a fifo';
  return stats.isSocket() ? 'a socket' : 'a device';
}

/** Directories on the way are what they are in the profile. */
function withParents(given: readonly Given[], profile: readonly ProfileEntry[]): Entry[] {
  const below = new Map(profile.map((entry) => [entry.path, entry]));
  const own = ownPaths(given);
  const parents = new Map<string, Entry>();
  for (const { entry, field } of given) {
    const path = entry.path.toString();
    const refuse = (why: string): never => {
      const hint = 'choose a place of its own, such as /app';
      throw new Fault('INPUT', `${display(`/${path}`)} cannot be added: ${why}`, { hint, field });
    };
    const names = path.split('/');
    if (closed.has(names[0] ?? '')) refuse(`nothing can be added to /${names[0]}`);
    const here = below.get(path);
    if (here?.kind === 'directory' && entry.type !== 'directory') refuse('it is a directory');
    if (here?.kind === 'link' && entry.type === 'directory') refuse(`it is a link to ${here.target}`);
    for (let depth = 1; depth < names.length; depth += 1) {
      const parent = names.slice(0, depth).join('/');
      const known = below.get(parent);
      if (known?.kind === 'link') refuse(`/${parent} is a link to ${known.target}`);
      if (known?.kind === 'file') refuse(`/${parent} is a file`);
      const mine = own.get(keyOf(Buffer.from(parent)));
      if (mine && mine.entry.type !== 'directory') refuse(`/${parent}, which is added too, is no directory`);
      if (known?.kind === 'directory' && !mine) {
        parents.set(parent, directory(parent, { mode: known.mode }));
      }
    }
  }
  return [...given.map(({ entry }) => entry), ...parents.values()];
}

/** Throws INPUT where two are at one path; accounts have theirs for a reason, so it is the file that is told. */
function ownPaths(given: readonly Given[]): ReadonlyMap<string, Given> {
  const own = new Map<string, Given>();
  for (const each of given) {
    const path = keyOf(each.entry.path);
    const other = own.get(path);
    if (other) {
      const { field } = each.field.length > 1 ? each : other;
      throw new Fault('INPUT', `${display(`/${each.entry.path.toString()}`)} is added twice`, {
        hint: 'leave one of them out',
        field,
      });
    }
    own.set(path, each);
  }
  return own;
}

/** A name is bytes, of which several may show as the same text. */
const keyOf = (path: Buffer): string => path.toString('latin1');
