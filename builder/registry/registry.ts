import { setTimeout } from 'node:timers/promises';
import { type Authority, makeAuthority } from './authority.ts';
import { quote } from '../json.ts';
import { Connection } from './connection.ts';
import { findCredential } from './credentials.ts';
import { canonicalHost, apiHost } from './host.ts';
import { isBroken, isOtherProtocol, isRefused, isUnreachable } from './network-fault.ts';
import { defaultPace, makePace, type Pace } from './pace.ts';
import { persist, type Persistence } from './persist.ts';
import { type Endpoint, ping } from './ping.ts';
import { reasonOf } from './problem.ts';
import { type Answer, type Body, discard, type Request } from './request.ts';
import { backOff, defaultPolicy, type RetryPolicy } from './retry.ts';
import type { Scope } from './scope.ts';
import type { RegistrySettings } from './settings.ts';

/** Times that a host which has never answered is asked, or looked up. */
const mostLost = 3;

/** A request to the registry's API, or to where an answer of it led. */
export type Ask = {
  /** What it is for, in messages: `reading 1.2`. */
  readonly doing: string;
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `/v2/`, or a whole address that the registry gave. */
  readonly to: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body | undefined;
  readonly scopes: readonly Scope[];
  /** The repository, because credentials may differ inside one registry. */
  readonly name?: string;
  /** False: the caller knows better than to ask again, as of an upload. */
  readonly again?: boolean;
  /** False: an answer that leads elsewhere is answer enough. */
  readonly follow?: boolean;
};

/**
 * The client of one host (distribution-spec): every request of this process to it goes through here, so that
 * pace, tokens and connections are shared. Close it in the end.
 */
export class Registry {
  /** As in names of images: `docker.io`, `localhost:5000`. */
  readonly host: string;
  readonly settings: RegistrySettings;
  /** What has been found out about the host, for whoever it concerns. */
  readonly known: { referrers?: boolean; chunk?: number; mounts?: boolean; login?: string } = {};
  /** What may be done by one at a time in this process, by its name. */
  readonly queues = new Map<string, Promise<unknown>>();
  readonly policy: RetryPolicy;
  readonly #connection: Connection;
  readonly #pace: Pace;
  readonly #authorities = new Map<string, Authority>();
  #endpoint: Promise<Endpoint> | undefined;
  #answered = false;

  constructor(host: string, settings: RegistrySettings) {
    this.host = canonicalHost(host);
    this.settings = settings;
    this.policy = { ...defaultPolicy, ...settings.retry };
    this.#connection = new Connection(apiHost(host), settings);
    this.#pace = makePace({ ...defaultPace, ...settings.pace });
  }

  close(): void {
    this.#connection.close();
  }

  /**
   * The answer to a request, whatever its status: after authentication, redirects, and further tries where the
   * host is in trouble. Throws NETWORK if there is none, or none that we may have.
   */
  async send(ask: Ask): Promise<Answer> {
    const label = ask.name === undefined ? this.host : `${this.host}/${ask.name}`;
    const endpoint = await this.#reach(label);
    const persistence: Persistence = {
      policy: this.policy,
      attempts: ask.again === false ? 1 : undefined,
      // A host that never answered is more likely to be the wrong one than to be ill.
      final: (fault) => isRefused(fault) && !this.#answered,
      // Whoever asks next waits, whatever for.
      busy: (milliseconds, reason) => {
        this.#pace.slow(milliseconds);
        this.#tellWait(milliseconds, reason);
      },
      lost: (milliseconds, reason) => this.#pause(milliseconds, reason),
    };
    const answer = await persist(persistence, async () => {
      const answer = await this.#attempt(endpoint, ask, label);
      this.#answered = true;
      return answer;
    });
    if (!this.isBusy(answer.status)) this.#pace.well();
    return answer;
  }

  /** Waits as the policy wants it after so many failures in a row; for who tries again in a way of its own. */
  async pause(failures: number, reason: string): Promise<void> {
    await this.#pause(backOff(this.policy, failures, Math.random()), reason);
  }

  /** Whether so answers a host that may be better in a moment. */
  isBusy(status: number): boolean {
    return this.policy.statuses.includes(status);
  }

  /** Throws UNSAFE unless the answer may lead to `to`. */
  check(to: URL, from: Answer): void {
    this.#connection.check(to, from);
  }

  async #attempt({ base, challenges }: Endpoint, ask: Ask, label: string): Promise<Answer> {
    const url = typeof ask.to === 'string' ? new URL(ask.to, base) : ask.to;
    const authority = this.#authority(base, challenges, ask.name, label);
    const once = async (): Promise<readonly [Answer, string | undefined]> => {
      const own = url.origin === base.origin;
      const authorization = own ? await authority.authorize(ask.scopes) : undefined;
      const request: Request = {
        about: `${label}: ${ask.doing}: ${ask.method}`,
        method: ask.method,
        url,
        headers: { ...ask.headers, ...(authorization !== undefined && { Authorization: authorization }) },
        body: ask.body,
      };
      const kind = ask.method === 'GET' || ask.method === 'HEAD' ? 'read' : 'write';
      const answer = await this.#pace.run(kind, ask.body?.size ?? 0, () =>
        ask.follow === false ? this.#connection.send(request) : this.#connection.follow(request),
      );
      return [answer, authorization];
    };
    const [answer, sent] = await once();
    // Who else says 401 is none of those we have credentials for.
    if (answer.status !== 401 || answer.url.origin !== base.origin) return answer;
    if (!authority.refused(answer.challenges, ask.scopes, sent)) return answer;
    await discard(answer);
    return (await once())[0];
  }

  #authority(base: URL, challenges: readonly string[], name: string | undefined, label: string): Authority {
    const known = this.#authorities.get(name ?? '');
    if (known) return known;
    const { environment, credential, authFile } = this.settings;
    const find = async () =>
      credential
        ? credential(this.host, name)
        : findCredential(this.host, name, environment, {
            warn: (text) => this.#connection.warn(text),
            found: (path, { kind, ...rest }) => {
              const of = kind === 'password' && 'username' in rest ? ` of ${quote(rest.username)}` : '';
              this.known.login = `the credential${of} in ${quote(path)}`;
            },
            ...(authFile !== undefined && { file: authFile }),
          });
    const authority = makeAuthority(
      (request) => this.#directly(request),
      { url: base, host: this.host, label },
      find,
    );
    authority.learn(challenges);
    this.#authorities.set(name ?? '', authority);
    return authority;
  }

  /** Once for each host, unless it did not answer. */
  async #reach(label: string): Promise<Endpoint> {
    let failures = 0;
    this.#endpoint ??= ping(
      this.host,
      this.settings.insecure ?? false,
      (url) =>
        this.#directly(
          { about: `${label}: reaching the registry: GET`, method: 'GET', url, headers: {}, first: true },
          (fault) => isOtherProtocol(fault) || isUnreachable(fault) || ++failures >= mostLost,
        ),
      async (failures, fault) => {
        if (!isBroken(fault) || failures + 1 >= this.policy.attempts) return false;
        await this.pause(failures, reasonOf(fault));
        return true;
      },
    );
    try {
      return await this.#endpoint;
    } catch (error) {
      this.#endpoint = undefined;
      throw error;
    }
  }

  /** What is not of the API: the ping, and a server of tokens, which has troubles of its own. */
  #directly(request: Request, final = isRefused): Promise<Answer> {
    const wait = (milliseconds: number, reason: string) => this.#pause(milliseconds, reason);
    return persist(
      {
        policy: this.policy,
        final,
        busy: (milliseconds, reason, last) => (last ? undefined : wait(milliseconds, reason)),
        lost: wait,
      },
      () => this.#connection.send(request),
    );
  }

  #tellWait(milliseconds: number, reason: string): void {
    this.settings.report?.({ type: 'wait', host: this.host, milliseconds, reason });
  }

  async #pause(milliseconds: number, reason: string): Promise<void> {
    this.#tellWait(milliseconds, reason);
    await setTimeout(milliseconds);
  }
}
