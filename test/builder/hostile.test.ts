import test, { type ExecutionContext } from 'ava';
import { assert, constantFrom, integer, nat, property, record } from 'fast-check';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '../../builder/digest.ts';
import { Fault, type FaultCode } from '../../builder/fault.ts';
import { readArchive, type ArchiveOptions } from '../../builder/tar/archive.ts';
import type { Header } from '../../builder/tar/entry.ts';
import { layerReader } from '../../builder/tar/read.ts';
import { unpackTree } from '../../builder/tar/unpack.ts';
import { chunksOf, collect, describeTree } from '../support/layers.ts';
import { output, root, temporary } from '../support/tools.ts';

const fixtures = join(root, 'registry-fixtures/archives');

type Expected = { readonly code: FaultCode | ''; readonly says: string };

/** What must become of each archive: the code of the Fault, or none where it must be taken. */
const expected = JSON.parse(readFileSync(join(fixtures, 'expected.json'), 'utf8')) as Record<
  string,
  Expected
>;
const names = Object.keys(expected);

function expectedOf(name: string): Expected {
  const found = expected[name];
  if (!found) throw new Error(`nothing is expected of ${name}`);
  return found;
}

const layers = names.filter((name) => name.startsWith('layer-'));
const archives = names.filter((name) => name.startsWith('archive-'));

const path = 'packages/p/1';

/** Unpacks beside things that an escape would change, and shows that none did. */
async function unpack(t: ExecutionContext, tar: Buffer, options: { pieces?: number; size?: number } = {}) {
  const directory = temporary(t);
  const outside = join(directory, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'x'), 'as it was');
  symlinkSync('outside', join(directory, 'etc'));
  const before = describeTree(directory);
  const into = join(directory, 'inner');
  const recorded = { diffID: digestOf(tar), size: options.size ?? tar.length };
  const where = 'layer';
  try {
    await unpackTree(chunksOf(tar, options.pieces), into, recorded, { path, where });
    return { into };
  } catch (error) {
    t.false(existsSync(into), 'something was left behind');
    return { error };
  } finally {
    const after = describeTree(directory).filter((line) => !line.startsWith('/inner'));
    t.deepEqual(after, before);
  }
}

for (const name of layers) {
  test(name, async (t) => {
    const tar = readFileSync(join(fixtures, name));
    const { code, says } = expectedOf(name);
    for (const pieces of [65536, 512, 100]) {
      const { error, into } = await unpack(t, tar, { pieces });
      if (code === '') t.is(into && readdirSync(into).join(' '), 'a d e s', String(error));
      else if (t.true(error instanceof Fault, String(error)) && error instanceof Fault) {
        t.is(error.code, code, error.message);
        t.true(error.message.includes(says), error.message);
        t.regex(error.message, /^[^\p{C}]+$/u);
        t.truthy(error.hint);
      }
    }
  });
}

const read = async (tar: Buffer, options: Partial<ArchiveOptions> = {}) => {
  const members: string[] = [];
  for await (const { header, body } of readArchive(chunksOf(tar, 700), {
    where: 'archive',
    most: 30_000,
    mostMembers: 15,
    ...options,
  })) {
    const content = header.type === 'file' ? await collect(body) : Buffer.alloc(0);
    members.push(
      `${header.type} ${header.path.toString()} ${content.toString('latin1').slice(0, 10)}`.trim(),
    );
  }
  return members;
};

for (const name of archives) {
  test(name, async (t) => {
    const tar = readFileSync(join(fixtures, name));
    const { code, says } = expectedOf(name);
    if (code === '') {
      t.true((await read(tar)).length > 1);
      return;
    }
    const error = await t.throwsAsync(() => read(tar), { instanceOf: Fault });
    t.is(error?.code, code, error?.message);
    t.true(error?.message.includes(says), error?.message);
    t.regex(error?.message ?? '', /^[^\p{C}]+$/u);
  });
}

test('the archives are what their script makes', (t) => {
  const made = temporary(t);
  output('python3', [join(fixtures, 'make.py'), made]);
  const committed = readdirSync(fixtures).filter((name) => name !== 'make.py' && !name.startsWith('__'));
  t.deepEqual(readdirSync(made).toSorted(), committed.toSorted());
  for (const name of committed)
    t.true(readFileSync(join(made, name)).equals(readFileSync(join(fixtures, name))), name);
  t.deepEqual(committed.toSorted(), [...names, 'expected.json'].toSorted());
});

test('archives of GNU tar and of pax are read: long names, links, bodies left unread', async (t) => {
  t.deepEqual(await read(readFileSync(join(fixtures, 'archive-good.tar'))), [
    'directory blobs',
    'file blobs/x data',
    `file ${'\u00e9'.repeat(120)} long`,
    'link blobs/link',
    'symlink latest',
  ]);
  t.deepEqual(await read(readFileSync(join(fixtures, 'archive-gnu-good.tar'))), [
    `file d/${'n'.repeat(150)} long`,
    'symlink s',
  ]);
  const skipped: string[] = [];
  const tar = readFileSync(join(fixtures, 'archive-good.tar'));
  for await (const { header } of readArchive(chunksOf(tar), { where: 'x', most: 1e6 }))
    skipped.push(header.type);
  t.is(skipped.length, 5);
  for await (const { header } of readArchive(chunksOf(tar), { where: 'x', most: 1e6 })) {
    t.is(header.type, 'directory');
    break;
  }
  const whiteout = readFileSync(join(fixtures, 'archive-whiteout.tar'));
  t.deepEqual(await read(whiteout, { whiteouts: true }), ['file .wh.a']);
});

test('a layer that is not the one recorded is not kept, whatever is in it', async (t) => {
  const good = readFileSync(join(fixtures, 'layer-good.tar'));
  const larger = await unpack(t, good, { size: good.length - 1 });
  t.regex(String(larger.error), /more than the \d+ bytes/);
  const changed = Buffer.from(good);
  const at = changed.indexOf('data\n');
  changed[at] = 0x44;
  const directory = temporary(t);
  const recorded = { diffID: digestOf(good), size: good.length };
  const into = join(directory, 'tree');
  const other = await t.throwsAsync(() =>
    unpackTree(chunksOf(changed), into, recorded, { path, where: 'x' }),
  );
  t.regex(other?.message ?? '', /is sha256:.*, not sha256:/);
  t.deepEqual(readdirSync(directory), []);
  // What is there already is nobody's to overwrite or to remove.
  mkdirSync(into);
  writeFileSync(join(into, 'mine'), '');
  const there = await t.throwsAsync(() => unpackTree(chunksOf(good), into, recorded, { path, where: 'x' }), {
    instanceOf: Fault,
  });
  t.regex(there?.message ?? '', /exists/);
  t.deepEqual(readdirSync(into), ['mine']);
});

test('modes that were declared are taken, and given to no file', async (t) => {
  const tar = readFileSync(join(fixtures, 'layer-setuid.tar'));
  const recorded = { diffID: digestOf(tar), size: tar.length };
  const into = join(temporary(t), 'tree');
  await unpackTree(chunksOf(tar), into, recorded, { path, where: 'x', modes: new Map([['a', 0o4755]]) });
  t.regex(describeTree(into).join(), /^\/a sha256:[0-9a-f]+ 755 315532800$/);
  const wrong = join(temporary(t), 'tree');
  const other = { path, where: 'x', modes: new Map([['b', 0o4755]]) };
  await t.throwsAsync(() => unpackTree(chunksOf(tar), wrong, recorded, other), { message: /mode 4755/ });
});

/** What the strict reader makes of it, or undefined. */
function strictly(tar: Buffer): { headers: Header[]; bytes: number } | undefined {
  const headers: Header[] = [];
  let bytes = 0;
  const reader = layerReader('x', {
    entry: (header) => headers.push(header),
    data: ({ length }) => (bytes += length),
    end: () => undefined,
  });
  try {
    reader.push(tar);
    reader.finish();
    return { headers, bytes };
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

test('a field of a header that is empty, or no number, is not read as 0', (t) => {
  const good = readFileSync(join(fixtures, 'layer-good.tar'));
  t.truthy(strictly(good));
  // Mode, owner, group, size and time, and what is written there.
  for (const [at, length] of [
    [100, 8],
    [108, 8],
    [116, 8],
    [124, 12],
    [136, 12],
  ] as const) {
    for (const content of ['\0', ' ', '-', 'x']) {
      const changed = Buffer.from(good);
      changed.fill(content, at, at + length);
      const sum = changed
        .subarray(0, 512)
        .fill(' ', 148, 156)
        .reduce((total, byte) => total + byte, 0);
      changed.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
      t.is(strictly(changed), undefined, `${at} ${content}`);
    }
  }
});

test('a layer with any byte changed, cut or doubled is refused, or read as every other tool reads it', (t) => {
  const good = readFileSync(join(fixtures, 'layer-good.tar'));
  const directory = temporary(t);
  const script = `
import sys, tarfile
for m in tarfile.open(sys.argv[1], errorlevel=2):
    print(m.name, m.type.decode(), m.mode, m.uid, m.gid, m.size, m.linkname)`;
  const flag = { file: '0', link: '1', symlink: '2', directory: '5' };
  let taken = 0;
  const change = record({
    kind: constantFrom('flip', 'cut', 'double', 'zero', 'move'),
    at: nat(good.length - 1),
    bit: nat(7),
    length: integer({ min: 1, max: 1200 }),
  });
  assert(
    property(change, ({ kind, at, bit, length }) => {
      const changed = Buffer.from(good);
      changed[at] = (changed[at] ?? 0) ^ (1 << bit);
      const part = good.subarray(at, at + length);
      const tar = {
        flip: changed,
        cut: Buffer.concat([good.subarray(0, at), good.subarray(at + length)]),
        double: Buffer.concat([good.subarray(0, at), part, good.subarray(at)]),
        zero: Buffer.concat([good.subarray(0, at), Buffer.alloc(part.length), good.subarray(at + length)]),
        move: Buffer.concat([part, good.subarray(0, at), good.subarray(at + length)]),
      }[kind];
      const found = strictly(tar);
      if (!found) return;
      taken += 1;
      const file = join(directory, 'changed.tar');
      writeFileSync(file, tar);
      const theirs = output('python3', ['-c', script, file]).split('\n').slice(0, -1);
      const ours = found.headers.map((header) =>
        [
          header.path.toString(),
          flag[header.type],
          header.mode,
          header.uid,
          header.gid,
          header.type === 'file' ? header.size : 0,
          'target' in header ? header.target.toString() : '',
        ].join(' '),
      );
      t.deepEqual(theirs, ours);
    }),
    { numRuns: 2000 },
  );
  // Changes in a body are seen by the digest only, so some must have passed here.
  t.true(taken > 0);
});
