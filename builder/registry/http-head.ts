import type { IncomingHttpHeaders } from 'node:http';

/** The beginning of an answer (RFC 9112). */
export type Head = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Every WWW-Authenticate and Warning header by itself. */
  readonly challenges: readonly string[];
  readonly warnings: readonly string[];
  /** The connection may be used again, after the body. */
  readonly keepAlive: boolean;
};

/** Servers of big tokens and locations send long headers; in bytes. */
export const longestHead = 65536;

const separator = Buffer.from('\r\n\r\n');

/** Of these the first counts where they come twice; others are lists. */
const single: ReadonlySet<string> = new Set([
  'content-length',
  'content-range',
  'content-type',
  'date',
  'etag',
  'last-modified',
  'location',
  'retry-after',
  'server',
]);

/** What is no answer of HTTP. The code is one of Node's own, which tells that something else is spoken there. */
export const notHttp = (message: string): Error =>
  Object.assign(new Error(`the answer is no HTTP: ${message}`), { code: 'HPE_INVALID_CONSTANT' });

/** Where the body begins; undefined if the head is not whole. Throws if it cannot become one. */
export function endOfHead(bytes: Buffer): number | undefined {
  const start = bytes.subarray(0, 5).toString('latin1');
  if (!'HTTP/'.startsWith(start)) throw notHttp('it begins with something else');
  const end = bytes.indexOf(separator);
  if (end < 0 ? bytes.length > longestHead : end > longestHead) throw notHttp('its head has no end');
  return end < 0 ? undefined : end + separator.length;
}

/** `text` is the head with its last line's end. Throws for what is none. */
export function parseHead(text: string): Head {
  const [first = '', ...lines] = text.slice(0, -4).split('\r\n');
  const [, minor, status] = /^HTTP\/1\.([01]) (\d{3})(?: |$)/.exec(first) ?? [];
  if (status === undefined) throw notHttp('its first line is none');
  const headers: IncomingHttpHeaders = {};
  const challenges: string[] = [];
  const warnings: string[] = [];
  for (const line of lines) {
    const [, said = '', value = ''] =
      /^([!#$%&'*+.^_`|~\w-]+):[\t ]*([\t\x20-\x7e\x80-\xff]*)$/.exec(line) ?? [];
    if (said === '') throw notHttp('a line of its head is none');
    const name = said.toLowerCase();
    const text = value.trimEnd();
    const before = headers[name];
    if (name === 'www-authenticate') challenges.push(text);
    if (name === 'warning') warnings.push(text);
    if (name === 'set-cookie') continue;
    if (before === undefined) headers[name] = text;
    else if (!single.has(name)) headers[name] = `${String(before)}, ${text}`;
    else if (name === 'content-length' && before !== text) throw notHttp('it has two lengths');
  }
  const wanted = (headers.connection ?? '').toLowerCase();
  const keepAlive = minor === '1' ? !/\bclose\b/.test(wanted) : /\bkeep-alive\b/.test(wanted);
  return { status: Number(status), headers, challenges, warnings, keepAlive };
}
