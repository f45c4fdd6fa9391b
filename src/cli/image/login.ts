import { quote } from '../../package/name.ts';
import { makeCommand, parseCommand } from '../command.ts';
import { complain, type Context } from '../context.ts';
import { usage } from '../option-value.ts';
import { prompt, readInput } from '../prompt.ts';
import { addRegistryOptions, readHost, type RegistryOptions } from './registry-options.ts';
import { makeTransferReport } from './transfer-report.ts';

const examples = `
pkgimage login localhost:5000
pkgimage login ghcr.io -u me --password-stdin < token.txt
`;

const details = `
It is kept as docker keeps it, by the helper that a file names (credsStore, credHelpers) or in the file itself: in
$REGISTRY_AUTH_FILE, else $DOCKER_CONFIG/config.json, if these are set; else in the file of podman or docker that has a login
to the host, as the new one would not be found otherwise; else in ~/.docker/config.json. podman and skopeo find it there
too, docker where it is docker's file; what they keep is found.
`;

type Options = RegistryOptions & { readonly username?: string; readonly passwordStdin?: true };

/** Longer than any token. */
const longestPassword = 65536;

export async function main(context: Context): Promise<number> {
  const command = addRegistryOptions(
    makeCommand(context, 'Log in to a registry: try a password, and keep it.', examples),
  )
    .argument('<host>', 'HOST or HOST:PORT, such as docker.io')
    .option('-u, --username <name>', 'the user')
    .option('--password-stdin', 'the password, or token, is on standard input')
    .addHelpText('after', details);
  if (!parseCommand(command, context.args)) return 0;
  const { username: named, passwordStdin, ...options } = command.opts<Options>();
  const host = readHost(command.args[0] ?? '');
  const username = named ?? (passwordStdin ? undefined : await prompt(`User name at ${host}: `));
  if (!username) throw usage('no user name is given', 'write -u NAME');
  const password = passwordStdin
    ? (await readInput('the password', longestPassword)).replace(/\r?\n$/, '')
    : await prompt(`Password of ${quote(username)}: `, true);
  if (!password) {
    throw usage(
      'no password is given',
      passwordStdin ? 'standard input was empty' : 'without a terminal: --password-stdin < FILE',
    );
  }
  const report = makeTransferReport(context, options, 'fetched');
  const { logIn } = await import('./registries.ts');
  const where = await logIn(context, host, { username, password }, options, report.happened);
  complain(`${context.tool}: logged in to ${host} as ${quote(username)}; kept ${where}\n`);
  return 0;
}
