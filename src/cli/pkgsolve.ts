import { labelOf } from '../package/elsewhere.ts';
import { parseRequest } from '../package/relation.ts';
import { resolve } from '../solve/choose.ts';
import { makeCommand, parseCommand } from './command.ts';
import { type Context, print } from './context.ts';
import { usage } from './option-value.ts';
import { findIn } from './repositories.ts';

const examples = `
pkgsolve -d bootstrap/quickstart_packages mksh sbase
pkgsolve -d ./packages 'gcc ^12' 'make | bmake'
withenv -d ./packages $(pkgsolve -d ./packages mksh | sed 's/^/-p /') /bin/sh
`;

const details = `
Prints the packages that the constraints need, NAME,VERSION on each line: those asked for first, then what
they depend on. Each line is a constraint too. The answer is the newest, the same for the same repositories, and
there is one whenever there is any. A constraint is NAME, NAME,VERSION, or a name and a range: 'gcc >= 12 < 13',
'gcc ^12.2', 'gcc 12.*'; 'a | b' takes either, the first if nothing speaks against it.

Exit status: 0; 1 if no packages meet the constraints (says which clash); 2 if one cannot be read.
`;

type Options = { readonly d: readonly string[]; readonly s: string; readonly json?: true };

export async function main(context: Context): Promise<number> {
  const command = makeCommand(context, 'Find the packages that constraints need.', examples)
    .argument('<constraint...>', 'packages, and which of their versions will do')
    .option(
      '-d <repository>',
      'where packages are; may be given several times',
      (word, all: string[]) => [...all, word],
      [],
    )
    .option('-s <separator>', 'between name and version', ',')
    .option('--json', 'print the answer as JSON, with the repository of each package')
    .addHelpText('after', details);
  if (!parseCommand(command, context.args)) return 0;
  const { d, s, json } = command.opts<Options>();
  const wishes = command.args.map((word) => Object.assign(parseRequest(word), { from: 'command line' }));
  if (wishes.length === 0) throw usage('no constraint is given', 'pkgsolve --help shows how it is called');
  const answer = await findIn(d, context, (repositories) => resolve(repositories, wishes));
  if (json) {
    const packages = answer.map(({ name, version, repository }) => ({
      name,
      version,
      origin: repository.record(name, version).origin ?? null,
      repository: labelOf(repository),
      tree: repository.tree(name, version),
    }));
    print(`${JSON.stringify({ packages }, null, 2)}\n`);
  } else {
    print(answer.map(({ name, version }) => `${name}${s}${version}\n`).join(''));
  }
  return 0;
}
