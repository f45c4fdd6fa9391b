const options = `  -d DIR                a repository; several are united, the first one wins (default:
                        $STATIC_DISTRO_REPOSITORY, else /packages, else your own)
  -w DIR                show DIR at /work, to read and write
  -m NAME:DIR[:ro|:rw]  show DIR at /mnt/NAME, read-only unless :rw is said
  -c DIR                start in this directory of the root (default: /work with -w, else /)
  --net                 use the machine's network (default: none)
  --setenv NAME=VALUE   set a variable of the command
  --keepenv NAME        give the command a variable of yours; all others are cleared
  --tmp-size SIZE       limit of /tmp, /run, /var and /dev/shm together, such as 512M or 2G
  --unsafe-root         as root, run the command as root of the machine
  --dry-run [--json]    show what would be run and mounted, and where each package comes from
  -v, --verbose         say on standard error which packages are used
  -h, --help            show this help
  --version             show the version`;

const status = `Without a command: /bin/sh. Status: the command's own; 125 for every failure before it ran, 126 if it
cannot be executed, 127 if it is not found, 128+N if signal N killed it.`;

export const withpkgsHelp = `usage: withpkgs [-d DIR]... -p CONSTRAINT... [OPTION]... [--] [COMMAND [ARGUMENT]...]

Resolve packages, then run a command in a root of exactly those.

  -p CONSTRAINT...      packages that must be there: gcc gcc=12.2.0 'gcc >= 12' 'gcc ^12'; the list ends
                        at an option, at -- and at a word that begins with /, ./ or ../
${options}

${status}

Examples:
  withpkgs -p mksh sbase
  withpkgs -p mksh sbase -p tcc musl -w . -- cc -o hello hello.c
  withpkgs -d bootstrap/stage2_packages -p mksh sbase -p musl -p gcc -w my_working_directory /bin/sh
`;

export const withenvHelp = `usage: withenv [-d DIR]... -p NAME,VERSION... [OPTION]... [--] [COMMAND [ARGUMENT]...]
       withenv --doctor [--json]

Run a command in a root of exactly these versions; nothing is resolved.

  -p NAME,VERSION...    packages as pkgsolve prints them; the list ends at an option, at -- and at a
                        word that begins with /, ./ or ../
${options}
  --doctor [--json]     tell whether this machine can make roots, and if not, what to do

${status}

Example:
  withenv -p mksh,59c sbase,1.35.0 -w . -- ls -l
`;
