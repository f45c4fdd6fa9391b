import { chmodSync, copyFileSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './tools.ts';

export type Parts = {
  /** What runs the tools; the project's own Node, if it is not said. */
  readonly node?: string;
  /** What compresses layers: a program, and arguments that come before those of the tools. */
  readonly compress?: readonly string[];
};

/** Installs the tools, as they are built, in another directory with other parts, and gives the path of one. */
export function install(
  directory: string,
  { node = process.execPath, compress = [join(root, 'native/build/compress')] }: Parts,
): (tool: string) => string {
  for (const name of ['bin', 'dist', 'docs', 'distfiles'])
    cpSync(join(root, name), join(directory, name), { recursive: true, verbatimSymlinks: true });
  const places = {
    modules: join(directory, `node_modules/node-linux-${process.arch}/bin`),
    native: join(directory, 'native/build'),
  };
  for (const place of Object.values(places)) mkdirSync(place, { recursive: true });
  symlinkSync(node, join(places.modules, 'node'));
  for (const name of ['lock', 'withenv'])
    copyFileSync(join(root, 'native/build', name), join(places.native, name));
  const wrapper = join(places.native, 'compress');
  writeFileSync(wrapper, `#!/bin/sh\nexec ${compress.join(' ')} "$@"\n`);
  chmodSync(wrapper, 0o755);
  return (tool) => join(directory, 'bin', tool);
}
