import { quote } from '../json.ts';

/** An address that is safe to show: presigned queries and users in it are secrets. */
export function redactUrl(url: URL): string {
  const query = url.search === '' ? '' : '?…';
  return `${url.origin}${url.pathname}${query}`;
}

/** At most this many characters of what a server says are shown. */
const longestWord = 200;

/**
 * What a server said, on one line and safe to print. Whatever looks like a credential, a token or a signed
 * query is taken out, because servers like to repeat what they were sent.
 */
export function redactText(text: string): string {
  const clean = text
    .replaceAll(/\b(basic|bearer)\s+[A-Za-z0-9._~+/=-]{8,}/gi, '$1 …')
    .replaceAll(/\beyJ[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*/g, '…')
    .replaceAll(/(https?:\/\/)[^\s/@"']*@/gi, '$1')
    .replaceAll(/(https?:\/\/[^\s?"']*)\?[^\s"']*/gi, '$1?…')
    // A query without its address is as secret.
    .replaceAll(/\?[^\s"'=]+=[^\s"']*/g, '?…')
    .replaceAll(
      /((?:signature|token|password|secret|credential|authorization|_state)["']?\s*[=:]\s*["']?)[^\s"'&,;]+/gi,
      '$1…',
    );
  const short = clean.length > longestWord ? `${clean.slice(0, longestWord - 1)}…` : clean;
  return quote(short).slice(1, -1).replaceAll('\\"', '"');
}
