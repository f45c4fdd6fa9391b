import { Buffer } from 'node:buffer';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { getSystemErrorMessage } from 'node:util';
import { Fault } from '../../builder/fault.ts';
import { showPath } from '../../builder/tar/path.ts';
import { quote } from '../package/name.ts';

/** What is in a tree, by paths relative to it, in the order in which it was read: by the names' bytes, depth first. */
export type TreeEntry =
  | { readonly kind: 'directory'; readonly path: Buffer }
  | {
      readonly kind: 'file';
      readonly path: Buffer;
      /** All twelve bits, as the build left them. */
      readonly mode: number;
      readonly size: number;
      /** SHA-256 of its bytes, 64 hex digits. */
      readonly digest: string;
    }
  | { readonly kind: 'hardlink'; readonly path: Buffer; readonly first: Buffer }
  | { readonly kind: 'symlink'; readonly path: Buffer; readonly target: Buffer }
  /** Not copied. */
  | { readonly kind: 'special'; readonly path: Buffer; readonly type: string };

/**
 * What was seen in a file: that it is a program or a shared library, which interpreter or library (the first) that
 * needs, or a path below the directory that was looked for.
 */
export type Trait = {
  readonly path: Buffer;
  readonly kind: 'program' | 'interpreter' | 'needed' | 'build-path';
  readonly text: string;
};

export type ReadTree = { readonly entries: readonly TreeEntry[]; readonly traits: readonly Trait[] };

export type Collection = {
  /** The names in each directory that was asked for and is there. */
  readonly names: ReadonlyMap<string, readonly Buffer[]>;
  /** Trees by their paths in the output; what is no directory there is missing. */
  readonly trees: ReadonlyMap<string, ReadTree>;
  /** False: the output itself is no directory. */
  readonly there: boolean;
};

export type CollectionRequest = {
  /** `native/collect`. */
  readonly program: string;
  /** The directory in which `output` is a name, or `.`. */
  readonly directory: string;
  readonly output: string;
  /** Directories of the output whose names are wanted. */
  readonly names?: readonly string[];
  /** Paths in the output, and the new directory that each is copied to; without one it is only read. */
  readonly trees: readonly { readonly path: string; readonly copy?: string }[];
  readonly limits?: { readonly entries: number; readonly depth: number; readonly bytes: number };
  /** A directory, paths below which are a trait. */
  readonly lookFor?: string;
  /** Of everything in the copies, in seconds. */
  readonly time?: number;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Reads directories that somebody hostile has left, once, and copies them: by a program that stays beneath one
 * directory and follows nothing, as Node has no openat2. Throws BUILD, naming the path, where they exceed the
 * limits; NOT_FOUND without the program; IO; the signal's reason.
 */
export async function readOutput(request: CollectionRequest): Promise<Collection> {
  const { program, directory, output, names = [], trees, limits, signal } = request;
  signal?.throwIfAborted();
  const args = [
    ...names.flatMap((name) => ['--names', name]),
    ...(limits ? Object.entries(limits).flatMap(([name, most]) => [`--${name}`, String(most)]) : []),
    ...(request.lookFor === undefined ? [] : ['--look-for', request.lookFor]),
    ...(request.time === undefined ? [] : ['--time', String(request.time)]),
    directory,
    output,
    ...trees.flatMap(({ path, copy }) => [path, copy ?? '-']),
  ];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: {}, detached: true });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.resume();
  const stop = (): void => void child.kill('SIGKILL');
  signal?.addEventListener('abort', stop);
  try {
    await once(child, 'close');
  } catch (cause) {
    throw new Fault('NOT_FOUND', `the reader of build outputs is missing: ${program}`, {
      hint: 'it is compiled by npm start, or in a checkout by: make -C native',
      cause,
    });
  } finally {
    signal?.removeEventListener('abort', stop);
  }
  signal?.throwIfAborted();
  const [first] = trees;
  const to = first?.copy === undefined ? undefined : dirname(first.copy);
  return parseCollection(Buffer.concat(chunks), limits, to);
}

/** How many fields follow each kind of record. */
const fieldsOf: Readonly<Record<string, number>> = {
  names: 2,
  missing: 1,
  tree: 1,
  directory: 1,
  file: 4,
  hardlink: 2,
  symlink: 2,
  special: 2,
  trait: 3,
  end: 0,
  limit: 2,
  error: 3,
};

function parseCollection(
  bytes: Buffer,
  limits: CollectionRequest['limits'],
  to: string | undefined,
): Collection {
  const names = new Map<string, Buffer[]>();
  const trees = new Map<string, ReadTree>();
  let there = true;
  let tree = { entries: [] as TreeEntry[], traits: [] as Trait[] };
  let at = 0;
  const next = (): Buffer => {
    const end = bytes.indexOf(0, at);
    if (end < 0) throw unfinished();
    const field = bytes.subarray(at, end);
    at = end + 1;
    return field;
  };
  for (;;) {
    const kind = next().toString();
    const fields = Array.from({ length: fieldsOf[kind] ?? 0 }, next);
    const [path = Buffer.of(), second = Buffer.of(), third = Buffer.of(), fourth = Buffer.of()] = fields;
    if (kind === 'end') return { names, trees, there };
    else if (kind === 'limit') throw beyond(path.toString(), second, limits);
    else if (kind === 'error') throw failure(path.toString(), second, Number(third.toString()), to);
    else if (kind === 'names') {
      const key = path.toString();
      const found = names.get(key);
      if (found) found.push(second);
      else names.set(key, [second]);
    } else if (kind === 'missing') there &&= path.length > 0;
    else if (kind === 'tree') trees.set(path.toString(), (tree = { entries: [], traits: [] }));
    else if (kind === 'directory') tree.entries.push({ kind, path });
    else if (kind === 'file') {
      const [mode, size] = [Number.parseInt(second.toString(), 8), Number(third.toString())];
      tree.entries.push({ kind, path, mode, size, digest: fourth.toString() });
    } else if (kind === 'hardlink') tree.entries.push({ kind, path, first: second });
    else if (kind === 'symlink') tree.entries.push({ kind, path, target: second });
    else if (kind === 'special') tree.entries.push({ kind, path, type: second.toString() });
    else if (kind === 'trait')
      tree.traits.push({ path, kind: second.toString() as Trait['kind'], text: third.toString() });
    else throw unfinished();
  }
}

const unfinished = (): Fault =>
  new Fault('IO', 'reading what was built ended in the middle', {
    hint: 'something killed the program that reads it, perhaps for lack of memory; try again',
  });

function beyond(limit: string, path: Buffer, limits: CollectionRequest['limits']): Fault {
  const most = limits ?? { entries: 0, depth: 0, bytes: 0 };
  const why: Readonly<Record<string, string>> = {
    entries: `is one of more than ${most.entries} names`,
    depth: `is more than ${most.depth} directories deep`,
    bytes: `makes more than ${most.bytes / 2 ** 30} GiB in all`,
  };
  return new Fault('BUILD', `${showPath(path)} ${why[limit]}`, {
    hint: 'no package is so large: look at what build.sh installs',
  });
}

function failure(doing: string, path: Buffer, errno: number, to: string | undefined): Fault {
  const full = errno === constants.errno.ENOSPC || errno === constants.errno.EDQUOT;
  const hint = `make room on the disk with ${quote(to ?? '')}, and try again`;
  return new Fault(
    'IO',
    `${doing} ${showPath(path)}: ${getSystemErrorMessage(-errno)}`,
    full && to !== undefined ? { hint } : {},
  );
}
