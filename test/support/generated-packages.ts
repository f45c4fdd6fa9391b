/** Packages that are made up: small, of nothing but text, and the same on every machine. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export type Generated = {
  readonly version?: string;
  /** Further lines of its control. */
  readonly fields?: readonly string[];
  /** By path in the tree. What is in `bin` may be executed. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
  /** By path in the tree: targets. */
  readonly links?: Readonly<Record<string, string>>;
};

/** Writes the tree of a package into a directory of packages, in place of the one that is there, and tells where. */
export function writePackage(repository: string, name: string, generated: Generated = {}): string {
  const { version = '1', fields = [], files = {}, links = {} } = generated;
  const tree = join(repository, name, version);
  rmSync(tree, { recursive: true, force: true });
  const control = [`Package: ${name}`, `Version: ${version}`, 'Architecture: all', 'License: MIT', ...fields];
  const all = { control: control.map((line) => `${line}\n`).join(''), ...files };
  for (const [path, content] of Object.entries(all)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true, mode: 0o755 });
    writeFileSync(join(tree, path), content, { mode: path.startsWith('bin/') ? 0o755 : 0o644 });
  }
  for (const [path, target] of Object.entries(links)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true, mode: 0o755 });
    symlinkSync(target, join(tree, path));
  }
  return tree;
}

/** Bytes that no compressor makes smaller, and that are the same for the same seed. */
export function noise(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  for (let at = 0; at < size; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    bytes[at] = state & 0xff;
  }
  return bytes;
}
