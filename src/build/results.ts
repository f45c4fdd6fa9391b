import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { decodeDigest } from '../../builder/descriptor.ts';
import { type Digest, digestOf, hexOf, isDigest } from '../../builder/digest.ts';
import { Fault } from '../../builder/fault.ts';
import { count, type Field, items, type Json, member, members, string } from '../../builder/json.ts';
import { withLock } from '../../builder/lock.ts';
import { writeDurably } from '../package/durable.ts';
import { readRecord, recordBytes } from '../package/record-file.ts';
import type { PackageIdentity, PackageRecord } from '../package/record.ts';
import { touch } from '../package/touch.ts';
import { versionInPath } from '../package/name.ts';
import { ensurePrivate } from '../run/private.ts';
import type { RecipeFile } from '../source/recipe.ts';
import { type Exclusive, exclusively, unlessBusy } from './exclusively.ts';
import { forgetBuilds, usualBounds } from './forget-builds.ts';
import type { Key, KeyDocument } from './key.ts';
import { readSealed, writeSealed } from './sealed.ts';

export type BuiltPackage = Pick<PackageIdentity, 'name' | 'version'> & { readonly record: PackageRecord };

/** What a build gave: its packages by their records, whose layers are in the store, and what it took. */
export type Output = {
  readonly packages: readonly BuiltPackage[];
  readonly cpuSeconds: number;
  readonly seconds: number;
};

export type BuildName = {
  readonly name: string;
  readonly version: string;
  readonly view: 'host' | 'packages';
};

/** The last build of a version of a source in one view, whatever its key. */
export type LastBuild = {
  readonly unpack: string;
  readonly build: string;
  readonly cpuSeconds: number;
  readonly seconds: number;
};

/**
 * The cache of builds, a directory `KEY/` for each key: its document, and what came of it. It may be deleted at any
 * time, it is the caller's own, and what is damaged in it counts as absent.
 */
export type Results = {
  /** What unpacking gives, by content. */
  unpacked(key: string): Digest | undefined;
  /** Gives what the same key gave before, if that was something else: unpacking is not reproducible then. */
  keepUnpacked(key: Key, digest: Digest): Digest | undefined;
  /** All outputs that the key has shown, the one to use first. */
  built(key: string): readonly Output[];
  /** Puts an output first. Gives what the same key gave before, if that was something else. */
  keepBuilt(key: Key, output: Output): Output | undefined;
  /** Whether a test has passed. */
  tested(key: string): boolean;
  keepTested(key: Key): void;
  document(key: string): KeyDocument | undefined;
  last(of: BuildName): LastBuild | undefined;
  keepLast(of: BuildName, last: LastBuild): void;
  /** The content of a recipe's file at an earlier build, by digest. */
  file(digest: string): Buffer | undefined;
  keepFiles(files: readonly RecipeFile[]): void;
  /** Runs `fn` while nobody else does with the same key. `waiting` is called once if somebody does. */
  exclusively<T>(key: string, options: Omit<Exclusive, 'lock'>, fn: () => Promise<T>): Promise<T>;
  /** Once a day, and while nobody builds, removes what is out of {@link usualBounds}. */
  forget(): Promise<void>;
};

/** Between two looks at how much there is, in ms. */
const day = 24 * 3600_000;

/** `lock` is the program `native/lock`. */
export function openResults(directory: string, lock: string): Results {
  let trusted = false;
  /** Records of somebody else would be published as ours. */
  const own = (): string => {
    if (!trusted) for (const each of [dirname(directory), directory]) ensurePrivate(each);
    trusted = true;
    return directory;
  };
  const placeOf = (key: string) => join(own(), key.slice(0, 2), key);
  const lastOf = ({ name, version, view }: BuildName) =>
    join(own(), 'last', name, `${versionInPath(version)}.${view}.json`);
  /** Of what is asked for again and again nothing is forgotten. */
  const asked = (key: string): string => {
    const place = placeOf(key);
    touch(join(place, 'key.json'));
    return place;
  };
  const unpackedOf = (key: string) =>
    readSealed(join(asked(key), 'unpacked.json'), (field) => items(field).map(decodeDigest)) ?? [];
  const builtOf = (key: string) => readOutputs(asked(key));
  const keepDocument = ({ hex, document }: Key): string => {
    const place = placeOf(hex);
    writeSealed(join(place, 'key.json'), document);
    return place;
  };
  return {
    unpacked: (key) => unpackedOf(key)[0],
    keepUnpacked(key, digest) {
      const before = unpackedOf(key.hex);
      if (before[0] === digest) return undefined;
      const others = before.filter((each) => each !== digest);
      writeSealed(join(keepDocument(key), 'unpacked.json'), [digest, ...others]);
      return before[0];
    },
    built: builtOf,
    keepBuilt(key, output) {
      const before = builtOf(key.hex);
      const same = (other: Output) => diffIDs(other) === diffIDs(output);
      writeOutputs(keepDocument(key), [output, ...before.filter((other) => !same(other))]);
      return before.find((other) => !same(other));
    },
    tested: (key) => readSealed(join(asked(key), 'tested.json'), () => true) ?? false,
    keepTested: (key) => writeSealed(join(keepDocument(key), 'tested.json'), {}),
    document: (key) => readSealed(join(placeOf(key), 'key.json'), (field) => members(field) as KeyDocument),
    last: (of) => readSealed(lastOf(of), decodeLast),
    keepLast(of, { unpack, build, ...times }) {
      writeSealed(lastOf(of), { unpack, build, ...encodeTimes(times) });
    },
    file(digest) {
      if (!isDigest(digest)) return undefined;
      const path = join(own(), 'files', hexOf(digest));
      const bytes = existsSync(path) ? readFileSync(path) : undefined;
      return bytes && digestOf(bytes) === digest ? bytes : undefined;
    },
    keepFiles(files) {
      const place = join(own(), 'files');
      mkdirSync(place, { recursive: true, mode: 0o700 });
      for (const { digest, bytes } of files) {
        const path = join(place, hexOf(digest));
        if (!existsSync(path)) writeDurably(place, path, bytes);
      }
    },
    exclusively(key, options, fn) {
      // Nobody forgets meanwhile.
      return withLock(lock, own(), { shared: true }, async () => {
        const place = placeOf(key);
        mkdirSync(place, { recursive: true, mode: 0o700 });
        return await exclusively(place, { ...options, lock }, fn);
      });
    },
    async forget() {
      const stamp = join(directory, 'forgotten');
      const before = statSync(stamp, { throwIfNoEntry: false })?.mtimeMs ?? 0;
      const now = Date.now();
      if (!existsSync(directory) || Math.abs(now - before) < day) return;
      await unlessBusy(own(), lock, async () => {
        forgetBuilds(directory, { ...usualBounds, now });
        writeSealed(stamp, {});
      });
    },
  };
}

/** In one text, as two outputs are the same if all their layers are. */
export const diffIDs = ({ packages }: Pick<Output, 'packages'>): string =>
  packages.map(({ name, version, record }) => `${name} ${version} ${record.layer?.diffID}`).join('\n');

type Times = Pick<Output, 'cpuSeconds' | 'seconds'>;

/** In ms, as our JSON has only integers. */
const encodeTimes = ({ cpuSeconds, seconds }: Times) => ({
  cpu: Math.round(cpuSeconds * 1000),
  wall: Math.round(seconds * 1000),
});

function writeOutputs(place: string, outputs: readonly Output[]): void {
  const listed: Json = outputs.map(({ packages, cpuSeconds, seconds }) => ({
    packages: packages.map(({ name, version, record }) => {
      const bytes = recordBytes(record);
      const digest = digestOf(bytes);
      writeDurably(place, recordPath(place, digest), bytes);
      return { name, version, record: digest };
    }),
    ...encodeTimes({ cpuSeconds, seconds }),
  }));
  writeSealed(join(place, 'outputs.json'), listed);
}

const recordPath = (place: string, digest: Digest): string => join(place, `record-${hexOf(digest)}.json`);

function readOutputs(place: string): readonly Output[] {
  const read = (field: Field): Output | undefined => {
    const packages = items(member(field, 'packages')).map((each) => {
      const record = readKept(recordPath(place, decodeDigest(member(each, 'record'))));
      return (
        record && { name: string(member(each, 'name')), version: string(member(each, 'version')), record }
      );
    });
    const whole = packages.filter((each) => each !== undefined);
    if (whole.length !== packages.length) return undefined;
    return { packages: whole, ...decodeTimes(field) };
  };
  const outputs = readSealed(join(place, 'outputs.json'), (field) => items(field).map(read)) ?? [];
  return outputs.filter((output) => output !== undefined);
}

/** A record by its digest, which is its name. */
function readKept(path: string): PackageRecord | undefined {
  try {
    const record = readRecord(path);
    const whole = record && path.endsWith(`record-${hexOf(digestOf(recordBytes(record)))}.json`);
    return whole ? record : undefined;
  } catch (error) {
    if (error instanceof Fault && error.code === 'INPUT') return undefined;
    throw error;
  }
}

const decodeTimes = (field: Field): Times => ({
  cpuSeconds: count(member(field, 'cpu')) / 1000,
  seconds: count(member(field, 'wall')) / 1000,
});

const decodeLast = (field: Field): LastBuild => ({
  unpack: string(member(field, 'unpack')),
  build: string(member(field, 'build')),
  ...decodeTimes(field),
});
