import { readdir, stat, unlink } from 'node:fs/promises';
import type { Descriptor } from '../descriptor.ts';
import { type Digest, isDigest } from '../digest.ts';
import { asFault, Fault } from '../fault.ts';
import { readChildren } from './blob.ts';
import { allEntries, changeEntries, collectionType, type Entries } from './collection.ts';
import type { FileStore } from './file-store.ts';
import { reach } from './graph.ts';
import { type LayoutIndex, rootsOf, withName } from './layout.ts';
import { temporaryPrefix } from './temporary.ts';

export type CollectOptions = {
  /** Now, in ms since 1970. */
  readonly now: number;
  /** Kept with all below them, though no name leads there. What is not in the store is passed over. */
  readonly keep?: readonly Descriptor[];
  /** Entries of collections go that were not used for so many seconds; 30 days. */
  readonly unusedFor?: number;
  /** What was stored or used in the last so many seconds stays, as somebody may be about to name it; a day. */
  readonly grace?: number;
  /** Tell what would go, and change nothing. */
  readonly dryRun?: boolean;
};

export type Collected = {
  readonly blobs: readonly { readonly digest: Digest; readonly size: number }[];
  /** Entries of collections that went because nobody used them. */
  readonly entries: readonly { readonly collection: string; readonly key: string }[];
  /** Number of files that a crash left unfinished. */
  readonly unfinished: number;
};

type OldFile = { readonly path: string; readonly digest: Digest | undefined; readonly size: number };

/** By name of the collection, then by key. */
type Keys = ReadonlyMap<string, Entries>;

/**
 * Removes what no name leads to. Safe at any moment beside others that use the store: what is old is looked for
 * without a lock, then, while no name can change, whatever has been named or used meanwhile is spared, and the
 * rest goes. Whoever relied on a blob that goes nevertheless, after more than `grace`, is told so when naming
 * what needs it.
 *
 * Throws, with nothing removed, where a document cannot be read or an entry of `index.json` is not understood,
 * as nobody knows what they need.
 */
export async function collect(store: FileStore, options: CollectOptions): Promise<Collected> {
  const live = new Set<Digest>();
  const before = options.now - (options.grace ?? 86_400) * 1000;
  const unused = await mark(store, await store.readIndex(), live, options);
  const candidates = await oldFiles(store, live, before);
  if (options.dryRun) return report(candidates, unused);
  const removed: OldFile[] = [];
  let dropped: Keys = new Map();
  await store.update(async (index) => {
    dropped = await mark(store, index, live, options);
    const changed = await withoutEntries(store, index, dropped);
    await mark(store, changed, live, options);
    const documents = new Set<Digest | undefined>();
    for (const entries of dropped.values()) for (const { digest } of entries.values()) documents.add(digest);
    const after = async () => {
      for (const file of candidates) {
        // Who has used an entry just now would take it for one that is kept, as long as its document is there.
        const spared = documents.has(file.digest) ? Infinity : before;
        if (await remove(file, live, spared)) removed.push(file);
      }
    };
    return { index: changed, added: [], after };
  });
  return report(removed, dropped);
}

/** Adds to `live` all that must stay, and gives the entries that need not. Done again, it finds what is new. */
async function mark(
  store: FileStore,
  index: LayoutIndex,
  live: Set<Digest>,
  { keep = [], now, unusedFor = 30 * 86_400 }: CollectOptions,
): Promise<Keys> {
  const roots = rootsOf(index);
  if (roots.length < index.entries.length) {
    throw new Fault('UNSAFE', `${store.directory}: index.json has an entry that is not understood`, {
      hint: 'nothing is removed, as it is not known what that entry needs; remove it by the tool that wrote it',
    });
  }
  const present = await Promise.all(keep.map((descriptor) => lastUse(store, descriptor)));
  const named = roots.flatMap(({ descriptor }) => (isCollection(descriptor) ? [] : [descriptor]));
  const kept = keep.filter((_, at) => present[at] !== undefined);
  for await (const _ of reach(store, [...named, ...kept], live));
  const stays: Descriptor[] = [];
  const unused = new Map<string, Entries>();
  for (const { name = '', descriptor } of roots) {
    if (!isCollection(descriptor)) continue;
    for (const { digest } of [descriptor, ...(await readChildren(store, descriptor))]) live.add(digest);
    const entries = new Map<string, Descriptor>();
    for await (const [key, entry] of allEntries(store, descriptor)) {
      if (live.has(entry.digest)) continue;
      const used = (await lastUse(store, entry)) ?? now;
      if (now - used > unusedFor * 1000) entries.set(key, entry);
      else stays.push(entry);
    }
    if (entries.size > 0) unused.set(name, entries);
  }
  for await (const _ of reach(store, stays, live));
  return unused;
}

const isCollection = ({ artifactType }: Descriptor): boolean => artifactType === collectionType;

const lastUse = async (store: FileStore, { digest }: Descriptor): Promise<number | undefined> =>
  (await look(store.blobPath(digest)))?.mtimeMs;

const look = (path: string) =>
  stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw asFault(error, `looking at ${path}`);
  });

async function withoutEntries(store: FileStore, index: LayoutIndex, drop: Keys): Promise<LayoutIndex> {
  let changed = index;
  for (const [name, entries] of drop) {
    const collection = rootsOf(index).find((root) => root.name === name)?.descriptor;
    const changes = new Map([...entries.keys()].map((key) => [key, undefined]));
    changed = withName(changed, name, await changeEntries(store, collection, changes));
  }
  return changed;
}

/** Blobs that are not live and files that were never finished, if nobody has touched them since `before`. */
async function oldFiles(store: FileStore, live: ReadonlySet<Digest>, before: number): Promise<OldFile[]> {
  const blobs = (await readdir(store.path('blobs/sha256'))).map((name) => `sha256:${name}`);
  const unfinished = (await readdir(store.path())).filter((name) => name.startsWith(temporaryPrefix));
  const files: OldFile[] = [];
  const add = async (path: string, digest?: Digest) => {
    const found = await look(path);
    if (found?.isFile() && found.mtimeMs < before) files.push({ path, digest, size: found.size });
  };
  for (const digest of blobs)
    if (isDigest(digest) && !live.has(digest)) await add(store.blobPath(digest), digest);
  for (const name of unfinished) await add(store.path(name));
  return files;
}

async function remove(
  { path, digest }: OldFile,
  live: ReadonlySet<Digest>,
  before: number,
): Promise<boolean> {
  if (digest && live.has(digest)) return false;
  const found = await look(path);
  if (!found || found.mtimeMs >= before) return false;
  await unlink(path);
  return true;
}

const report = (files: readonly OldFile[], keys: Keys): Collected => ({
  blobs: files.flatMap(({ digest, size }) => (digest ? [{ digest, size }] : [])),
  entries: [...keys].flatMap(([collection, entries]) =>
    [...entries.keys()].map((key) => ({ collection, key })),
  ),
  unfinished: files.filter(({ digest }) => !digest).length,
});
