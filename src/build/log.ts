import {
  createWriteStream,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { finished } from 'node:stream/promises';
import { join } from 'node:path';
import { versionInPath } from '../package/name.ts';
import { isToken, ownerLives, ownerToken } from '../package/owner.ts';

/** What a build says, in a file of its own. */
export type Log = {
  /** Where it is once the build has ended. */
  readonly path: string;
  write(chunk: Buffer | string): void;
  /** Closes the log and puts it in its place, where it takes that of the last build of the same version. */
  end(): Promise<void>;
  /** The last lines, at most `count`, without what would confuse a terminal. To be called after `end`. */
  tail(count: number): string[];
};

/** A build that says more than this is not listened to any longer. */
const mostBytes = 256 << 20;

/** Of what is shown: a compiler's command line says little and fills a screen. */
const longestLine = 300;

/** `directory/NAME/VERSION.log`; logs that killed builds have left there are removed. */
export function openLog(directory: string, name: string, version: string): Log {
  const folder = join(directory, name);
  const path = join(folder, `${versionInPath(version)}.log`);
  mkdirSync(folder, { recursive: true });
  removeLeft(folder);
  const temporary = join(folder, `.${ownerToken()}`);
  const stream = createWriteStream(temporary, { flags: 'wx', mode: 0o644 });
  const done = finished(stream);
  done.catch(() => undefined);
  let bytes = 0;
  return {
    path,
    write(chunk) {
      const room = bytes < mostBytes;
      bytes += chunk.length;
      if (!room) return;
      stream.write(bytes < mostBytes ? chunk : '\n(this log is too long, the rest is left out)\n');
    },
    async end() {
      stream.end();
      await done;
      renameSync(temporary, path);
    },
    tail: (count) => lastLines(path, count),
  };
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
