import { Fault } from '../../../builder/fault.ts';
import { formatReference } from '../../../builder/reference.ts';
import { makeCommand, parseCommand } from '../command.ts';
import { type Context, print } from '../context.ts';
import { usage } from '../option-value.ts';
import { addRegistryOptions, readFar, type RegistryOptions } from './registry-options.ts';
import { makeTransferReport } from './transfer-report.ts';

const examples = `
pkgimage tags localhost:5000/tiny
pkgimage tags --json docker.io/library/busybox
`;

type Options = RegistryOptions & { readonly json?: true };

/** One tag a line, in the registry's own order, or as JSON. */
export async function main(context: Context): Promise<number> {
  const command = addRegistryOptions(makeCommand(context, 'List the tags of a repository.', examples))
    .argument('<repository>', 'HOST/NAME')
    .option('--json', 'print them as JSON');
  if (!parseCommand(command, context.args)) return 0;
  const options = command.opts<Options>();
  const [text = ''] = command.args;
  const at = readFar(text);
  if (/[:@][^/]*$/.test(text.replace(/^docker:\/\/[^/]*|^[^/]*/, ''))) {
    throw usage('a tag or digest is given', 'name the repository alone: HOST/NAME');
  }
  const { json, ...rest } = options;
  const report = makeTransferReport(context, rest, 'fetched');
  const { withRegistries } = await import('./registries.ts');
  const tags = await withRegistries(context, rest, report.happened, (registries) =>
    registries.repository(at, 'pull').tags(),
  );
  const name = formatReference({ host: at.host, name: at.name });
  if (tags.length === 0) {
    throw new Fault('NOT_FOUND', `${name}: there are no tags`, {
      hint: 'check the name of the repository; log in if it may be hidden',
    });
  }
  print(json ? `${JSON.stringify({ name, tags }, null, 2)}\n` : tags.map((tag) => `${tag}\n`).join(''));
  return 0;
}
