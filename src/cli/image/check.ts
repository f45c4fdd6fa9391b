import { Fault } from '../../../builder/fault.ts';
import { type Violation, validate } from '../../../builder/image/validate.ts';
import { check } from '../../../builder/store/check.ts';
import { editedTrees, recordedTrees, rememberedTrees } from '../../layer/edited-trees.ts';
import { display } from '../../package/name.ts';
import { makeCommand, parseCommand } from '../command.ts';
import { type Context, print } from '../context.ts';
import { openRepositories } from '../repositories.ts';
import { compressProgramOf, namedImages, withStore } from './store.ts';

const examples = `
pkgimage check
pkgimage check --trees -d bootstrap/quickstart_packages
`;

type Options = { readonly d: readonly string[]; readonly trees?: true; readonly json?: true };

/** Says everything that is wrong, a line each; 1 if there is anything. */
export async function main(context: Context): Promise<number> {
  const command = makeCommand(
    context,
    'Read everything in the store and say what is damaged or missing, and which images that hurts.',
    examples,
  )
    .option('--trees', 'read the packages too, and say whose files are not those that its layer was made of')
    .option('-d <repository>', 'whose packages are read; may be given several times', many, [])
    .option('--json', 'print it as JSON');
  if (!parseCommand(command, context.args)) return 0;
  const { d, trees, json } = command.opts<Options>();
  const directory = context.places.store;
  // Made where there is none, so that a user who has built nothing has a store that is whole.
  const damages = await damagesOf(context, directory);
  const found: Violation[] = damages.map(({ subject, message, hurts }) => ({
    subject,
    message: hurts.length === 0 ? message : `${message}; it hurts ${hurts.map(display).join(', ')}`,
  }));
  if (damages.length === 0) found.push(...(await violationsOf(context)));
  if (trees) found.push(...(await editedTreesOf(d, context)));
  if (json) print(`${JSON.stringify({ problems: found }, null, 2)}\n`);
  else for (const { subject, message } of found) print(`${display(subject)}: ${message}\n`);
  return found.length === 0 ? 0 : 1;
}

const many = (value: string, before: readonly string[]): readonly string[] => [...before, value];

/** Without a word, of the repository that is usual, if there is one. */
async function editedTreesOf(words: readonly string[], context: Context) {
  const repositories = await openRepositories(words, context).catch((error: unknown) => {
    if (words.length === 0 && error instanceof Fault && error.code === 'NOT_FOUND') return [];
    throw error;
  });
  const trees = [
    ...repositories.flatMap((repository) => [...recordedTrees(repository)]),
    ...rememberedTrees(context.places.cache.layers),
  ];
  return editedTrees(trees, compressProgramOf(context));
}

async function damagesOf(context: Context, directory: string) {
  try {
    return await check(directory);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'NOT_FOUND') throw error;
    return withStore(context, async () => []);
  }
}

const violationsOf = (context: Context): Promise<readonly Violation[]> =>
  withStore(context, async (store) => {
    const found: Violation[] = [];
    for (const { descriptor } of await namedImages(store)) {
      found.push(...(await validate(store, descriptor, { content: true })));
    }
    return found;
  });
