import { Fault } from '../../../builder/fault.ts';
import { openRepository as openFar } from '../../../builder/registry/repository.ts';
import { offerIndex } from '../../package/indexing.ts';
import { readKnown, writeKnown } from '../../remote/known.ts';
import { readListing } from '../../remote/listing.ts';
import { listingOf, shardReader } from '../../remote/open-registry.ts';
import { type RegistryPlace, registryLabel } from '../../remote/place.ts';
import { completeIndex } from '../../remote/publish.ts';
import { writeState } from '../../remote/state.ts';
import type { Surroundings } from '../../remote/surroundings.ts';
import { ensurePrivate } from '../../run/private.ts';
import { makeCommand, parseCommand } from '../command.ts';
import { type Context, print } from '../context.ts';
import { lockProgramOf } from '../image/store.ts';
import { addRegistryOptions, type RegistryOptions } from '../image/registry-options.ts';
import { usage } from '../option-value.ts';
import { withSurroundings } from '../remote.ts';
import { readSource } from './place.ts';

const examples = `
pkgrepo index registry:localhost:5000/packages
withpkgs -d registry:localhost:5000/packages@$(pkgrepo index registry:localhost:5000/packages) -p mksh -- sh
`;

const details = `
Prints the digest of the index, which names one state of all packages for ever: registry:HOST/NAME@sha256:… takes
that state and no other. The tags of a registry are the truth, and the index a cache of them that publishing keeps.
For a directory it makes the index that big ones have.
`;

type Options = RegistryOptions & { readonly update?: true; readonly accept?: true; readonly json?: true };

export async function main(context: Context): Promise<number> {
  const command = makeCommand(context, 'Print the digest of what a registry holds.', examples)
    .argument('<repository>', 'registry:HOST/NAME, or DIR')
    .option('--update', 'compare the index with every tag, and write it if they differ')
    .option('--accept', 'take packages that are others now than they were for what they are now')
    .option('--json', 'print it as JSON')
    .addHelpText('after', details);
  addRegistryOptions(command);
  if (!parseCommand(command, context.args)) return 0;
  const { update: updates, accept: accepts, json, ...registry } = command.opts<Options>();
  const place = readSource(command.args[0] ?? '', context);
  if (place.kind === 'layout') throw usage('an OCI layout has its index in itself', 'pkgrepo list shows it');
  if (place.kind === 'directory') {
    await offerIndex(place.path, lockProgramOf(context));
    return 0;
  }
  const { index, entries, extra, gone } = await withSurroundings(
    context,
    { fresh: true, registry },
    async (surroundings) => {
      if (accepts) await accept(place.registry, surroundings);
      return updates
        ? update(place.registry, surroundings)
        : (await listingOf(place.registry, surroundings)).listing;
    },
  );
  if (index === undefined) {
    throw new Fault('NOT_FOUND', `${registryLabel(place.registry)} has no index`, {
      hint: 'make one of its tags: pkgrepo index --update',
    });
  }
  const complete = extra.length + gone.length === 0;
  if (json) print(`${JSON.stringify({ index, packages: entries.length, complete }, null, 2)}\n`);
  else print(`${index}\n`);
  return 0;
}

const farOf = ({ host, name }: RegistryPlace, { client }: Surroundings, access: 'pull' | 'push') =>
  openFar(client(host, false), name, { access });

/** Every tag is read, also of packages that the index has. */
async function update(place: RegistryPlace, surroundings: Surroundings) {
  const { indexes, tell } = surroundings;
  const repository = farOf(place, surroundings, 'push');
  const read = new Set<string>();
  // Once each: what has been compared is right from then on, or somebody else's doing.
  const doubt = (tag: string) => !read.has(tag) && read.add(tag).has(tag);
  ensurePrivate(indexes);
  const listing = await completeIndex(repository, {
    shard: shardReader(indexes, repository),
    warn: tell,
    doubt,
  });
  writeState(indexes, registryLabel(place), listing);
  return listing;
}

async function accept(place: RegistryPlace, surroundings: Surroundings): Promise<void> {
  const { indexes, known, tell } = surroundings;
  for (const directory of [indexes, known]) ensurePrivate(directory);
  const repository = farOf(place, surroundings, 'pull');
  const { entries } = await readListing(repository, { shard: shardReader(indexes, repository), warn: tell });
  const label = registryLabel(place);
  writeKnown(known, label, readKnown(known, label), entries);
}
