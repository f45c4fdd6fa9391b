import { compressionOf } from '../descriptor.ts';
import { digester, hexOf } from '../digest.ts';
import { Fault } from '../fault.ts';
import { canonicalJson, type Json } from '../json.ts';
import { formatReference, type Reference, withTag } from '../reference.ts';
import type { BlobStore } from '../store/store.ts';
import { decode } from '../tar/decode.ts';
import { type ArchiveMember, blobFile, fileOf, layoutMembers } from './archive.ts';
import type { Image, ImageLayer } from './image.ts';

export type DockerArchiveOptions = {
  /** None loads an image without a name. */
  readonly names: readonly Reference[];
  /** So many of the lowest layers are left out: the engine has them. */
  readonly present?: number;
};

/** No layer of ours comes near it; it only keeps a wrong one from filling a disk. */
const most = 2 ** 40;

/**
 * The files of an archive that `docker load` takes, 20.10 and older too: `manifest.json` leads to the config, whose
 * bytes and so the image ID are kept, and to the layers. It is an OCI image layout at the same time, which keeps
 * the manifest's digest where docker stores images by it, unless a layer is zstd: old docker cannot read that, so
 * layers are then plain tars. Gzip layers are the store's blobs as they are.
 */
export async function* dockerArchiveMembers(
  store: BlobStore,
  image: Image,
  { names, present = 0 }: DockerArchiveOptions,
): AsyncGenerator<ArchiveMember, void> {
  const plain = image.layers.some(({ descriptor }) => compressionOf(descriptor.mediaType) === 'zstd');
  const layers = image.layers.map((layer) => (plain ? tarPath(layer) : blobPath(layer)));
  const tags = names.map((name) => formatReference(withTag(name)));
  const config = plain ? `${hexOf(image.id)}.json` : `blobs/sha256/${hexOf(image.id)}`;
  yield fileOf('manifest.json', canonicalJson([{ Config: config, RepoTags: tags, Layers: layers }]));
  if (names.length > 0) yield fileOf('repositories', canonicalJson(repositories(names, layers.at(-1) ?? '')));
  const skipped = new Set(image.layers.slice(0, present).map(({ diffID }) => diffID));
  if (plain) {
    yield { ...blobFile(store, image.manifest.config), path: config };
    const wanted = new Map(image.layers.map((layer) => [layer.diffID, layer]));
    for (const [diffID, layer] of wanted) if (!skipped.has(diffID)) yield await tarFile(store, layer);
    return;
  }
  const blobs = new Set(
    image.layers.filter(({ diffID }) => skipped.has(diffID)).map(({ descriptor }) => descriptor.digest),
  );
  yield* layoutMembers(store, image.descriptor, {
    name: tags[0] ?? 'latest',
    skip: ({ digest }) => blobs.has(digest),
  });
}

const blobPath = ({ descriptor }: ImageLayer): string => `blobs/sha256/${hexOf(descriptor.digest)}`;
const tarPath = ({ diffID }: ImageLayer): string => `${hexOf(diffID)}.tar`;

/** What docker before 1.10 read; later ones and other tools still look for it. */
function repositories(names: readonly Reference[], top: string): Json {
  const tags: Record<string, Record<string, string>> = {};
  for (const { tag = 'latest', ...name } of names) {
    const repository = formatReference({ ...name, digest: undefined });
    tags[repository] = { ...tags[repository], [tag]: top.replace(/^.*\/|\.tar$/g, '') };
  }
  return tags;
}

/** Decompressed twice: a header comes before the body and tells its size. */
async function tarFile(store: BlobStore, layer: ImageLayer): Promise<ArchiveMember> {
  const { descriptor, diffID } = layer;
  const tar = () =>
    decode(store.open(descriptor), compressionOf(descriptor.mediaType) ?? 'none', {
      most,
      where: descriptor.digest,
    });
  const hash = digester();
  for await (const chunk of tar()) hash.update(chunk);
  const { size, digest } = hash.finish();
  if (digest === diffID) return { path: tarPath(layer), size, content: tar() };
  throw new Fault('INTEGRITY', `the layer ${descriptor.digest} unpacks to ${digest}, not to ${diffID}`);
}
