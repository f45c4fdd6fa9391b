import type { Digest, Sized } from '../../builder/digest.ts';
import type { Relation } from './constraint.ts';

/** What generated the code in a package. Without one: built in roots of packages that have none either. */
export type Origin = 'host' | 'bootstrap' | 'unknown';

/** One name below `bin`, `sbin`, `lib`, `include` (any depth), or named by a `Link` field. */
export type LinkEntry = { readonly path: string; readonly type: 'file' | 'directory' | 'symlink' };

/** A package at a version, as something else names it. `diffID` once its layer is known. */
export type PackageIdentity = { readonly name: string; readonly version: string; readonly diffID?: Digest };

/**
 * What is known about a package, beside its tree and never inside it (`DIR/.records/NAME/VERSION.json`).
 * The same bytes on every machine, so it holds no path, time or user of the machine that made it.
 */
export type PackageRecord = {
  readonly format: 1;
  /** The text of the file `control` in the tree. */
  readonly control: string;
  readonly origin?: Origin;
  readonly source?: PackageIdentity;
  /** 64 hex digits over everything that decided the build's output. */
  readonly buildKey?: string;
  /** Every package in the root of the build, sorted by name. */
  readonly builtFrom: readonly PackageIdentity[];
  /** Sorted by the bytes of the path. */
  readonly links: readonly LinkEntry[];
  /** What linkers put into its programs, since a linker that tells was in the root of its build. */
  readonly linked?: Linked;
  /** What the package is as a layer, since that was made. */
  readonly layer?: RecordedLayer;
};

/**
 * By the path of each program: members of archives that are in it, by the archive, `musl/lib/libc.a`, which begins
 * with its package. A program without any is one of which nothing is known.
 */
export type Linked = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

/** A layer's tar, and its blob in each encoding that we make: all that an image needs to know. Sizes in bytes. */
export type RecordedLayer = {
  readonly diffID: Digest;
  readonly size: number;
  readonly blobs: { readonly 'gzip-1': Sized; readonly 'zstd-1': Sized };
};

/** What the solver needs to know of one package; parsed out of its record's control. */
export type Candidate = {
  readonly name: string;
  readonly version: string;
  readonly depends: readonly Relation[];
  readonly provides: readonly { readonly name: string; readonly version?: string }[];
  readonly conflicts: readonly Relation[];
  /** As it is written, whatever it means; the solver does not ask. */
  readonly architecture?: string | undefined;
};
