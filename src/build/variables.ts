import { packagePath } from '../package/name.ts';

/** The file in the work directory to which linkers add what they put together. */
export const linkLogName = '.linklog';

/** Where the work directory is in the root of a build. */
export const workPath = '/work';

/** The machine that builds, that the build is for, and that programs made here are for: triples. */
export type Machines = { readonly build: string; readonly host: string; readonly target: string };

export type BuildVariables = {
  readonly name: string;
  /** Of the source control. */
  readonly sourceVersion: string;
  /** What is built, with `-v` and `-V` applied. */
  readonly version: string;
  /** Below the work directory. */
  readonly output: string;
  readonly machines: Machines;
  /** How many processes may compile at once. */
  readonly jobs: number;
  readonly path: string;
  /** The C compiler that makes programs for `host`. */
  readonly compiler: string;
};

/** All of the environment that `unpack.sh` and `build.sh` get; packages/README.md tells recipe writers of it. */
export function scriptEnvironment(variables: BuildVariables): Record<string, string> {
  const { name, version, machines } = variables;
  return {
    PATH: variables.path,
    HOME: workPath,
    USER: 'user',
    LANG: 'C.UTF-8',
    LC_ALL: 'C',
    TZ: 'UTC0',
    SOURCE_DATE_EPOCH: '315532800',
    PKG_NAME: name,
    PKG_SRCVERSION: variables.sourceVersion,
    PKG_VERSION: version,
    PKG_DIR: `/${packagePath(name, version)}`,
    PKG_INSTDIR: `${workPath}/${variables.output}`,
    ARCH: machines.host,
    ARCH_BUILD: machines.build,
    ARCH_TARGET: machines.target,
    MAKE_JOBS: `-j${variables.jobs}`,
    CC: variables.compiler,
    PKG_LINKLOG: `${workPath}/${linkLogName}`,
  };
}
