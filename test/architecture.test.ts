import test from 'ava';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dirname, join, relative } from 'node:path';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Every later line may import from earlier ones and from itself; see docs/architecture.md. */
const order: readonly (readonly string[])[] = [
  [
    'builder/fault',
    'builder/advice',
    'builder/digest',
    'builder/json',
    'builder/descriptor',
    'builder/manifest',
    'builder/reference',
    'builder/lock',
    'builder/garbage',
    'builder/block',
    'builder/regular-file',
  ],
  ['builder/tar'],
  ['builder/store'],
  ['builder/image'],
  ['builder/registry'],
  ['builder/attest'],
  ['builder/index'],
  ['src/package'],
  ['src/solve'],
  ['src/source'],
  ['src/run'],
  ['src/layer'],
  ['src/build'],
  ['src/image'],
  ['src/remote'],
  ['src/cli'],
];

type Source = { readonly path: string; readonly text: string; readonly imports: readonly string[] };

function sources(directory: string): Source[] {
  return readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => {
      const path = join(directory, name);
      const text = readFileSync(join(root, path), 'utf8');
      const imports = [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)].map(([, to = '']) =>
        to.startsWith('.') ? relative(root, join(root, dirname(path), to)) : to,
      );
      return { path, text, imports };
    });
}

/** The position of a file in the order, by the longest part of its path that is listed. */
function rank(path: string): number {
  const found = order.findIndex((line) =>
    line.some((part) => path === `${part}.ts` || path.startsWith(`${part}/`)),
  );
  return found;
}

const all = [...sources('builder'), ...sources('src')];

test('every source file has a place in the order of imports', (t) => {
  t.true(all.length > 20);
  t.deepEqual(
    all.map(({ path }) => path).filter((path) => rank(path) < 0),
    [],
  );
});

test('imports go one way, and builder never imports the distribution', (t) => {
  const wrong = all.flatMap(({ path, imports }) =>
    imports
      .filter((to) => to.startsWith('src/') || to.startsWith('builder/'))
      .filter((to) => rank(to) > rank(path))
      .map((to) => `${path} imports ${to}`),
  );
  t.deepEqual(wrong, []);
});

test('a wrong arrow would be seen', (t) => {
  t.true(rank('src/package/version.ts') > rank('builder/store/store.ts'));
  t.true(rank('src/cli/main.ts') > rank('src/package/version.ts'));
});

test('only the command line reads argv, the environment, or prints', (t) => {
  const touching = all
    .filter(({ path }) => !path.startsWith('src/cli/'))
    .map(({ path, text }) => ({ path, text: text.replaceAll(/\/\*.*?\*\//gs, '') }))
    .filter(({ text }) => /\bprocess\.(argv|env|stdout|stderr|exit\b|exitCode)|\bconsole\./.test(text));
  t.deepEqual(
    touching.map(({ path }) => path),
    [],
  );
});

test('builder names no tool, option or variable of the command line to its users', (t) => {
  const naming = all
    .filter(({ path }) => path.startsWith('builder/'))
    .map(({ path, text }) => ({ path, text: text.replaceAll(/\/\*.*?\*\//gs, '') }))
    .filter(({ text }) =>
      /\bpkg(image|repo|build|solve)\b|STATIC_DISTRO_|\bhint\b[^\n]* --?[a-z]/.test(text),
    );
  t.deepEqual(
    naming.map(({ path }) => path),
    [],
  );
});

test('nothing but the tar reader decompresses, and nothing in Node compresses', (t) => {
  const compressors =
    /\b(create(Gzip|Deflate|DeflateRaw|ZstdCompress|BrotliCompress)|(gzip|deflate|deflateRaw|zstdCompress)(Sync)?)\(/;
  t.deepEqual(
    all.filter(({ text }) => compressors.test(text)).map(({ path }) => path),
    [],
  );
});

test('no file of the product is above 300 lines', (t) => {
  const c = readdirSync(join(root, 'native'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.[ch]$/.test(name) && !name.startsWith('build'))
    .map((name) => ({ path: join('native', name), text: readFileSync(join(root, 'native', name), 'utf8') }));
  const long = [...all, ...c].filter(({ text }) => text.split('\n').length > 301);
  t.deepEqual(
    long.map(({ path }) => path),
    [],
  );
});

test('tests are in at most 40 files, each a whole subject', (t) => {
  const names = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' });
  t.true(names.filter((name) => name.endsWith('.test.ts')).length <= 40);
});

test('the common path loads no heavy module', (t) => {
  const heavy = all.filter(({ text }) => /^import (?!type )(?:[^;]* from )?'node:https?'/m.test(text));
  t.deepEqual(
    heavy.map(({ path }) => path),
    [],
  );
});
