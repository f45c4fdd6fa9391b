import { statSync, writeFileSync } from 'node:fs';
import { digestOf, hexOf } from '../../builder/digest.ts';

/** Part of every file's name: another form, another file. */
const format = 1;

/**
 * Where it is kept what a repository held when it was last asked, which is the time of the file; `directory` is a
 * private cache. Apart from what reads it, for tools that only want to know whether that is still the same.
 */
export const statePath = (directory: string, label: string): string =>
  `${directory}/state-${hexOf(digestOf(JSON.stringify([format, label])))}.json`;

export type LastAsked = {
  /** In ms since the epoch. */
  readonly time: number;
  /** Another one when something else is known. */
  readonly identity: string;
};

/** Undefined if nothing is known of the repository. */
export function lastAsked(directory: string, label: string): LastAsked | undefined {
  const stats = statSync(statePath(directory, label), { throwIfNoEntry: false, bigint: true });
  if (!stats) return undefined;
  const { ino, size, birthtimeNs, mtimeMs } = stats;
  return { time: Number(mtimeMs), identity: `${ino} ${size} ${birthtimeNs}` };
}

const triedPath = (directory: string, label: string): string =>
  `${directory}/tried-${hexOf(digestOf(JSON.stringify([format, label])))}`;

/** Remembers that the repository did not answer just now: who asked again at once would wait again. */
export const writeTried = (directory: string, label: string): void =>
  writeFileSync(triedPath(directory, label), '', { mode: 0o600 });

/** Whether it is too early to ask again, be it that the repository has answered or that it has not. */
export function isAskedLately(directory: string, label: string, asked: LastAsked, refresh: number): boolean {
  if (isFresh(asked, refresh)) return true;
  const tried = statSync(triedPath(directory, label), { throwIfNoEntry: false });
  return tried !== undefined && isFresh({ time: tried.mtimeMs }, refresh);
}

/** Whether that is new enough not to ask again; `refresh` in ms. A clock that went back proves nothing. */
const isFresh = ({ time }: Pick<LastAsked, 'time'>, refresh: number): boolean =>
  Date.now() >= time && Date.now() - time < refresh;
