import type { IncomingMessage, RequestOptions } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '../../builder/fault.ts';
import { quote } from '../package/name.ts';
import { checkUrl } from './distfile.ts';
import type { Part } from './part.ts';

/** How long to wait and how often to try; all times in milliseconds. */
export type Patience = {
  /** Without a byte from the other side. */
  readonly idle: number;
  /** Attempts in a row that bring nothing new. */
  readonly attempts: number;
  /** Before the second attempt; doubles up to 16 times as much. */
  readonly backoff: number;
};

export const usualPatience: Patience = { idle: 30_000, attempts: 4, backoff: 500 };

const mostRedirects = 8;

/** A server that closes after every few bytes must not keep us for ever. */
const mostAttempts = 64;

/** What another attempt cannot change, such as 404. */
class Refused extends Error {}

/**
 * Brings the rest of a file from an https URL into `part`: asks for a range (RFC 9110, section 14), takes the
 * whole file from a server that knows none, and tries again when the connection breaks. The bytes are
 * taken as they are on the wire, nothing is decompressed. Throws NETWORK, or what the part throws.
 */
export async function download(
  url: string,
  part: Part,
  patience: Patience,
  signal: AbortSignal | undefined,
): Promise<void> {
  let most = part.bytes;
  let barren = 0;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await receive(url, part, patience, signal);
      return;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof Fault) throw error;
      const reason = reasonOf(error);
      barren = part.bytes > most ? 0 : barren + 1;
      most = Math.max(most, part.bytes);
      if (error instanceof Refused || (error as NodeJS.ErrnoException).code === 'ENOTFOUND') {
        throw new Fault('NETWORK', reason, { cause: error });
      }
      if (barren >= patience.attempts || attempt >= mostAttempts) {
        throw new Fault('NETWORK', `${reason} (${attempt} attempts)`, { cause: error });
      }
      await sleep(
        patience.backoff * 2 ** Math.min(Math.max(barren - 1, 0), 4),
        undefined,
        signal ? { signal } : {},
      );
    }
  }
}

async function receive(
  url: string,
  part: Part,
  patience: Patience,
  signal: AbortSignal | undefined,
): Promise<void> {
  const answer = await follow(url, part, patience, signal);
  try {
    const { statusCode = 0 } = answer;
    if (statusCode === 408 || statusCode === 429 || statusCode >= 500) throw new Error(`HTTP ${statusCode}`);
    if (![200, 206, 416].includes(statusCode)) throw new Refused(`HTTP ${statusCode}`);
    const total = totalOf(answer);
    if (total !== undefined && total !== part.size) {
      throw new Fault('INTEGRITY', `has ${total} bytes there, not ${part.size}`);
    }
    if (statusCode === 416) {
      await part.restart();
      throw new Error('the server has no more bytes than are here already');
    }
    if (statusCode === 206 && !startsAt(answer, part.bytes)) {
      await part.restart();
      throw new Error('the server sent another range than asked for');
    }
    // Without ranges the whole file comes again: what is here already is passed over, not thrown away.
    let known = statusCode === 200 ? part.bytes : 0;
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      if (known < chunk.length) await part.write(chunk.subarray(known));
      known = Math.max(0, known - chunk.length);
    }
    if (!answer.complete) throw new Error('the connection broke');
    if (part.bytes < part.size) throw new Error(`ended after ${part.bytes} of ${part.size} bytes`);
  } finally {
    answer.destroy();
  }
}

/** The answer after redirects, each of which must be an address that we would have taken by itself. */
async function follow(
  from: string,
  part: Part,
  patience: Patience,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> {
  let url = checkUrl(from, 'the list of distfiles');
  for (let hop = 0; hop <= mostRedirects; hop += 1) {
    const answer = await request(url, part.bytes, patience, signal);
    const { statusCode = 0, headers } = answer;
    if (![301, 302, 303, 307, 308].includes(statusCode)) return answer;
    answer.destroy();
    const next = headers.location === undefined ? null : URL.parse(headers.location, url.href);
    if (!next) throw new Refused(`HTTP ${statusCode} without a place to go to`);
    try {
      url = checkUrl(next.href, `redirected by ${url.hostname}`);
    } catch (error) {
      throw new Refused(reasonOf(error), { cause: error });
    }
  }
  throw new Refused(`more than ${mostRedirects} redirects`);
}

function request(
  url: URL,
  offset: number,
  patience: Patience,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> {
  // Imported the usual way, node:http costs more time than a whole run that finds every file in its place.
  const { request } = process.getBuiltinModule(url.protocol === 'http:' ? 'node:http' : 'node:https');
  const headers = {
    'User-Agent': 'static-distro',
    Accept: '*/*',
    'Accept-Encoding': 'identity',
    ...(offset > 0 && { Range: `bytes=${offset}-` }),
  };
  const options: RequestOptions = { headers, timeout: patience.idle, ...(signal && { signal }) };
  return new Promise((resolve, reject) => {
    const asked = request(url, options, resolve);
    asked.on('timeout', () => asked.destroy(new Error(`no byte for ${patience.idle / 1000} s`)));
    asked.on('error', reject);
    asked.end();
  });
}

function startsAt({ headers }: IncomingMessage, offset: number): boolean {
  const start = /^bytes (\d+)-/.exec(headers['content-range'] ?? '')?.[1];
  return start !== undefined && Number(start) === offset;
}

/** How long the server says that the whole file is (206 and 416 tell it in Content-Range). */
function totalOf({ statusCode, headers }: IncomingMessage): number | undefined {
  const text =
    statusCode !== 200 ? /\/(\d+)$/.exec(headers['content-range'] ?? '')?.[1] : headers['content-length'];
  return text === undefined ? undefined : Number(text);
}

/** One line that is safe to print: what a server or resolver said is quoted. */
function reasonOf(error: unknown): string {
  if (error instanceof Fault || error instanceof Refused) return error.message;
  if (!(error instanceof Error)) return quote(String(error));
  if (error instanceof AggregateError && error.message === '') return reasonOf(error.errors[0]);
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the host name is not known';
  if (code === 'ECONNREFUSED') return 'nobody answers there';
  if (code === 'ECONNRESET' || error.message === 'aborted') return 'the connection broke';
  return error.message.replaceAll(/[^\x20-\x7e]+/g, ' ');
}
