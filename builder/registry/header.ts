/** Headers of distribution-spec that have a grammar of their own. */

/**
 * How many bytes an upload has, out of `Range: 0-LAST` (no unit; some servers write `bytes=`). `0-0` is what
 * servers say of an empty one, so a single byte counts as nothing; undefined if there is nothing usable.
 */
export function parseUploadRange(text: string | undefined): number | undefined {
  const last = /^(?:bytes[= ])?0-(\d{1,15})$/.exec(text?.trim() ?? '')?.[1];
  if (last === undefined) return undefined;
  return Number(last) === 0 ? 0 : Number(last) + 1;
}

/** `bytes FROM-LAST/SIZE`, as 206 answers carry it; `size` is undefined where the server writes `*`. */
export function parseContentRange(
  text: string | undefined,
): { readonly from: number; readonly last: number; readonly size: number | undefined } | undefined {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(text?.trim() ?? '');
  if (!match) return undefined;
  return {
    from: Number(match[1]),
    last: Number(match[2]),
    size: match[3] === '*' ? undefined : Number(match[3]),
  };
}

/** The target of `Link: <…>; rel="next"` (RFC 8288). */
export function parseNextLink(text: string | undefined): string | undefined {
  for (const [, target, parameters = ''] of (text ?? '').slice(0, 16384).matchAll(/<([^<>]*)>([^<]*)/g)) {
    if (/;\s*rel\s*=\s*"?next"?(?=\s*(?:[;,]|$))/i.test(parameters)) return target;
  }
  return undefined;
}

/** A media type without its parameters, in lower case. */
export const bareMediaType = (text: string | undefined): string | undefined =>
  text?.split(';')[0]?.trim().toLowerCase();

export function parseLength(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/**
 * A Location, relative to the address that answered with it. What is in its query stays byte for byte, because
 * servers sign it. Undefined if it is no address.
 */
export function resolveLocation(location: string | undefined, answered: URL): URL | undefined {
  if (location === undefined || location === '') return undefined;
  const url = URL.parse(location, answered.href);
  if (url) url.hash = '';
  return url ?? undefined;
}

/** With one more parameter in its query, the others untouched. */
export const withQuery = (url: URL, name: string, value: string): URL =>
  new URL(
    `${url.href}${url.search === '' ? (url.href.endsWith('?') ? '' : '?') : '&'}${name}=${encodeURIComponent(value)}`,
  );
