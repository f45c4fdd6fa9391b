import type { Digest } from '../digest.ts';
import { Fault } from '../fault.ts';
import { resolveLocation, withQuery } from './header.ts';
import { isLost } from './network-fault.ts';
import { ask, type Place, refuse } from './place.ts';
import { type Answer, discard } from './request.ts';
import { scopeOf } from './scope.ts';
import type { Session } from './session.ts';

const nothing = { size: 0, async *read() {} };

/** Begins an upload (distribution-spec, end-4a). */
export async function beginUpload(place: Place, digest: Digest): Promise<Session> {
  const answer = await ask(place, `beginning to send ${digest}`, 'POST', uploadsPath(place), {
    body: nothing,
  });
  if (answer.status !== 202 && answer.status !== 201) await refuse(place, answer);
  await discard(answer);
  const session = sessionOf(place, answer);
  if (session) return session;
  throw new Fault('NETWORK', `${answer.about}: status ${answer.status}, but no place to send it to`, {
    hint: 'that is no registry that can be pushed to; check host and port',
  });
}

const uploadsPath = ({ name }: Place): string => `${name}/blobs/uploads/`;

function sessionOf(place: Place, answer: Answer): Session | undefined {
  const location = resolveLocation(answer.headers.location, answer.url);
  if (!location) return undefined;
  place.registry.check(location, answer);
  return { location, offset: 0 };
}

/**
 * Asks the registry to take the blob over from a repository of it (end-11), be it another one or the same. Where
 * it does not, it may have begun an upload, which should be used; in no case is that a reason to fail.
 */
export async function mount(
  place: Place,
  digest: Digest,
  from: string,
): Promise<'mounted' | Session | undefined> {
  const query = withQuery(withQuery(new URL('x:'), 'mount', digest), 'from', from).search;
  try {
    const answer = await ask(place, `mounting ${digest}`, 'POST', `${uploadsPath(place)}${query}`, {
      body: nothing,
      scopes: from === place.name ? place.scopes : [...place.scopes, scopeOf(from, 'pull')],
    });
    await discard(answer);
    if (answer.status === 201) return 'mounted';
    return answer.status === 202 ? sessionOf(place, answer) : undefined;
  } catch (error) {
    if (isLost(error)) return undefined;
    throw error;
  }
}

/** Tells the registry that nothing more comes (end-14); not every one wants to know. */
export async function cancelUpload(place: Place, { location }: Session): Promise<void> {
  try {
    await discard(await ask(place, 'cancelling an upload', 'DELETE', location, { again: false }));
  } catch {
    // It forgets the upload by itself, later.
  }
}
