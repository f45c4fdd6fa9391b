import { Buffer, isAscii, isUtf8 } from 'node:buffer';
import { Fault } from '../fault.ts';
import type { Header, Owner } from './entry.ts';
import { checkPath, checkTarget, showPath } from './path.ts';

/**
 * The headers of layer format 1: POSIX pax (IEEE Std 1003.1, "pax Interchange Format"), in one form only, so
 * that equal trees are equal bytes. Pure: bytes in, bytes out.
 */
export const blockSize = 512;

/** 1980-01-01, the time of every entry: the oldest that zip files can have too. */
export const entryTime = 315532800;

/** What a header's octal fields can hold. */
const mostSize = 0o77777777777;
const mostOwner = 0o7777777;

/** Where the fields are: offset and length. */
const field = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  target: [157, 100],
  magic: [257, 8],
  devices: [329, 16],
} as const;

/** After it come only zeros. */
const endOfFields = field.devices[0] + field.devices[1];

const typeFlag = { file: '0', link: '1', symlink: '2', directory: '5' } as const;
const paxFlag = 'x';

/** Everything that is the same in all headers. */
const template = Buffer.alloc(blockSize);
template.write('ustar\x0000', field.magic[0], 'latin1');
template.write('0000000\0'.repeat(2), field.devices[0], 'latin1');
writeOctal(template, field.mtime, entryTime);
template.fill(' ', field.checksum[0], field.checksum[0] + field.checksum[1]);

/** The most that {@link writeHeader} writes: two headers, and the records of the longest path and target. */
export const mostHeader = 2 * blockSize + 16 * blockSize;

const scratch = Buffer.alloc(mostHeader);
const slash = Buffer.from('/');
const none = Buffer.alloc(0);

/**
 * Writes the blocks before an entry's body at `at`: one, or with what does not fit into it, a pax header and its
 * records first. Gives the place after them. Throws UNSAFE for a path, target or owner that a layer cannot hold.
 */
export function writeHeader(header: Header, into: Buffer, at: number): number {
  checkPath(header.path);
  if (Math.max(header.uid, header.gid) > mostOwner)
    throw new Fault('INPUT', `layer: the owner of ${showPath(header.path)} is over ${mostOwner}`);
  const name = header.type === 'directory' ? Buffer.concat([header.path, slash]) : header.path;
  const target = 'target' in header ? header.target : none;
  if ('target' in header) checkTarget(target, header.path);
  const size = header.type === 'file' ? header.size : 0;
  const records = paxRecords(name, target, size);
  const start = records.length === 0 ? at : writeRecords(records, into, at);
  return writeBlock(into, start, {
    ...header,
    name,
    target,
    flag: typeFlag[header.type],
    size: size > mostSize ? 0 : size,
  });
}

/** What {@link writeHeader} writes, alone. */
export const encodeHeader = (header: Header): Buffer =>
  Buffer.from(scratch.subarray(0, writeHeader(header, scratch, 0)));

/** Zero bytes that follow a body of `size`, up to the next block. */
export const padding = (size: number): number => (blockSize - (size % blockSize)) % blockSize;

/** What is in a pax header or its entry; `records` is of the pax header before it. */
export type RawHeader =
  { readonly type: 'pax'; readonly size: number } | { readonly type: 'entry'; readonly header: Header };

/**
 * Reads a block that {@link encodeHeader} wrote, with the records that came before it. Leaves to the caller
 * to encode the result again and compare, which is what finds every deviation; undefined where not even
 * that can be tried.
 */
export function decodeHeader(block: Buffer, records: PaxRecords = new Map()): RawHeader | undefined {
  const size = readOctal(block, field.size);
  const flag = block.toString('latin1', field.type[0], field.type[0] + 1);
  if (flag === paxFlag) return { type: 'pax', size };
  const attributes = {
    path: records.get('path') ?? readText(block, field.name),
    mode: readOctal(block, field.mode),
    uid: readOctal(block, field.uid),
    gid: readOctal(block, field.gid),
  };
  const told = Number(records.get('size')?.toString('latin1') ?? size);
  // What is no number would be written as zero bytes, which could be what was there.
  if (![size, told, attributes.mode, attributes.uid, attributes.gid].every((number) => number >= 0))
    return undefined;
  const target = records.get('linkpath') ?? readText(block, field.target);
  switch (flag) {
    case typeFlag.directory:
      return {
        type: 'entry',
        header: { ...attributes, type: 'directory', path: attributes.path.subarray(0, -1) },
      };
    case typeFlag.file:
      return { type: 'entry', header: { ...attributes, type: 'file', size: told } };
    case typeFlag.symlink:
      return { type: 'entry', header: { ...attributes, type: 'symlink', target } };
    case typeFlag.link:
      return { type: 'entry', header: { ...attributes, type: 'link', target } };
    default:
      return undefined;
  }
}

/** By keyword. Values are bytes, as a name need not be UTF-8. */
export type PaxRecords = ReadonlyMap<string, Buffer>;

function paxRecords(name: Buffer, target: Buffer, size: number): Buffer {
  if (fits(name) && fits(target) && size <= mostSize) return none;
  const records: Buffer[] = [];
  if (!isUtf8(name) || !isUtf8(target)) records.push(paxRecord('hdrcharset', Buffer.from('BINARY')));
  if (!fits(name)) records.push(paxRecord('path', name));
  if (!fits(target)) records.push(paxRecord('linkpath', target));
  if (size > mostSize) records.push(paxRecord('size', Buffer.from(String(size))));
  return Buffer.concat(records);
}

const fits = (text: Buffer): boolean => text.length <= field.name[1] && isAscii(text);

/** "LENGTH KEYWORD=VALUE\n", where the length counts its own digits. */
function paxRecord(keyword: string, value: Buffer): Buffer {
  const rest = keyword.length + value.length + 3;
  let length = rest + String(rest).length;
  if (String(length).length > String(rest).length) length = rest + String(length).length;
  return Buffer.concat([Buffer.from(`${length} ${keyword}=`), value, Buffer.from('\n')]);
}

/** Undefined if the bytes are no sequence of records. */
export function parsePaxRecords(bytes: Buffer): PaxRecords | undefined {
  const records = new Map<string, Buffer>();
  for (let start = 0; start < bytes.length;) {
    const blank = bytes.indexOf(' ', start);
    const equals = bytes.indexOf('=', start);
    const end = start + Number(bytes.toString('latin1', start, blank));
    if (!(start < blank && blank < equals && equals < end && end <= bytes.length)) return undefined;
    records.set(bytes.toString('latin1', blank + 1, equals), bytes.subarray(equals + 1, end - 1));
    start = end;
  }
  return records;
}

type Field = readonly [offset: number, length: number];

type Fields = Owner & {
  readonly name: Buffer;
  readonly target: Buffer;
  readonly flag: string;
  readonly mode: number;
  readonly size: number;
};

/** A pax header and its records, up to the next block. */
function writeRecords(records: Buffer, into: Buffer, at: number): number {
  const name = Buffer.from('PaxHeader');
  const fields = { name, target: none, flag: paxFlag, mode: 0o644, uid: 0, gid: 0, size: records.length };
  const start = writeBlock(into, at, fields);
  const end = start + records.copy(into, start);
  into.fill(0, end, end + padding(records.length));
  return end + padding(records.length);
}

function writeBlock(into: Buffer, at: number, { name, target, flag, mode, uid, gid, size }: Fields): number {
  const block = into.subarray(at, at + blockSize);
  block.set(template);
  block.set(name.length > field.name[1] ? name.subarray(0, field.name[1]) : name);
  // Cut, and never to something that ends in a slash, which some readers take for a directory.
  if (name.length > field.name[1]) for (let i = field.name[1] - 1; block[i] === 0x2f; i--) block[i] = 0;
  if (target.length > 0) target.copy(block, field.target[0], 0, field.target[1]);
  block[field.type[0]] = flag.charCodeAt(0);
  writeOctal(block, field.mode, mode);
  writeOctal(block, field.uid, uid);
  writeOctal(block, field.gid, gid);
  writeOctal(block, field.size, size);
  // The checksum is the sum of all bytes, its own field read as blanks; its last byte stays one.
  let sum = 0;
  for (let i = 0; i < endOfFields; i++) sum += block[i] ?? 0;
  writeOctal(block, [field.checksum[0], field.checksum[1] - 1], sum);
  return at + blockSize;
}

/** Digits and a zero byte; several times faster than by way of a string. */
function writeOctal(block: Buffer, [offset, length]: Field, value: number): void {
  let left = value;
  for (let i = offset + length - 2; i >= offset; i--) {
    block[i] = 0x30 + (left % 8);
    left = Math.floor(left / 8);
  }
  block[offset + length - 1] = 0;
}

const readOctal = (block: Buffer, [offset, length]: Field): number =>
  Number.parseInt(block.toString('latin1', offset, offset + length - 1), 8);

function readText(block: Buffer, [offset, length]: Field): Buffer {
  const text = block.subarray(offset, offset + length);
  const end = text.indexOf(0);
  return end < 0 ? text : text.subarray(0, end);
}
