/**
 * Our side of `bench/registry.ts`, as a program: `LOCK push LAYOUT HOST NAME`, `LOCK pull HOST NAME LAYOUT`. The
 * image is called `image` in the layout and `1` in the registry.
 */
import { pull } from '../builder/registry/pull.ts';
import { push } from '../builder/registry/push.ts';
import { Registry } from '../builder/registry/registry.ts';
import { openRepository } from '../builder/registry/repository.ts';
import { openStore } from '../builder/store/open-store.ts';

const [lockProgram = '', verb, ...rest] = process.argv.slice(2);
const [host = '', name = '', layout = ''] = verb === 'push' ? [rest[1], rest[2], rest[0]] : rest;
const store = await openStore(layout, { lockProgram, create: verb === 'pull' });
const registry = new Registry(host, { environment: process.env });
const last = await store.resolve('image');
if (verb === 'push') {
  if (!last) throw new Error(`${layout}: no image`);
  await push(store, last, openRepository(registry, name, { access: 'push' }), ['1']);
} else {
  const image = await pull(openRepository(registry, name), '1', store, { last });
  if (last?.digest !== image.digest) await store.tag('image', image);
}
registry.close();
store.close();
