import { Fault } from '../fault.ts';
import { mayLead } from './address.ts';
import type { Challenge } from './challenge.ts';
import type { Credential } from './credential.ts';
import { withQuery } from './header.ts';
import { problemFault, readProblem } from './problem.ts';
import { redactUrl } from './redact.ts';
import { type Answer, type Body, discard, readBody, type Request } from './request.ts';
import type { Scope } from './scope.ts';

/** `until` by the clock of `Date.now`; from then on it should not be used. */
export type Token = { readonly value: string; readonly until: number };

/** Makes one request; it takes no credentials of its own along and follows no redirect. */
export type Send = (request: Request) => Promise<Answer>;

/** A registry's API, its name, and what messages begin with: `HOST[/NAME]`. */
export type Named = { readonly url: URL; readonly host: string; readonly label: string };

/** A token longer than this, in bytes with what is around it, is an attack. */
const longestToken = 65536;

/** A token lives at least so long (distribution, "Token Authentication"), and is renewed so early; in ms. */
const shortestLife = 60_000;
const margin = 5000;

const clientName = 'static-distro';

export const basic = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

/**
 * A token of the server that the challenge names: by a refresh token if there is one, by user and password, or
 * as nobody. Throws UNSAFE if the registry leads to where it may not; NETWORK with what the server says.
 */
export async function fetchToken(
  send: Send,
  registry: Named,
  challenge: Challenge,
  scopes: readonly Scope[],
  credential: Credential | undefined,
): Promise<Token> {
  const realm = checkRealm(challenge, registry);
  const service = challenge.parameters['service'];
  const about = `${registry.label}: asking for a token`;
  let answer: Answer | undefined;
  if (credential?.kind === 'identity') {
    answer = await refresh(send, about, realm, service, scopes, credential.token);
    // The way of docker's own server; others know only the older one.
    if (answer.status === 404 || answer.status === 405) {
      await discard(answer);
      answer = undefined;
    }
  }
  answer ??= await ask(send, about, realm, service, scopes, credential);
  if (answer.status !== 200) {
    const problem = await readProblem(answer);
    if (problem.status !== 401 && problem.status !== 403)
      throw problemFault(problem, answer.about, registry.host);
    throw new Fault('NETWORK', problemFault(problem, answer.about, registry.host).message, {
      hint: credential
        ? `the credentials for ${registry.host} are refused; log in again`
        : `log in to ${registry.host} first`,
    });
  }
  return readToken(answer);
}

function checkRealm({ parameters }: Challenge, { url, label }: Named): URL {
  const text = parameters['realm'] ?? '';
  const realm = URL.parse(text);
  if (!realm || !/^https?:$/.test(realm.protocol)) {
    throw new Fault('NETWORK', `${label}: logging in: the registry names no place to get a token from`);
  }
  if (!mayLead(url, realm)) {
    throw new Fault(
      'UNSAFE',
      `${label}: logging in: the registry wants credentials sent to ${redactUrl(realm)}; refused`,
      {
        hint: 'a place for tokens must be https and not inside your own network',
      },
    );
  }
  realm.hash = '';
  return realm;
}

function refresh(
  send: Send,
  about: string,
  realm: URL,
  service: string | undefined,
  scopes: readonly Scope[],
  identity: string,
): Promise<Answer> {
  const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: clientName });
  if (service !== undefined) form.set('service', service);
  if (scopes.length > 0) form.set('scope', scopes.join(' '));
  form.set('refresh_token', identity);
  const bytes = Buffer.from(form.toString());
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  return send({ about: `${about}: POST`, method: 'POST', url: realm, headers, body: bodyOf(bytes) });
}

/** Bytes in memory as the body of a request. */
export const bodyOf = (bytes: Uint8Array): Body => ({
  size: bytes.length,
  async *read() {
    if (bytes.length > 0) yield bytes;
  },
});

function ask(
  send: Send,
  about: string,
  realm: URL,
  service: string | undefined,
  scopes: readonly Scope[],
  credential: Credential | undefined,
): Promise<Answer> {
  let url = service === undefined ? realm : withQuery(realm, 'service', service);
  for (const scope of scopes) url = withQuery(url, 'scope', scope);
  if (credential?.kind === 'password') url = withQuery(url, 'account', credential.username);
  return send({ about: `${about}: GET`, method: 'GET', url, headers: authorization(credential) });
}

function authorization(credential: Credential | undefined): Readonly<Record<string, string>> {
  if (credential?.kind === 'password') {
    return { Authorization: basic(credential.username, credential.password) };
  }
  return credential?.kind === 'identity' ? { Authorization: basic('<token>', credential.token) } : {};
}

async function readToken(answer: Answer): Promise<Token> {
  const { about } = answer;
  const bytes = await readBody(answer, longestToken);
  if (!bytes) throw new Fault('NETWORK', `${about}: the answer is longer than ${longestToken} bytes`);
  let said: { token?: unknown; access_token?: unknown; expires_in?: unknown; issued_at?: unknown };
  try {
    said = (JSON.parse(bytes.toString('utf8')) ?? {}) as typeof said;
  } catch {
    // The parser's message would repeat what was sent.
    throw new Fault('NETWORK', `${about}: the answer is no JSON`);
  }
  const value = [said.token, said.access_token].find((text) => typeof text === 'string' && text !== '');
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value)) {
    throw new Fault('NETWORK', `${about}: the answer holds no token`);
  }
  return { value, until: expiry(said.expires_in, said.issued_at, Date.now()) - margin };
}

function expiry(expiresIn: unknown, issuedAt: unknown, now: number): number {
  const life = typeof expiresIn === 'number' && expiresIn > 0 ? expiresIn * 1000 : 0;
  const issued = typeof issuedAt === 'string' ? Date.parse(issuedAt) : Number.NaN;
  // A server's clock that is ahead must not keep a token alive.
  const start = Number.isNaN(issued) || issued > now ? now : issued;
  return Math.max(start + Math.max(life, shortestLife), now + 2 * margin);
}
