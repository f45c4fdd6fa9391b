import { decodeManifest } from '../../builder/manifest.ts';
import { readBlob } from '../../builder/store/blob.ts';
import { allEntries, getEntry } from '../../builder/store/collection.ts';
import type { Descriptor } from '../../builder/descriptor.ts';
import type { NamedStore } from '../../builder/store/store.ts';
import { parseRecord } from '../package/record-file.ts';
import type { PackageRecord } from '../package/record.ts';
import { packageCollection } from './package-artifact.ts';

/** A record may have ten thousand links and more. */
const longestRecord = 16 << 20;

/**
 * The record of a package that the store keeps, by its key: `NAME VERSION` and the start of the diffID; without
 * the latter, the only one of that name and version. Undefined if there is none. Throws as reading a blob does.
 */
export async function keptRecord(store: NamedStore, key: string): Promise<PackageRecord | undefined> {
  const collection = await store.resolve(packageCollection);
  if (!collection) return undefined;
  const entry = (await getEntry(store, collection, key)) ?? (await onlyEntry(store, collection, key));
  if (!entry) return undefined;
  const { config } = decodeManifest(await readBlob(store, entry), entry.mediaType, entry.digest);
  return parseRecord((await readBlob(store, config, longestRecord)).toString('utf8'), config.digest);
}

async function onlyEntry(
  store: NamedStore,
  collection: Descriptor,
  title: string,
): Promise<Descriptor | undefined> {
  const found: Descriptor[] = [];
  for await (const [key, entry] of allEntries(store, collection)) {
    if (key.startsWith(`${title} `)) found.push(entry);
  }
  return found.length === 1 ? found[0] : undefined;
}
