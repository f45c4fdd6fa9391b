import { Buffer } from 'node:buffer';
import { Fault } from '../fault.ts';
import type { Header } from './entry.ts';
import { blockSize, decodeHeader, encodeHeader, padding, parsePaxRecords } from './header.ts';
import { comparePaths, longest, parentOf, showPath } from './path.ts';

/** What is told of a layer as its bytes pass. Each may throw to refuse it. */
export type Visitor = {
  entry(header: Header): void;
  /** A piece of the body of the file that `entry` told of, good only during the call. */
  data(bytes: Buffer): void;
  /** The body of the file is complete. */
  end(): void;
};

/** Takes the bytes of a layer, in pieces of any size, and then `finish`. Both throw INTEGRITY. */
export type LayerReader = { push(bytes: Uint8Array): void; finish(): void };

/** What the parser needs to go on: so many bytes together, or at least one and at most so many. */
type Want = { readonly size: number; readonly together: boolean };

/** A path, a target, and little more. */
const mostRecords = longest.path + longest.target + blockSize;

/**
 * Reads layer format 1 and nothing else: every header is encoded again and compared, so a layer has one reading,
 * which is every other tool's too. The order is checked, which rules out duplicates and entries below anything
 * but a directory; the target of a hard link is a file that came before.
 */
export function layerReader(where: string, visitor: Visitor): LayerReader {
  const parser = parse(where, visitor);
  let want = parser.next();
  let held: Buffer[] = [];
  let have = 0;
  const push = (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length;) {
      if (want.done) throw malformed(where, 'something follows its end');
      const { size, together } = want.value;
      const part = Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(size - have, bytes.length - at));
      at += part.length;
      if (together && have + part.length < size) {
        held.push(Buffer.from(part));
        have += part.length;
      } else {
        const whole = have > 0 ? Buffer.concat([...held, part]) : part;
        held = [];
        have = 0;
        want = parser.next(whole);
      }
    }
  };
  const finish = () => {
    if (!want.done) throw malformed(where, 'it is cut off');
  };
  return { push, finish };
}

function* parse(where: string, visitor: Visitor): Generator<Want, void, Buffer> {
  const inOrder = orderCheck(where);
  for (;;) {
    const first: Buffer = yield together(blockSize);
    if (isZero(first)) {
      if (!isZero(yield together(blockSize))) throw malformed(where, 'it has a single zero block');
      return;
    }
    const header = yield* readHeader(where, first);
    inOrder(header);
    visitor.entry(header);
    if (header.type !== 'file') continue;
    for (let left = header.size; left > 0;) {
      const part: Buffer = yield { size: left, together: false };
      visitor.data(part);
      left -= part.length;
    }
    const end = padding(header.size);
    if (end > 0 && !isZero(yield together(end))) throw malformed(where, 'padding is not zero');
    visitor.end();
  }
}

/** `first` is the header's block, or that of a pax header before it. */
function* readHeader(where: string, first: Buffer): Generator<Want, Header, Buffer> {
  let raw = first;
  let header = decodeHeader(first);
  if (header?.type === 'pax') {
    if (!(header.size > 0 && header.size <= mostRecords)) throw malformed(where, 'a pax header is too long');
    const start = Buffer.from(first);
    const records = Buffer.from(yield together(header.size + padding(header.size)));
    const block: Buffer = yield together(blockSize);
    raw = Buffer.concat([start, records, block]);
    header = decodeHeader(block, parsePaxRecords(records.subarray(0, header.size)));
  }
  if (header?.type !== 'entry')
    throw malformed(where, 'an entry is of an unknown type, or has no number where one belongs');
  if (!encodeHeader(header.header).equals(raw))
    throw malformed(where, `the entry ${showPath(header.header.path)} is not written as the format says`);
  return detached(header.header);
}

/** The names must outlive the bytes that they were read from. */
const detached = (header: Header): Header =>
  'target' in header
    ? { ...header, path: Buffer.from(header.path), target: Buffer.from(header.target) }
    : { ...header, path: Buffer.from(header.path) };

/** Throws unless each path comes after the one before it, in a directory that has been. */
function orderCheck(where: string): (header: Header) => void {
  const open: Buffer[] = [];
  const files = new Set<string>();
  let last: Buffer = Buffer.alloc(0);
  return (header) => {
    const { path } = header;
    const parent = parentOf(path);
    if (comparePaths(last, path) >= 0)
      throw malformed(where, `the entry ${showPath(path)} is out of order, or there twice`);
    last = path;
    open.length = open.findLastIndex((directory) => directory.equals(parent)) + 1;
    if (parent.length > 0 && open.length === 0)
      throw malformed(where, `the entry ${showPath(path)} is in no directory of the layer`);
    if (header.type === 'directory') open.push(path);
    if (header.type === 'file') files.add(path.toString('latin1'));
    if (header.type === 'link' && !files.has(header.target.toString('latin1')))
      throw malformed(where, `the hard link ${showPath(path)} leads to no file before it`);
  };
}

const together = (size: number): Want => ({ size, together: true });

const zeros = Buffer.alloc(blockSize);
const isZero = (bytes: Buffer): boolean => bytes.equals(zeros.subarray(0, bytes.length));

const malformed = (where: string, what: string): Fault =>
  new Fault('INTEGRITY', `${where}: this is no layer of format 1: ${what}`, {
    hint: 'only layers that static-distro made are taken; fetch it again, or from somewhere else',
  });
