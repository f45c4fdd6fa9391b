import { type Commands, commandLines, runCommand } from './commands.ts';
import type { Context } from './context.ts';

const commands: Commands = {
  build: ['make an image of packages, and print its digest', () => import('./image/build.ts')],
  digest: ['print the digest that build would print, and store nothing', () => import('./image/build.ts')],
  export: ['write an image to a file, or into an engine', () => import('./image/export.ts')],
  load: ['load an image into docker, podman or containerd', () => import('./image/load.ts')],
  push: ['send an image to a registry', () => import('./image/push.ts')],
  pull: ['fetch an image from a registry', () => import('./image/pull.ts')],
  copy: ['copy an image from one place to another', () => import('./image/copy.ts')],
  tags: ['list the tags of a repository in a registry', () => import('./image/tags.ts')],
  login: ['keep what a registry wants to know of you', () => import('./image/login.ts')],
  logout: ['forget it', () => import('./image/logout.ts')],
  list: ['list the images in the store', () => import('./image/list.ts')],
  inspect: ['show what an image is made of', () => import('./image/inspect.ts')],
  diff: ['show what changes from one image to another', () => import('./image/diff.ts')],
  check: ['find everything that is damaged in the store', () => import('./image/check.ts')],
  remove: ['remove images from the store', () => import('./image/remove.ts')],
  gc: ['remove what no image needs any more', () => import('./image/gc.ts')],
};

const help = `Usage: pkgimage COMMAND [options]

Makes container images of packages, and takes them where they are needed.

Commands:
${commandLines(commands)}
pkgimage COMMAND --help tells more about each. Images are in the user's own store.

Examples:
  pkgimage build -d bootstrap/quickstart_packages -p mksh sbase -t tiny --entrypoint /bin/sh
  pkgimage load tiny docker
  pkgimage export tiny oci-archive:tiny.tar
  pkgimage push tiny localhost:5000/tiny:1.0
`;

export function main(context: Context): Promise<number> {
  return runCommand(context, commands, help);
}
