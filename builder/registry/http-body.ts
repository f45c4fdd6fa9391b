import type { Head } from './http-head.ts';
import { notHttp } from './http-head.ts';

/** How the body of an answer is told from what follows it (RFC 9112, section 6). */
export type Framing = {
  /** Gives the parts of the body in `bytes`, and tells how many bytes belonged to it. */
  take(bytes: Buffer, give: (part: Buffer) => void): number;
  /** Nothing of it is to come. */
  readonly over: boolean;
  /** Bytes that are still to come at least. */
  readonly left: number;
  /** The end of the connection is the end of the body too. */
  readonly untilClose: boolean;
};

const longestLine = 4096;

/** Throws for lengths that are none, or two of them. */
export function framingOf(method: string, { status, headers }: Head): Framing {
  if (method === 'HEAD' || status === 204 || status === 304) return counted(0);
  const encoding = headers['transfer-encoding'];
  const length = headers['content-length'];
  if (encoding !== undefined) {
    if (length !== undefined || encoding.toLowerCase() !== 'chunked') throw notHttp('its length is unclear');
    return chunked();
  }
  if (length === undefined) return { take: all, over: false, left: 0, untilClose: true };
  if (!/^\d{1,15}$/.test(length)) throw notHttp('its length is no number');
  return counted(Number(length));
}

function all(bytes: Buffer, give: (part: Buffer) => void): number {
  give(bytes);
  return bytes.length;
}

function counted(length: number): Framing {
  let left = length;
  return {
    take(bytes, give) {
      const part = bytes.subarray(0, left);
      left -= part.length;
      if (part.length > 0) give(part);
      return part.length;
    },
    get over() {
      return left === 0;
    },
    get left() {
      return left;
    },
    untilClose: false,
  };
}

/** RFC 9112, section 7.1; extensions and trailers are passed over. */
function chunked(): Framing {
  let state: 'size' | 'data' | 'end of data' | 'trailer' | 'over' = 'size';
  let left = 0;
  let line = '';

  /** The line without its end, once that has come. */
  const readLine = (bytes: Buffer, at: number): readonly [next: number, line: string | undefined] => {
    const end = bytes.indexOf(10, at);
    const next = end < 0 ? bytes.length : end + 1;
    line += bytes.toString('latin1', at, next);
    if (line.length > longestLine) throw notHttp('a line in its body has no end');
    if (end < 0) return [next, undefined];
    const found = line;
    line = '';
    if (!found.endsWith('\r\n')) throw notHttp('a line in its body does not end as it should');
    return [next, found.slice(0, -2)];
  };

  return {
    take(bytes, give) {
      let at = 0;
      while (at < bytes.length && state !== 'over') {
        if (state === 'data') {
          const part = bytes.subarray(at, at + left);
          give(part);
          at += part.length;
          left -= part.length;
          if (left === 0) state = 'end of data';
          continue;
        }
        const [next, found] = readLine(bytes, at);
        at = next;
        if (found === undefined) break;
        if (state === 'size') {
          const size = /^([0-9a-fA-F]{1,12})[\t ]*(?:;.*)?$/.exec(found)?.[1];
          if (size === undefined) throw notHttp('a size in its body is no number');
          left = Number.parseInt(size, 16);
          state = left === 0 ? 'trailer' : 'data';
        } else if (state === 'end of data') {
          if (found !== '') throw notHttp('a part of its body is longer than it should be');
          state = 'size';
        } else if (found === '') state = 'over';
      }
      return at;
    },
    get over() {
      return state === 'over';
    },
    get left() {
      return left;
    },
    untilClose: false,
  };
}
