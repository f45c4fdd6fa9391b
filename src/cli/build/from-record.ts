import { Fault } from '../../../builder/fault.ts';
import { encodeArtifact, packageKey } from '../../layer/package-artifact.ts';
import { keptRecord } from '../../layer/kept-record.ts';
import type { PackageIdentity } from '../../package/record.ts';
import type { Repository } from '../../package/repository.ts';
import { type Entry, subjectOf } from '../../remote/entry.ts';
import { farRepository } from '../../remote/repository.ts';
import { bringTrees } from '../../remote/trees.ts';
import { thisMachine } from '../build-setting.ts';
import type { Context } from '../context.ts';
import { withStore } from '../image/store.ts';

/**
 * A repository of exactly the packages that something was built from, by their diffIDs, whose layers the store
 * still keeps, whatever has become of the repositories that they came from. Throws NOT_FOUND for one that is gone.
 */
export async function fromRecord(
  identities: readonly PackageIdentity[],
  title: string,
  context: Context,
): Promise<Repository> {
  const { trees } = context.places.cache;
  const entries = await withStore(context, async (store) => {
    const found: Entry[] = [];
    for (const { name, version, diffID } of distinct(identities)) {
      const key = diffID && packageKey({ name, version }, { diffID });
      const record = key === undefined ? undefined : await keptRecord(store, key);
      if (record?.layer?.diffID !== diffID || !record) throw lost(title, name, version);
      const subject = subjectOf(record, `${name} ${version} in the store`);
      const { manifest } = encodeArtifact(record, subject.record.layer);
      found.push({ ...subject, manifest: manifest.descriptor, builds: [] });
    }
    return found;
  });
  return farRepository({
    label: `what ${title} was built from`,
    remote: false,
    stale: false,
    entries,
    architecture: thisMachine().name,
    trees,
    bring: (wanted) =>
      withStore(context, (store) =>
        bringTrees(wanted, { source: store, store, trees, report: () => undefined }),
      ),
  });
}

/** A source makes several packages, all of the same root. */
const distinct = (identities: readonly PackageIdentity[]): Iterable<PackageIdentity> =>
  new Map(identities.map((each) => [`${each.name} ${each.version}`, each])).values();

const lost = (title: string, name: string, version: string): Fault =>
  new Fault('NOT_FOUND', `${title} was built from a ${name} ${version} that the store does not have`, {
    hint: 'build or pull it again: the record names its diffID (pkgcontrol --json)',
  });
