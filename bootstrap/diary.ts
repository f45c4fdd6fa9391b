import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Produced } from '../src/build/produce.ts';

/** What became of one source in one run. Seconds with one decimal; bytes of the trees and of the layers. */
export type DiaryEntry = {
  /** When the run began, in ms since 1970. */
  readonly run: number;
  readonly stage: number;
  readonly name: string;
  readonly how: Produced['how'];
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly bytes: number;
  /** Of the layers with zstd. */
  readonly packed: number;
};

/** How a run ended: what it took in all, and what of it the driver itself took, hashing and layers included. */
export type DiaryEnd = {
  readonly run: number;
  readonly end: 'done' | 'failed';
  readonly seconds: number;
  readonly ownCpuSeconds: number;
  readonly buildCpuSeconds: number;
};

export type Diary = readonly (DiaryEntry | DiaryEnd)[];

export const isEnd = (line: DiaryEntry | DiaryEnd): line is DiaryEnd => 'end' in line;

export function entryOf(
  run: number,
  stage: number,
  name: string,
  seconds: number,
  { how, cpuSeconds, packages }: Produced,
): DiaryEntry {
  return {
    run,
    stage,
    name,
    how,
    seconds: rounded(seconds),
    cpuSeconds: rounded(cpuSeconds),
    bytes: packages.reduce((sum, each) => sum + each.bytes, 0),
    packed: packages.reduce((sum, { record }) => sum + (record.layer?.blobs['zstd-1'].size ?? 0), 0),
  };
}

export const rounded = (seconds: number): number => Math.round(seconds * 10) / 10;

/** One line of JSON more. */
export function write(file: string, line: DiaryEntry | DiaryEnd): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  appendFileSync(file, `${JSON.stringify(line)}\n`);
}

/** All of it; nothing if there is none. A line that a crash cut off is left out. */
export function readDiary(file: string): Diary {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  return text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as DiaryEntry | DiaryEnd];
    } catch {
      return [];
    }
  });
}

/** CPU seconds that this process took, and those of all processes that it has waited for. */
export function cpuSeconds(): { readonly own: number; readonly children: number } {
  const { user, system } = process.cpuUsage();
  const stat = readFileSync('/proc/self/stat', 'latin1');
  // Fields 16 and 17 of proc_pid_stat(5), in ticks of 10 ms; the name in field 2 may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { own: (user + system) / 1e6, children: (Number(fields[13]) + Number(fields[14])) / 100 };
}
