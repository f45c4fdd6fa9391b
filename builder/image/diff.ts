import type { Json } from '../json.ts';
import { canonicalJson } from '../json.ts';
import type { Image, ImageLayer } from './image.ts';

/** A field of the config, or an annotation, that differs; undefined where one image does not have it. */
export type FieldDiff = {
  readonly field: string;
  readonly before: Json | undefined;
  readonly after: Json | undefined;
};

export type ImageDiff = {
  /** In both, by diffID; `moved` if a layer below it differs, so that docker fetches it again. */
  readonly kept: readonly { readonly layer: ImageLayer; readonly moved: boolean }[];
  readonly removed: readonly ImageLayer[];
  readonly added: readonly ImageLayer[];
  readonly fields: readonly FieldDiff[];
  /** Bytes that an engine fetches which has `before` and goes by blobs: podman, containerd, a registry. */
  readonly fetch: number;
};

/** What changes from one image to the other, layer by layer and field by field. */
export function diffImages(before: Image, after: Image): ImageDiff {
  const had = new Set(before.layers.map(({ diffID }) => diffID));
  const has = new Set(after.layers.map(({ diffID }) => diffID));
  const same = after.layers.findIndex(({ diffID }, at) => before.layers[at]?.diffID !== diffID);
  const prefix = same < 0 ? after.layers.length : same;
  const blobs = new Set(before.layers.map(({ descriptor }) => descriptor.digest));
  return {
    kept: after.layers.flatMap((layer, at) =>
      had.has(layer.diffID) ? [{ layer, moved: at >= prefix }] : [],
    ),
    removed: before.layers.filter(({ diffID }) => !has.has(diffID)),
    added: after.layers.filter(({ diffID }) => !had.has(diffID)),
    fields: [...diffFields(fieldsOf(before), fieldsOf(after))],
    fetch: after.layers.reduce(
      (sum, { descriptor }) => sum + (blobs.has(descriptor.digest) ? 0 : descriptor.size),
      0,
    ),
  };
}

function fieldsOf({ config, manifest }: Image): ReadonlyMap<string, Json> {
  const { rootfs: _, history: __, config: run = {}, ...rest } = config;
  const { Env = [], Labels = {}, ...settings } = run;
  const groups: readonly (readonly [string, Readonly<Record<string, Json | undefined>>])[] = [
    ['', rest],
    ['', settings],
    [
      'Env ',
      Object.fromEntries(Env.map((text) => [text.split('=', 1)[0] ?? '', text.slice(text.indexOf('=') + 1)])),
    ],
    ['Labels ', Labels],
    ['annotations ', manifest.annotations ?? {}],
  ];
  const fields = new Map<string, Json>();
  for (const [prefix, group] of groups) {
    for (const [name, value] of Object.entries(group))
      if (value !== undefined) fields.set(`${prefix}${name}`, value);
  }
  return fields;
}

function* diffFields(
  before: ReadonlyMap<string, Json>,
  after: ReadonlyMap<string, Json>,
): Generator<FieldDiff> {
  for (const field of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const [old, now] = [before.get(field), after.get(field)];
    if (old === undefined || now === undefined || !canonicalJson(old).equals(canonicalJson(now))) {
      yield { field, before: old, after: now };
    }
  }
}
