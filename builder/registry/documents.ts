import { describe, type Descriptor, type Document, mediaTypes } from '../descriptor.ts';
import { type Digest, isDigest } from '../digest.ts';
import { Fault } from '../fault.ts';
import { quote } from '../json.ts';
import { hasChildren } from '../manifest.ts';
import { maximumDocument, wrongSize } from '../store/blob.ts';
import { bareMediaType, parseLength } from './header.ts';
import { isLost } from './network-fault.ts';
import { ask, faultOf, labelOf, manifestPath, type Place, refuse } from './place.ts';
import { readProblem, reasonOf } from './problem.ts';
import { type Answer, discard, readBody } from './request.ts';
import { bodyOf } from './token.ts';

const accepted = [mediaTypes.index, mediaTypes.dockerIndex, mediaTypes.manifest, mediaTypes.dockerManifest];

const accept = { Accept: accepted.join(', ') };

/** Statuses of servers that know GET but not HEAD. */
const noHead: ReadonlySet<number> = new Set([400, 405, 501]);

/**
 * What a tag or digest leads to; undefined if there is nothing, or nothing that we may see. Asked by HEAD, which
 * no registry counts; where its answer lacks something, the document is read.
 */
export async function resolveDocument(place: Place, reference: string): Promise<Descriptor | undefined> {
  const answer = await ask(place, `looking for ${reference}`, 'HEAD', manifestPath(place, reference), {
    headers: accept,
  });
  await discard(answer);
  const { status, headers } = answer;
  // Some hide with 403 that there is nothing.
  if (status === 404 || status === 403) return undefined;
  if (status === 200) {
    const mediaType = bareMediaType(headers['content-type']);
    const digest = headers['docker-content-digest'];
    const size = parseLength(headers['content-length']);
    if (typeof digest === 'string' && isDigest(digest) && size && mediaType && isDocumentType(mediaType)) {
      return { mediaType, digest, size };
    }
  } else if (!noHead.has(status)) await refuse(place, answer);
  return (await readDocument(place, reference))?.descriptor;
}

const isDocumentType = (mediaType: string): boolean => accepted.some((known) => known === mediaType);

/**
 * The document at a tag or digest, undefined if there is none. What it is, is what its bytes are: if they name
 * a media type, the header must name the same (CVE-2021-41190). Throws INTEGRITY, INPUT.
 */
export async function readDocument(place: Place, reference: string): Promise<Document | undefined> {
  for (let failures = 0; ; failures++) {
    const answer = await ask(place, `reading ${reference}`, 'GET', manifestPath(place, reference), {
      headers: accept,
    });
    if (answer.status === 404) return void (await discard(answer));
    if (answer.status !== 200) await refuse(place, answer);
    try {
      const bytes = await readBody(answer, maximumDocument);
      if (bytes) return understand(place, reference, answer, bytes);
      throw new Fault('INTEGRITY', `${labelOf(place)}: ${reference} is longer than a document may be`);
    } catch (error) {
      if (!isLost(error) || failures + 1 >= place.registry.policy.attempts) throw error;
      await place.registry.pause(failures, reasonOf(error));
    }
  }
}

function understand(place: Place, reference: string, { headers }: Answer, bytes: Buffer): Document {
  const where = `${labelOf(place)}: ${reference}`;
  const said = bareMediaType(headers['content-type']) ?? '';
  const own = mediaTypeIn(bytes);
  if (own !== undefined && isDocumentType(said) && own !== said) {
    throw new Fault(
      'INTEGRITY',
      `${where}: says of itself that it is ${quote(own)}, and comes as ${quote(said)}`,
    );
  }
  const mediaType = isDocumentType(said) ? said : (own ?? said);
  if (!isDocumentType(mediaType)) {
    throw unknownType(place, where, mediaType, bytes);
  }
  const document = describe(mediaType, bytes);
  const { digest } = document.descriptor;
  if (isDigest(reference) && digest !== reference) {
    throw new Fault('INTEGRITY', `${where}: the registry sends other bytes: their digest is ${digest}`);
  }
  const header = headers['docker-content-digest'];
  if (typeof header === 'string' && isDigest(header) && header !== digest) {
    throw new Fault('INTEGRITY', `${where}: is announced as ${header}, but its digest is ${digest}`, {
      hint: 'something between here and the registry changes what it sends; try again, or ask for it by its digest',
    });
  }
  return document;
}

/** Of what comes in the place of a document: as if it was said in its own words, for those of docker before 2016. */
function unknownType(place: Place, where: string, mediaType: string, bytes: Buffer): Fault {
  const first = bytes.subarray(0, 256).toString('latin1').trimStart();
  if (/html/i.test(mediaType) || /^<(!doctype|html)/i.test(first)) {
    const { host } = place.registry;
    return new Fault('INPUT', `${where}: the answer is a web page`, {
      hint: `${host} is no registry, or something before it wants to be seen first; check host, port and proxy`,
    });
  }
  const old = /manifest\.v1\+|prettyjws/.test(mediaType) || jsonMember(bytes, 'schemaVersion') === 1;
  return new Fault('INPUT', `${where}: is of the type ${quote(mediaType)}, which we do not know`, {
    hint: old
      ? 'images of docker before 2016 (schema 1) have to be pushed anew'
      : 'only images and artifacts of OCI and docker can be read; check the name',
  });
}

function mediaTypeIn(bytes: Buffer): string | undefined {
  const mediaType = jsonMember(bytes, 'mediaType');
  return typeof mediaType === 'string' ? mediaType : undefined;
}

function jsonMember(bytes: Buffer, name: string): unknown {
  try {
    const value = JSON.parse(bytes.toString('utf8')) as Readonly<Record<string, unknown>> | null;
    return value?.[name];
  } catch {
    return undefined;
  }
}

/** The bytes of a document whose descriptor is known. Throws NOT_FOUND, INTEGRITY. */
export async function openDocument(place: Place, descriptor: Descriptor): Promise<Uint8Array> {
  const document = await readDocument(place, descriptor.digest);
  if (!document) throw new Fault('NOT_FOUND', `${labelOf(place)}: there is no ${descriptor.digest}`);
  if (document.bytes.length !== descriptor.size) {
    throw wrongSize(descriptor, String(document.bytes.length), labelOf(place));
  }
  if (hasChildren(descriptor) && document.descriptor.mediaType !== descriptor.mediaType) {
    throw new Fault(
      'INTEGRITY',
      `${labelOf(place)}: ${descriptor.digest} is ${quote(document.descriptor.mediaType)}, not ${quote(descriptor.mediaType)}`,
    );
  }
  return document.bytes;
}

/** What the registry did beside storing the document. */
export type Stored = { readonly subject: boolean; readonly tags: readonly string[] };

/**
 * Tries in a row that a registry calls our bytes wrong. distribution, on a disk, truncates the link to a blob and
 * then writes it again whenever somebody sends that blob once more; a document that it checks in between needs a
 * blob "of no digest", and it says DIGEST_INVALID.
 */
const mostInvalid = 6;

/**
 * Stores a document under a tag or its digest; with its digest, under `tags` as well if the registry knows that
 * (distribution-spec, end-7b): look at the result. Its bytes must be what the descriptor says. Throws INTEGRITY
 * if something that it needs is not there.
 */
export async function sendDocument(
  place: Place,
  reference: string,
  { descriptor, bytes }: Document,
  options: { readonly tags?: readonly string[]; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Stored> {
  const { tags = [], headers = {} } = options;
  const path = `${manifestPath(place, reference)}${tags.map((tag, at) => `${at === 0 ? '?' : '&'}tag=${tag}`).join('')}`;
  for (let failures = 0; ; failures++) {
    const answer = await ask(place, `storing ${reference}`, 'PUT', path, {
      headers: { ...headers, 'Content-Type': descriptor.mediaType },
      body: bodyOf(bytes),
    });
    if ([200, 201, 202].includes(answer.status)) return stored(place, answer, descriptor.digest);
    const problem = await readProblem(answer);
    if (problem.code === 'DIGEST_INVALID' && failures + 1 < mostInvalid) {
      await place.registry.pause(0, `storing ${reference}: ${problem.code}`);
      continue;
    }
    // Whoever does not let tags move may let us say again what is so already.
    if (!isDigest(reference) && [400, 403, 409, 412].includes(answer.status)) {
      const there = await resolveDocument(place, reference).catch(() => undefined);
      if (there?.digest === descriptor.digest) return { subject: false, tags: [] };
    }
    throw faultOf(place, answer, problem);
  }
}

async function stored(place: Place, answer: Answer, digest: Digest): Promise<Stored> {
  await discard(answer);
  checkStored(place, answer, digest);
  const said = answer.headers['oci-tag'];
  return {
    subject: answer.headers['oci-subject'] !== undefined,
    tags: typeof said === 'string' ? said.split(',').map((tag) => tag.trim()) : (said ?? []),
  };
}

function checkStored(place: Place, { headers }: Answer, digest: Digest): void {
  const stored = headers['docker-content-digest'];
  if (typeof stored !== 'string' || !isDigest(stored) || stored === digest) return;
  throw new Fault('INTEGRITY', `${labelOf(place)}: the registry made ${stored} out of ${digest}`, {
    hint: 'it changes what it is given; use another registry',
  });
}

/** Removes a tag or, by its digest, a document. False if there was none. */
export async function removeDocument(place: Place, reference: string): Promise<boolean> {
  const answer = await ask(place, `removing ${reference}`, 'DELETE', manifestPath(place, reference));
  if (answer.status === 404) {
    await discard(answer);
    return false;
  }
  if (![200, 202, 204].includes(answer.status)) await refuse(place, answer);
  await discard(answer);
  return true;
}
