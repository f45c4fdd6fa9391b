import { formatReference } from '../../../builder/reference.ts';
import { makeCommand, parseCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { readPlatform } from './platform.ts';
import { addTransferOptions, readFar, type TransferArguments } from './registry-options.ts';
import { readName, withStore } from './store.ts';
import { useMoreThreads } from '../threads.ts';
import { makeTransferReport } from './transfer-report.ts';

const examples = `
pkgimage pull localhost:5000/tiny
pkgimage pull docker.io/library/busybox:1.36 --platform linux/arm64 --as busybox
pkgimage pull ghcr.io/me/web@sha256:…  --as web
`;

const details = `
The image is called as in the registry, tag included, unless --as tells another name. One that is named by its
digest alone has no name. An image for several platforms comes whole, so that its digest is the same.

Mirrors are asked first: STATIC_DISTRO_MIRRORS='docker.io=localhost:5000 ghcr.io=mirror.example.org/ghcr'.
`;

type Options = TransferArguments & { readonly as?: string; readonly platform?: string };

/** Prints the digest alone. */
export async function main(context: Context): Promise<number> {
  const command = addTransferOptions(
    makeCommand(context, "Fetch an image from a registry into the user's own store.", examples),
  )
    .argument('<image>', 'HOST/NAME[:TAG] or HOST/NAME@DIGEST')
    .option('--as <name>', 'what it is called here')
    .option('--platform <platform>', 'only the image for OS/ARCH[/VARIANT], such as linux/arm64')
    .addHelpText('after', details);
  if (!parseCommand(command, context.args)) return 0;
  const options = command.opts<Options>();
  const from = readFar(command.args[0] ?? '');
  const { host, name, tag, digest } = from;
  const as = options.as === undefined ? undefined : formatReference(readName(options.as));
  const own = as ?? (digest === undefined ? formatReference({ host, name, tag }) : undefined);
  const platform = options.platform === undefined ? undefined : readPlatform(options.platform);
  const report = makeTransferReport(context, options, 'fetched');
  useMoreThreads();
  const { pullFrom, withRegistries } = await import('./registries.ts');
  try {
    await withRegistries(context, options, report.happened, (registries) =>
      withStore(context, async (store) => {
        const last = own === undefined ? undefined : await store.resolve(own);
        const found = await pullFrom(context, registries, from, store, {
          last,
          platform,
          imageOnly: true,
          report: report.copied,
        });
        if (own !== undefined && last?.digest !== found.digest) await store.tag(own, found);
        report.done({ digest: found.digest, reference: own ?? formatReference(from) });
      }),
    );
  } finally {
    report.end();
  }
  return 0;
}
