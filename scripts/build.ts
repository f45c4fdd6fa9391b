import { build } from 'esbuild';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { basename, dirname, join } from 'node:path';

/**
 * Makes dist/: one bundle with split chunks, so that a tool loads its own code and nothing else, which halves
 * the start-up. Chunks are named by their content and the entry is renamed into place last, so a tool that
 * runs meanwhile finds either the old files or the new ones.
 */
const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: { main: 'src/cli/main.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  write: false,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  chunkNames: 'chunk/[name]-[hash]',
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  legalComments: 'linked',
  logLevel: 'warning',
});

const isEntry = (path: string) => dirname(path) === dist;
for (const { path, contents } of outputFiles.toSorted(
  (a, b) => Number(isEntry(a.path)) - Number(isEntry(b.path)),
)) {
  if (!isEntry(path) && existsSync(path)) continue;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.${process.pid}`, contents);
  renameSync(`${path}.${process.pid}`, path);
}
const fresh = new Set(outputFiles.map(({ path }) => basename(path)));
for (const name of readdirSync(join(dist, 'chunk'))) if (!fresh.has(name)) rmSync(join(dist, 'chunk', name));
