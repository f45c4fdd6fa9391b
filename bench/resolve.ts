/**
 * What it costs to choose ten packages of a big repository: a generated one, by default of 60,000 names, with
 * dependencies, alternatives and stand-ins. Prints medians of fresh processes: the parts of ours from the
 * opening of the repository to the records of what was chosen, and pkgsolve as a whole beside a tool that does
 * next to nothing.
 *
 * usage: node bench/resolve.ts [NAMES]
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = new URL('..', import.meta.url).pathname.replace(/\/$/, '');
const names = Number(process.argv[2] ?? 60_000);
const runs = 15;
const work = mkdtempSync(join(tmpdir(), 'bench-resolve-'));
const repository = join(work, 'packages');
const words = Array.from({ length: 10 }, (_, at) => `p${Math.floor((names * (at + 1)) / 11)}`);

/** The same numbers every time. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7f_ff_ff_ff;
    return state / 0x80_00_00_00;
  };
}

/** Packages depend on older ones, as in a distribution: on a few that many use, and on few others. */
function generate(): void {
  const next = random(7);
  const below = (limit: number) => Math.floor(limit * next() ** 4);
  for (let at = 0; at < names; at += 1) {
    const needs = new Set<string>();
    for (let count = at === 0 ? 0 : Math.floor(next() * 5); count > 0; count -= 1) {
      const one = `p${below(at)}`;
      needs.add(next() < 0.1 ? `${one} | p${below(at)}` : next() < 0.3 ? `${one} >= 1` : one);
    }
    const provides = next() < 0.3 ? `Provides: v${below(1000)}\n` : '';
    for (let version = 1; version < 2 + next(); version += 1) {
      const tree = join(repository, `p${at}/${version}.0-1`);
      mkdirSync(join(tree, 'bin'), { recursive: true });
      const depends =
        needs.size > 0 ? `Depends-Run:\n${[...needs].map((each) => `  ${each}\n`).join('')}` : '';
      const fields = `Package: p${at}\nVersion: ${version}.0-1\nDescription: package ${at}\n${depends}${provides}`;
      writeFileSync(join(tree, 'control'), fields);
      writeFileSync(join(tree, `bin/p${at}`), '');
    }
  }
}

const once = `
const start = performance.now();
const { openRepository } = await import(${JSON.stringify(join(root, 'src/package/repository.ts'))});
const { choose } = await import(${JSON.stringify(join(root, 'src/solve/choose.ts'))});
const { parseRequest } = await import(${JSON.stringify(join(root, 'src/package/relation.ts'))});
const loaded = performance.now();
const opened = openRepository(${JSON.stringify(repository)});
opened.indexed();
const open = performance.now();
const { length } = choose([opened], ${JSON.stringify(words)}.map((word) => parseRequest(word)));
const chosen = performance.now();
console.log(JSON.stringify([open - loaded, chosen - open, length]));
`;

function measure(program: string, args: readonly string[]): { milliseconds: number; stdout: string } {
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', cwd: root });
  if (status !== 0) throw new Error(stderr);
  return { milliseconds: performance.now() - start, stdout };
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
const many = <T>(fn: () => T): T[] => Array.from({ length: runs }, fn);
const show = (what: string, milliseconds: number) =>
  console.log(`${milliseconds.toFixed(1).padStart(8)} ms  ${what}`);

try {
  generate();
  const solve = ['-d', repository, ...words];
  show('pkgsolve, the first time: makes the index', measure(join(root, 'bin/pkgsolve'), solve).milliseconds);
  const parts = many(
    () => JSON.parse(measure(process.execPath, ['--input-type=module', '-e', once]).stdout) as number[],
  );
  const part = (at: number) => median(parts.map((values) => values[at] ?? 0));
  console.log(
    `${names} names; ${words.length} asked for, ${part(2)} chosen; medians of ${runs} fresh processes`,
  );
  show('open the repository and its index', part(0));
  show('solve, and read the records', part(1));
  show('pkgsolve as a whole', median(many(() => measure(join(root, 'bin/pkgsolve'), solve).milliseconds)));
  const nothing = () => measure(join(root, 'bin/pkgvercmp'), ['1', '2']).milliseconds;
  show('pkgvercmp as a whole, to compare with', median(many(nothing)));
} finally {
  rmSync(work, { recursive: true, force: true });
}
