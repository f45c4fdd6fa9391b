import type { Image } from '../../builder/image/image.ts';
import { diffFiles, type FileChange, filesOf, type LayerFiles } from '../../builder/image/layer-files.ts';
import type { FileStore } from '../../builder/store/file-store.ts';
import { keptRecord } from '../layer/kept-record.ts';
import { parseBinaryControl } from '../package/binary-control.ts';
import { packagePath } from '../package/name.ts';
import type { PackageRecord } from '../package/record.ts';
import { type Contained, contentsOf, keyOf } from './contents.ts';
import { type Reason, reasonsOf } from './reason.ts';

export type Build = { readonly version: string; readonly build: string | undefined };

/** A package that is only in one of two images, or another in each. */
export type PackageChange = {
  readonly name: string;
  readonly before: Build | undefined;
  readonly after: Build | undefined;
  readonly reasons: readonly Reason[];
  /** Below its directory, whatever its version; empty if it is in one image alone. */
  readonly files: readonly FileChange[];
};

export type ContentDiff = {
  readonly packages: readonly PackageChange[];
  /** Of the layers that are no packages', profile and settings, those that differ. */
  readonly layers: readonly { readonly name: string; readonly files: readonly FileChange[] }[];
};

const otherLayers = ['profile', 'settings'] as const;

/**
 * What changes from one image to another by package, with the reason as the records in the store tell it, and by
 * file. Reads the layers that differ. Images that are not ours have no packages.
 */
export async function diffContents(store: FileStore, before: Image, after: Image): Promise<ContentDiff> {
  const read = reader(store);
  const [old, now] = [contentsOf(before), contentsOf(after)];
  const needs = [old, now].map((contents) => once(() => neededBy(store, contents)));
  const packages: PackageChange[] = [];
  for (const name of [...new Set([...old.keys(), ...now.keys()])].sort()) {
    const [was, is] = [old.get(name), now.get(name)];
    if (was && is) {
      const change = await changeOf(store, was, is, read);
      if (change) packages.push(change);
    } else {
      const by = (await needs[was ? 0 : 1]?.())?.get(name) ?? [];
      packages.push({
        name,
        before: build(was),
        after: build(is),
        reasons: [{ reason: 'needed', by }],
        files: [],
      });
    }
  }
  const layers = [];
  for (const name of otherLayers) {
    const find = (image: Image) => image.layers.find(({ history }) => history === name);
    const [was, is] = [find(before), find(after)];
    if (was?.diffID === is?.diffID) continue;
    const files = diffFiles(was ? await read(was) : new Map(), is ? await read(is) : new Map());
    layers.push({ name, files });
  }
  return { packages, layers };
}

const build = (each: Contained | undefined): Build | undefined =>
  each && { version: each.version, build: each.build };

async function changeOf(
  store: FileStore,
  was: Contained,
  is: Contained,
  read: Read,
): Promise<PackageChange | undefined> {
  const known = was.build !== undefined && is.build !== undefined;
  if (was.version === is.version && known && was.build === is.build) return undefined;
  if (was.version === is.version && was.layer.diffID === is.layer.diffID) return undefined;
  const files = diffFiles(below(await read(was.layer), was), below(await read(is.layer), is));
  // In layers that do not tell which build they hold, only the files do.
  if (!known && files.length === 0 && was.version === is.version) return undefined;
  const reasons = reasonsOf(await keptRecord(store, keyOf(was)), await keptRecord(store, keyOf(is)));
  return { name: is.name, before: build(was), after: build(is), reasons, files };
}

/** The files of one package of a layer, by their paths in the package. */
function below(files: LayerFiles, { name, version }: Contained): LayerFiles {
  const top = `${packagePath(name, version)}/`;
  return new Map(
    [...files].flatMap(([path, file]) => {
      if (!path.startsWith(top)) return [];
      const target = file.target?.startsWith(top) ? file.target.slice(top.length) : file.target;
      return [[path.slice(top.length), target === undefined ? file : { ...file, target }]];
    }),
  );
}

type Read = (layer: Contained['layer']) => Promise<LayerFiles>;

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** Each layer is read once. */
function reader(store: FileStore): Read {
  const known = new Map<string, Promise<LayerFiles>>();
  return (layer) => {
    const { digest } = layer.descriptor;
    const files = known.get(digest) ?? filesOf(store, layer);
    known.set(digest, files);
    return files;
  };
}

/** Which packages of an image need each other one to run, as far as there are records. */
async function neededBy(
  store: FileStore,
  contents: ReadonlyMap<string, Contained>,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const controls = [];
  for (const each of contents.values()) {
    const record: PackageRecord | undefined = await keptRecord(store, keyOf(each));
    if (record) controls.push(parseBinaryControl(record.control, keyOf(each)));
  }
  const needs = new Map<string, string[]>();
  for (const { name, depends } of controls) {
    const wanted = new Set(depends.flatMap(({ alternatives }) => alternatives.map((each) => each.name)));
    for (const other of controls) {
      const names = [other.name, ...other.provides.map((each) => each.name)];
      if (other.name === name || !names.some((each) => wanted.has(each))) continue;
      needs.set(other.name, [...(needs.get(other.name) ?? []), name]);
    }
  }
  return needs;
}
