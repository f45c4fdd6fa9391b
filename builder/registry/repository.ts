import type { Descriptor, Document } from '../descriptor.ts';
import { type Digest, digestOf } from '../digest.ts';
import { Fault } from '../fault.ts';
import { childrenOf, hasChildren } from '../manifest.ts';
import { contentFrom, maximumDocument, verified, wrongSize } from '../store/blob.ts';
import { limit } from '../store/limit.ts';
import type { Content, Named, NamedStore } from '../store/store.ts';
import { openDocument, readDocument, removeDocument, resolveDocument, sendDocument } from './documents.ts';
import { download } from './download.ts';
import { cancelUpload, mount } from './mount.ts';
import { labelOf, type Place } from './place.ts';
import { addReferrer } from './referrers.ts';
import type { Registry } from './registry.ts';
import { type Access, scopeOf } from './scope.ts';
import { openSessions, type Session } from './session.ts';
import { listTags } from './tags.ts';
import { isThere, upload } from './upload.ts';

export type RepositoryOptions = {
  /** What will be done; a registry asks for it with the first request. */
  readonly access?: Access;
  /** Other repositories of the same registry that may have the blob, so that it need not be sent. */
  readonly sources?: (descriptor: Descriptor) => readonly string[];
};

/** One repository of a registry, as a blob store; its names are tags. */
export type Repository = NamedStore & {
  readonly place: Place;
  readonly keepsWhole: true;

  /** What a tag or digest leads to, read in one request, unlike `resolve`, whose request no registry counts. */
  read(reference: string): Promise<Document | undefined>;

  /** Gives the document several tags, in one request where the registry can do that. */
  tagAll(tags: readonly string[], document: Document): Promise<void>;

  /** Every tag, in the registry's order. */
  tags(): Promise<readonly string[]>;

  /** That nothing is known any more of what the registry has: it said that something is missing. */
  forget(): void;
};

/** So many blobs are sent before it is tried whether the registry mounts. */
const beforeTrying = 4;

/** Documents that are kept because they will be asked for again, by number. */
const keptDocuments = 64;

export function openRepository(
  registry: Registry,
  name: string,
  options: RepositoryOptions = {},
): Repository {
  const { access = 'pull', sources = () => [] } = options;
  const place: Place = { registry, name, scopes: [scopeOf(name, access)] };
  const sessions =
    registry.settings.sessions === undefined ? undefined : openSessions(registry.settings.sessions);
  /** What the registry is known to have, because it has a document that needs it. */
  const known = new Set<Digest>();
  const kept = new Map<Digest, Document>();
  const barren = new Set<string>();
  let sent = 0;

  const keep = (document: Document): void => {
    const { descriptor, bytes } = document;
    kept.set(descriptor.digest, document);
    const [oldest] = kept.keys();
    if (kept.size > keptDocuments && oldest !== undefined) kept.delete(oldest);
    known.add(descriptor.digest);
    for (const child of childrenOf(descriptor, bytes, descriptor.digest)) known.add(child.digest);
  };

  const read = async (reference: string): Promise<Document | undefined> => {
    const document = await readDocument(place, reference);
    if (document) keep(document);
    return document;
  };

  const exists = async (descriptor: Descriptor): Promise<boolean> => {
    if (known.has(descriptor.digest)) return true;
    const found = hasChildren(descriptor)
      ? (await resolveDocument(place, descriptor.digest))?.size === descriptor.size
      : await isThere(place, descriptor);
    if (found) known.add(descriptor.digest);
    return found;
  };

  const putDocument = async (descriptor: Descriptor, content: Content): Promise<boolean> => {
    if (await exists(descriptor)) return false;
    const bytes = await gather(descriptor, content);
    const stored = await sendDocument(place, descriptor.digest, { descriptor, bytes });
    keep({ descriptor, bytes });
    await addReferrer(place, { descriptor, bytes }, stored.subject);
    return true;
  };

  /** The first repository that gives the blob; an upload that a refusal began. */
  const mountAny = async (descriptor: Descriptor): Promise<'mounted' | Session | undefined> => {
    let begun: Session | undefined;
    for (const source of sources(descriptor)) {
      if (source === name || barren.has(source)) continue;
      if (begun) await cancelUpload(place, begun);
      const result = await mount(place, descriptor.digest, source);
      if (result === 'mounted') return result;
      begun = result;
      if (result === undefined) barren.add(source);
    }
    return begun;
  };

  /**
   * What a blob needs: nothing, because it is there, or an upload, that may have begun. Where the registry is known
   * to mount, one request asks both: it takes a blob over from the very repository if it has it, else it begins.
   */
  const look = async (descriptor: Descriptor): Promise<'there' | 'mounted' | Session | undefined> => {
    const { known: host } = registry;
    if (host.mounts && sources(descriptor).length === 0) {
      const begun = await mount(place, descriptor.digest, name);
      if (begun === undefined) host.mounts = false;
      if (begun !== undefined) return begun === 'mounted' ? 'there' : begun;
    }
    const begun = await mountAny(descriptor);
    if (begun === 'mounted') return begun;
    if (!(await exists(descriptor))) return begun;
    if (begun) await cancelUpload(place, begun);
    return 'there';
  };

  const putBlob = async (descriptor: Descriptor, content: Content): Promise<boolean> => {
    if (known.has(descriptor.digest)) return false;
    const found = await look(descriptor);
    if (found === 'there') await sessions?.forget(place, descriptor);
    else if (found !== 'mounted') {
      await upload({ place, descriptor, content, sessions }, found);
      sent += 1;
      // With many to send it is worth a request to know whether the next ones need one less.
      if (sent === beforeTrying && registry.known.mounts === undefined) {
        const tried = await mount(place, descriptor.digest, name);
        registry.known.mounts = tried === 'mounted';
        if (tried !== undefined && tried !== 'mounted') await cancelUpload(place, tried);
      }
    }
    known.add(descriptor.digest);
    return found !== 'there';
  };

  const tagAll = async (tags: readonly string[], document: Document): Promise<void> => {
    let left = tags;
    if (tags.length > 1) {
      const stored = await sendDocument(place, document.descriptor.digest, document, { tags });
      left = tags.filter((tag) => !stored.tags.includes(tag));
      await addReferrer(place, document, stored.subject);
    }
    for (const tag of left) {
      const stored = await sendDocument(place, tag, document);
      if (tags.length === 1) await addReferrer(place, document, stored.subject);
    }
    keep(document);
  };

  const repository: Repository = {
    place,
    keepsWhole: true,
    exists,
    read,
    tagAll,
    tags: () => listTags(place),
    forget() {
      known.clear();
      // Whoever says that it has taken over what it misses is not believed again.
      registry.known.mounts = false;
    },

    async *open(descriptor, range) {
      const inline = inlineData(descriptor);
      if (inline) yield inline.subarray(range?.from, range?.to);
      else if (hasChildren(descriptor)) {
        const bytes = kept.get(descriptor.digest)?.bytes ?? (await openDocument(place, descriptor));
        if (bytes.length !== descriptor.size)
          throw wrongSize(descriptor, String(bytes.length), labelOf(place));
        keep({ descriptor, bytes });
        yield bytes.subarray(range?.from, range?.to);
      } else if (range) yield* download(place, descriptor, range);
      else yield* verified(descriptor, download(place, descriptor), labelOf(place));
    },

    put: (descriptor, content) => (hasChildren(descriptor) ? putDocument : putBlob)(descriptor, content),

    resolve: (tag) => resolveDocument(place, tag),

    async tag(tag, descriptor) {
      const document = kept.get(descriptor.digest) ?? (await read(descriptor.digest));
      if (!document) {
        throw new Fault(
          'INTEGRITY',
          `${labelOf(place)}: there is no ${descriptor.digest} to be called ${tag}`,
        );
      }
      await tagAll([tag], document);
    },

    untag: (tag) => removeDocument(place, tag),

    async list() {
      const slots = limit(16);
      const found = await Promise.all(
        (await listTags(place)).map((tag) =>
          slots(async (): Promise<readonly Named[]> => {
            const descriptor = await resolveDocument(place, tag);
            return descriptor ? [{ name: tag, descriptor }] : [];
          }),
        ),
      );
      return found.flat();
    },
  };
  return repository;
}

/** Whole and checked, in memory. */
async function gather(descriptor: Descriptor, content: Content): Promise<Buffer> {
  if (descriptor.size > maximumDocument) throw wrongSize(descriptor, 'too many', 'what is to be sent');
  const chunks: Uint8Array[] = [];
  for await (const chunk of verified(descriptor, contentFrom(content, 0), 'what is to be sent')) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** What comes with the descriptor itself (image-spec, "Embedded Content"), if it is right. */
function inlineData({ data, digest, size }: Descriptor): Buffer | undefined {
  if (data === undefined) return undefined;
  const bytes = Buffer.from(data, 'base64');
  return bytes.length === size && digestOf(bytes) === digest ? bytes : undefined;
}
