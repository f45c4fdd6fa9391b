/**
 * Pushes or pulls in a process of its own, which somebody may kill: `push|pull HOST NAME STORE SESSIONS
 * DESCRIPTOR`. The tag is `1`.
 */
import type { Descriptor } from '../../builder/descriptor.ts';
import { push } from '../../builder/registry/push.ts';
import { Registry } from '../../builder/registry/registry.ts';
import { openRepository } from '../../builder/registry/repository.ts';
import { copy } from '../../builder/store/copy.ts';
import { newStore } from './images.ts';

const [verb, host = '', name = '', directory = '', sessions = '', descriptor = ''] = process.argv.slice(2);
const store = await newStore(directory);
const registry = new Registry(host, { environment: {}, sessions, retry: { base: 10 } });
if (verb === 'push') {
  const repository = openRepository(registry, name, { access: 'push' });
  await push(store, JSON.parse(descriptor) as Descriptor, repository, ['1']);
} else {
  const repository = openRepository(registry, name);
  const found = await repository.resolve('1');
  if (!found) throw new Error('nothing to pull');
  await copy(repository, store, found);
  await store.tag('pulled', found);
}
registry.close();
store.close();
