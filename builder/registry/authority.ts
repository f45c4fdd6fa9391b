import { Fault } from '../fault.ts';
import { type Challenge, chooseChallenge, parseChallenges } from './challenge.ts';
import type { Credential } from './credential.ts';
import { mergeScopes, type Scope } from './scope.ts';
import { basic, fetchToken, type Named, type Send, type Token } from './token.ts';

/** What one registry lets itself be convinced by. Tokens are kept by what they allow. */
export type Authority = {
  /** The header for a request, if there is one to be sent. */
  authorize(scopes: readonly Scope[]): Promise<string | undefined>;

  /**
   * The registry answered 401 to a request that had `sent`, an earlier answer of `authorize`. False if there
   * is no other way to ask.
   */
  refused(headers: readonly string[], scopes: readonly Scope[], sent: string | undefined): boolean;

  /** What the ping said: it asks for authentication, or (no headers) does not. */
  learn(headers: readonly string[]): void;
};

type Entry = { readonly asked: Promise<Token>; token?: Token };

const keyOf = (scopes: readonly Scope[]): string => scopes.join(' ');

export function makeAuthority(
  send: Send,
  registry: Named,
  findCredential: () => Promise<Credential | undefined>,
): Authority {
  let challenge: Challenge | undefined;
  let credential: Promise<Credential | undefined> | undefined;
  const tokens = new Map<string, Entry>();
  const findOnce = () => (credential ??= findCredential());
  const extra = new Map<string, string>();

  const wanted = (scopes: readonly Scope[]): readonly Scope[] => {
    const asked = extra.get(keyOf(scopes));
    return mergeScopes(asked, scopes);
  };

  const learn = (headers: readonly string[]): void => {
    if (headers.length === 0) return;
    const offered = parseChallenges(headers);
    const chosen = chooseChallenge(offered);
    if (!chosen) {
      const names = offered.map(({ scheme }) => scheme).join(', ') || 'none that can be read';
      throw new Fault(
        'NETWORK',
        `${registry.label}: logging in: the registry offers no way that we know (${names})`,
        {
          hint: 'we can answer Basic, and Bearer with a realm',
        },
      );
    }
    challenge = chosen;
  };

  /** Many ask at once for one that is under way. */
  const tokenFor = async (bearer: Challenge, scopes: readonly Scope[]): Promise<string> => {
    const key = keyOf(scopes);
    const known = tokens.get(key);
    if (known && (!known.token || known.token.until > Date.now())) return (await known.asked).value;
    const entry: Entry = {
      asked: findOnce().then((it) => fetchToken(send, registry, bearer, wanted(scopes), it)),
    };
    tokens.set(key, entry);
    try {
      entry.token = await entry.asked;
    } catch (error) {
      if (tokens.get(key) === entry) tokens.delete(key);
      throw error;
    }
    return entry.token.value;
  };

  return {
    learn,

    async authorize(scopes) {
      if (!challenge) return undefined;
      const known = await findOnce();
      if (known?.kind === 'registry') return `Bearer ${known.token}`;
      if (challenge.scheme === 'bearer') return `Bearer ${await tokenFor(challenge, scopes)}`;
      if (known?.kind === 'password') return basic(known.username, known.password);
      return known?.kind === 'identity' ? basic('<token>', known.token) : undefined;
    },

    refused(headers, scopes, sent) {
      // Some registries ask without saying how; then what the ping said still holds.
      const before = challenge;
      learn(headers);
      if (!challenge) return false;
      if (challenge.scheme === 'basic') return sent === undefined || before?.scheme !== 'basic';
      const asked = challenge.parameters['scope'];
      if (asked !== undefined) extra.set(keyOf(scopes), asked);
      // Somebody else may have renewed it meanwhile.
      const entry = tokens.get(keyOf(scopes));
      if (entry?.token && sent === `Bearer ${entry.token.value}`) tokens.delete(keyOf(scopes));
      return true;
    },
  };
}
