import test, { type ExecutionContext } from 'ava';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PackageRecord } from '../../src/package/record.ts';
import { startEngine } from '../support/engines.ts';
import { serialRootTest } from '../support/root-test.ts';
import { output, quickstart, runTool, start, temporary, tool } from '../support/tools.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** A place with a repository of its own, which `pkgbuild` fills, and a home. */
type Workshop = {
  readonly place: string;
  readonly repository: string;
  readonly env: Env;
  /** Writes a recipe whose packages are these, each with these files, and builds it. */
  build(source: string, packages: Packages, options?: BuildOptions): void;
  /** Standard output of pkgimage, which must succeed. */
  image(...args: readonly string[]): string;
  record(name: string, version?: string): PackageRecord;
};

/** Text of files by path, by package; `control` is more fields of the package's paragraph. */
type Packages = Readonly<Record<string, { readonly control?: string; readonly files: Files }>>;
type Files = Readonly<Record<string, string>>;
type BuildOptions = {
  readonly version?: string;
  readonly needs?: string;
  readonly comment?: string;
  readonly script?: string;
};

function workshop(t: ExecutionContext): Workshop {
  const place = temporary(t);
  const repository = join(place, 'repository');
  const env = { STATIC_DISTRO_HOME: join(place, 'home'), SOURCE_DATE_EPOCH: undefined };
  return {
    place,
    repository,
    env,
    build(source, packages, { version = '1', needs = '', comment = '', script = '' } = {}) {
      const recipe = join(place, 'recipes', source);
      mkdirSync(recipe, { recursive: true });
      const paragraphs = Object.entries(packages).map(
        ([name, { control = '' }]) => `\nPackage: ${name}\n${control}`,
      );
      writeFileSync(
        join(recipe, 'control'),
        `Source: ${source}\nVersion: ${version}\nDescription: ${source}\nLicense: MIT\n` +
          `Depends-Unpack: mksh, sbase\nDepends-Build: mksh, sbase${needs}\n${paragraphs.join('')}`,
      );
      writeFileSync(join(recipe, 'unpack.sh'), ':\n');
      const lines = Object.entries(packages).flatMap(([name, { files }]) => {
        const tree = `"$PKG_INSTDIR/packages/${name}/$PKG_VERSION`;
        const install = Object.entries(files).map(
          ([path, text]) =>
            `mkdir -p ${tree}/${path.replace(/\/?[^/]*$/, '')}"\nprintf '%s' '${text}' >${tree}/${path}"`,
        );
        return [`mkdir -p ${tree}"`].concat(install);
      });
      writeFileSync(join(recipe, 'build.sh'), `set -e\n# ${comment}\n${lines.join('\n')}\n${script}\n`);
      const both = join(place, 'both');
      if (needs) {
        mkdirSync(both);
        output('cp', ['-a', `${quickstart}/.`, `${repository}/.`, both]);
      }
      output(tool('pkgbuild'), ['-q', '-r', repository, '-p', needs ? both : quickstart, recipe], { env });
      rmSync(both, { recursive: true, force: true });
    },
    image: (...args) => output(tool('pkgimage'), args, { env }),
    record: (name, version = '1') =>
      JSON.parse(
        readFileSync(join(repository, '.records', name, `${version}.json`), 'utf8'),
      ) as PackageRecord,
  };
}

const storeOf = ({ place }: Pick<Workshop, 'place'>) => join(place, 'home/data/store');
const blobsOf = (shop: Pick<Workshop, 'place'>): readonly string[] =>
  readdirSync(join(storeOf(shop), 'blobs/sha256')).sort();
const blobOf = (shop: Pick<Workshop, 'place'>, digest: string) =>
  readFileSync(join(storeOf(shop), 'blobs/sha256', digest.replace('sha256:', '')));
const json = (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString());

const simple = (name: string): Packages => ({
  [name]: { files: { [`bin/${name}`]: `#!/bin/sh\necho ${name}\n` } },
});

test('pkgbuild makes the layer with the package: in the record, in the store, and the same as made on first use', (t) => {
  const shop = workshop(t);
  shop.build('one', {
    one: { files: { 'bin/one': 'one', 'lib/a/b': 'b' }, control: 'Mode: bin/one 4755\n' },
  });
  const { layer, builtFrom, origin } = shop.record('one');
  if (!layer) return t.fail('the record has no layer');
  t.is(origin, 'host');
  t.deepEqual(
    builtFrom.map(({ name }) => name),
    ['mksh', 'sbase'],
  );
  for (const { diffID } of builtFrom) t.regex(diffID ?? '', /^sha256:[0-9a-f]{64}$/);
  const { 'gzip-1': gzip, 'zstd-1': zstd } = layer.blobs;
  for (const { digest, size } of [gzip, zstd]) t.is(blobOf(shop, digest).length, size);
  const tar = join(shop.place, 'layer.tar');
  output('sh', ['-c', 'gzip -dc >"$1"', 'sh', tar], { input: blobOf(shop, gzip.digest) });
  t.is(`sha256:${output('sha256sum', [tar]).slice(0, 64)}`, layer.diffID);
  t.is(statSync(tar).size, layer.size);
  t.regex(output('tar', ['-tvf', tar]), /^-rwsr-xr-x 0\/0 .* packages\/one\/1\/bin\/one$/m);

  // The index of the store has the package: its record, which names the layer, and the layer.
  const { manifests } = json(readFileSync(join(storeOf(shop), 'index.json')));
  t.deepEqual(
    manifests.map((entry: { annotations: object }) => Object.values(entry.annotations)),
    [['packages']],
  );
  const [shard] = json(blobOf(shop, manifests[0].digest)).manifests;
  const [entry] = json(blobOf(shop, shard.digest)).manifests;
  const artifact = json(blobOf(shop, entry.digest));
  t.deepEqual(json(blobOf(shop, artifact.config.digest)), shop.record('one'));
  t.deepEqual(
    artifact.layers.map(({ digest }: { digest: string }) => digest),
    [gzip.digest, zstd.digest],
  );
  t.is(shop.image('check'), '');

  // Whoever has the tree alone makes the same layer.
  const bare = join(shop.place, 'bare');
  cpSync(join(shop.repository, 'one'), join(bare, 'one'), { recursive: true });
  const made = JSON.parse(
    output(tool('pkgimage'), ['build', '-d', bare, '-p', 'one', '-t', 'one'], {
      env: { ...shop.env, STATIC_DISTRO_HOME: join(shop.place, 'other') },
    }) &&
      output(tool('pkgimage'), ['inspect', '--json', 'one'], {
        env: { ...shop.env, STATIC_DISTRO_HOME: join(shop.place, 'other') },
      }),
  );
  t.is(made.images[0].layers[0].diffID, layer.diffID);
  t.is(made.images[0].layers[0].digest, gzip.digest);
});

test('a record counts as long as the tree is the same layer, wherever it was moved; it never makes another one clean', (t) => {
  const shop = workshop(t);
  shop.build('one', { one: { files: { 'bin/one': 'one', 'lib/a': 'a' } } });
  const annotation = (repository: string): Readonly<Record<string, string>> => {
    shop.image('build', '-d', repository, '-p', 'one', '-t', 'one');
    return JSON.parse(shop.image('inspect', '--json', 'one')).images[0].annotations;
  };
  const host = { 'static-distro.origin.host': 'one 1' };
  const unknown = { 'static-distro.origin.unknown': 'one 1' };
  const isSubset = (repository: string, expected: Readonly<Record<string, string>>) => {
    const found = annotation(repository);
    t.like(found, expected);
    t.is(Object.keys(found).filter((name) => name.startsWith('static-distro.origin.')).length, 1);
    const clean = runTool('pkgimage', ['build', '-d', repository, '-p', 'one', '--require-clean'], {
      env: shop.env,
    });
    t.is(clean.status, 1);
    t.regex(clean.stderr, /one 1 is not clean: Origin: (host|unknown)/);
  };
  isSubset(shop.repository, host);
  const digest = shop.image('digest', '-d', shop.repository, '-p', 'one');

  // Copied: other inodes, the same layer.
  const copy = (name: string): string => {
    const to = join(shop.place, name);
    output('cp', ['-a', shop.repository, to]);
    return to;
  };
  const copied = copy('copied');
  const local = readFileSync(join(copied, '.records/one/1.local'));
  isSubset(copied, host);
  t.is(shop.image('digest', '-d', copied, '-p', 'one'), digest);
  t.notDeepEqual(
    readFileSync(join(copied, '.records/one/1.local')),
    local,
    'it is known again without reading',
  );

  // Copied, and edited before it was looked at: names, or what is in a file, or its control.
  const edits: readonly (readonly [name: string, edit: (tree: string) => void])[] = [
    ['named', (tree) => writeFileSync(join(tree, 'bin/two'), '')],
    ['inside', (tree) => writeFileSync(join(tree, 'bin/one'), 'eno')],
    ['control', (tree) => appendFileSync(join(tree, 'control'), 'Homepage: https://example.org/\n')],
    ['mode', (tree) => output('chmod', ['+x', join(tree, 'lib/a')])],
  ];
  for (const [name, edit] of edits) {
    const edited = copy(name);
    edit(join(edited, 'one/1'));
    isSubset(edited, unknown);
    isSubset(edited, unknown);
    // Back again, it is the same layer.
    rmSync(join(edited, 'one'), { recursive: true });
    output('cp', ['-a', join(shop.repository, 'one'), join(edited, 'one')]);
    isSubset(edited, host);
  }

  // Without its record, nobody knows where it is from, though the layer's bytes are those of a known build.
  const without = copy('without');
  rmSync(join(without, '.records'), { recursive: true });
  isSubset(without, unknown);
  // A record of something else is none of this.
  shop.build('two', simple('two'));
  const swapped = copy('swapped');
  const stranger = { ...shop.record('two'), control: shop.record('one').control, origin: undefined };
  writeFileSync(join(swapped, '.records/one/1.json'), JSON.stringify(stranger));
  isSubset(swapped, unknown);
});

serialRootTest(`what is learnt of trees in somebody else\u2019s repository is kept in the cache`, (t) => {
  const shop = workshop(t);
  shop.build('one', simple('one'));
  const theirs = join(shop.place, 'theirs');
  output('cp', ['-a', shop.repository, theirs]);
  output('chown', ['-R', '12345:12345', theirs]);
  const local = readFileSync(join(theirs, '.records/one/1.local'));
  const reads = () => {
    const trace = join(shop.place, 'trace');
    output(
      'strace',
      [
        '-f',
        '-s',
        '500',
        '-e',
        'trace=open,openat',
        '-o',
        trace,
        tool('pkgimage'),
        'digest',
        '-d',
        theirs,
        '-p',
        'one',
      ],
      { env: shop.env },
    );
    return readFileSync(trace, 'utf8').includes('one/1/bin/one');
  };
  t.true(reads());
  t.false(reads());
  t.deepEqual(readFileSync(join(theirs, '.records/one/1.local')), local);
});

const many = Array.from({ length: 100 }, (_, at) => `p${String(at).padStart(3, '0')}`);

/** Paths that a program and its children opened, and those that they wrote to. */
function traced(shop: Workshop, args: readonly string[]): readonly string[] {
  const trace = join(shop.place, 'trace');
  output(
    'strace',
    ['-f', '-s', '500', '-e', 'trace=open,openat,openat2', '-o', trace, tool('pkgimage'), ...args],
    { env: shop.env },
  );
  return [...readFileSync(trace, 'utf8').matchAll(/open\w*\((?:[^",]*, )?"([^"]*)"/g)].map(
    ([, path = '']) => path,
  );
}

test('an image of 100 known packages: no file below a package and no blob of a layer is opened', (t) => {
  const shop = workshop(t);
  shop.build('many', Object.assign({}, ...many.map(simple)) as Packages);
  const request = ['-d', shop.repository, '-p', ...many];
  for (const budget of ['32', '125']) {
    const args = ['build', ...request, '--budget', budget, '-t', `many:${budget}`];
    const digest = shop.image(...args);
    const blobs = blobsOf(shop);
    for (const again of [args, ['digest', ...request, '--budget', budget]]) {
      const opened = traced(shop, again);
      t.true(opened.some((path) => path.includes('/.records/p000/1.json')));
      const below = opened.filter((path) => /^.*\/repository\/p\d\d\d\/1\//.test(path));
      t.deepEqual(below, []);
      const inspected = JSON.parse(shop.image('inspect', '--json', `many:${budget}`));
      const layers: string[] = [
        ...inspected.images[0].layers.map((layer: { digest: string }) => layer.digest),
        ...many.flatMap((name) => {
          const { layer } = shop.record(name);
          return layer ? [layer.blobs['gzip-1'].digest, layer.blobs['zstd-1'].digest] : [];
        }),
      ].map((each) => each.replace('sha256:', ''));
      t.true(layers.length > 200);
      t.deepEqual(
        opened.filter((path) => layers.some((each) => path.includes(each))),
        [],
      );
    }
    t.deepEqual(blobsOf(shop), blobs);
    t.is(shop.image(...args), digest);
  }
});

test('one changed package: its layer is written when it is built, then config and manifest, and nothing else', (t) => {
  const shop = workshop(t);
  shop.build('many', Object.assign({}, ...many.slice(0, 40).map(simple)) as Packages);
  shop.build('one', { one: { files: { 'bin/one': 'one', 'share/text': 'before' } } });
  const args = ['build', '-d', shop.repository, '-p', 'one', ...many.slice(0, 40), '--budget', '125'];
  shop.image(...args, '-t', 'before');
  const fresh = (act: () => void): readonly string[] => {
    const before = new Set(blobsOf(shop));
    act();
    return blobsOf(shop).filter((name) => !before.has(name));
  };
  /** What a blob is: its media type, or what kind of bytes it has. */
  const kind = (name: string): string => {
    const bytes = blobOf(shop, name);
    if (bytes[0] === 0x1f) return 'gzip';
    if (bytes[0] === 0x28) return 'zstd';
    const { mediaType, artifactType, rootfs, control } = json(bytes);
    return rootfs ? 'config' : control ? 'record' : String(artifactType ?? mediaType).replace(/^.*vnd\./, '');
  };
  const kinds = (names: readonly string[]) => names.map(kind).sort();
  const collection = 'static-distro.collection.v1';

  // Not a name that is linked differs: the profile is the same.
  const built = fresh(() =>
    shop.build('one', { one: { files: { 'bin/one': 'one', 'share/text': 'after' } } }),
  );
  t.deepEqual(
    kinds(built),
    ['gzip', 'record', collection, collection, 'static-distro.package.v1', 'zstd'].sort(),
  );
  const imaged = fresh(() => shop.image(...args, '-t', 'after'));
  t.deepEqual(kinds(imaged), ['config', 'oci.image.manifest.v1+json']);

  // A name that is linked: the profile as well.
  shop.build('one', { one: { files: { 'bin/one': 'one', 'bin/more': 'more' } } });
  const linked = fresh(() => shop.image(...args, '-t', 'linked'));
  t.deepEqual(kinds(linked), ['config', 'gzip', 'oci.image.manifest.v1+json', 'zstd']);
  const layersOf = (name: string): readonly string[] =>
    JSON.parse(shop.image('inspect', '--json', name)).images[0].layers.map(
      ({ digest }: { digest: string }) => digest,
    );
  const [before, after] = [layersOf('before'), layersOf('after')];
  t.is(before.filter((digest) => !after.includes(digest)).length, 1);

  // In a bucket: its own layer, and that of the bucket that it is in.
  const shared = [...args.slice(0, -1), '8'];
  shop.image(...shared, '-t', 'shared');
  shop.build('one', { one: { files: { 'bin/one': 'one', 'bin/more': 'other' } } });
  const grouped = fresh(() => shop.image(...shared, '-t', 'shared'));
  t.deepEqual(kinds(grouped), ['config', 'gzip', 'oci.image.manifest.v1+json', 'zstd']);
  t.is(shop.image('check'), '');
});

test('blobs that went are made again out of the tree, if it is still the same', (t) => {
  const shop = workshop(t);
  shop.build('one', { one: { files: { 'bin/one': 'one' } } });
  const args = ['build', '-d', shop.repository, '-p', 'one', '-t', 'one'];
  const digest = shop.image(...args);
  const { layer } = shop.record('one');
  const gzip = layer?.blobs['gzip-1'].digest ?? '';
  const bytes = blobOf(shop, gzip);
  rmSync(join(storeOf(shop), 'blobs/sha256', gzip.replace('sha256:', '')));
  t.is(shop.image(...args), digest);
  t.deepEqual(blobOf(shop, gzip), bytes);
  // An edit inside a file is not shipped, and told when everything is read.
  const file = join(shop.repository, 'one/1/bin/one');
  writeFileSync(file, 'eno');
  t.is(shop.image(...args), digest);
  const found = runTool('pkgimage', ['check', '--trees', '-d', shop.repository], { env: shop.env });
  t.is(found.status, 1);
  t.regex(found.stdout, /repository\/one\/1: files of one 1 were edited after its layer was made\n$/);
  rmSync(join(storeOf(shop), 'blobs/sha256', gzip.replace('sha256:', '')));
  const refused = runTool('pkgimage', args, { env: shop.env });
  t.is(refused.status, 1);
  t.regex(
    refused.stderr,
    /files in .* are no longer those that its layer was made of\npkgimage: build the package again/,
  );
  writeFileSync(file, 'one');
  t.is(shop.image(...args), digest);
  // A record that is wrong of its layer's blobs is found by making them.
  const record = shop.record('one');
  const other = JSON.stringify(record).replaceAll(gzip, `sha256:${'0'.repeat(64)}`);
  writeFileSync(join(shop.repository, '.records/one/1.json'), other);
  const wrong = runTool('pkgimage', ['check', '--trees', '-d', shop.repository], { env: shop.env });
  t.regex(wrong.stdout, /repository\/one\/1: .*another layer in gzip-1 than its record says/);
  t.regex(
    runTool('pkgimage', args, { env: shop.env }).stderr,
    /has another layer in gzip-1 than is written down/,
  );
});

type Diff = {
  readonly packages: readonly {
    readonly name: string;
    readonly reasons: readonly Readonly<Record<string, unknown>>[];
    readonly files: readonly {
      readonly path: string;
      readonly change: string;
      readonly what: readonly string[];
    }[];
  }[];
  readonly layers: readonly { readonly name: string; readonly files: readonly { readonly path: string }[] }[];
  readonly added: readonly { readonly history: string }[];
};

test('diff tells which package changed, why, and which of its files', (t) => {
  const shop = workshop(t);
  const app: Packages = {
    app: { control: 'Depends-Run: lib\n', files: { 'bin/app': 'app', 'share/text': 'text' } },
  };
  const copying = {
    needs: ', lib',
    script: 'cp /packages/lib/1/lib/x "$PKG_INSTDIR/packages/app/1/share/x"',
  };
  const image = (tag: string, ...words: readonly string[]) =>
    shop.image('build', '-d', shop.repository, '-p', ...words, '-t', tag);
  const diff = (before: string, after: string) => {
    const found = JSON.parse(shop.image('diff', '--json', before, after)) as Diff;
    return {
      ...found,
      reasons: found.packages.map(({ name, reasons }) => [name, reasons.map(({ reason }) => reason)]),
      files: found.packages.map(({ files }) =>
        files.map(({ path, change, what }) => [path, change, ...what].join(' ')),
      ),
    };
  };
  shop.build('lib', { lib: { files: { 'lib/x': 'one' } } });
  shop.build('app', app, copying);
  image('a', 'app');
  t.deepEqual(diff('a', 'a'), { ...diff('a', 'a'), packages: [], layers: [], added: [] });

  // The library's recipe changed, and what was built with it.
  shop.build('lib', { lib: { files: { 'lib/x': 'two' } } });
  shop.build('app', app, copying);
  image('b', 'app');
  const ab = diff('a', 'b');
  t.deepEqual(ab.reasons, [
    ['app', ['dependency']],
    ['lib', ['recipe']],
  ]);
  t.like(ab.packages[0]?.reasons[0], { name: 'lib', before: { version: '1' }, after: { version: '1' } });
  t.deepEqual(ab.files, [['share/x changed content'], ['lib/x changed content']]);
  t.deepEqual(ab.layers, []);
  const text = shop.image('diff', 'a', 'b');
  t.regex(
    text,
    /^~ app 1\n {4}built with another lib: 1 \([0-9a-f]{12}\) -> 1 \([0-9a-f]{12}\)\n {4}~ share\/x: content\n~ lib 1\n {4}its recipe, /,
  );
  t.regex(text, /\n1 layers are the same; [^\n]* to fetch\n$/);

  // The same in one layer of both.
  for (const tag of ['a', 'b']) {
    shop.build('lib', { lib: { files: { 'lib/x': tag } } });
    shop.build('other', { other: { files: { 'share/a': 'a' } } });
    shop.image('build', '-d', shop.repository, '-p', 'lib', 'other', '--budget', '3', '-t', `shared:${tag}`);
  }
  t.deepEqual(diff('shared:a', 'shared:b').reasons, [['lib', ['recipe']]]);
  t.deepEqual(diff('shared:a', 'shared:b').files, [['lib/x changed content']]);

  // Another version, of another source; a name, a mode, a kind and a target; a package that came with it.
  const script = `cd "$PKG_INSTDIR/packages/app/2"; chmod +x share/text; ln -s text share/link; mkdir share/x`;
  const second: Packages = {
    app: {
      control: 'Depends-Run: lib, more\nLink-Priority: 60\n',
      files: { 'bin/app': 'app', 'bin/new': '', 'share/text': 'text' },
    },
    more: { files: { 'share/more': 'more' } },
  };
  shop.build('suite', second, { version: '2', script });
  image('c', 'app');
  const bc = diff('b', 'c');
  t.deepEqual(bc.reasons, [
    ['app', ['version', 'source', 'control', 'dependency']],
    ['lib', ['recipe']],
    ['more', ['needed']],
  ]);
  t.deepEqual(bc.packages[2]?.reasons, [{ reason: 'needed', by: ['app'] }]);
  t.deepEqual(bc.files[0], [
    'bin/new added',
    'control changed content',
    'share/link added',
    'share/text changed mode',
    'share/x changed type',
  ]);
  t.deepEqual(
    bc.layers.map(({ name, files }) => [name, files.map(({ path }) => path)]),
    [['profile', ['bin/app', 'bin/new', 'share']]].map(([name, paths]) => [
      name,
      (paths as string[]).filter((path) => path !== 'share'),
    ]),
  );
  t.regex(shop.image('diff', 'c', 'b'), /\n- more 2\n {4}needed by app\n/);

  // Without records nobody knows why.
  rmSync(join(shop.repository, '.records'), { recursive: true });
  shop.build('lib', { lib: { files: { 'lib/x': 'three' } } });
  rmSync(join(shop.repository, '.records'), { recursive: true });
  image('d', 'app');
  const cd = diff('c', 'd');
  t.deepEqual(cd.reasons, [['lib', ['origin', 'unknown']]]);
  t.true(cd.added.some(({ history }) => history === 'lib 1'));
});

/** A package that nobody built: a tree by hand. */
function putTree(repository: string, name: string, text: string | Buffer): string {
  const tree = join(repository, name, '1');
  mkdirSync(join(tree, 'share'), { recursive: true });
  writeFileSync(join(tree, 'control'), `Package: ${name}\nVersion: 1\nLicense: MIT\n`);
  writeFileSync(join(tree, 'share/text'), text);
  return tree;
}

const days = (count: number) => Date.now() / 1000 - count * 86_400;

test('gc: packages used in the last 30 days stay, what is remembered of trees that are gone does not', (t) => {
  const shop = workshop(t);
  shop.build('many', Object.assign({}, ...['a', 'b'].map(simple)) as Packages);
  const bare = join(shop.place, 'bare');
  const trees = ['c', 'd', 'e'].map((name) => putTree(bare, name, name));
  const build = (name: string, ...more: readonly string[]) =>
    shop.image('build', '-d', shop.repository, '-d', bare, '-p', name, '-t', name, ...more);
  for (const name of ['a', 'b', 'c', 'd', 'e']) build(name);
  shop.image('build', '-d', bare, '-p', 'c', 'd', 'e', '--budget', '3', '-t', 'shared');
  const cache = join(shop.place, 'home/cache/layers');
  /** What is remembered of trees by hand, and of groups. */
  const memories = () =>
    [/^tree-/, /^group-/].map(
      (kind) =>
        readdirSync(cache)
          .filter((name) => kind.test(name))
          .map((name) => json(readFileSync(join(cache, name))))
          .filter(({ tree = bare }) => tree.startsWith(bare)).length,
    );
  t.deepEqual(memories(), [3, 1]);

  // A month later, when only the image of `a` was made again.
  shop.image('remove', 'a', 'b', 'c', 'd', 'e', 'shared');
  const age = (count: number) => {
    for (const name of blobsOf(shop))
      utimesSync(join(storeOf(shop), 'blobs/sha256', name), days(count), days(count));
  };
  age(31);
  build('a');
  shop.image('remove', 'a');
  rmSync(trees[0] ?? '', { recursive: true });
  writeFileSync(join(trees[1] ?? '', 'share/more'), '');
  const before = [blobsOf(shop), readdirSync(cache)];
  const plan = JSON.parse(shop.image('gc', '--dry-run', '--json'));
  t.deepEqual([blobsOf(shop), readdirSync(cache)], before);
  const done = JSON.parse(shop.image('gc', '--json'));
  t.deepEqual(done, plan);
  t.deepEqual(done.entries.map(({ key }: { key: string }) => key.replace(/ .*/, '')).sort(), [
    'b',
    'c',
    'd',
    'e',
  ]);
  t.deepEqual(memories(), [1, 0]);
  const kept = blobsOf(shop);
  const { layer } = shop.record('a');
  t.true(kept.includes(layer?.blobs['gzip-1'].digest.replace('sha256:', '') ?? ''));
  const gone = shop.record('b').layer;
  t.false(kept.includes(gone?.blobs['gzip-1'].digest.replace('sha256:', '') ?? ''));
  t.is(shop.image('check'), '');
  // What went comes back, and is the same.
  build('b');
  t.true(blobsOf(shop).includes(gone?.blobs['gzip-1'].digest.replace('sha256:', '') ?? ''));
  t.is(shop.image('check'), '');
});

test('gc: layers that images are made of stay, also those in a layer that was put together before', (t) => {
  const shop = workshop(t);
  const bare = join(shop.place, 'bare');
  for (const name of ['c', 'd']) putTree(bare, name, name);
  const build = () => shop.image('build', '-d', bare, '-p', 'c', 'd', '--budget', '3');
  build();
  const before = blobsOf(shop);
  for (const name of before) utimesSync(join(storeOf(shop), 'blobs/sha256', name), days(31), days(31));
  build();
  t.deepEqual(JSON.parse(shop.image('gc', '--json')).entries, []);
  t.deepEqual(blobsOf(shop), before);
  // Another tool has written index.json, and the entry that keeps packages is not in it any more.
  const index = join(storeOf(shop), 'index.json');
  const text = readFileSync(index, 'utf8');
  writeFileSync(index, JSON.stringify({ ...json(Buffer.from(text)), manifests: [] }));
  build();
  t.deepEqual(json(readFileSync(index)), json(Buffer.from(text)));
});

// Others would hold up the looking at what it does.
test.serial('a digest that is killed leaves nothing that the next one, or gc, does not remove', async (t) => {
  const shop = workshop(t);
  const bare = join(shop.place, 'bare');
  putTree(bare, 'large', randomBytes(64 << 20));
  putTree(bare, 'small', 'small');
  const work = join(shop.place, 'home/cache/work');
  const left = () => (existsSync(work) ? readdirSync(work).length : 0);
  const kill = async () => {
    const child = start(t, tool('pkgimage'), ['digest', '-d', bare, '-p', 'large'], { env: shop.env });
    const closed = once(child, 'close');
    for (let tries = 0; left() === 0 && tries < 3000; tries += 1) await sleep(5);
    child.kill('SIGKILL');
    await closed;
    t.is(left(), 1);
  };
  await kill();
  shop.image('digest', '-d', bare, '-p', 'small');
  t.is(left(), 0);
  await kill();
  shop.image('gc');
  t.is(left(), 0);
});

/** The names of this machine, and of the other one of the two. */
const [own, other] =
  process.arch === 'arm64'
    ? ([
        { arch: 'aarch64', oci: 'arm64', cc: 'cc', run: [] },
        { arch: 'x86_64', oci: 'amd64', cc: 'x86_64-linux-gnu-gcc', run: ['qemu-x86_64-static'] },
      ] as const)
    : ([
        { arch: 'x86_64', oci: 'amd64', cc: 'cc', run: [] },
        { arch: 'aarch64', oci: 'arm64', cc: 'aarch64-linux-gnu-gcc', run: ['qemu-aarch64-static'] },
      ] as const);

type Side = typeof own | typeof other;

/** A repository of one architecture with a program for it, and with a package for every architecture. */
function putPrograms(directory: string, { arch, cc }: Side): void {
  const tree = join(directory, 'hello/1');
  mkdirSync(join(tree, 'bin'), { recursive: true });
  const fields = `Version: 1\nLicense: MIT\nHomepage: https://example.org/\n`;
  writeFileSync(join(tree, 'control'), `Package: hello\n${fields}Architecture: ${arch}\nDepends-Run: data\n`);
  const source = `int puts(const char *); int main(void) { puts("${arch}"); return 0; }`;
  output(cc, ['-static', '-Os', '-s', '-x', 'c', '-o', join(tree, 'bin/hello'), '-'], { input: source });
  const data = join(directory, 'data/1/share');
  mkdirSync(data, { recursive: true });
  writeFileSync(join(data, 'data'), 'data');
  writeFileSync(join(directory, 'data/1/control'), `Package: data\n${fields}Architecture: all\n`);
}

type Platforms = {
  readonly digest: string;
  readonly mediaType: string;
  readonly images: readonly {
    readonly platform: string;
    readonly digest: string;
    readonly id: string;
    readonly annotations: object;
    readonly layers: readonly { readonly digest: string; readonly diffID: string }[];
  }[];
};

/** Repositories of both architectures, and the words that ask for an image of both. */
function twoSides(t: ExecutionContext) {
  const shop = workshop(t);
  const here = join(shop.place, 'here');
  const there = join(shop.place, 'there');
  putPrograms(here, own);
  putPrograms(there, other);
  const words = ['-p', 'hello', '--entrypoint', '/bin/hello'];
  const both = ['-d', here, '-d', `${other.arch}=${there}`, ...words];
  const inspect = (name: string) => JSON.parse(shop.image('inspect', '--json', name)) as Platforms;
  const fails = (args: readonly string[], status: number, message: RegExp) => {
    const result = runTool('pkgimage', args, { env: shop.env });
    t.deepEqual([result.status, result.stdout], [status, ''], args.join(' '));
    t.regex(result.stderr, message);
    t.notRegex(result.stderr, /bug/);
  };
  return { ...shop, here, there, words, both, inspect, fails };
}

test('several platforms: one index, a manifest each, the same in any order and in every OCI form', (t) => {
  const { place, here, there, words, both, image, inspect } = twoSides(t);
  const digest = image('build', ...both, '-t', 'multi').trim();
  t.is(image('digest', ...both).trim(), digest);
  const labelled = ['-d', `${other.arch}=${there}`, '-d', `${own.arch}=${here}`, ...words];
  t.is(image('digest', ...labelled).trim(), digest);
  const file = join(place, 'image.yaml');
  writeFileSync(file, 'packages: [hello]\nentrypoint: [/bin/hello]\nplatforms: [linux/arm64, linux/amd64]\n');
  t.is(image('digest', '-f', file, '-d', here, '-d', `${other.arch}=${there}`).trim(), digest);

  const { images, ...index } = inspect('multi');
  t.deepEqual(index, { digest, mediaType: 'application/vnd.oci.image.index.v1+json' });
  t.deepEqual(
    images.map(({ platform }) => platform),
    ['linux/amd64', 'linux/arm64'],
  );
  t.regex(image('inspect', 'multi'), /^index {7}sha256:\S+, 2 platforms\n\ndigest .*\n\ndigest /s);
  t.deepEqual(inspect(digest), { images, ...index });
  t.regex(image('list'), /^multi:latest {2}sha256:\S+ +6 layers .* {2}linux\/amd64, linux\/arm64\n$/);
  t.is(image('check'), '');
  // What is for every platform is one layer in both; each image alone is the same as in the index.
  const [first, second] = images;
  t.is(
    first?.layers.filter(({ digest: each }) => second?.layers.some((also) => also.digest === each)).length,
    2,
  );
  for (const [{ arch, oci }, directory] of [
    [own, here],
    [other, there],
  ] as const) {
    const alone = images.find(({ platform }) => platform === `linux/${oci}`)?.digest ?? 'none';
    t.is(image('digest', '-d', `${arch}=${directory}`, ...words).trim(), alone);
    t.is(image('digest', ...both, '--platform', `linux/${oci}`).trim(), alone);
  }
  const raw = JSON.parse(Buffer.from(blobOf({ place }, digest)).toString());
  t.is(raw.annotations['org.opencontainers.image.title'], 'hello');

  image('export', 'multi', `oci:${place}/layout:multi`);
  image('export', 'multi', `oci-archive:${place}/multi.tar`);
  for (const form of [`oci:${place}/layout:multi`, `oci-archive:${place}/multi.tar`]) {
    const copied = `oci:${place}/copied-${form.length}:x`;
    output('skopeo', ['--insecure-policy', 'copy', '--quiet', '--all', form, copied]);
    for (const from of [form, copied]) {
      image('copy', from, 'back');
      t.deepEqual(inspect('back'), { images, ...index });
    }
  }
  for (const { arch, oci, run: runner } of [own, other]) {
    const root = join(place, arch);
    mkdirSync(root);
    image('export', '--platform', `linux/${oci}`, 'multi', `rootfs:${root}.tar`);
    output('tar', ['-C', root, '-xf', `${root}.tar`]);
    const [program = '', ...args] = [...runner, join(root, 'packages/hello/1/bin/hello')];
    t.is(output(program, args), `${arch}\n`);
    const id = images.find(({ platform }) => platform === `linux/${oci}`)?.id;
    image('export', '--platform', `linux/${oci}`, 'multi', `docker-archive:${root}.docker`);
    image('copy', `docker-archive:${root}.docker`, arch);
    t.is(inspect(arch).images[0]?.id, id);
  }
  image('export', 'multi', `docker-archive:${place}/own.docker`);
  image('copy', `docker-archive:${place}/own.docker`, 'own');
  t.is(inspect('own').images[0]?.platform, `linux/${own.oci}`);
  image('copy', '--platform', `linux/${other.oci}`, 'multi', `docker-archive:${place}/other.docker`);
  image('copy', `docker-archive:${place}/other.docker`, 'other');
  t.is(inspect('other').images[0]?.platform, `linux/${other.oci}`);
});

test('several platforms: each has its lock, damage hurts the index, and what does not go together is told', (t) => {
  const { place, here, there, words, both, image, inspect, fails } = twoSides(t);
  const lock = join(place, 'image.lock');
  const digest = image('build', ...both, '-t', 'multi', '--lock', lock);
  const { platforms, index } = JSON.parse(readFileSync(lock, 'utf8'));
  t.is(`${index.digest}\n`, digest);
  t.deepEqual(platforms['linux/arm64'].request, ['hello']);
  t.deepEqual(Object.keys(platforms), ['linux/amd64', 'linux/arm64']);
  t.is(
    readFileSync(lock, 'utf8')
      .split('\n')
      .filter((line) => /^ {8}\{.*"diffID"/.test(line)).length,
    4,
  );
  t.is(image('build', ...both, '--lock', lock, '--locked'), digest);
  t.is(image('digest', ...both, '--lock', lock, '--locked'), digest);
  fails(
    ['build', '-d', here, ...words, '--lock', lock, '--locked'],
    2,
    /the lock is of linux\/amd64 and linux\/arm64/,
  );
  const single = join(place, 'single.lock');
  image('build', '-d', here, ...words, '--lock', single);
  fails(['build', ...both, '--lock', single, '--locked'], 2, /the lock is of linux\//);

  // Kept by its lock though no name leads there; gone with it.
  image('remove', 'multi');
  const past = Date.now() / 1000 - 2 * 86_400;
  for (const name of blobsOf({ place }))
    utimesSync(join(storeOf({ place }), 'blobs/sha256', name), past, past);
  image('gc');
  t.deepEqual(inspect(digest.trim()).images.length, 2);
  image('build', ...both, '-t', 'multi');

  fails(['build', '-d', here, '-d', `${own.arch}=${here}`, ...words], 2, /two images are for linux\//);
  fails(['build', '-d', here, '-d', `${other.arch}=${here}`, ...words], 2, /hello 1 is for \w+, not for/);
  fails(
    ['build', '-d', `${other.arch}=${here}`, ...words],
    2,
    /hello 1 is for \w+, not for \w+\npkgimage: name a repository of/,
  );
  fails(
    ['build', '-d', `${own.arch}=${here}`, ...words, '--platform', `linux/${other.oci}`],
    2,
    /no repository is named for linux\//,
  );
  fails(['build', ...both, '--platform', 'linux/riscv64'], 2, /the platform "linux\/riscv64" is not known/);
  fails(
    ['export', '--platform', 'windows', 'multi', `rootfs:${place}/x`],
    2,
    /--platform "windows" is no platform/,
  );
  // Which machine an image is for does not follow from which repository has the newest version.
  const newer = join(place, 'newer');
  cpSync(join(there, 'hello/1'), join(newer, 'hello/2'), { recursive: true });
  const control = join(newer, 'hello/2/control');
  writeFileSync(control, readFileSync(control, 'utf8').replace('Version: 1', 'Version: 2'));
  const mixed = /^pkgimage: hello \d of \S+ is for \w+, and hello \d of \S+ for \w+\n.*-d \w+=\S+ -d \w+=/;
  for (const directories of [
    [here, newer],
    [newer, here],
    [here, there],
  ]) {
    const from = directories.flatMap((each) => ['-d', each]);
    fails(['build', ...from, ...words], 2, mixed);
    if (directories.includes(newer)) fails(['digest', ...from, '-p', 'hello = 1'], 2, mixed);
  }
  // What is for every machine may come from anywhere.
  const common = join(place, 'common');
  cpSync(join(there, 'data/1'), join(common, 'data/2'), { recursive: true });
  const fields = join(common, 'data/2/control');
  writeFileSync(fields, readFileSync(fields, 'utf8').replace('Version: 1', 'Version: 2'));
  const joined = ['-d', here, '-d', common];
  image('build', ...joined, ...words, '-t', 'common');
  t.deepEqual(
    inspect('common').images.map(({ platform }) => platform),
    [`linux/${own.oci}`],
  );

  const file = join(place, 'image.yaml');
  writeFileSync(file, 'packages: [hello]\nplatforms: [linux/mips]\n');
  fails(['build', '-f', file, '-d', here], 2, /image\.yaml:2: "platforms\.0" must be equal to one of/);

  // For every machine: one package, two images.
  const all = image('build', '-d', `x86_64=${here}`, '-d', `aarch64=${here}`, '-p', 'data', '-t', 'all');
  t.is(inspect('all').images.length, 2);
  t.is(image('digest', '-d', `x86_64=${there}`, '-d', `aarch64=${there}`, '-p', 'data'), all);

  // A tree of the other platform changed: only its image is another.
  const before = inspect('multi').images;
  writeFileSync(join(there, 'hello/1/bin/more'), '');
  const changed = runTool('pkgimage', ['build', ...both, '--lock', lock, '--locked'], {
    env: { STATIC_DISTRO_HOME: join(place, 'home'), SOURCE_DATE_EPOCH: undefined },
  });
  t.regex(changed.stderr, /is not the one in .*: hello 1 has other files/);
  image('build', ...both, '-t', 'changed');
  const after = inspect('changed').images;
  t.deepEqual(
    after.map(({ digest: each }, at) => each === before[at]?.digest),
    after.map(({ platform }) => platform === `linux/${own.oci}`),
  );
  t.regex(
    image('diff', '--platform', `linux/${other.oci}`, 'multi', 'changed'),
    /^~ hello 1\n.*\n {4}\+ bin\/more\n/,
  );
  t.regex(image('diff', 'multi', 'changed'), /^3 layers are the same; /);

  // Damage of one platform hurts the name of all.
  const victim =
    before.find(({ platform }) => platform === `linux/${other.oci}`)?.layers.at(-1)?.digest ?? '';
  rmSync(join(storeOf({ place }), 'blobs/sha256', victim.replace('sha256:', '')));
  const found = runTool('pkgimage', ['check'], { env: { STATIC_DISTRO_HOME: join(place, 'home') } });
  t.is(found.status, 1);
  t.regex(found.stdout, new RegExp(`^${victim}: .*it hurts .*multi:latest`, 'm'));
});

serialRootTest(`podman runs its own platform of an image for several`, async (t) => {
  const { both, image } = twoSides(t);
  image('build', ...both, '-t', 'multi');
  const engine = await startEngine('podman');
  try {
    image('load', 'multi', 'podman', '--as', 'localhost/multi', '--engine', engine.command.join(' '));
    const { stdout, stderr } = engine.run('localhost/multi');
    t.is(stdout, `${own.arch}\n`, stderr);
  } finally {
    await engine.stop();
  }
});
