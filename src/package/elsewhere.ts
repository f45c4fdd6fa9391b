import type { Digest } from '../../builder/digest.ts';
import type { Repository } from './repository.ts';

type Named = { readonly name: string; readonly version: string };

/** What is needed of a package: its files to run, or its layer in every encoding to make an image. */
export type Part = 'tree' | 'layer';

/** Where in a registry a package is: what it is called there by its content, as tags may come to mean something else. */
export type Published = {
  /** `registry:HOST/NAME` */
  readonly repository: string;
  /** What is known of the whole repository at that time; undefined where it has no index. */
  readonly index: Digest | undefined;
  readonly manifest: Digest;
};

/**
 * A repository in a registry or in an OCI layout: what is known of its packages is at hand, and their files are not
 * where `tree` says before they have been brought. Its `directory` is where they come to.
 */
export type Elsewhere = Repository & {
  /** As it is written after `-d`: `registry:HOST/NAME`, `oci:DIR`. */
  readonly label: string;
  /** Whether it was not asked just now, so that it may hold more. */
  readonly stale: boolean;
  /** Throws as the network does, and INTEGRITY or UNSAFE for what is not what it should be. */
  bring(packages: readonly Named[], part: Part): Promise<void>;
  /** Undefined outside a registry. */
  published(name: string, version: string): Published | undefined;
};

const isElsewhere = (repository: Repository): repository is Elsewhere => 'bring' in repository;

export const mayHoldMore = (repository: Repository): boolean => isElsewhere(repository) && repository.stale;

/** What to call a repository. */
export const labelOf = (repository: Repository): string =>
  isElsewhere(repository) ? repository.label : repository.directory;

/** Sees to it that what was chosen can be used. Nothing to do for packages in directories. */
export async function bring(
  chosen: readonly (Named & { readonly repository: Repository })[],
  part: Part,
): Promise<void> {
  const groups = Map.groupBy(chosen, ({ repository }) => repository);
  const tasks = [...groups].map(([repository, packages]) =>
    isElsewhere(repository) ? repository.bring(packages, part) : undefined,
  );
  await Promise.allSettled(tasks);
  await Promise.all(tasks);
}

/** Undefined for what is not from a registry: where it is on this machine means nothing elsewhere. */
export const publishedOf = ({
  name,
  version,
  repository,
}: Named & { readonly repository: Repository }): Published | undefined =>
  isElsewhere(repository) ? repository.published(name, version) : undefined;
