import { readRegularSync } from '../../builder/regular-file.ts';
import type { Provided } from './walk.ts';

/**
 * The index of a big repository: who stands in for which name, which no directory tells. Versions, dependencies
 * and records are read where they are. Lines of text, their fields separated by blanks:
 *
 *     "static-distro-index" "1" time bytes-of-stand-ins bytes-of-names
 *     *( virtual-name name time version [ "=" version ] )           ; sorted by bytes, to be searched
 *     *( name time *( "," version virtual-name [ "=" version ] ) )  ; what it was made from, sorted
 *
 * A time is the mtime of a directory, that of the repository or of a name, in nanoseconds; 0 where a change may
 * have come too soon after it to be told from it.
 */
export type Index = {
  readonly time: bigint;
  readonly names: readonly IndexedName[];
};

export type IndexedName = {
  readonly name: string;
  readonly time: bigint;
  readonly provided: readonly Provided[];
};

/** A package that provides a name; `time` is that of its own name when that was looked at. */
type IndexedProvider = Provided & { readonly name: string; readonly time: bigint };

/** An index as it lies in memory: what is asked for is searched, for most of it never is. */
export type IndexFile = {
  readonly time: bigint;
  providers(virtual: string): readonly IndexedProvider[];
  names(): readonly IndexedName[];
};

export function indexBytes({ time, names }: Index): Buffer {
  const standIns = names
    .flatMap(({ name, time, provided }) =>
      provided.map((each) => `${each.virtual} ${name} ${time} ${each.version}${given(each)}\n`),
    )
    .sort()
    .join('');
  const sources = names
    .map(({ name, time, provided }) => {
      const list = provided.map((each) => `,${each.version} ${each.virtual}${given(each)}`);
      return `${name} ${time}${list.join('')}\n`;
    })
    .join('');
  return Buffer.from(
    `static-distro-index 1 ${time} ${standIns.length} ${sources.length}\n${standIns}${sources}`,
  );
}

const given = ({ as }: Provided) => (as === undefined ? '' : ` =${as}`);

/** Undefined if there is none, or none of this format. */
export function readIndex(file: string): IndexFile | undefined {
  let bytes: Buffer;
  try {
    bytes = readRegularSync(file);
  } catch {
    return undefined;
  }
  const start = bytes.indexOf('\n') + 1;
  const head = bytes.toString('latin1', 0, Math.min(start, 100));
  const [, time = '', standIns, sources] = /^static-distro-index 1 (\d+) (\d+) (\d+)\n$/.exec(head) ?? [];
  const middle = start + Number(standIns);
  if (bytes.length !== middle + Number(sources)) return undefined;
  return {
    time: BigInt(time),
    providers: (virtual) => search(bytes.subarray(start, middle), virtual),
    names: () => bytes.toString('latin1', middle).split('\n').slice(0, -1).map(parseName),
  };
}

const newline = 10;

function search(lines: Buffer, virtual: string): IndexedProvider[] {
  const key = Buffer.from(`${virtual} `);
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const start = middle === 0 ? 0 : lines.lastIndexOf(newline, middle - 1) + 1;
    const end = lines.indexOf(newline, start) + 1;
    if (key.compare(lines, start, Math.min(end, start + key.length)) > 0) low = end;
    else high = start;
  }
  const found: IndexedProvider[] = [];
  while (low < lines.length) {
    const end = lines.indexOf(newline, low);
    const [of, name = '', time = '0', version = '', as] = lines.toString('latin1', low, end).split(' ');
    if (of !== virtual) break;
    found.push({ name, time: BigInt(time), virtual, version, as: parseGiven(as) });
    low = end + 1;
  }
  return found;
}

function parseName(line: string): IndexedName {
  const [source = '', ...list] = line.split(',');
  const [name = '', time = '0'] = source.split(' ');
  const provided = list.map((each) => {
    const [version = '', virtual = '', as] = each.split(' ');
    return { version, virtual, as: parseGiven(as) };
  });
  return { name, time: BigInt(time), provided };
}

const parseGiven = (as: string | undefined) => as?.slice(1);
