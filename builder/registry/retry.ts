/** When a request is made again, as data. Times in milliseconds. */
export type RetryPolicy = {
  /** Tries in all. */
  readonly attempts: number;
  /** Of these, how many may end in silence: each has taken all our patience. */
  readonly silences: number;
  /** The n-th wait is a random time up to `base` * 2^n, but not above `longest`. */
  readonly base: number;
  readonly longest: number;
  /** A server that asks for more patience than this is told of instead. */
  readonly patience: number;
  /** 501 and 505 are not here: asking again would not help. 499 and 522 come from proxies. */
  readonly statuses: readonly number[];
  /** Codes of distribution-spec, "Error Codes", which are worth another try whatever the status is. */
  readonly codes: readonly string[];
};

export const defaultPolicy: RetryPolicy = {
  attempts: 6,
  silences: 2,
  base: 1000,
  longest: 30_000,
  patience: 120_000,
  statuses: [408, 429, 499, 500, 502, 503, 504, 522],
  codes: ['TOOMANYREQUESTS', 'UNAVAILABLE'],
};

/** Full jitter: clients that failed together do not come back together. `random` is in [0, 1). */
export const backOff = (policy: RetryPolicy, failures: number, random: number): number =>
  Math.round(random * Math.min(policy.longest, policy.base * 2 ** failures));

/**
 * How long the server asks to wait, in milliseconds, by Retry-After (seconds or a date; RFC 9110, section
 * 10.2.3) or X-Retry-After (Unix time); undefined if it does not say so in a way that can be understood.
 */
export function retryAfter(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  now: number,
): number | undefined {
  const said = headers['retry-after'];
  if (typeof said === 'string') {
    if (/^\d{1,9}$/.test(said.trim())) return Number(said) * 1000;
    const date = Date.parse(said);
    if (!Number.isNaN(date)) return Math.max(0, date - now);
  }
  const unix = headers['x-retry-after'];
  if (typeof unix === 'string' && /^\d{1,12}$/.test(unix)) return Math.max(0, Number(unix) * 1000 - now);
  return undefined;
}
