/**
 * The library, from trees to archives and back, in one process, for tests that run it on other versions of Node.
 *
 *     node-worker.mjs LOCK COMPRESS DIRECTORY TREE...     each TREE becomes a layer, at packages/t/1
 *
 * Prints JSON: the layers, the image in both encodings, and what came back out of the archives.
 */
import { basename, join } from 'node:path';
import { exportImage } from '../../builder/image/export.ts';
import { openImage } from '../../builder/image/image.ts';
import { importImage } from '../../builder/image/import.ts';
import { assembleImage, type LayerSource } from '../../builder/image/assemble.ts';
import { parsePlace } from '../../builder/image/transport.ts';
import { validate } from '../../builder/image/validate.ts';
import { parseReference } from '../../builder/reference.ts';
import { putDocument } from '../../builder/store/blob.ts';
import { check } from '../../builder/store/check.ts';
import { openStore } from '../../builder/store/open-store.ts';
import { Compressor } from '../../builder/tar/compressor.ts';
import { mediaTypeOf } from '../../builder/tar/encoding.ts';
import { makeLayer, planTree } from '../../builder/tar/layer.ts';

const [, , lockProgram = '', compressProgram = '', directory = '', ...trees] = process.argv;
const newStore = (name: string) =>
  openStore(join(directory, name), { lockProgram, create: true, private: true });

const store = await newStore('store');
const compressor = new Compressor([compressProgram], ['gzip-1', 'zstd-1']);
const layers: LayerSource[] = [];
for (const tree of trees) {
  const { diffID, blobs } = await makeLayer(planTree(tree, 'packages/t/1'), compressor, {
    'gzip-1': (content) => store.add(mediaTypeOf['gzip-1'], content),
    'zstd-1': (content) => store.add(mediaTypeOf['zstd-1'], content),
  });
  layers.push({ diffID, blobs, history: basename(tree) });
}
await compressor.close();

const platform = { os: 'linux', architecture: 'amd64' };
const description = { platform, layers, created: 0, settings: { env: { Z: '1', A: 'ä' } } };
const back = await newStore('back');
const images: Record<string, string> = {};
const problems: unknown[] = [];
for (const encoding of ['gzip-1', 'zstd-1'] as const) {
  const { config, manifest } = assembleImage(description, encoding);
  await putDocument(store, config);
  const image = await putDocument(store, manifest);
  await store.tag(encoding, image);
  images[encoding] = image.digest;
  problems.push(...(await validate(store, image, { content: true })));
  for (const transport of ['docker-archive', 'oci-archive', 'rootfs']) {
    const place = parsePlace(`${transport}:${directory}/${encoding}-${transport}.tar`);
    if (!('path' in place)) throw new Error(transport);
    await exportImage(store, image, parseReference('web:1'), place, { lockProgram });
    if (place.transport === 'rootfs') continue;
    const taken = await importImage(back, place, { lockProgram });
    images[`${encoding} from ${transport}`] = (await openImage(back, taken)).id;
    problems.push(...(await validate(back, taken, { content: true })));
  }
}
problems.push(...(await check(store.directory)));
store.close();
back.close();
console.log(JSON.stringify({ layers, images, problems }));
