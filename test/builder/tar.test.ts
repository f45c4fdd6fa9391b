import test, { type ExecutionContext } from 'ava';
import {
  type Arbitrary,
  array,
  assert,
  constant,
  constantFrom,
  maxSafeNat,
  nat,
  oneof,
  property,
  record,
  uint8Array,
} from 'fast-check';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';
import { Fault, type FaultCode } from '../../builder/fault.ts';
import { arrange, directory, file, symlink } from '../../builder/tar/arrange.ts';
import type { Header } from '../../builder/tar/entry.ts';
import { decodeHeader, encodeHeader, entryTime, parsePaxRecords } from '../../builder/tar/header.ts';
import { planEntries, planTree } from '../../builder/tar/layer.ts';
import { comparePaths, pathFromText, textOfPath } from '../../builder/tar/path.ts';
import { layerReader } from '../../builder/tar/read.ts';
import { scan } from '../../builder/tar/scan.ts';
import { unpackTree } from '../../builder/tar/unpack.ts';
import { writeTar } from '../../builder/tar/write.ts';
import {
  describeTree,
  type Golden,
  golden,
  layerPy,
  modesOf,
  place,
  planGolden,
  sizedTar,
  tarOf,
  treeMaker,
  wholeTar,
} from '../support/layers.ts';
import { isRoot, output, root, temporary } from '../support/tools.ts';

const makeTree = treeMaker();
const names = Object.keys(golden);
/** Where the tree has modes that the layer does not keep. */
const normalised = 'modes';
const small = names.filter((name) => name !== 'huge');

function goldenOf(name: string): Golden {
  const found = golden[name];
  if (!found) throw new Error(`${name} has no digests`);
  return found;
}

/** Writes the layer of an awkward tree to a file and gives both. */
function archived(t: ExecutionContext, name: string): { tree: string; tar: string } {
  const tree = makeTree(name);
  const tar = join(temporary(t), 'layer.tar');
  const out = openSync(tar, 'w');
  for (const chunk of tarOf(planGolden(name, tree))) writeSync(out, chunk);
  closeSync(out);
  return { tree, tar };
}

/** What our own strict reader finds in a layer. */
function headersOf(tar: Buffer, pieces = 65536): Header[] {
  const headers: Header[] = [];
  const reader = layerReader('layer', {
    entry: (header) => headers.push(header),
    data: () => undefined,
    end: () => undefined,
  });
  for (let at = 0; at < tar.length; at += pieces) reader.push(tar.subarray(at, at + pieces));
  reader.finish();
  return headers;
}

/** What every reader must agree on. */
const line = (header: Header, path: string, target: string): string =>
  [
    path,
    header.type,
    `0o${header.mode.toString(8)}`,
    header.uid,
    header.gid,
    header.type === 'file' ? header.size : 0,
    target,
  ].join(' ');

const hex = (bytes: Buffer): string => bytes.toString('hex');

/** Equal lists, or the first difference: some have 20,000 lines. */
function sameLines(t: ExecutionContext, actual: readonly string[], expected: readonly string[]): void {
  const at = expected.findIndex((line, i) => line !== actual[i]);
  t.is(actual[at], expected[at]);
  t.is(actual.length, expected.length);
}

for (const name of names) {
  test(`the layer of the tree ${name} is the one recorded, and the second implementation's`, (t) => {
    const tree = makeTree(name);
    const { digest, size } = sizedTar(planGolden(name, tree));
    t.deepEqual({ diffID: digest, size }, { diffID: goldenOf(name).diffID, size: goldenOf(name).size });
    const [script = '', ...args] = layerPy(tree, place, modesOf(name));
    const theirs = output('sh', ['-c', 'python3 "$@" | sha256sum', 'sh', script, ...args]);
    t.is(`sha256:${theirs.slice(0, 64)}`, digest);
  });
}

for (const name of small) {
  test(`GNU tar makes of the layer of ${name} what unpacking it makes, and both the same layer again`, async (t) => {
    const { tree, tar } = archived(t, name);
    const theirs = temporary(t);
    output('tar', ['-x', '-p', '-f', tar, '-C', theirs]);
    const ours = join(temporary(t), 'tree');
    const expected = goldenOf(name);
    const { diffID } = expected;
    await unpackTree(Readable.from([readFileSync(tar)]), ours, expected, {
      path: place,
      modes: modesOf(name),
      where: name,
    });
    // Set-id bits are in the layer and in no tree.
    for (const path of modesOf(name).keys())
      for (const tree of [join(theirs, place), ours])
        chmodSync(join(tree, path), path.startsWith('f') ? 0o644 : 0o755);
    sameLines(t, describeTree(ours), describeTree(join(theirs, place)));
    t.is(sizedTar(planGolden(name, ours)).digest, diffID);
    t.is(sizedTar(planGolden(name, join(theirs, place))).digest, diffID);
    t.is(output('tar', ['-t', '-f', tar]).split('\n').length - 1, headersOf(readFileSync(tar)).length);
    if (name !== normalised)
      sameLines(t, describeTree(ours, { times: false }), describeTree(tree, { times: false }));
  });

  test(`tar-stream and Python's tarfile list the layer of ${name} as the strict reader does`, async (t) => {
    const { tar } = archived(t, name);
    const ours = headersOf(readFileSync(tar));
    t.deepEqual(headersOf(readFileSync(tar), 4093), ours);

    const script = `
import os, sys, tarfile
for m in tarfile.open(sys.argv[1], errors="surrogateescape"):
    kind = {b"0": "file", b"1": "link", b"2": "symlink", b"5": "directory"}[m.type]
    assert (m.mtime, m.uname, m.gname) == (${entryTime}, "", "")
    print(os.fsencode(m.name).hex(), kind, oct(m.mode), m.uid, m.gid, m.size, os.fsencode(m.linkname).hex())
`;
    sameLines(
      t,
      output('python3', ['-c', script, tar], { env: { PYTHONUTF8: '1' } })
        .split('\n')
        .slice(0, -1),
      ours.map((header) => line(header, hex(header.path), 'target' in header ? hex(header.target) : '')),
    );

    const theirs: string[] = [];
    const archive = extract();
    archive.on('entry', ({ type, mode, uid, gid, size = 0, name: path, linkname, mtime }, stream, next) => {
      t.is(mtime.getTime(), entryTime * 1000);
      const fields = { type, mode, uid, gid, size } as unknown as Header;
      theirs.push(line(fields, type === 'directory' ? path.slice(0, -1) : path, linkname ?? ''));
      stream.on('end', () => next());
      stream.resume();
    });
    await pipeline(Readable.from([readFileSync(tar)]), archive);
    sameLines(
      t,
      theirs,
      // It takes all names for UTF-8, so that is what is compared.
      ours.map((header) =>
        line(header, header.path.toString(), 'target' in header ? header.target.toString() : ''),
      ),
    );
  });
}

test('a layer does not depend on umask, time zone, locale, clock, user id, directory or order of creation', (t) => {
  const program = `
    import { digester } from '${root}/builder/digest.ts';
    import { head, tail } from '${root}/builder/tar/encoding.ts';
    import { planTree } from '${root}/builder/tar/layer.ts';
    import { writeTar } from '${root}/builder/tar/write.ts';
    const { update, finish } = digester();
    update(head.none);
    for (const batch of writeTar(planTree(process.argv[1], '${place}').entries)) update(batch);
    update(tail.none);
    process.stdout.write(finish().digest);`;
  const name = 'odd_names';
  const tree = makeTree(name);
  const shuffled = join(temporary(t, 'a much longer name of a directory '), 'copy');
  mkdirSync(shuffled, { mode: 0o700 });
  // Hard links are made again in both copies, by cp itself.
  const entries = readdirSync(tree, { encoding: 'latin1' }).map((entry) => Buffer.from(entry, 'latin1'));
  const order = entries.toSorted((a, b) =>
    Buffer.compare(Buffer.from(a).reverse(), Buffer.from(b).reverse()),
  );
  const list = Buffer.concat(order.flatMap((entry) => [Buffer.from('./'), entry, Buffer.from('\0')]));
  output(
    'sh',
    [
      '-c',
      'umask 077; cd "$1" && tar -c --null -T - | tar -x --no-same-permissions -C "$2"',
      'sh',
      tree,
      shuffled,
    ],
    {
      input: list,
    },
  );
  const node = [process.execPath, '--input-type=module-typescript', '-e', program];
  const ways: readonly (readonly [string, Record<string, string>])[] = [
    ['umask 000', { TZ: 'Pacific/Kiritimati', LC_ALL: 'tr_TR.UTF-8' }],
    ['umask 077', { TZ: 'America/St_Johns', LC_ALL: 'C', LANG: 'C' }],
  ];
  for (const [umask, env] of ways) {
    for (const place of [tree, shuffled]) {
      const digest = output('sh', ['-c', `${umask}; exec "$@"`, 'sh', ...node, place], { env });
      t.is(digest, goldenOf(name).diffID);
    }
  }
});

test('headers: what is written is read again, and every name, target and size', (t) => {
  const name = uint8Array({ minLength: 1, maxLength: 120 })
    .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0x61 : byte))))
    .filter((bytes) => !bytes.toString('latin1').startsWith('.'));
  const path = array(name, { minLength: 1, maxLength: 4 }).map((parts) =>
    Buffer.concat(parts.flatMap((part, i) => (i ? [Buffer.from('/'), part] : [part]))),
  );
  const attributes = { path, mode: nat(0o7777), uid: nat(0o7777777), gid: nat(0o7777777) };
  const header: Arbitrary<Header> = oneof(
    record({ ...attributes, type: constant('directory' as const) }),
    record({ ...attributes, type: constant('file' as const), size: maxSafeNat() }),
    record({ ...attributes, type: constantFrom('symlink' as const, 'link' as const), target: path }),
  );
  assert(
    property(header, (header) => {
      const bytes = encodeHeader(header);
      t.is(bytes.length % 512, 0);
      const block = bytes.subarray(-512);
      const records = bytes.subarray(512, Math.max(512, bytes.length - 512));
      const size = records.length > 0 ? Number.parseInt(bytes.toString('latin1', 124, 135), 8) : 0;
      const parsed = parsePaxRecords(records.subarray(0, size));
      t.deepEqual(decodeHeader(block, parsed), { type: 'entry', header });
    }),
    { numRuns: 500 },
  );
});

test('a file of 8 GiB has its size in a record, one of a byte less in its field', (t) => {
  const big = join(temporary(t), 'big');
  for (const [size, listed] of [
    [2 ** 33 - 1, 2],
    [2 ** 33, 4],
    [2 ** 40, 4],
  ] as const) {
    const header = encodeHeader({
      path: Buffer.from('big'),
      type: 'file',
      mode: 0o644,
      uid: 0,
      gid: 0,
      size,
    });
    t.is(header.length / 512, listed - 1);
    // The body is a hole, which tar seeks over.
    writeFileSync(big, header);
    truncateSync(big, header.length + Math.ceil(size / 512) * 512 + 1024);
    t.is(output('tar', ['-t', '-v', '-f', big]).trim().split(/ +/)[2], String(size));
    const python = 'import sys, tarfile; print([m.size for m in tarfile.open(sys.argv[1])])';
    t.is(output('python3', ['-c', python, big]).trim(), `[${size}]`);
  }
  // Read through the scan, up to the first batch.
  const tree = temporary(t);
  writeFileSync(join(tree, 'big'), '');
  truncateSync(join(tree, 'big'), 2 ** 33);
  const [, entry] = scan(tree, 'big');
  t.is(entry && encodeHeader(entry).length, 3 * 512);
  const batches = writeTar(scan(tree, 'big'));
  t.true(Buffer.from(batches.next().value ?? '').includes('size=8589934592\n'));
  batches.return();
});

test('names of 100 bytes are in their field, of 101 in a record that old readers see cut', (t) => {
  const base = { mode: 0o644, uid: 0, gid: 0 };
  const at = (length: number, type: 'file' | 'directory') =>
    encodeHeader({ ...base, path: Buffer.alloc(length, 'n'), type, size: 0 });
  t.is(at(100, 'file').length, 512);
  t.is(at(101, 'file').length, 3 * 512);
  t.is(at(99, 'directory').length, 512);
  t.is(at(100, 'directory').length, 3 * 512);
  // No reader may take a cut path for a directory because a slash comes last.
  const path = Buffer.concat([Buffer.alloc(99, 'n'), Buffer.from('/file')]);
  const cut = encodeHeader({ ...base, path, type: 'file', size: 0 });
  t.is(cut.toString('latin1', 1024 + 98, 1024 + 101), 'n\0\x30');
});

const refused = (t: ExecutionContext, act: () => unknown, code: FaultCode, says: string) => {
  const error = t.throws(act, { instanceOf: Fault });
  t.is(error?.code, code);
  t.true(error?.message.includes(says), error?.message);
};

const pack = (tree: string, modes?: ReadonlyMap<string, number>) => () =>
  sizedTar(planTree(tree, place, modes ? { modes } : {}));

test('what a layer cannot hold is refused by name', async (t) => {
  const tree = temporary(t);
  const within = (name: string) => {
    const directory = join(tree, name);
    mkdirSync(directory);
    return directory;
  };
  const fifo = within('fifo');
  output('mkfifo', [join(fifo, 'pipe')]);
  refused(t, pack(fifo), 'UNSAFE', 'pipe" is a fifo');

  const socket = within('socket');
  const server = createServer().listen(join(socket, 's'));
  await new Promise((resolve) => server.once('listening', resolve));
  refused(t, pack(socket), 'UNSAFE', 's" is a socket');
  server.close();

  // Every /dev has a device, and nothing before it in name order that could not be packed either.
  refused(t, () => [...scan('/dev', place)], 'UNSAFE', 'is a ');

  const whiteout = within('whiteout');
  writeFileSync(join(whiteout, '.wh.x'), '');
  refused(t, pack(whiteout), 'UNSAFE', '.wh.x');

  const deep = within('deep');
  const script =
    'cd "$1"; n=$(printf %0200d 0); for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do mkdir $n; cd -P $n; done';
  output('sh', ['-c', script, 'sh', deep]);
  refused(t, pack(deep), 'UNSAFE', 'longer than 3072 bytes');

  writeFileSync(join(tree, 'file'), '');
  refused(t, pack(join(tree, 'file')), 'INPUT', 'is no directory');
  refused(t, pack(join(tree, 'missing')), 'NOT_FOUND', 'missing');
  if (!isRoot) {
    const closed = within('closed');
    writeFileSync(join(closed, 'secret'), 'x', { mode: 0 });
    refused(t, pack(closed), 'IO', 'secret');
  }
});

test('modes are given to files that are there, and to all names of one', (t) => {
  const tree = temporary(t);
  writeFileSync(join(tree, 'a'), 'x');
  linkSync(join(tree, 'a'), join(tree, 'b'));
  refused(t, pack(tree, new Map([['c', 0o4755]])), 'INPUT', 'packages/t/1/c');
  refused(t, pack(tree, new Map([['b', 0o4755]])), 'INPUT', 'two modes');
  const both = new Map([
    ['a', 0o4755],
    ['b', 0o4755],
  ]);
  t.deepEqual(
    headersOf(wholeTar(planTree(tree, place, { modes: both }))).map(({ mode }) => mode.toString(8)),
    ['755', '755', '755', '4755', '4755'],
  );
});

/** Open files below a directory, which what else runs in this process has nothing to do with. */
const openIn = (directory: string): number =>
  readdirSync('/proc/self/fd').filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(`${directory}/`);
    } catch {
      return false;
    }
  }).length;

test.serial(
  'a file that grows, shrinks or turns into a link while it is packed is noticed, and none stays open',
  (t) => {
    const tree = temporary(t);
    const path = join(tree, 'f');
    const change = (act: () => void, code: FaultCode) => {
      for (const size of [0, 1, 511, 512, 300_000, 1_000_000]) {
        output('rm', ['-rf', path]);
        writeFileSync(path, Buffer.alloc(size, 'x'));
        const entries = [...scan(tree, 't')];
        act();
        if (size > 0) refused(t, () => [...writeTar(entries)], code, '/f"');
        t.is(openIn(tree), 0);
      }
    };
    change(() => appendFileSync(path, 'more'), 'INTEGRITY');
    change(() => truncateSync(path, 0), 'INTEGRITY');
    change(() => output('ln', ['-sf', '/etc/passwd', path]), 'IO');
    change(() => output('rm', [path]), 'NOT_FOUND');

    // Whoever stops early leaves no file open.
    output('rm', ['-f', path]);
    writeFileSync(path, Buffer.alloc(1_000_000));
    const batches = writeTar(scan(tree, 't'));
    batches.next();
    t.is(openIn(tree), 1);
    batches.return();
    t.is(openIn(tree), 0);
  },
);

test('entries that are in no directory get their parents and the one order', (t) => {
  const from = join(temporary(t), 'from');
  writeFileSync(from, 'of the host');
  const entries = [
    file('etc/passwd', 'root:x:0:0::/root:/bin/sh\n'),
    symlink('bin/sh', '../packages/mksh/R59c/bin/sh'),
    directory('tmp', { mode: 0o1777 }),
    directory('home/user', { uid: 1000, gid: 1000, mode: 0o700 }),
    file('app/bin/run', { file: from, size: 11 }, { mode: 0o4755, uid: 5, gid: 6 }),
    file('app.txt', Buffer.alloc(0)),
    file('app-2', 'x'),
  ];
  const layer = wholeTar(planEntries(arrange(entries)));
  t.deepEqual(layer, wholeTar(planEntries(arrange(entries.toReversed()))));
  t.deepEqual(
    headersOf(layer).map(
      ({ path, type, mode, uid, gid }) => `${path.toString()} ${type} ${mode.toString(8)} ${uid} ${gid}`,
    ),
    [
      'app directory 755 0 0',
      'app/bin directory 755 0 0',
      'app/bin/run file 4755 5 6',
      'app-2 file 644 0 0',
      'app.txt file 644 0 0',
      'bin directory 755 0 0',
      'bin/sh symlink 777 0 0',
      'etc directory 755 0 0',
      'etc/passwd file 644 0 0',
      'home directory 755 0 0',
      'home/user directory 700 1000 1000',
      'tmp directory 1777 0 0',
    ],
  );
  t.is(output('tar', ['-x', '-O', '-f', '-', 'app/bin/run'], { input: layer }), 'of the host');
  refused(t, () => arrange([file('a', ''), directory('a')]), 'INPUT', 'twice');
  refused(t, () => arrange([file('a', ''), file('a/b', '')]), 'INPUT', 'no directory');
  refused(t, () => arrange([symlink('a', 'b'), file('a/b/c', '')]), 'INPUT', 'no directory');
  refused(t, () => wholeTar(planEntries([file('../a', '')])), 'UNSAFE', '..');
  refused(t, () => wholeTar(planEntries([file('a', '', { uid: 2 ** 21 })])), 'INPUT', 'owner');
  t.is(wholeTar(planEntries([])).length, 1024);
});

/** Path by path name, the names by bytes: what the order means, slowly. */
function byNames(a: readonly string[], b: readonly string[]): number {
  const at = a.findIndex((name, i) => name !== b[i]);
  const [x = '', y = ''] = [a[at], b[at]];
  return at < 0 || at >= b.length ? a.length - b.length : Buffer.compare(Buffer.from(x), Buffer.from(y));
}

test('paths: text and back, and the order of a walk', (t) => {
  const path = uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes));
  assert(
    property(path, (bytes) => {
      t.deepEqual(pathFromText(textOfPath(bytes)), bytes);
      t.true(Buffer.from(textOfPath(bytes)).toString() === textOfPath(bytes));
    }),
  );
  t.is(textOfPath(Buffer.from('50%/é')), '50%25/é');
  t.is(textOfPath(Buffer.from([0x61, 0xff, 0x25])), 'a%FF%25');
  const letters = array(constantFrom('a', 'a-', 'a0', 'b', '\u{10000}', '\uffff'), {
    minLength: 1,
    maxLength: 4,
  });
  assert(
    property(letters, letters, (a, b) => {
      t.is(
        Math.sign(comparePaths(Buffer.from(a.join('/')), Buffer.from(b.join('/')))),
        Math.sign(byNames(a, b)),
      );
    }),
  );
});

test('nothing in a message moves the cursor', (t) => {
  const tree = temporary(t);
  const name = 'x\u001b[2J\u009b31m\u202e';
  output('mkfifo', [join(tree, name)]);
  const error = t.throws(pack(tree));
  t.regex(error?.message ?? '', /^[ -~]*$/);
});
