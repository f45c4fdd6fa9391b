import { compressionOf } from '../descriptor.ts';
import { type Digest, digester } from '../digest.ts';
import { Fault } from '../fault.ts';
import type { BlobStore } from '../store/store.ts';
import { type Member, readArchive } from '../tar/archive.ts';
import { decode } from '../tar/decode.ts';
import type { Header } from '../tar/entry.ts';
import { readMembers } from '../tar/members.ts';
import { textOfPath } from '../tar/path.ts';
import type { ImageLayer } from './image.ts';

/** What can be compared of a name in a layer. `digest` is of a file's bytes; a hard link has its target. */
export type LayerFile = {
  readonly type: Header['type'];
  readonly mode: number;
  readonly owner: string;
  readonly digest?: Digest;
  readonly target?: string;
};

/** By path, as text (path.ts). */
export type LayerFiles = ReadonlyMap<string, LayerFile>;

/** A name that is not the same in two layers; `what` differs, where it is in both. */
export type FileChange = {
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly what: readonly ('type' | 'content' | 'target' | 'mode' | 'owner')[];
};

/** No layer comes near it; it only keeps a wrong one from going on forever. */
const most = 2 ** 40;

/** Reads a layer to its end. Memory holds a line for each name. Throws as reading a blob and an archive do. */
export async function filesOf(store: BlobStore, { descriptor }: ImageLayer): Promise<LayerFiles> {
  const where = descriptor.digest;
  const tar = () =>
    decode(store.open(descriptor), compressionOf(descriptor.mediaType) ?? 'none', { most, where });
  try {
    return await collect(readMembers(tar(), where));
  } catch (error) {
    if (!(error instanceof Fault && error.code === 'INTEGRITY')) throw error;
    return collect(readArchive(tar(), { where, most, whiteouts: true }));
  }
}

async function collect(members: AsyncIterable<Member>): Promise<LayerFiles> {
  const files = new Map<string, LayerFile>();
  for await (const { header, body } of members) {
    const { type, mode, uid, gid } = header;
    const common = { type, mode, owner: `${uid}:${gid}` };
    const path = textOfPath(header.path);
    if (header.type === 'symlink' || header.type === 'link') {
      files.set(path, { ...common, target: textOfPath(header.target) });
    } else if (header.type === 'file') {
      const hash = digester();
      for await (const chunk of body) hash.update(chunk);
      files.set(path, { ...common, digest: hash.finish().digest });
    } else files.set(path, common);
  }
  return files;
}

/** What changes from one set of files to another, sorted by path. */
export function diffFiles(before: LayerFiles, after: LayerFiles): readonly FileChange[] {
  const changes: FileChange[] = [];
  for (const path of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const [old, now] = [before.get(path), after.get(path)];
    if (!old || !now) {
      changes.push({ path, change: old ? 'removed' : 'added', what: [] });
      continue;
    }
    const what = differing(old, now);
    if (what.length > 0) changes.push({ path, change: 'changed', what });
  }
  return changes;
}

function differing(old: LayerFile, now: LayerFile): FileChange['what'] {
  if (old.type !== now.type) return ['type'];
  const pairs = [
    ['content', old.digest, now.digest],
    ['target', old.target, now.target],
    ['mode', old.mode, now.mode],
    ['owner', old.owner, now.owner],
  ] as const;
  return pairs.flatMap(([what, a, b]) => (a === b ? [] : [what]));
}
