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
    .option('--authfile <file>', "the file that it is in, if not docker's");
  if (!parseCommand(command, context.args)) return 0;
  const host = readHost(command.args[0] ?? '');
  const { authfile } = command.opts<{ readonly authfile?: string }>();
  const { logOut } = await import('./registries.ts');
  const { found, left } = await logOut(context, host, authfile);
  complain(`${context.tool}: ${found ? `logged out of ${host}` : `there was no login to ${host}`}\n`);
  if (left) {
    complain(
      `${context.tool}: another place still has one for ${host}: podman logout ${host} forgets podman's\n`,
    );
  }
  return 0;
}
