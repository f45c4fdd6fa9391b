import type { Descriptor } from '../../../builder/descriptor.ts';
import { formatReference, isTag, parseReference, withTag } from '../../../builder/reference.ts';
import type { BlobStore } from '../../../builder/store/store.ts';
import { quote } from '../../package/name.ts';
import { makeCommand, parseCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { usage } from '../option-value.ts';
import { type EngineOption, engineOption } from './place.ts';
import { withAllImages, withImage } from './push-source.ts';
import type { Registries } from './registries.ts';
import {
  addTransferOptions,
  type FarReference,
  readFar,
  type TransferArguments,
} from './registry-options.ts';
import { makeTransferReport, type TransferReport } from './transfer-report.ts';

const examples = `
pkgimage push tiny localhost:5000/tiny
pkgimage push web ghcr.io/me/web:1.2.3 --also-tag --tag stable
pkgimage push ./web.lock registry.example.org/web:1
pkgimage push oci:./layout:web registry.example.org/web
pkgimage push --all registry.example.org/mine
`;

const details = `
SOURCE is NAME[:TAG] in the user's own store, the image of a lock (a path that starts with ./ ../ or /, or
lock:FILE), or a place as pkgimage export --help tells. With --all it is oci:DIR or nothing, and every image goes
to HOST/NAME/ITS-NAME:ITS-TAG, or to HOST/NAME:TAG if its name is only a tag.

What the registry has is not sent again, whatever repository has it: layers of packages are taken over from where
they were published, if that was done or seen from here, or is told by --mount-from. A tag is set when everything
is there. Broken off, it goes on where it was.
`;

type Options = TransferArguments &
  EngineOption & {
    readonly tag: readonly string[];
    readonly alsoTag?: true;
    readonly mountFrom: readonly string[];
    readonly all?: true;
  };

const many = (value: string, before: readonly string[]): readonly string[] => [...before, value];

/** Prints the digest alone: what was pushed is what that digest says. */
export async function main(context: Context): Promise<number> {
  const command = addTransferOptions(makeCommand(context, 'Send an image to a registry.', examples))
    .argument('<source>', 'the image; or with --all, where it goes')
    .argument('[dest]', 'HOST/NAME[:TAG]; without it, what the image is called')
    .option('-t, --tag <tag>', 'another tag for it; may be given several times', many, [])
    .option('--also-tag', '1.2.3 is also tagged 1.2 and 1, unless there are newer ones')
    .option('--mount-from <repository>', 'HOST/NAME on the same host that may have layers', many, [])
    .option('--all', 'every image that has a name')
    .option(...engineOption)
    .addHelpText('after', details);
  if (!parseCommand(command, context.args)) return 0;
  const options = command.opts<Options>();
  const [first = '', second] = command.args;
  const report = makeTransferReport(context, options, 'sent');
  const { withRegistries } = await import('./registries.ts');
  try {
    await withRegistries(context, options, report.happened, async (registries) => {
      if (options.all) await pushAll(context, first, second, options, registries, report);
      else {
        const dest = readFar(second ?? first);
        await withImage(context, first, options, async ({ store, images: [image] }) => {
          if (image) await pushOne(store, image.descriptor, dest, options, registries, report);
        });
      }
    });
  } finally {
    report.end();
  }
  return 0;
}

async function pushAll(
  context: Context,
  first: string,
  second: string | undefined,
  options: Options,
  registries: Registries,
  report: TransferReport,
): Promise<void> {
  const { host, name, digest, tag } = parseFarPrefix(second ?? first);
  if (digest !== undefined || tag !== undefined) {
    throw usage('--all gives each image its own tag', 'leave the tag out: HOST/NAME');
  }
  if (options.alsoTag || options.tag.length > 0) {
    throw usage('--all does not go with other tags', 'push that image by itself');
  }
  await withAllImages(context, second === undefined ? undefined : first, async ({ store, images }) => {
    for (const image of images) {
      const dest = isTag(image.name)
        ? { host, name, tag: image.name }
        : placeBelow({ host, name }, image.name);
      await pushOne(store, image.descriptor, dest, options, registries, report);
    }
  });
}

function parseFarPrefix(text: string) {
  const { tag } = parseReference(text.replace(/^docker:\/\//, ''));
  return { ...readFar(text), tag };
}

function placeBelow({ host, name }: FarReference, image: string): FarReference {
  const { name: own, tag } = withTag(parseReference(image));
  return { host, name: `${name}/${own}`, tag };
}

async function pushOne(
  store: BlobStore,
  image: Descriptor,
  dest: FarReference,
  options: Options,
  registries: Registries,
  report: TransferReport,
): Promise<void> {
  const { alsoTags, push } = await import('./registries.ts');
  if (dest.digest !== undefined && dest.digest !== image.digest) {
    throw usage(
      `${quote(formatReference(dest))} is not what is pushed: that is ${image.digest}`,
      'leave the digest out',
    );
  }
  const repository = registries.repository(
    dest,
    'push',
    options.mountFrom.map((text) => sourceName(text, dest)),
  );
  for (const tag of options.tag) {
    if (!isTag(tag)) throw usage(`--tag ${quote(tag)} is no tag`, 'such as 1.2 or stable');
  }
  const main = dest.tag === undefined ? [] : [dest.tag];
  const also = options.alsoTag ? await alsoTags(dest.tag, repository.tags) : [];
  const tags = [...new Set([...main, ...also, ...options.tag])];
  await push(store, image, repository, tags, { report: report.copied });
  const { host, name } = dest;
  report.done({ digest: image.digest, reference: formatReference({ host, name }), tags });
}

/** The name of a repository on the host that is pushed to: nothing can be mounted from another one. */
function sourceName(text: string, dest: FarReference): string {
  const { host, name } = readFar(text);
  if (host === dest.host) return name;
  throw usage(
    `--mount-from ${quote(text)} is not on ${dest.host}`,
    'a registry takes over only what it has itself',
  );
}
