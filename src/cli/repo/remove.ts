import { openRepository as openFar } from '../../../builder/registry/repository.ts';
import { openStore } from '../../../builder/store/open-store.ts';
import { openRepository } from '../../package/repository.ts';
import { withdraw } from '../../package/withdraw.ts';
import { readLayout } from '../../remote/open-layout.ts';
import { shardReader } from '../../remote/open-registry.ts';
import { readListing } from '../../remote/listing.ts';
import { type RegistryPlace, registryLabel } from '../../remote/place.ts';
import { completeIndex, removeAll } from '../../remote/publish.ts';
import { writeState } from '../../remote/state.ts';
import type { Surroundings } from '../../remote/surroundings.ts';
import { removeFromLayout } from '../../remote/to-layout.ts';
import { ensurePrivate } from '../../run/private.ts';
import { makeCommand, parseCommand } from '../command.ts';
import { complain, type Context, print } from '../context.ts';
import { lockProgramOf } from '../image/store.ts';
import { addRegistryOptions, type RegistryOptions } from '../image/registry-options.ts';
import { usage } from '../option-value.ts';
import { withSurroundings } from '../remote.ts';
import { readDestination, type RepoPlace, select } from './place.ts';
import { versionsIn } from './source.ts';

const examples = `
pkgrepo remove ./packages mksh,59c
pkgrepo remove registry:localhost:5000/packages gcc
`;

const details = `
Takes NAME,VERSION, or all versions of NAME, out of the repository, every build of them, and prints what was there.
Locks that name them cannot be followed any more. A registry may not allow it.
`;

export async function main(context: Context): Promise<number> {
  const command = makeCommand(context, 'Take packages out of a repository.', examples)
    .argument('<repository>', 'DIR, oci:DIR or registry:HOST/NAME')
    .argument('<package...>', 'NAME or NAME,VERSION')
    .addHelpText('after', details);
  addRegistryOptions(command);
  if (!parseCommand(command, context.args)) return 0;
  const [word = '', ...words] = command.args;
  if (words.length === 0) throw usage('no package is named', 'write NAME or NAME,VERSION');
  const removed = await remove(
    readDestination(word, context),
    words,
    context,
    command.opts<RegistryOptions>(),
  );
  print([...new Set(removed.map(({ name, version }) => `${name},${version}\n`))].join(''));
  return 0;
}

type Named = { readonly name: string; readonly version: string };

async function remove(
  place: RepoPlace,
  words: readonly string[],
  context: Context,
  registry: RegistryOptions,
): Promise<readonly Named[]> {
  const lockProgram = lockProgramOf(context);
  if (place.kind === 'registry') {
    return withSurroundings(context, { fresh: true, registry }, (surroundings) =>
      removeFromRegistry(place.registry, words, surroundings),
    );
  }
  if (place.kind === 'directory') {
    const chosen = select(words, versionsIn(openRepository(place.path)));
    await withdraw(place.path, chosen, lockProgram);
    return chosen;
  }
  const store = await openStore(place.path, { lockProgram });
  try {
    const named = (await readLayout(store, (text) => complain(`${context.tool}: ${text}\n`))).map(
      ({ key, nested, found }) => {
        const { name, version } = found;
        return { key, nested, found, name, version };
      },
    );
    const chosen = select(words, named);
    await removeFromLayout(store, chosen);
    return chosen;
  } finally {
    store.close();
  }
}

async function removeFromRegistry(
  place: RegistryPlace,
  words: readonly string[],
  { client, indexes, tell }: Surroundings,
): Promise<readonly Named[]> {
  ensurePrivate(indexes);
  const repository = openFar(client(place.host, false), place.name, { access: 'delete' });
  const options = { shard: shardReader(indexes, repository), warn: tell };
  const chosen = select(words, (await readListing(repository, options)).entries);
  await removeAll(repository, chosen);
  writeState(indexes, registryLabel(place), await completeIndex(repository, options));
  return chosen;
}
