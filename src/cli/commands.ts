import { nearest } from '../package/nearest.ts';
import { type Context, print } from './context.ts';
import { keepOwnFiles } from './own-files.ts';
import { usage } from './option-value.ts';
import { versionLine } from './version.ts';

type Command = { main(context: Context): number | Promise<number> };

/** By name. Each is loaded alone, as a shell loop pays for every start. */
export type Commands = Readonly<Record<string, readonly [summary: string, load: () => Promise<Command>]>>;

/** The lines of a help text that name them. */
export const commandLines = (commands: Commands): string =>
  Object.entries(commands)
    .map(([name, [summary]]) => `  ${name.padEnd(8)} ${summary}\n`)
    .join('');

/** Runs the command that the first word names, or prints the help or the version. Throws USAGE. */
export async function runCommand(context: Context, commands: Commands, help: string): Promise<number> {
  const [name = '', ...args] = context.args;
  if (['--help', '-h', 'help'].includes(name)) print(help);
  else if (name === '--version') print(versionLine(context));
  else {
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (!command) throw unknown(name, context.tool, commands);
    const [, load] = command;
    keepOwnFiles();
    return (await load()).main({ ...context, args, tool: `${context.tool} ${name}` });
  }
  return 0;
}

function unknown(name: string, tool: string, commands: Commands) {
  if (name === '') return usage('no command is given', `${tool} --help shows them`);
  const near = nearest(name, Object.keys(commands));
  const shown = name.replaceAll(/[^\x20-\x7e]/g, '?');
  return usage(
    `there is no command "${shown}"`,
    near ? `did you mean "${near}"?` : `${tool} --help shows the commands`,
  );
}
