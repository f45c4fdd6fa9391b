import { exportImage } from '../../../builder/image/export.ts';
import { formatReference } from '../../../builder/reference.ts';
import { quote } from '../../package/name.ts';
import { makeCommand, parseCommand } from '../command.ts';
import { complain, type Context } from '../context.ts';
import { usage } from '../option-value.ts';
import { type EngineOption, engineOption, platformOption, transferOptions } from './place.ts';
import { findImage, readName, withStore, fromOwnStore } from './store.ts';

const examples = `
pkgimage load tiny docker
pkgimage load tiny:1 podman --as localhost/tiny:1
pkgimage load tiny containerd --engine 'ctr --namespace k8s.io'
`;

const transports = {
  docker: 'docker-daemon',
  podman: 'containers-storage',
  containerd: 'containerd',
} as const;

type Options = EngineOption & { readonly as?: string };

/** Sends an image to an engine; only the layers that it lacks, where it can be asked. */
export async function main(context: Context): Promise<number> {
  const command = makeCommand(context, 'Load an image into docker, podman or containerd.', examples)
    .argument('<name>', 'the image: NAME, NAME:TAG or sha256:…')
    .argument('<engine>', 'docker, podman or containerd')
    .option('--as <name>', 'what it is called there')
    .option(...engineOption)
    .option(...platformOption);
  if (!parseCommand(command, context.args)) return 0;
  const [text = '', engine = ''] = command.args;
  const { as, ...rest } = command.opts<Options>();
  if (!isEngine(engine)) throw usage(`${quote(engine)} is no engine`, 'write docker, podman or containerd');
  const transfer = transferOptions(context, rest);
  await withStore(context, async (store) => {
    const { descriptor, name } = await findImage(store, text);
    const reference = as === undefined ? name : readName(as);
    const place = { transport: transports[engine], reference };
    const loaded = await fromOwnStore(() => exportImage(store, descriptor, name, place, transfer));
    if (loaded && context.terminal) {
      const { sent, present } = loaded;
      complain(`${formatReference(reference)}: ${sent} layers sent, ${present} were there\n`);
    }
  });
  return 0;
}

const isEngine = (text: string): text is keyof typeof transports => Object.hasOwn(transports, text);
