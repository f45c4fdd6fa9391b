import { type Architecture, isArchitecture, machines } from '../../package/architecture.ts';
import { quote } from '../../package/name.ts';
import { makeCommand, parseCommand } from '../command.ts';
import { type Context, print } from '../context.ts';
import { addRegistryOptions, type RegistryOptions } from '../image/registry-options.ts';
import { lockProgramOf } from '../image/store.ts';
import { makeTransferReport } from '../image/transfer-report.ts';
import { usage } from '../option-value.ts';
import { withSurroundings } from '../remote.ts';
import { put } from './destination.ts';
import { readDestination, readSource } from './place.ts';
import { labelOfPlace, withSource } from './source.ts';

const examples = {
  publish: `
pkgrepo publish bootstrap/quickstart_packages registry:localhost:5000/packages
pkgrepo publish ./packages oci:./layout mksh sbase,1.35.0
`,
  pull: `
pkgrepo pull registry:localhost:5000/packages ./packages
pkgrepo pull registry:ghcr.io/me/packages oci:./mirror mksh
`,
};

const details = `
SRC and DEST are a directory DIR, an OCI layout oci:DIR, or a registry registry:HOST/NAME; packages are NAME, all
versions, or NAME,VERSION, and all that there are if none is named. Prints those that were not there, NAME,VERSION
on each line. A layer that is there is not sent again.
`;

type Options = RegistryOptions & {
  readonly replace?: true;
  readonly architecture?: string;
  readonly json?: true;
  readonly quiet?: true;
};

/** Copies packages from one repository to another; \`publish\` and \`pull\` are two words for it. */
export async function main(context: Context): Promise<number> {
  const pulls = context.tool.endsWith(' pull');
  const summary = pulls
    ? 'Take packages out of a registry or an OCI layout.'
    : 'Put packages into a registry or an OCI layout.';
  const command = makeCommand(context, summary, pulls ? examples.pull : examples.publish)
    .argument('<src>', 'where the packages are')
    .argument('<dest>', 'where they go')
    .argument('[package...]', 'which packages')
    .option('--replace', 'let a build, or what is known of it, take the place of another of the same version')
    .option('--architecture <name>', 'of the packages that go into a directory (default: of this machine)')
    .option('--json', 'print the result as JSON')
    .option('-q, --quiet', 'no progress')
    .addHelpText('after', details);
  addRegistryOptions(command);
  if (!parseCommand(command, context.args)) return 0;
  const { replace = false, architecture, json, quiet, ...registry } = command.opts<Options>();
  const [from = '', to = '', ...words] = command.args;
  const source = readSource(from, context);
  const destination = readDestination(to, context);
  const drawn = { ...registry, ...((quiet || json) && { quiet: true as const }) };
  const report = makeTransferReport(context, drawn, pulls ? 'fetched' : 'sent');
  const far = {
    fresh: true,
    architecture: readArchitecture(architecture),
    registry,
    listen: report.happened,
  };
  try {
    const lockProgram = lockProgramOf(context);
    const [sent, total] = await withSurroundings(context, far, (surroundings) =>
      withSource(source, words, context, surroundings, async (found) => [
        await put(destination, found, { lockProgram, replace, report: report.copied }, surroundings),
        found.packages.length,
      ]),
    );
    report.end();
    if (json) {
      const packages = sent.map(({ name, version, architecture, manifest, record: { layer } }) => ({
        name,
        version,
        architecture,
        diffID: layer.diffID,
        manifest: manifest.digest,
      }));
      print(
        `${JSON.stringify({ destination: labelOfPlace(destination), looked: total, packages }, null, 2)}\n`,
      );
    } else {
      print(sent.map(({ name, version }) => `${name},${version}\n`).join(''));
    }
  } finally {
    report.end();
  }
  return 0;
}

function readArchitecture(text: string | undefined): Architecture | undefined {
  if (text === undefined || isArchitecture(text)) return text;
  throw usage(
    `--architecture ${quote(text)} is not known`,
    `there are ${machines.map(({ name }) => name).join(' and ')}`,
  );
}
