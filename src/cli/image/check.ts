import { Fault } from '../../../builder/fault.ts';
import { check, type Damage } from '../../../builder/store/check.ts';
import { editedTrees, recordedTrees, rememberedTrees } from '../../layer/edited-trees.ts';
import { display } from '../../package/name.ts';
import { makeCommand, parseCommand } from '../command.ts';
import { complain, type Context, print } from '../context.ts';
import { usage } from '../option-value.ts';
import { openRepositories } from '../repositories.ts';
import { repairStore } from './repair.ts';
import { compressProgramOf, withStore } from './store.ts';
import { type Problem, violationsOf } from './violations.ts';

const examples = `
pkgimage check
pkgimage check --trees -d bootstrap/quickstart_packages
pkgimage check --repair --from oci:./backup
`;

type Options = {
  readonly d: readonly string[];
  readonly trees?: true;
  readonly repair?: true;
  readonly from: readonly string[];
  readonly json?: true;
};

/** Says everything that is wrong, a line each; 1 if there is anything. */
export async function main(context: Context): Promise<number> {
  const command = makeCommand(
    context,
    'Read everything in the store and say what is damaged or missing, and which images that hurts.',
    examples,
  )
    .option('--trees', 'read the packages too, and say whose files are not those that its layer was made of')
    .option('-d <repository>', 'whose packages are read; may be given several times', many, [])
    .option('--repair', 'remove what is damaged, so that the next build makes it again; first see --from')
    .option('--from <dir>', 'with --repair: an OCI layout that may have what is damaged', many, [])
    .option('--json', 'print it as JSON');
  if (!parseCommand(command, context.args)) return 0;
  const { d, trees, repair, from, json } = command.opts<Options>();
  if (from.length > 0 && !repair) throw usage('--from is for --repair', 'write --repair --from DIR');
  const { repaired, removed } = repair ? await repairStore(context, from) : nothingDone;
  const directory = context.places.store;
  // Made where there is none, so that a user who has built nothing has a store that is whole.
  const damages = await damagesOf(context, directory);
  const found: Problem[] = damages.map(problemOf);
  if (!damages.some(({ kind }) => kind === 'layout')) found.push(...(await violationsOf(context, damages)));
  if (trees) found.push(...(await editedTreesOf(d, context)));
  if (json) {
    const done = { repaired: repaired.map(problemOf), removed: removed.map(problemOf) };
    print(`${JSON.stringify({ ...(repair && done), problems: found }, null, 2)}\n`);
  } else {
    for (const damage of repaired) complain(`repaired: ${lineOf(problemOf(damage))}\n`);
    for (const damage of removed) complain(`removed: ${lineOf(problemOf(damage))}\n`);
    for (const problem of found) print(`${lineOf(problem)}\n`);
  }
  return found.length === 0 ? 0 : 1;
}

const nothingDone = { repaired: [], removed: [] };

const problemOf = ({ subject, message, hurts }: Damage): Problem => ({ subject, message, hurts });

const lineOf = ({ subject, message, hurts = [] }: Problem): string =>
  `${display(subject)}: ${message}${hurts.length === 0 ? '' : `; it hurts ${hurts.map(display).join(', ')}`}`;

const many = (value: string, before: readonly string[]): readonly string[] => [...before, value];

/** Without a word, of the repository that is usual, if there is one. */
async function editedTreesOf(words: readonly string[], context: Context) {
  const repositories = await openRepositories(words, context).catch((error: unknown) => {
    if (words.length === 0 && error instanceof Fault && error.code === 'NOT_FOUND') return [];
    throw error;
  });
  const trees = function* () {
    for (const repository of repositories) yield* recordedTrees(repository);
    yield* rememberedTrees(context.places.cache.layers);
  };
  return editedTrees(trees(), compressProgramOf(context));
}

async function damagesOf(context: Context, directory: string) {
  try {
    return await check(directory);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'NOT_FOUND') throw error;
    return withStore(context, async () => []);
  }
}
