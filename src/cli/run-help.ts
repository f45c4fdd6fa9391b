const withpkgs = `usage: withpkgs [OPTION]... -p CONSTRAINT... [--] [COMMAND [ARGUMENT]...]

Resolves the packages and what they depend on, and runs COMMAND (/bin/sh if there is none) in a root that holds
exactly those: as user 1000, without network, without any file or process of the machine.

example:
  withpkgs -d bootstrap/quickstart_packages -p mksh sbase -w my_directory /bin/sh -c 'ls /packages; echo hello > /work/x'

  -p CONSTRAINT...    packages: gcc, gcc=12.2.0, 'gcc >= 12', 'gcc ^12'. The list ends at an option, at --, or
                      at a word that begins with /, ./ or ../, which is the command`;

const withenv = `usage: withenv [OPTION]... -p NAME,VERSION... [--] [COMMAND [ARGUMENT]...]
       withenv --doctor [--json]

Runs COMMAND (/bin/sh if there is none) in a root that holds exactly the packages named; nothing is resolved.

example:
  withenv -d bootstrap/quickstart_packages -p mksh,59c sbase,1.35.0 -- ls /packages

  -p NAME,VERSION...  packages. The list ends at an option, at --, or at a word that begins with /, ./ or ../,
                      which is the command
  --doctor            tell whether this machine can make roots, and what to do where it cannot`;

const common = `
  -d DIR              where packages are: a directory, oci:DIR, or registry:HOST/NAME[@sha256:...]; may be given
                      several times; else $STATIC_DISTRO_REPOSITORY, else /packages, else the user's own
  -w DIR              DIR is /work inside, to read and write, and where the command starts
  -c DIR              start in DIR, a path inside the root
  -m NAME:DIR[:rw]    DIR is /mnt/NAME inside, read-only unless it ends in :rw
  --net               share the machine's network
  --setenv NAME=VALUE set a variable; the command has no other than PATH, HOME, USER, LANG, and TERM on a terminal
  --keepenv NAME      keep a variable of the caller's
  --tmp-size SIZE     how much may be written outside of /work and /mnt, such as 512M
  --unsafe-root       as root: run the command as root of the machine
  --dry-run           say what would be run, with --json as JSON, and make nothing
  -v, --verbose       name the packages on stderr first, with their Origin
  --help, --version

Exit status: the command's own; 125 if the root cannot be made or no packages meet the constraints, 126 if the
command cannot be run, 127 if it is not there, 128+N if signal N ended it.
`;

/** What `--help` prints for a tool that runs a command. */
export const runHelp = (tool: string): string => (tool === 'withenv' ? withenv : withpkgs) + common;
