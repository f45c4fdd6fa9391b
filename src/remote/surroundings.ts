import type { Registry } from '../../builder/registry/registry.ts';
import type { FileStore } from '../../builder/store/file-store.ts';
import type { Architecture } from '../package/architecture.ts';

/** What happens while packages come from elsewhere. */
export type BringEvent =
  | { readonly type: 'begin'; readonly packages: number }
  | { readonly type: 'bytes'; readonly bytes: number }
  | { readonly type: 'end' };

/** What repositories elsewhere need of the process that uses them. */
export type Surroundings = {
  /**
   * The client of a registry, the same one for the same host until all are closed; `hurried` is one that gives up
   * soon, as without an answer there is another way.
   */
  readonly client: (host: string, hurried: boolean) => Registry;
  /** Ends every connection: an open one keeps the process alive. */
  readonly closeClients: () => void;
  /** Private directories: caches of what repositories held and of trees, and, to be kept, what was taken on trust. */
  readonly indexes: string;
  readonly trees: string;
  readonly known: string;
  /** Called when trees have come: the cache of them is bounded. */
  readonly forgetTrees: () => Promise<void>;
  readonly withStore: <T>(act: (store: FileStore) => Promise<T>) => Promise<T>;
  readonly architecture: Architecture;
  /** How old may be what is known of a registry before it is asked again, in ms. */
  readonly refresh: number;
  /** A line that the user sees, whatever they asked for. */
  readonly tell: (text: string) => void;
  readonly report: (event: BringEvent) => void;
};
