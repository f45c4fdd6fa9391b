import { createHash } from 'node:crypto';
import { build, type BuildOptions, type Plugin } from 'esbuild';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { basename, dirname, join } from 'node:path';
import { compiled } from './compiled.ts';

/**
 * Makes dist/: one bundle with split chunks, so that a tool loads its own code and nothing else, which halves
 * the start-up. Chunks are named by their content and the entry is renamed into place last, so a tool that
 * runs meanwhile finds either the old files or the new ones.
 *
 * The tools that scripts call again and again also come as one file each, in the older module format: Node loads
 * that without its module loader's bookkeeping for each chunk, and without making every export of `node:fs`,
 * which together cost a quarter of a start (13 of 49 ms, measured), and compiled (compiled.ts). Libraries that few
 * calls need are apart from these: parsing half a megabyte costs 5 ms.
 */
const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const apart = ['ajv', 'tar-stream', 'yaml'];
const quick = ['pkgcontrol', 'pkgimage', 'pkgsolve', 'pkgvercmp', 'withenv', 'withpkgs'];

const common = {
  absWorkingDir: root,
  bundle: true,
  write: false,
  platform: 'node',
  target: 'node24',
  legalComments: 'linked',
  logLevel: 'warning',
} as const satisfies BuildOptions;

const split = await build({
  ...common,
  entryPoints: { main: 'src/cli/main.ts' },
  outdir: 'dist',
  splitting: true,
  format: 'esm',
  chunkNames: 'chunk/[name]-[hash]',
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
});

const versionOf = (library: string): string =>
  (
    JSON.parse(readFileSync(join(root, 'node_modules', library, 'package.json'), 'utf8')) as {
      version: string;
    }
  ).version;

const fileOf = (library: string): string => `chunk/${library}-${versionOf(library)}.cjs`;

const libraries = await Promise.all(
  apart.map((library) =>
    build({
      ...common,
      stdin: { contents: `module.exports = require('${library}');`, resolveDir: root, loader: 'js' },
      outfile: `dist/${fileOf(library)}`,
      format: 'cjs',
    }),
  ),
);

/**
 * What knows registries, which most calls do not need: bundles by themselves, with copies of what they share.
 * The modules are imported under these names, from these directories.
 */
const apartModules = [
  { module: './remote.ts', directory: 'src/cli' },
  { module: './registries.ts', directory: 'src/cli/image' },
];

const modules = await Promise.all(
  apartModules.map(async ({ module, directory }) => {
    const name = basename(module, '.ts');
    const { outputFiles } = await build({
      ...common,
      entryPoints: [join(directory, module)],
      outfile: `dist/chunk/${name}.cjs`,
      format: 'cjs',
    });
    const hash = createHash('sha256')
      .update(outputFiles[0]?.contents ?? '')
      .digest('hex');
    const file = `chunk/${name}-${hash.slice(0, 8)}.cjs`;
    for (const each of outputFiles) each.path = join(dist, file);
    return { module, directory: join(root, directory), file, outputFiles };
  }),
);

const setApart: Plugin = {
  name: 'libraries apart',
  setup({ onResolve }) {
    const filter = new RegExp(`^(${apart.join('|')})$`);
    onResolve({ filter }, ({ path }) => ({ path: `./${fileOf(path)}`, external: true }));
    onResolve({ filter: /^\.\/\w+\.ts$/, namespace: 'file' }, ({ path, resolveDir, kind }) => {
      const found = modules.find(({ module, directory }) => module === path && directory === resolveDir);
      return found && kind === 'dynamic-import' ? { path: `./${found.file}`, external: true } : null;
    });
  },
};

const whole = await Promise.all(
  quick.map((tool) =>
    build({
      ...common,
      stdin: {
        contents: `import { start } from './start.ts'; import * as tool from './${tool}.ts'; void start(() => tool);`,
        resolveDir: join(root, 'src/cli'),
        sourcefile: `${tool}-start.ts`,
        loader: 'ts',
      },
      outfile: `dist/${tool}.cjs`,
      format: 'cjs',
      // By `require`: a script that V8 made something of before has no loader of modules (compiled.ts).
      supported: { 'dynamic-import': false },
      plugins: [setApart],
    }),
  ),
);

const programs = whole.flatMap(({ outputFiles }) =>
  outputFiles.flatMap((file) => (file.path.endsWith('.cjs') ? compiled(file) : [file])),
);
const outputFiles = [
  ...[split, ...libraries, ...modules].flatMap((result) => result.outputFiles),
  ...programs,
];
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
// A file of a tool that is none of the quick ones any more would be taken before the bundle.
for (const path of [
  ...readdirSync(dist),
  ...readdirSync(join(dist, 'chunk')).map((name) => `chunk/${name}`),
]) {
  if (/\.(c?js|cache)$/.test(path) && !fresh.has(basename(path))) rmSync(join(dist, path));
}
