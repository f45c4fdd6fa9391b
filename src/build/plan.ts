import { Fault } from '../../builder/fault.ts';
import type { Machine } from '../package/architecture.ts';
import type { Relation } from '../package/constraint.ts';
import { quote } from '../package/name.ts';
import type { Origin } from '../package/record.ts';
import type { SourceControl } from '../package/source-control.ts';
import type { ChosenPackage } from '../run/chosen.ts';
import type { Wish } from '../solve/universe.ts';
import type { Distfile } from '../source/distfile.ts';
import type { Recipe } from '../source/recipe.ts';
import type { HostCompiler } from './compiler.ts';
import type { KeyedCompiler } from './key.ts';
import type { Machines } from './variables.ts';

/** What of a recipe is to be built. */
export type PlanRequest = {
  readonly recipe: Recipe;
  /** With `-v` and `-V` applied. */
  readonly version: string;
  /** The list of source archives. */
  readonly distfiles: ReadonlyMap<string, Distfile>;
  /** That packages are for. */
  readonly machine: Machine;
};

/**
 * Where a build runs: in roots of what it depends on alone, or in the view of this machine, whose programs stand in
 * for its dependencies. `origin` is that of what comes out, where it is not what follows from the root.
 */
export type Method =
  | {
      readonly view: 'packages';
      /** `host`: only unpacked with the machine's programs, which generates no code. */
      readonly unpack?: 'host';
      readonly origin?: Origin;
    }
  | {
      readonly view: 'host';
      readonly compiler: HostCompiler;
      /** What is mounted there too, its programs before the machine's; without, the C library if it is depended on. */
      readonly packages?: readonly Relation[];
      /** What `CC` is; without, `musl-gcc` if a package brings it, else `cc`. */
      readonly cc?: string;
      readonly origin?: Origin;
    };

/** The packages of each root. */
export type Roots<T> = { readonly unpack: readonly T[]; readonly build: readonly T[] };

/** Where a build is to run, decided before anything is fetched or built. */
export type Plan = Roots<ChosenPackage> & {
  readonly views: { readonly unpack: 'host' | 'packages'; readonly build: 'host' | 'packages' };
  readonly machines: Machines;
  /** Of what comes out. */
  readonly origin: Origin | undefined;
  /** The machine's, where it takes part. */
  readonly compiler: KeyedCompiler | undefined;
  /** Sees to it that the files of the packages are there. */
  readonly bring?: () => Promise<void>;
};

/** The build dependency that no machine has; for all others its own programs stand in. */
const hostLibrary = 'musl';

/** What has to be in each root. */
export function wishesOf(control: SourceControl, method: Method): Roots<Wish> {
  const from = (field: string, relations: readonly Relation[]): Wish[] =>
    relations.map((relation) => ({ ...relation, from: `${field} of ${control.name}` }));
  if (method.view === 'packages') {
    const unpack = method.unpack === 'host' ? [] : from('Depends-Unpack', control.dependsUnpack);
    return { unpack, build: from('Depends-Build', control.dependsBuild) };
  }
  const usual = control.dependsBuild.filter(({ alternatives }) =>
    alternatives.some(({ name }) => name === hostLibrary),
  );
  return { unpack: [], build: from('Depends-Build', method.packages ?? usual) };
}

/** Says of a build in the view of this machine that `directory` lacks the C library, if that is why there is no root. */
export function withoutLibrary(error: unknown, { name }: SourceControl, directory: string): unknown {
  if (!(error instanceof Fault) || error.code !== 'UNSATISFIABLE') return error;
  const shown = quote(directory);
  return new Fault(
    'UNSATISFIABLE',
    `${name} is built with ${quote(hostLibrary)}, which ${shown} does not have`,
    {
      hint: `build it first: pkgbuild --repository ${shown} ${hostLibrary}; or name another repository`,
      cause: error,
    },
  );
}

/** Puts together what is decided of a build once its roots are known. */
export function makePlan({ machine }: PlanRequest, method: Method, roots: Roots<ChosenPackage>): Plan {
  const host = method.view === 'host';
  const triple = host ? method.compiler.triple : machine.triple;
  const tainted = [...roots.unpack, ...roots.build].some(({ record }) => isTainted(record.origin));
  return {
    ...roots,
    views: { unpack: host ? 'host' : (method.unpack ?? 'packages'), build: method.view },
    machines: { build: triple, host: machine.triple, target: machine.triple },
    origin: method.origin ?? (host || tainted ? 'host' : undefined),
    compiler: host ? { name: method.cc ?? '', identity: method.compiler.identity } : undefined,
  };
}

/** Whether programs of a machine generated code in it, or may have. */
export const isTainted = (origin: Origin | undefined): boolean => origin === 'host' || origin === 'unknown';
