/**
 * How a step builds: in the view of the machine with its compiler, or with the one that stage 0 made; in roots of
 * packages, and there with the machine still unpacking, or without it.
 */
export type Way = 'machine' | 'cross' | 'unpacked' | 'roots';

/** Sources that are built in the same way and published in the same place. */
export type Step = {
  readonly stage: number;
  readonly way: Way;
  /** Where the recipes are, below the project. */
  readonly recipes: string;
  /** What the versions end in. */
  readonly suffix: string;
  /** Where packages go, below `bootstrap/`. */
  readonly shelf: string;
  /** Where packages come from that the step does not make, nor has made in an earlier run. */
  readonly from: readonly string[];
  /** Each sees what those before it made. */
  readonly sources: readonly string[];
};

/** What stage 1 compiles with, and which of its packages has the C library. */
export const cross = {
  packages: ['cross-binutils', 'cross-gcc'],
  library: 'musl',
} as const;

/** CPU seconds, by source, where nobody knows better: what takes long begins first. */
export const weights: ReadonlyMap<string, number> = new Map([
  ['cross-gcc', 900],
  ['gcc', 1100],
  ['perl', 140],
  ['binutils', 90],
  ['busybox', 45],
  ['gmp', 45],
  ['musl', 30],
  ['openssl', 180],
  ['python', 120],
  ['sqlite', 60],
  ['redis', 50],
  ['curl', 45],
]);

/** Where packages are, below `bootstrap/`. Only the last holds nothing of an earlier stage. */
export const repositories = {
  stage0: 'stage0_packages',
  stage2: 'stage2_packages',
  first: 'stage3_first_packages',
  stage3: 'stage3_packages',
} as const;

const { stage0, stage2, first, stage3 } = repositories;
const recipes = 'packages';

/** The tools that everything else is built with. */
const tools = ['linux-headers', 'mksh', 'make', 'busybox', 'withenv'];
const archivers = ['tar', 'gzip', 'bzip2', 'lzip', 'xz'];
/** The first packages that serve a purpose of their own. */
const further = [
  'zlib',
  'pcre2',
  'expat',
  'nghttp2',
  'libevent',
  'tcl',
  'sqlite',
  'tzdata',
  'tini',
  'catatonit',
  'openssl',
  'ca-certificates',
  'libarchive',
  'dropbear',
  'curl',
  'nginx',
  'redis',
  'openssh',
  'unbound',
  'python',
  'lua',
  'mini-httpd',
];

/**
 * From a machine with a C compiler to a repository in which nothing of it is left.
 *
 * Stage 3 has three steps: the C library and the linker that gcc is built with come from the compiler of stage 1;
 * gcc is built with them, once; and all else is built with that gcc, the C library and the linker included, which
 * costs nothing more where the bytes are the same. Stage 4 has nothing but stage 3 to build with.
 */
export const steps: readonly Step[] = [
  {
    stage: 0,
    way: 'machine',
    recipes: 'bootstrap/stage0',
    suffix: '',
    shelf: stage0,
    from: [],
    sources: ['cross-binutils', 'cross-gcc'],
  },
  {
    stage: 1,
    way: 'cross',
    recipes,
    suffix: '-~~stage1',
    shelf: stage2,
    from: [stage0],
    sources: ['musl', 'gcc', 'binutils', ...tools],
  },
  {
    stage: 2,
    way: 'unpacked',
    recipes,
    suffix: '-~~stage2',
    shelf: stage2,
    from: [stage2],
    sources: archivers,
  },
  {
    stage: 3,
    way: 'roots',
    recipes,
    suffix: '-~~stage3',
    shelf: first,
    from: [stage2],
    sources: ['musl', 'binutils'],
  },
  { stage: 3, way: 'roots', recipes, suffix: '', shelf: stage3, from: [first, stage2], sources: ['gcc'] },
  {
    stage: 3,
    way: 'roots',
    recipes,
    suffix: '',
    shelf: stage3,
    from: [stage3, first, stage2],
    sources: [
      'musl',
      'binutils',
      ...tools,
      ...archivers,
      'perl',
      'm4',
      'gmp',
      'mpfr',
      'mpc',
      'texinfo',
      'bison',
      'flex',
      'patch',
    ],
  },
  { stage: 4, way: 'roots', recipes, suffix: '', shelf: stage3, from: [stage3], sources: further },
];
