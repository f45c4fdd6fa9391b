import { compressionOf } from '../descriptor.ts';
import type { BlobStore } from '../store/store.ts';
import { Fault } from '../fault.ts';
import { type Member, readArchive } from '../tar/archive.ts';
import { decode } from '../tar/decode.ts';
import { tail } from '../tar/encoding.ts';
import type { Header } from '../tar/entry.ts';
import { encodeHeader, padding } from '../tar/header.ts';
import { readMembers } from '../tar/members.ts';
import type { Image, ImageLayer } from './image.ts';
import { Merge } from './merge.ts';
import type { Write } from './program.ts';

/** No root comes near it; it only keeps a wrong one from filling a disk. */
const most = 2 ** 40;

/**
 * Writes the root file system of an image as one plain tar in our own format: all directories, then everything
 * else layer by layer. The same bytes for the same layers. Layers are read twice, as a header comes before the
 * body and what a later layer replaces is not to be in it; memory holds names alone. Owners and modes are kept,
 * times and extended attributes are not.
 */
export async function writeRootfs(store: BlobStore, image: Image, write: Write): Promise<void> {
  const merge = new Merge();
  const looked: Looked[] = [];
  for (const layer of image.layers) {
    const { headers, own } = await look(store, layer);
    merge.add(headers);
    looked.push({ own, links: headers.filter(isLink) });
  }
  for (const { header } of merge.entries())
    if (header.type === 'directory') await write(encodeHeader(header));
  for (const [at, layer] of image.layers.entries()) {
    const lives = ({ path, type }: Header) => {
      const node = merge.find(path);
      return node?.layer === at && node.header.type === type;
    };
    const { own = false, links = [] } = looked[at] ?? {};
    await writeLayer(membersOf(store, layer, own), lives, bequeath(links, lives), write);
  }
  await write(tail.none);
}

/** `own`: the layer is in our format. */
type Looked = { readonly own: boolean; readonly links: readonly Link[] };

/** Everything in a layer; other tools' archives are read only where a layer is not in our format. */
async function look(store: BlobStore, layer: ImageLayer) {
  const read = async (own: boolean) => {
    const headers: Header[] = [];
    for await (const { header } of membersOf(store, layer, own)) headers.push(header);
    return { headers, own };
  };
  try {
    return await read(true);
  } catch (error) {
    if (!(error instanceof Fault && (error.code === 'INTEGRITY' || error.code === 'UNSAFE'))) throw error;
    return read(false);
  }
}

const membersOf = (store: BlobStore, { descriptor }: ImageLayer, own: boolean): AsyncIterable<Member> => {
  const where = descriptor.digest;
  const compression = compressionOf(descriptor.mediaType) ?? 'none';
  const tar = decode(store.open(descriptor), compression, { most, where });
  return own ? readMembers(tar, where) : readArchive(tar, { where, most, whiteouts: true });
};

/** What of a layer is in the root, in the layer's own order. */
async function writeLayer(
  members: AsyncIterable<Member>,
  lives: (header: Header) => boolean,
  { fileOf, heirOf }: Heirs,
  write: Write,
): Promise<void> {
  for await (const { header, body } of members) {
    const path = key(header.path);
    const heir = heirOf.get(path);
    if (header.type === 'directory' || !(lives(header) || heir)) continue;
    if (header.type === 'link') {
      const file = fileOf.get(path) ?? key(header.target);
      const target = heirOf.get(file) ?? file;
      // The heir itself has been written, as the file.
      if (target !== path) await write(encodeHeader({ ...header, target: bytes(target) }));
      continue;
    }
    await write(encodeHeader(heir === undefined ? header : { ...header, path: bytes(heir) }));
    if (header.type !== 'file') continue;
    for await (const chunk of body) await write(chunk);
    const end = padding(header.size);
    if (end > 0) await write(Buffer.alloc(end));
  }
}

type Link = Header & { readonly type: 'link' };

const isLink = (header: Header): header is Link => header.type === 'link';

/** `fileOf`: the file that a link is to, through other links. `heirOf`: where a file is to be written instead. */
type Heirs = { readonly fileOf: ReadonlyMap<string, string>; readonly heirOf: ReadonlyMap<string, string> };

/** A file that a later layer has replaced may live on under a hard link: the first such link inherits it. */
function bequeath(links: readonly Link[], lives: (header: Header) => boolean): Heirs {
  const fileOf = new Map<string, string>();
  const heirOf = new Map<string, string>();
  for (const link of links) {
    const file = fileOf.get(key(link.target)) ?? key(link.target);
    fileOf.set(key(link.path), file);
    const dead = !lives({ ...link, type: 'file', size: 0, path: bytes(file) });
    if (dead && lives(link) && !heirOf.has(file)) heirOf.set(file, key(link.path));
  }
  return { fileOf, heirOf };
}

const key = (path: Buffer): string => path.toString('latin1');
const bytes = (key: string): Buffer => Buffer.from(key, 'latin1');
