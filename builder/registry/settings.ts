import type { RetryPolicy } from './retry.ts';
import type { Credential } from './credential.ts';
import type { PaceOptions } from './pace.ts';
import type { Patience } from './request.ts';

/**
 * What happens between a registry and us. Nothing in it is secret. An event has its host, which no text in it repeats.
 */
export type RegistryEvent =
  | {
      readonly type: 'answer';
      readonly method: string;
      readonly url: string;
      readonly status: number;
      readonly milliseconds: number;
    }
  /** The request will be made again after so many milliseconds. */
  | { readonly type: 'wait'; readonly host: string; readonly milliseconds: number; readonly reason: string }
  /** A question has not been answered for so many milliseconds, and we wait on. */
  | { readonly type: 'silence'; readonly host: string; readonly milliseconds: number }
  /** What the user should see, each text once: warnings of the registry, and our own. */
  | { readonly type: 'warning'; readonly host: string; readonly text: string }
  /** What is left of a limit, in the registry's own words. */
  | { readonly type: 'limit'; readonly host: string; readonly text: string };

/** Everything that a registry's client takes from its surroundings; it reads none of it by itself. */
export type RegistrySettings = {
  /** Names the proxies, and where credentials and certificates are. */
  readonly environment: NodeJS.ProcessEnv;
  /** Plain http, or a certificate that nobody vouches for, will do. This machine needs no permission. */
  readonly insecure?: boolean;
  /** Instead of looking into the files of docker and podman. */
  readonly credential?: (host: string, name: string | undefined) => Promise<Credential | undefined>;
  /** The one file to look into for credentials. */
  readonly authFile?: string;
  /** Instead of the directories of podman and docker; see `readTrust`. */
  readonly certificates?: readonly string[];
  /** A private directory for uploads that a later process may go on with; without it none does. */
  readonly sessions?: string;
  /** Most bytes in one request, if a proxy limits them. */
  readonly chunk?: number;
  readonly userAgent?: string;
  readonly patience?: Partial<Patience>;
  readonly retry?: Partial<RetryPolicy>;
  readonly pace?: Partial<PaceOptions>;
  readonly report?: (event: RegistryEvent) => void;
};
