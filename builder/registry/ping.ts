import { Fault } from '../fault.ts';
import { resolveLocation } from './header.ts';
import { apiHost, schemesFor } from './host.ts';
import { isOtherProtocol } from './network-fault.ts';
import { readProblem } from './problem.ts';
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
        if (!mayBeRegistry(answer, base)) throw await notRegistry(answer);
        await discard(answer);
        if (!wantsOther(answer, base)) return { base, challenges: answer.challenges };
      } catch (error) {
        if (!isOtherProtocol(error)) throw error;
        first ??= error;
      }
    }
    first ??= new Fault('NETWORK', `${host}: speaks neither http nor https`);
    if (!(await again(failures, first))) throw first;
  }
}

/** Some have no such place, or hide it, and answer what is asked of a repository. */
const mayBeRegistry = (answer: Answer, base: URL): boolean =>
  [200, 401, 403, 404, 405].includes(answer.status) || wantsOther(answer, base);

/** Whether the host wants to be spoken to in another scheme. */
function wantsOther({ status, headers }: Answer, base: URL): boolean {
  if (base.protocol !== 'http:') return false;
  // A server of TLS says so to who speaks plainly.
  if (status === 400) return true;
  const to = status >= 300 && status < 400 ? resolveLocation(headers.location, base) : undefined;
  return to?.protocol === 'https:' && to.hostname === base.hostname;
}

async function notRegistry(answer: Answer): Promise<Fault> {
  const { status, about } = answer;
  const { code, message } = await readProblem(answer);
  const said = `${code === undefined ? '' : ` ${code}`}${message === '' ? '' : `: ${message}`}`;
  return new Fault('NETWORK', `${about}: status ${status}${said}; that is no registry that can be used`, {
    hint: status >= 500 || status === 429 ? 'try again later' : 'check the host and the port',
  });
}
