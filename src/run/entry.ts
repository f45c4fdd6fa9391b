/** One name of a root, with its path relative to the root and without a leading slash. */
export type ProfileEntry =
  | { readonly kind: 'directory'; readonly path: string; readonly mode: number }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | { readonly kind: 'file'; readonly path: string; readonly text: string };

/** The mode of every file of a profile. */
export const fileMode = 0o644;

const directory = (path: string, mode = 0o755): ProfileEntry => ({ kind: 'directory', path, mode });
const link = (path: string, target: string): ProfileEntry => ({ kind: 'link', path, target });
const file = (path: string, text = ''): ProfileEntry => ({ kind: 'file', path, text });

const passwd = `root:x:0:0:root:/root:/bin/sh
user:x:1000:1000:user:/work:/bin/sh
nobody:x:65534:65534:nobody:/:/bin/false
`;

const group = `root:x:0:
user:x:1000:
nobody:x:65534:
`;

const hosts = `127.0.0.1 localhost
::1 localhost
`;

const nsswitch = `passwd: files
group: files
hosts: files dns
`;

/**
 * What every root has, whatever packages are in it: a change of one byte is a new profile format, and a new
 * root contract for builds. The empty files in `etc` are there for container engines, which put their own over
 * them and would otherwise add a name.
 */
export const commonEntries: readonly ProfileEntry[] = [
  ...['dev', 'etc', 'mnt', 'packages', 'root', 'run', 'var', 'work'].map((path) => directory(path)),
  directory('proc', 0o555),
  directory('sys', 0o555),
  directory('tmp', 0o1777),
  file('etc/group', group),
  file('etc/hostname'),
  file('etc/hosts', hosts),
  link('etc/mtab', '/proc/mounts'),
  file('etc/nsswitch.conf', nsswitch),
  file('etc/passwd', passwd),
  file('etc/resolv.conf'),
];

/** Where the programs and libraries of packages are linked, and the other names of those places. */
export const linkedEntries: readonly ProfileEntry[] = [
  ...['bin', 'include', 'lib', 'usr'].map((path) => directory(path)),
  link('sbin', 'bin'),
  link('usr/bin', '../bin'),
  link('usr/include', '../include'),
  link('usr/lib', '../lib'),
];

/** What the helper mounts on in `/dev`, or leaves as it is. Images have none of it: engines make their own. */
export const deviceEntries: readonly ProfileEntry[] = [
  ...['full', 'null', 'random', 'tty', 'urandom', 'zero'].map((name) => file(`dev/${name}`)),
  link('dev/fd', '/proc/self/fd'),
  link('dev/stdin', '/proc/self/fd/0'),
  link('dev/stdout', '/proc/self/fd/1'),
  link('dev/stderr', '/proc/self/fd/2'),
  directory('dev/pts'),
  directory('dev/shm', 0o1777),
];

/** Directories that something is mounted over at run time, so that what a package puts there is never seen. */
export const mountPoints: ReadonlySet<string> = new Set([
  'dev',
  'mnt',
  'packages',
  'proc',
  'run',
  'sys',
  'tmp',
  'var',
  'work',
]);
