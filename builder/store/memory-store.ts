import type { Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest.ts';
import { Fault } from '../fault.ts';
import { contentFrom, verified, wrongSize } from './blob.ts';
import { requireComplete } from './graph.ts';
import type { NamedStore } from './store.ts';

/** A store that is gone with the process: for a digest that nothing shall be stored for, and for tests. */
export function memoryStore(): NamedStore {
  const blobs = new Map<Digest, Buffer>();
  const names = new Map<string, Descriptor>();
  const store: NamedStore = {
    exists: async ({ digest, size }) => blobs.get(digest)?.length === size,

    async *open(descriptor, range) {
      const bytes = blobs.get(descriptor.digest);
      if (!bytes) throw new Fault('NOT_FOUND', `there is no blob ${descriptor.digest}`);
      if (bytes.length !== descriptor.size) throw wrongSize(descriptor, String(bytes.length), 'memory');
      yield bytes.subarray(range?.from, range?.to);
    },

    async put(descriptor, content) {
      if (await store.exists(descriptor)) return false;
      const chunks: Uint8Array[] = [];
      for await (const chunk of verified(descriptor, contentFrom(content, 0), 'memory')) chunks.push(chunk);
      blobs.set(descriptor.digest, Buffer.concat(chunks));
      return true;
    },

    resolve: async (name) => names.get(name),

    async tag(name, descriptor) {
      await requireComplete(store, descriptor);
      names.set(name, descriptor);
    },

    untag: async (name) => names.delete(name),

    list: async () => [...names].map(([name, descriptor]) => ({ name, descriptor })),
  };
  return store;
}
