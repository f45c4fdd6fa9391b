import { Fault } from '../fault.ts';
import { resolveLocation } from './header.ts';
import { apiHost, schemesFor } from './host.ts';
import { isOtherProtocol } from './network-fault.ts';
import { type Answer, discard } from './request.ts';

/** Where the API is, and what it asks of who comes (WWW-Authenticate). */
export type Endpoint = { readonly base: URL; readonly challenges: readonly string[] };

/**
 * `GET /v2/` (distribution-spec, end-1), in the first scheme that the host may be and can be spoken to in.
 * `send` is told that another protocol is an answer too. A connection that breaks may mean one, or nothing: so
 * `again` is asked whether to go through the schemes once more. Throws NETWORK if there is nobody, or no
 * registry.
 */
export async function ping(
  host: string,
  insecure: boolean,
  send: (url: URL) => Promise<Answer>,
  again: (failures: number, reason: Fault) => Promise<boolean>,
): Promise<Endpoint> {
  for (let failures = 0; ; failures++) {
    let first: Fault | undefined;
    for (const scheme of schemesFor(host, insecure)) {
      const base = new URL(`${scheme}://${apiHost(host)}/v2/`);
      try {
        const answer = await send(base);
        await discard(answer);
        const found = understand(host, answer, base);
        if (found) return found;
      } catch (error) {
        if (!isOtherProtocol(error)) throw error;
        first ??= error;
      }
    }
    first ??= new Fault('NETWORK', `${host}: speaks neither http nor https`);
    if (!(await again(failures, first))) throw first;
  }
}

/** Undefined if the host wants to be spoken to in another scheme. */
function understand(host: string, { status, challenges, headers }: Answer, base: URL): Endpoint | undefined {
  if (status === 200 || status === 401) return { base, challenges };
  // A server of TLS says so to who speaks plainly.
  if (base.protocol === 'http:' && status === 400) return undefined;
  const to = status >= 300 && status < 400 ? resolveLocation(headers.location, base) : undefined;
  if (to?.protocol === 'https:' && base.protocol === 'http:' && to.hostname === base.hostname) {
    return undefined;
  }
  // Some have no such place, or hide it, and answer what is asked of a repository.
  if (status === 403 || status === 404 || status === 405) return { base, challenges };
  throw new Fault('NETWORK', `${host}: status ${status}; that is no registry that can be used`, {
    hint: status >= 500 || status === 429 ? 'try again later' : 'check the host and the port',
  });
}
