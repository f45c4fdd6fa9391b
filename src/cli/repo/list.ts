import { openRepository } from '../../package/repository.ts';
import type { PackageRecord } from '../../package/record.ts';
import { subjectOf } from '../../remote/entry.ts';
import { parseBinaryControl } from '../../package/binary-control.ts';
import { display } from '../../package/name.ts';
import { compareVersionsTotally } from '../../package/version.ts';
import { makeCommand, parseCommand } from '../command.ts';
import { type Context, print } from '../context.ts';
import { addRegistryOptions, type RegistryOptions } from '../image/registry-options.ts';
import { formatSize } from '../progress.ts';
import { withSurroundings } from '../remote.ts';
import { readSource, type RepoPlace, select } from './place.ts';
import { entriesAt, versionsIn } from './source.ts';

const examples = `
pkgrepo list registry:localhost:5000/packages
pkgrepo list ./packages mksh --json
`;

type Listed = {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly record: PackageRecord;
};

/** One line a package: name, version, architecture, what has to be fetched of it, origin. */
export async function main(context: Context): Promise<number> {
  const command = makeCommand(context, 'List the packages of a repository.', examples)
    .argument('<repository>', 'DIR, oci:DIR or registry:HOST/NAME')
    .argument('[package...]', 'NAME or NAME,VERSION')
    .option('--json', 'print them as JSON');
  addRegistryOptions(command);
  if (!parseCommand(command, context.args)) return 0;
  const [word = '', ...words] = command.args;
  const { json, ...registry } = command.opts<RegistryOptions & { readonly json?: true }>();
  const all = await packagesAt(readSource(word, context), context, registry);
  const packages = select(words, all).toSorted((a, b) =>
    a.name < b.name ? -1 : a.name > b.name ? 1 : compareVersionsTotally(a.version, b.version),
  );
  if (json) {
    const rows = packages.map(({ name, version, architecture, record: { origin, layer } }) => ({
      name,
      version,
      architecture,
      origin: origin ?? null,
      diffID: layer?.diffID ?? null,
      size: layer?.size ?? null,
      blobs: layer?.blobs ?? null,
    }));
    print(`${JSON.stringify({ packages: rows }, null, 2)}\n`);
    return 0;
  }
  const widths = (['name', 'version', 'architecture'] as const).map((field) =>
    Math.max(0, ...packages.map((each) => each[field].length)),
  );
  for (const { name, version, architecture, record } of packages) {
    const columns = [name, version, architecture].map((text, at) => display(text).padEnd(widths[at] ?? 0));
    const size = record.layer ? formatSize(record.layer.blobs['zstd-1'].size) : '-';
    print(`${columns.join('  ')}  ${size.padStart(8)}${record.origin ? `  ${record.origin}` : ''}\n`);
  }
  return 0;
}

async function packagesAt(
  place: RepoPlace,
  context: Context,
  registry: RegistryOptions,
): Promise<readonly Listed[]> {
  if (place.kind !== 'directory') {
    return withSurroundings(context, { fresh: true, registry }, (surroundings) =>
      entriesAt(place, surroundings),
    );
  }
  const repository = openRepository(place.path);
  return versionsIn(repository).map(({ name, version }) => {
    const record = repository.record(name, version);
    const file = `${repository.tree(name, version)}/control`;
    const architecture = record.layer
      ? subjectOf(record, file).architecture
      : (parseBinaryControl(record.control, file).architecture ?? 'all');
    return { name, version, architecture, record };
  });
}
