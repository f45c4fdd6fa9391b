import { writeSync } from 'node:fs';
import { userInfo } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { asFault } from '../../builder/fault.ts';

/** Where things are. Data must be kept; everything below `cache` may be deleted at any time. */
export type Places = {
  /** The installed package or the checkout. */
  readonly root: string;
  /** The native helper. */
  readonly helper: string;
  /** Recipes that come with us. */
  readonly recipes: string;
  /** The tracked list of source archives. */
  readonly distfileList: string;
  /** The user's own repository of packages. */
  readonly packages: string;
  /** The OCI layout of packages and images. */
  readonly store: string;
  /** What was taken from registries on trust. */
  readonly known: string;
  readonly cache: {
    readonly trees: string;
    readonly profiles: string;
    readonly builds: string;
    /** What is known of the layers of trees, groups and profiles. */
    readonly layers: string;
    /** What registries held when they were last asked. */
    readonly indexes: string;
    /** What registries have begun to take, for whoever goes on with it. */
    readonly uploads: string;
    readonly distfiles: string;
    readonly work: string;
  };
};

/** What a tool gets from the process it runs in; nothing else reads `process`. */
export type Context = {
  readonly tool: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly places: Places;
  /** Whether stderr is a terminal, so that progress may be drawn. */
  readonly terminal: boolean;
};

export function places(root: string, env: NodeJS.ProcessEnv): Places {
  const home = env['STATIC_DISTRO_HOME'] && resolve(env['STATIC_DISTRO_HOME']);
  // A relative place would be another in every directory; the XDG specification says to ignore one, too.
  const absolute = (variable: string) => (isAbsolute(env[variable] ?? '') ? env[variable] : undefined);
  const base = (variable: string, fallback: string) =>
    join(absolute(variable) ?? join(absolute('HOME') ?? homeOfCaller(), fallback), 'static-distro');
  const data = home ? join(home, 'data') : base('XDG_DATA_HOME', '.local/share');
  const cache = home ? join(home, 'cache') : base('XDG_CACHE_HOME', '.cache');
  return {
    root,
    helper: join(root, 'native/build/withenv'),
    recipes: join(root, 'packages'),
    distfileList: join(root, 'distfiles/distfiles.json'),
    packages: join(data, 'packages'),
    store: join(data, 'store'),
    known: join(data, 'known'),
    cache: {
      trees: join(cache, 'trees'),
      profiles: join(cache, 'profiles'),
      builds: join(cache, 'builds'),
      layers: join(cache, 'layers'),
      indexes: join(cache, 'indexes'),
      uploads: join(cache, 'uploads'),
      distfiles: join(cache, 'distfiles'),
      work: join(cache, 'work'),
    },
  };
}

/** By the machine's list of users; one who is not in it has no home. */
function homeOfCaller(): string {
  try {
    return userInfo().homedir;
  } catch {
    return '/';
  }
}

/** Writes all of `text` at once. Synchronous, because a tool may replace itself by another program. */
export function print(text: string): void {
  writeAll(1, text);
}

export function complain(text: string): void {
  writeAll(2, text);
}

function writeAll(descriptor: 1 | 2, text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'EAGAIN') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      else if (code === 'EPIPE') process.exit(descriptor === 1 ? 141 : 1);
      else if (descriptor === 1) throw asFault(error, 'writing to standard output');
      else return; // there is nowhere left to say that nothing can be said
    }
  }
}
