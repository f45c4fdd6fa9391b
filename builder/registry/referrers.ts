import { setTimeout } from 'node:timers/promises';
import { type Descriptor, type Document, isIndex, mediaTypes } from '../descriptor.ts';
import { type Digest, hexOf } from '../digest.ts';
import { Fault } from '../fault.ts';
import { present } from '../json.ts';
import { decodeIndex, decodeManifest, encodeIndex } from '../manifest.ts';
import { readDocument, sendDocument } from './documents.ts';
import { bareMediaType, parseNextLink, resolveLocation } from './header.ts';
import { ask, labelOf, type Place, refuse } from './place.ts';
import { discard, readBody } from './request.ts';

const longestList = 4 << 20;
const mostPages = 1000;

/** How often an index of referrers is written before we give way to all the others that write it. */
const mostWrites = 8;

/** Longer than it takes another one to write what it has just read, in ms. */
const settling = 150;

/** Where registries without the API keep the list (distribution-spec, "Referrers Tag Schema"). */
export const referrersTag = (subject: Digest): string => `sha256-${hexOf(subject)}`;

/**
 * What refers to the document, of one artifact type or all. By the API (end-12a), or by the tag where that is
 * missing, which is not to be relied on for the types: they are read from the documents themselves.
 */
export async function listReferrers(
  place: Place,
  subject: Digest,
  artifactType?: string,
): Promise<readonly Descriptor[]> {
  const all =
    place.registry.known.referrers === false ? undefined : await byApi(place, subject, artifactType);
  place.registry.known.referrers = all !== undefined;
  const found = all ?? (await byTag(place, subject));
  return artifactType === undefined
    ? found
    : found.filter((referrer) => referrer.artifactType === artifactType);
}

async function byApi(
  place: Place,
  subject: Digest,
  artifactType: string | undefined,
): Promise<Descriptor[] | undefined> {
  const found: Descriptor[] = [];
  const filter = artifactType === undefined ? '' : `?artifactType=${encodeURIComponent(artifactType)}`;
  let next: string | URL = `${place.name}/referrers/${subject}${filter}`;
  for (let page = 0; page < mostPages; page++) {
    const answer = await ask(place, `asking what refers to ${subject}`, 'GET', next, {
      headers: { Accept: mediaTypes.index },
    });
    const type = bareMediaType(answer.headers['content-type']);
    if (answer.status !== 200 || type !== mediaTypes.index) {
      // A page for people, or no such place: the registry does not know the question.
      if (page > 0 || ![200, 400, 404, 405, 406].includes(answer.status)) {
        await refuse(place, answer);
      }
      await discard(answer);
      return undefined;
    }
    const bytes = await readBody(answer, longestList);
    if (!bytes)
      throw new Fault(
        'NETWORK',
        `${labelOf(place)}: its list of referrers is longer than ${longestList} bytes`,
      );
    found.push(
      ...decodeIndex(bytes, mediaTypes.index, `${labelOf(place)}: what refers to ${subject}`).manifests,
    );
    const link = resolveLocation(parseNextLink(answer.headers.link as string | undefined), answer.url);
    if (!link) return found;
    if (link.origin !== answer.url.origin) {
      throw new Fault('UNSAFE', `${labelOf(place)}: its list of referrers goes on at another host; refused`);
    }
    next = link;
  }
  throw new Fault('NETWORK', `${labelOf(place)}: its list of referrers does not end`);
}

async function byTag(place: Place, subject: Digest): Promise<Descriptor[]> {
  const index = await readIndex(place, subject);
  const found = await Promise.all(
    index.map(async ({ digest }) => {
      const document = await readDocument(place, digest);
      const referrer = document && referrerOf(document);
      return referrer?.subject === subject ? [referrer.entry] : [];
    }),
  );
  return found.flat();
}

async function readIndex(place: Place, subject: Digest): Promise<readonly Descriptor[]> {
  const tag = referrersTag(subject);
  const document = await readDocument(place, tag);
  if (!document) return [];
  if (document.descriptor.mediaType !== mediaTypes.index) {
    throw new Fault('INPUT', `${labelOf(place)}: the tag ${tag} is no list of referrers`, {
      hint: 'something else has taken that tag; remove it',
    });
  }
  return decodeIndex(document.bytes, mediaTypes.index, `${labelOf(place)}: ${tag}`).manifests;
}

type Referrer = { readonly entry: Descriptor; readonly subject: Digest | undefined };

/** As the API would list it: with artifact type and annotations. */
function referrerOf({ descriptor: { mediaType, digest, size }, bytes }: Document): Referrer {
  const document = isIndex(mediaType)
    ? decodeIndex(bytes, mediaType, digest)
    : decodeManifest(bytes, mediaType, digest);
  const config = 'config' in document ? document.config.mediaType : undefined;
  const { artifactType = config, annotations, subject } = document;
  return {
    entry: present<Descriptor>({ mediaType, digest, size, artifactType, annotations }),
    subject: subject?.digest,
  };
}

/**
 * After a document has been stored: if it has a subject, and the registry did not say that it knows what to do
 * with that, its descriptor is put into the list under the tag. Registries do not know conditions, so of two
 * that write at the same moment one is lost: the list is looked at again a moment later, until it holds what
 * was written.
 */
export async function addReferrer(place: Place, document: Document, handled: boolean): Promise<void> {
  const { subject, entry } = referrerOf(document);
  if (subject === undefined) return;
  const { known, queues } = place.registry;
  if (handled) {
    known.referrers = true;
    return;
  }
  const key = `${labelOf(place)} ${subject}`;
  const turn = (queues.get(key) ?? Promise.resolve()).then(() => addByTag(place, subject, entry));
  const settled = turn.catch(() => undefined);
  queues.set(key, settled);
  await turn;
}

async function addByTag(place: Place, subject: Digest, entry: Descriptor): Promise<void> {
  for (let writes = 0; writes <= mostWrites; writes++) {
    const list = await readIndex(place, subject);
    if (list.some(({ digest }) => digest === entry.digest)) return;
    const manifests = [...list, entry].sort((a, b) => (a.digest < b.digest ? -1 : 1));
    await sendDocument(place, referrersTag(subject), encodeIndex({ manifests }));
    await setTimeout(settling * (1 + Math.random()));
  }
  throw new Fault('BUSY', `${labelOf(place)}: others keep writing the list of what refers to ${subject}`, {
    hint: 'try again when they have finished',
  });
}
