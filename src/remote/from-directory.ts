import { encodeArtifact, keepPackages, type KeptPackage } from '../layer/package-artifact.ts';
import { readPackage } from '../layer/package.ts';
import { ensureStored, packageLayer } from '../layer/package-layer.ts';
import type { KnownLayer, Workshop } from '../layer/workshop.ts';
import type { Repository } from '../package/repository.ts';
import { subjectOf } from './entry.ts';
import type { Publishable } from './publish.ts';

/**
 * Packages of a directory as artifacts in the workshop's store: each gets its layer, if it has none yet. What is
 * known of a package stays known, so another user's making of the same tree gives the same artifact.
 */
export async function packagesOf(
  repository: Repository,
  chosen: readonly { readonly name: string; readonly version: string }[],
  workshop: Workshop,
): Promise<readonly Publishable[]> {
  const made: Publishable[] = [];
  const kept = new Map<KeptPackage, KnownLayer>();
  for (const { name, version } of chosen) {
    const tree = repository.tree(name, version);
    const each = readPackage({ name, version, tree, record: repository.record(name, version) });
    const layer = await packageLayer(workshop, each);
    await ensureStored(workshop, each, layer);
    kept.set(each, layer);
    const { digest, size } = encodeArtifact(each.record, layer).manifest.descriptor;
    const record = { ...each.record, layer };
    made.push({ ...subjectOf(record, tree), manifest: { digest, size } });
  }
  await keepPackages(workshop, kept);
  return made;
}
