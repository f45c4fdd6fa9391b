import { nearest } from '../package/nearest.ts';
import { type Context, print } from './context.ts';
import { usage } from './option-value.ts';
import { versionLine } from './version.ts';

type Command = { main(context: Context): number | Promise<number> };

const commands: Readonly<Record<string, readonly [summary: string, load: () => Promise<Command>]>> = {
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
${Object.entries(commands)
  .map(([name, [summary]]) => `  ${name.padEnd(8)} ${summary}\n`)
  .join('')}
pkgrepo COMMAND --help tells more about each.

Examples:
  pkgrepo publish bootstrap/quickstart_packages registry:localhost:5000/packages
  withpkgs -d registry:localhost:5000/packages -p mksh sbase -- sh -c 'echo hi'
`;

export async function main(context: Context): Promise<number> {
  const [name = '', ...args] = context.args;
  if (name === '--help' || name === '-h' || name === 'help') return done(help);
  if (name === '--version') return done(versionLine(context));
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) throw unknown(name);
  const [, load] = command;
  return (await load()).main({ ...context, args, tool: `${context.tool} ${name}` });
}

function unknown(name: string) {
  if (name === '') return usage('no command is given', 'pkgrepo --help shows them');
  const near = nearest(name, Object.keys(commands));
  const shown = name.replaceAll(/[^\x20-\x7e]/g, '?');
  return usage(
    `there is no command "${shown}"`,
    near ? `did you mean "${near}"?` : 'pkgrepo --help shows the commands',
  );
}

function done(text: string): number {
  print(text);
  return 0;
}
