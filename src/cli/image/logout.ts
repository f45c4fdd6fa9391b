import { quote } from '../../package/name.ts';
import { makeCommand, parseCommand } from '../command.ts';
import { complain, type Context } from '../context.ts';
import { readHost } from './registry-options.ts';

const examples = `
pkgimage logout localhost:5000
`;

/** That there was nothing to forget is told, and no failure. */
export async function main(context: Context): Promise<number> {
  const command = makeCommand(context, 'Forget the password that login has kept.', examples)
    .argument('<host>', 'HOST or HOST:PORT')
    .option('--authfile <file>', 'the file that it is in, and no other');
  if (!parseCommand(command, context.args)) return 0;
  const host = readHost(command.args[0] ?? '');
  const { authfile } = command.opts<{ readonly authfile?: string }>();
  const { logOut } = await import('./registries.ts');
  const { forgotten, left } = await logOut(context, host, authfile);
  const happened =
    forgotten === undefined
      ? `there was no login to ${host}`
      : `logged out of ${host}; it was in ${quote(forgotten)}`;
  complain(`${context.tool}: ${happened}\n`);
  if (left !== undefined) {
    complain(`${context.tool}: ${quote(left)} still has one for ${host}\n`);
  }
  return 0;
}
