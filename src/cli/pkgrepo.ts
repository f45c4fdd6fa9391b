import { type Commands, commandLines, runCommand } from './commands.ts';
import type { Context } from './context.ts';

const commands: Commands = {
  publish: ['put packages into a registry or an OCI layout', () => import('./repo/publish.ts')],
  pull: ['take packages out of one into a directory', () => import('./repo/publish.ts')],
  list: ['list the packages of a repository', () => import('./repo/list.ts')],
  index: ['print the digest of what a registry holds, or mend its index', () => import('./repo/index.ts')],
  remove: ['take packages out of a repository', () => import('./repo/remove.ts')],
};

const help = `Usage: pkgrepo COMMAND [options]

Repositories of packages: a directory DIR, an OCI layout oci:DIR, or a registry registry:HOST/NAME, which every
tool takes after -d.

Commands:
${commandLines(commands)}
pkgrepo COMMAND --help tells more about each.

Examples:
  pkgrepo publish bootstrap/quickstart_packages registry:localhost:5000/packages
  withpkgs -d registry:localhost:5000/packages -p mksh sbase -- sh -c 'echo hi'
`;

export function main(context: Context): Promise<number> {
  return runCommand(context, commands, help);
}
