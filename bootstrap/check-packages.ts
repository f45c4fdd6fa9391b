import { closeSync, lstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../builder/fault.ts';
import { formatRelation } from '../src/package/constraint.ts';
import { openRepository } from '../src/package/repository.ts';
import { repositories } from './stages.ts';
import { placeOf, type StepOptions } from './step.ts';

type Found = { readonly name: string; readonly version: string; readonly tree: string };

/** All packages of the last stage. Throws where there is none: nothing holds of what is not there. */
function finalPackages({ root }: StepOptions): {
  repository: ReturnType<typeof openRepository>;
  all: Found[];
} {
  const repository = openRepository(placeOf(root, repositories.stage3));
  const all = repository
    .names()
    .flatMap((name) => repository.versions(name).map((version) => ({ name, version })))
    .map(({ name, version }) => ({ name, version, tree: repository.tree(name, version) }));
  if (all.length === 0) throw new Fault('NOT_FOUND', `${repositories.stage3} is empty`);
  return { repository, all };
}

/** No package of an earlier stage, none that names one, none that a compiler of the machine had a part in. */
export function checkClean(options: StepOptions): string {
  const { repository, all } = finalPackages(options);
  const wrong = all.flatMap(({ name, version }) => {
    const { depends } = repository.candidate(name, version);
    const named = depends.map(formatRelation).filter((text) => text.includes('~~stage'));
    const { origin } = repository.record(name, version);
    return [
      ...(version.includes('~~') ? [`${name} ${version} is of an earlier stage`] : []),
      ...named.map((text) => `${name} ${version} depends on ${text}`),
      ...(origin === undefined ? [] : [`${name} ${version} has the origin ${origin}`]),
    ];
  });
  if (wrong.length > 0) throw new Fault('INTEGRITY', wrong.join('; '));
  return `${all.length} packages, all without ~~stage and without an origin`;
}

/** Nothing that needs an interpreter: every program of ELF is static. */
export function checkStatic(options: StepOptions): string {
  let programs = 0;
  const wrong: string[] = [];
  for (const { tree } of finalPackages(options).all) {
    for (const file of filesIn(tree)) {
      const kind = elfKind(file);
      if (kind === 'interpreted') wrong.push(file);
      if (kind !== undefined) programs += 1;
    }
  }
  if (wrong.length > 0) throw new Fault('INTEGRITY', `not static: ${wrong.join(' ')}`);
  return `${programs} programs, none with an interpreter`;
}

function* filesIn(directory: string): Generator<string> {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    const stats = lstatSync(path);
    if (stats.isDirectory()) yield* filesIn(path);
    else if (stats.isFile()) yield path;
  }
}

/** Of a 64-bit little-endian executable: whether its program headers name an interpreter (PT_INTERP, 3). */
export function elfKind(path: string): 'static' | 'interpreted' | undefined {
  const head = Buffer.alloc(4096);
  const file = openSync(path, 'r');
  try {
    if (readSync(file, head, 0, head.length, 0) < 64) return undefined;
  } finally {
    closeSync(file);
  }
  if (head.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') return undefined;
  const type = head.readUInt16LE(16);
  if (type !== 2 && type !== 3) return undefined;
  const start = Number(head.readBigUInt64LE(32));
  const size = head.readUInt16LE(54);
  const count = head.readUInt16LE(56);
  for (let at = 0; at < count && start + (at + 1) * size <= head.length; at += 1) {
    if (head.readUInt32LE(start + at * size) === 3) return 'interpreted';
  }
  return 'static';
}
