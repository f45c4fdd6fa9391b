import type { Candidate } from '../package/record.ts';
import type { Provider } from '../package/stand-ins.ts';
import type { Relation } from '../package/constraint.ts';

/** A package at a version, as it is named in requests and answers. */
export type Package = { readonly name: string; readonly version: string };

/**
 * What there is to choose from. The solver asks for what it comes to and for nothing else, so a universe of
 * 60,000 packages costs what the few that matter cost. The order of any list given here decides nothing.
 */
export type Universe = {
  /** Every name that has a version. Asked for only to say what a wrong name may have meant. */
  names(): readonly string[];
  /** Empty if there is no such package. */
  versions(name: string): readonly string[];
  /** Throws a Fault if the package is there and cannot be read. */
  candidate(name: string, version: string): Candidate;
  /** Every version of every package that has `name` in its `Provides`. */
  providers(name: string): readonly Provider[];
};

/** One thing asked for. `from` says where it was written, for error messages: "command line". */
export type Wish = Relation & { readonly from?: string };

/** Versions to keep where nothing speaks against them, by name: those of a lock. */
export type Locked = ReadonlyMap<string, string>;

export type Preferences = {
  readonly locked?: Locked;
  /** The option of the tool that names repositories, for hints; `-d` if not said. */
  readonly option?: string;
};
