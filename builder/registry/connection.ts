import { Fault } from '../fault.ts';
import { mayLead } from './address.ts';
import { exchangeDirectly } from './direct.ts';
import { resolveLocation } from './header.ts';
import { isLost, isUnknownAuthority } from './network-fault.ts';
import { mayNeedProxy, proxyFor } from './proxy.ts';
import { redactText, redactUrl } from './redact.ts';
import {
  type Agents,
  type Answer,
  defaultPatience,
  discard,
  exchange,
  openAgents,
  type Patience,
  type Request,
} from './request.ts';
import type { RegistrySettings } from './settings.ts';
import {
  certificateDirectories,
  readTrust,
  type Trust,
  withoutVerification,
  withSystemAuthorities,
} from './trust.ts';
import { openPool, type Pool } from './wire.ts';

/** Nothing of TLS; one object, as connections are told apart by it. */
const noTrust: Trust = {};

/** More redirects than any registry needs. */
const mostRedirects = 8;

/**
 * HTTP to a registry and to where it leads: TLS by host, redirects, warnings. It knows no credentials; what is
 * in the `Authorization` of a request goes to the host of that request and to no other.
 */
export class Connection {
  readonly #settings: RegistrySettings;
  readonly #host: string;
  /** Where the environment names a proxy, Node's own client is asked. */
  readonly #agents: Agents;
  readonly #pool: Pool = openPool();
  readonly #patience: Patience;
  /** The user knows that there is no answer yet. */
  #noticed = false;
  readonly #trust = new Map<string, Promise<Trust>>();
  readonly #said = new Set<string>();

  constructor(host: string, settings: RegistrySettings) {
    this.#host = host;
    this.#settings = settings;
    this.#agents = openAgents(settings.environment);
    this.#patience = { ...defaultPatience, ...settings.patience };
  }

  close(): void {
    this.#agents.close();
    this.#pool.close();
  }

  /** One request, without following where it leads. Its messages name another host than the registry's. */
  async send(request: Request): Promise<Answer> {
    const { url } = request;
    const about = this.#isOwn(url) ? request.about : `${request.about} at ${url.host}`;
    const began = performance.now();
    const headers = {
      'User-Agent': this.#settings.userAgent ?? 'static-distro',
      'Accept-Encoding': 'identity',
      ...request.headers,
    };
    const ask = { ...request, about, headers };
    const trust = url.protocol === 'https:' ? await this.#trustIn(url.host) : noTrust;
    const proxy = proxyFor(url, this.#settings.environment);
    const notice = this.#notice(ask);
    let answer: Answer;
    try {
      answer = await this.#exchange(trust, ask);
    } catch (error) {
      if (!isUnknownAuthority(error) || (trust as Trust).rejectUnauthorized === false) {
        throw proxy ? throughProxy(error, proxy) : error;
      }
      const more = withSystemAuthorities(trust);
      answer = await this.#exchange(more, ask);
      this.#trust.set(url.host, Promise.resolve(more));
    } finally {
      clearTimeout(notice);
    }
    this.#noticed = false;
    this.#settings.report?.({
      type: 'answer',
      method: request.method,
      url: redactUrl(url),
      status: answer.status,
      milliseconds: performance.now() - began,
    });
    this.#remark(answer);
    return answer;
  }

  #isOwn(url: URL): boolean {
    return url.host === new URL(`${url.protocol}//${this.#host}`).host;
  }

  /** Who sends a body sees that something happens. */
  #notice({ url, body }: Request): NodeJS.Timeout | undefined {
    if (body && body.size > 0) return undefined;
    const { notice } = this.#patience;
    return setTimeout(() => {
      if (this.#noticed) return;
      this.#noticed = true;
      this.#settings.report?.({ type: 'silence', host: url.host, milliseconds: notice });
    }, notice);
  }

  #exchange(trust: Trust, ask: Request): Promise<Answer> {
    return mayNeedProxy(ask.url, this.#settings.environment)
      ? exchange(this.#agents, trust, this.#patience, ask)
      : exchangeDirectly(this.#pool, trust, this.#patience, ask);
  }

  /**
   * Follows redirects: of reads always, of others only where the method stays (307, 308). To another host,
   * port or scheme the request goes without its credentials. Throws UNSAFE where a registry may not lead.
   */
  async follow(request: Request): Promise<Answer> {
    const reading = request.method === 'GET' || request.method === 'HEAD';
    const leading = new Set([307, 308, ...(reading ? [301, 302, 303] : [])]);
    let { url, headers } = request;
    for (let hop = 0; ; hop++) {
      const answer = await this.send({ ...request, url, headers });
      if (!leading.has(answer.status)) return answer;
      await discard(answer);
      if (hop >= mostRedirects) throw wrongWay(answer, `leads on after ${hop} redirects`);
      const next = resolveLocation(answer.headers.location, url);
      if (!next) throw wrongWay(answer, 'leads to nowhere');
      this.check(next, answer);
      if (next.origin !== url.origin) headers = bareHeaders(headers);
      url = next;
    }
  }

  /** Throws UNSAFE unless the answer may lead to `to`. */
  check(to: URL, { url, about, status }: Answer): void {
    if (mayLead(url, to)) return;
    throw new Fault('UNSAFE', `${about}: status ${status} leads to ${redactUrl(to)}; refused`, {
      hint: 'a registry may not lead from https to http, nor into your own network',
    });
  }

  warn(text: string): void {
    this.#once({ type: 'warning', host: this.#host, text });
  }

  #remark({ warnings, headers }: Answer): void {
    for (const header of warnings) {
      // distribution-spec, "Warnings": only this form is meant for people.
      const text = /^299 - "((?:[^"\\]|\\.)*)"/.exec(header)?.[1];
      if (text !== undefined) this.warn(redactText(text.replaceAll(/\\(.)/g, '$1')));
    }
    const limit = headers['ratelimit-remaining'];
    if (typeof limit === 'string') this.#once({ type: 'limit', host: this.#host, text: redactText(limit) });
  }

  #once(event: { readonly type: 'warning' | 'limit'; readonly host: string; readonly text: string }): void {
    const key = `${event.type} ${event.text}`;
    if (this.#said.has(key) || this.#said.size >= 100) return;
    this.#said.add(key);
    this.#settings.report?.(event);
  }

  #trustIn(host: string): Promise<Trust> {
    const known = this.#trust.get(host);
    if (known) return known;
    const { certificates, environment, insecure } = this.#settings;
    const read = readTrust(certificates ?? certificateDirectories(environment), host);
    const trust = insecure && host === this.#host ? read.then(withoutVerification) : read;
    this.#trust.set(host, trust);
    return trust;
  }
}

const wrongWay = ({ about, status }: Answer, where: string): Fault =>
  new Fault('NETWORK', `${about}: status ${status} ${where}`, {
    hint: 'what answers there is set up wrongly; check the host, and tell who runs it',
  });

/** It may be the proxy that does not answer, whatever host is named. */
function throughProxy(error: unknown, proxy: URL): unknown {
  if (!isLost(error)) return error;
  const { code, message, cause } = error;
  return new Fault(code, `${message}; asked through the proxy ${proxy.origin}`, {
    cause,
    hint: 'check that the proxy runs; hosts in $NO_PROXY are asked without it',
  });
}

/** What a host that nobody introduced may see of a request. */
const bareHeaders = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers).filter(([name]) => !['authorization', 'cookie'].includes(name.toLowerCase())),
  );
