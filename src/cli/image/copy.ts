import { Fault } from '../../../builder/fault.ts';
import { exportImage, type TransferOptions } from '../../../builder/image/export.ts';
import { openImage } from '../../../builder/image/image.ts';
import { importImage } from '../../../builder/image/import.ts';
import { requireImage } from '../../../builder/image/require-image.ts';
import { completeReference, formatReference, parseReference } from '../../../builder/reference.ts';
import type { FileStore } from '../../../builder/store/file-store.ts';
import { makeCommand, parseCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { usage } from '../option-value.ts';
import { useMoreThreads } from '../threads.ts';
import {
  type EngineOption,
  engineOption,
  type FarPlace,
  type OtherPlace,
  platformOption,
  readPlace,
  type StorePlace,
  transferOptions,
} from './place.ts';
import type { Registries } from './registries.ts';
import { addTransferOptions, type TransferArguments } from './registry-options.ts';
import { findImage, type FoundImage, readName, withStore, fromOwnStore } from './store.ts';
import { makeTransferReport, type TransferReport } from './transfer-report.ts';

const examples = `
pkgimage copy tiny tiny:old
pkgimage copy oci-archive:tiny.tar tiny
pkgimage copy docker-daemon:web:1 oci:./layout:web
pkgimage copy docker://localhost:5000/web:1 docker://registry.example.org/web:1
`;

const details = `
SRC and DEST are NAME[:TAG] in the user's own store, docker://HOST/NAME[:TAG|@DIGEST] in a registry, or a place as
pkgimage export --help tells; a plain root file system can only be written. What goes from one other place to
another passes through the store, but from registry to registry it does not.
`;

type AnyPlace = OtherPlace | StorePlace | FarPlace;

/** What both ends need. */
type Way = {
  readonly context: Context;
  readonly options: TransferOptions;
  readonly report: TransferReport;
  readonly registries: () => Promise<Registries>;
};

/** The only verb: bring it in, if it is elsewhere, and take it out, if it shall be. */
export async function main(context: Context): Promise<number> {
  const command = addTransferOptions(
    makeCommand(context, 'Copy an image from one place to another.', examples),
  )
    .argument('<src>', 'where it is')
    .argument('<dest>', 'where it goes')
    .option(...engineOption)
    .option(...platformOption)
    .addHelpText('after', details);
  if (!parseCommand(command, context.args)) return 0;
  const [from = '', to = ''] = command.args;
  const source = readPlace(from, context);
  const destination = readPlace(to, context);
  const given = command.opts<EngineOption & TransferArguments>();
  const far = source.transport === 'docker' || destination.transport === 'docker';
  const report = makeTransferReport(context, given, 'copied');
  const options = {
    ...transferOptions(context, given),
    ...((far || given.json) && { report: report.copied }),
  };
  const go = async (registries: Way['registries']): Promise<void> => {
    const way = { context, options, report, registries };
    if (source.transport === 'docker' && destination.transport === 'docker') {
      await betweenRegistries(source, destination, way);
    } else {
      await withStore(context, async (store) => {
        const named = destination.transport === 'store';
        const all = await bringIn(store, from, source, way, named);
        if (named) await requireImage(store, all.descriptor, from);
        const { platform } = options;
        const found = platform
          ? { ...all, descriptor: (await openImage(store, all.descriptor, platform)).descriptor }
          : all;
        await takeOut(store, found, to, destination, way);
      });
    }
  };
  try {
    if (!far) await go(() => Promise.reject(new Fault('USAGE', 'there is no registry')));
    else {
      useMoreThreads();
      const { withRegistries } = await import('./registries.ts');
      await withRegistries(context, given, report.happened, (registries) => go(async () => registries));
    }
  } finally {
    report.end();
  }
  return 0;
}

/** With `imageOnly` other artifacts are refused before they are fetched. */
async function bringIn(
  store: FileStore,
  text: string,
  place: AnyPlace,
  way: Way,
  imageOnly: boolean,
): Promise<FoundImage> {
  switch (place.transport) {
    case 'store':
      return findImage(store, text);
    case 'rootfs':
      throw usage('a plain root file system is no image', 'copy from oci:DIR, an archive or an engine');
    case 'docker': {
      const { pullFrom } = await import('./registries.ts');
      const from = completeReference(place.reference);
      const descriptor = await pullFrom(way.context, await way.registries(), from, store, {
        ...way.options,
        imageOnly,
      });
      const { name, tag } = from;
      return { descriptor, name: { name, tag } };
    }
    default: {
      const descriptor = await importImage(store, place, way.options);
      return { descriptor, name: 'reference' in place ? place.reference : parseReference('image') };
    }
  }
}

async function takeOut(
  store: FileStore,
  { descriptor, name }: FoundImage,
  text: string,
  place: AnyPlace,
  way: Way,
): Promise<void> {
  if (place.transport === 'store') await store.tag(formatReference(readName(text)), descriptor);
  else if (place.transport !== 'docker') {
    await fromOwnStore(() => exportImage(store, descriptor, name, place, way.options));
  } else {
    const { push } = await import('./registries.ts');
    const to = completeReference(place.reference);
    const repository = (await way.registries()).repository(to, 'push');
    await push(store, descriptor, repository, tagsOf(to, descriptor.digest), way.options);
  }
}

/** One host takes over what it has; between two, bytes go through this process and nowhere else. */
async function betweenRegistries(source: FarPlace, destination: FarPlace, way: Way): Promise<void> {
  const { push } = await import('./registries.ts');
  const from = completeReference(source.reference);
  const to = completeReference(destination.reference);
  const registries = await way.registries();
  const origin = registries.repository(from, 'pull');
  const reference = from.digest ?? from.tag ?? 'latest';
  const document = await origin.read(reference);
  if (!document) {
    throw new Fault('NOT_FOUND', `${formatReference(from)}: there is no ${reference}`, {
      hint: 'check the name and the tag; log in if it may be hidden',
    });
  }
  const target = registries.repository(to, 'push', from.host === to.host ? [from.name] : []);
  const { platform } = way.options;
  const { descriptor } = platform ? await openImage(origin, document.descriptor, platform) : document;
  await push(origin, descriptor, target, tagsOf(to, descriptor.digest), way.options);
}

function tagsOf({ tag, digest }: FoundImage['name'], pushed: string): readonly string[] {
  if (digest !== undefined && digest !== pushed) {
    throw usage(`what is copied is ${pushed}, not ${digest}`, 'leave the digest of the destination out');
  }
  return tag === undefined ? [] : [tag];
}
