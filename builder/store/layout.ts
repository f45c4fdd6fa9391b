import { decodeDescriptor, type Descriptor, mediaTypes, refName } from '../descriptor.ts';
import { Fault } from '../fault.ts';
import { canonicalJson, items, type Json, member, members, parseJson, string, wrong } from '../json.ts';

/** The file `oci-layout` (image-spec, image-layout.md). */
export const layoutVersion = '1.0.0';
export const layoutFile = canonicalJson({ imageLayoutVersion: layoutVersion });

/** Throws INPUT unless the bytes are an `oci-layout` of the version that we know. */
export function checkLayoutFile(bytes: Uint8Array, where: string): void {
  hinted(() => {
    const version = member(parseJson(bytes, where), 'imageLayoutVersion');
    if (string(version) !== layoutVersion) wrong(version, `"${layoutVersion}"`);
  });
}

function hinted<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const hint = 'restore the file, or move the directory away and start with an empty one';
    throw new Fault(error.code, error.message, { hint, cause: error });
  }
}

/**
 * `index.json` as it stands: what other tools wrote into it, fields and entries that we do not know included,
 * is written back as it was. `entries` are the members of `manifests`.
 */
export type LayoutIndex = {
  readonly rest: Readonly<Record<string, Json>>;
  readonly entries: readonly Json[];
};

export const emptyIndex: LayoutIndex = {
  rest: { schemaVersion: 2, mediaType: mediaTypes.index },
  entries: [],
};

/** Throws INPUT, naming `where`, unless the bytes are an index. Its entries are not looked into. */
export const parseIndex = (bytes: Uint8Array, where: string): LayoutIndex =>
  hinted(() => {
    const field = parseJson(bytes, where);
    const { manifests: _, ...rest } = members(field) as Readonly<Record<string, Json>>;
    if (rest['schemaVersion'] !== 2) wrong(member(field, 'schemaVersion'), '2');
    return { rest, entries: items(member(field, 'manifests')).map(({ value }) => value as Json) };
  });

export const formatIndex = ({ rest, entries }: LayoutIndex): Buffer =>
  canonicalJson({ ...rest, manifests: entries });

/** An entry that we understand; a name, if it has one, keeps the descriptor that came with it. */
export type Root = { readonly name: string | undefined; readonly descriptor: Descriptor };

/** What the index keeps alive. Entries with a digest or a form that is none of ours are passed over. */
export const rootsOf = (index: LayoutIndex): Root[] =>
  index.entries.flatMap((entry) => {
    const root = rootOf(entry);
    return root ? [root] : [];
  });

function rootOf(entry: Json): Root | undefined {
  try {
    return takeName(decodeDescriptor({ value: entry, document: 'index.json', path: '' }));
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

/** A descriptor without its name; other annotations stay. */
export function takeName({ annotations, ...descriptor }: Descriptor): Root {
  const { [refName]: name, ...others } = annotations ?? {};
  return {
    name,
    descriptor: Object.keys(others).length > 0 ? { ...descriptor, annotations: others } : descriptor,
  };
}

/** The inverse of {@link takeName}. */
export const giveName = (name: string, descriptor: Descriptor): Descriptor => ({
  ...descriptor,
  annotations: { ...descriptor.annotations, [refName]: name },
});

/** With `name` at `descriptor` and nowhere else. The place of an entry that had the name stays. */
export function withName(index: LayoutIndex, name: string, descriptor: Descriptor): LayoutIndex {
  const entry: Json = giveName(name, descriptor);
  const at = index.entries.findIndex((old) => rootOf(old)?.name === name);
  const without = withoutName(index, name);
  const place = at < 0 ? without.entries.length : at;
  return { ...index, entries: without.entries.toSpliced(place, 0, entry) };
}

export const withoutName = (index: LayoutIndex, name: string): LayoutIndex => ({
  ...index,
  entries: index.entries.filter((entry) => rootOf(entry)?.name !== name),
});
