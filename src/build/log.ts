import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { asFault } from '../../builder/fault.ts';
import { quote, versionInPath } from '../package/name.ts';
import { isToken, ownerLives, ownerToken } from '../package/owner.ts';

/** What a build says, in a file of its own. */
export type Log = {
  /** Where it is once the build has ended. */
  readonly path: string;
  write(chunk: Buffer | string): void;
  /** A line of ours, not at the end of one of the build's. */
  note(text: string): void;
  /** Whether the build has said more than is kept. */
  readonly full: boolean;
  /** Closes the log and puts it in its place, once, where it takes that of the last build of the same version. */
  end(): void;
  /** The last lines, at most `count`, without what would confuse a terminal. */
  tail(count: number): string[];
};

/** No build says more that anybody reads, in bytes. */
export const mostBytes = 256 << 20;

/** Of what is shown: a compiler's command line says little and fills a screen. */
const longestLine = 300;

/**
 * `directory/NAME/VERSION.log`; logs that killed builds have left there are removed. A disk that is full makes the
 * log end early and nothing else: what fills it is told by the build. Throws IO where there can be no log at all.
 */
export function openLog(directory: string, name: string, version: string, kind = ''): Log {
  const folder = join(directory, name);
  const path = join(folder, `${versionInPath(version)}${kind}.log`);
  const temporary = join(folder, `.${ownerToken()}`);
  const file = open(folder, temporary);
  let bytes = 0;
  let whole = true;
  let closed = false;
  let inLine = false;
  const put = (chunk: Buffer | string): void => {
    if (!whole) return;
    try {
      for (let rest = Buffer.from(chunk); rest.length > 0;) rest = rest.subarray(writeSync(file, rest));
    } catch {
      whole = false;
    }
  };
  return {
    path,
    write(chunk) {
      if (bytes >= mostBytes || chunk.length === 0) return;
      bytes += chunk.length;
      inLine = bytes < mostBytes && !endsLine(chunk);
      put(bytes < mostBytes ? chunk : '\n(this log is too long, the rest is left out)\n');
    },
    note: (text) => put(`${inLine ? '\n' : ''}== ${text}\n`),
    get full() {
      return bytes >= mostBytes;
    },
    end() {
      if (closed) return;
      closed = true;
      closeSync(file);
      renameSync(temporary, path);
    },
    tail: (count) => lastLines(closed ? path : temporary, count),
  };
}

const endsLine = (chunk: Buffer | string): boolean =>
  (typeof chunk === 'string' ? chunk.charCodeAt(chunk.length - 1) : chunk.at(-1)) === 10;

function open(folder: string, temporary: string): number {
  try {
    mkdirSync(folder, { recursive: true });
    removeLeft(folder);
    return openSync(temporary, 'wx', 0o644);
  } catch (error) {
    throw asFault(error, `cannot write a log in ${quote(folder)}`);
  }
}

function removeLeft(folder: string): void {
  for (const name of readdirSync(folder)) {
    const token = name.slice(1);
    if (!name.startsWith('.') || !isToken(token)) continue;
    const path = join(folder, name);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats && !ownerLives(token, stats.mtimeMs)) rmSync(path, { force: true });
  }
}

/** What a build says, without what could move a terminal's cursor, colour it, or turn the text around. */
export const plainText = (text: string): string =>
  text
    .replaceAll(/\p{Cc}\[[0-9;?]*[ -/]*[@-~]/gu, '')
    .replaceAll(/[[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]--[\n\t]]/gv, '');

function lastLines(path: string, count: number): string[] {
  const text = readFileSync(path)
    .subarray(-64 * 1024)
    .toString();
  const lines = plainText(text).trimEnd().split('\n').slice(-count);
  return lines.map((line) => (line.length > longestLine ? `${line.slice(0, longestLine)} …` : line));
}
