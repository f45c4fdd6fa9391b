import { Buffer } from 'node:buffer';
import {
  chmodSync,
  closeSync,
  fchmodSync,
  futimesSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { type Digest, digester } from '../digest.ts';
import { asFault, Fault } from '../fault.ts';
import { entryTime } from './header.ts';
import { joinPath } from './path.ts';
import { layerReader, type Visitor } from './read.ts';
import { isBelow, treeRules, type TreeRules } from './rules.ts';

/** What was recorded of the layer; `size` is that of the tar. */
export type Expected = { readonly diffID: Digest; readonly size: number };

/**
 * Unpacks the layer of one tree into the new directory `into`, without what it has above the tree. Modes are 0755
 * and 0644, also where the layer has a set-id bit, and every time is the layer's constant. Throws UNSAFE or
 * INTEGRITY, and leaves nothing behind, unless the layer keeps the rules and is exactly the expected one.
 */
export async function unpackTree(
  tar: AsyncIterable<Uint8Array>,
  into: string,
  expected: Expected,
  rules: TreeRules,
): Promise<void> {
  attempt(into, () => mkdirSync(into));
  const writer = treeWriter(Buffer.from(into), rules);
  const reader = layerReader(rules.where, writer);
  const digest = digester();
  let size = 0;
  try {
    for await (const chunk of tar) {
      size += chunk.length;
      if (size > expected.size)
        throw differs(rules.where, `has more than the ${expected.size} bytes recorded`);
      digest.update(chunk);
      reader.push(chunk);
    }
    reader.finish();
    const { digest: diffID } = digest.finish();
    if (diffID !== expected.diffID) throw differs(rules.where, `is ${diffID}, not ${expected.diffID}`);
    attempt(into, writer.settle);
  } catch (error) {
    writer.abandon();
    rmSync(into, { recursive: true, force: true });
    throw asFault(error, into);
  }
}

type TreeWriter = Visitor & { settle(): void; abandon(): void };

/** Every directory on the way to an entry is one that this has made: the reader has seen to it. */
function treeWriter(into: Buffer, rules: TreeRules): TreeWriter {
  const check = treeRules(rules);
  const root = Buffer.from(rules.path);
  const directories = [into];
  const hostPath = (path: Buffer) => joinPath(into, path.subarray(root.length + 1));
  let file: { readonly descriptor: number; readonly mode: number } | undefined;
  const close = () => {
    if (file) closeSync(file.descriptor);
    file = undefined;
  };
  return {
    entry(header) {
      check(header);
      if (!isBelow(header.path, root)) return;
      const path = hostPath(header.path);
      if (header.type === 'directory') {
        mkdirSync(path);
        directories.push(path);
      } else if (header.type === 'file') {
        file = { descriptor: openSync(path, 'wx'), mode: header.mode & 0o111 ? 0o755 : 0o644 };
      } else if (header.type === 'link') {
        linkSync(hostPath(header.target), path);
      } else {
        symlinkSync(header.target, path);
        lutimesSync(path, entryTime, entryTime);
      }
    },
    data(bytes) {
      if (file) writeAll(file.descriptor, bytes);
    },
    end() {
      if (!file) return;
      fchmodSync(file.descriptor, file.mode);
      futimesSync(file.descriptor, entryTime, entryTime);
      close();
    },
    // Last, as every new name in a directory changes its time; the mode, as the umask may have cut it.
    settle() {
      for (const path of directories) {
        chmodSync(path, 0o755);
        utimesSync(path, entryTime, entryTime);
      }
    },
    abandon: close,
  };
}

function writeAll(descriptor: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at);
}

function attempt(path: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    throw asFault(error, path);
  }
}

const differs = (where: string, what: string): Fault =>
  new Fault('INTEGRITY', `${where}: the layer ${what}`, {
    hint: 'nothing of it has been kept; fetch it again',
  });
