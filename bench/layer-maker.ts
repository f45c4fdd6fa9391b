/**
 * What bench/layers.ts times as ours: the layer of TREE, in the encodings, into the store at DIR. Without encodings it
 * makes the store.
 *
 * usage: layer-maker PROGRAMS DIR [TREE ENCODING...]
 */
import { join } from 'node:path';
import { openStore } from '../builder/store/open-store.ts';
import { Compressor } from '../builder/tar/compressor.ts';
import { type Compressed, mediaTypeOf } from '../builder/tar/encoding.ts';
import { makeLayer, planTree, type Sink } from '../builder/tar/layer.ts';

const [, , programs = '', directory = '', tree, ...encodings] = process.argv;
const options = { create: tree === undefined, lockProgram: join(programs, 'lock') };
if (tree === undefined) {
  (await openStore(directory, options)).close();
} else {
  const compressor = new Compressor([join(programs, 'compress')], encodings as Compressed[]);
  const store = await openStore(directory, options);
  const sink =
    (encoding: Compressed): Sink =>
    (content) =>
      store.add(mediaTypeOf[encoding], content);
  const sinks = { 'gzip-1': sink('gzip-1'), 'zstd-1': sink('zstd-1') };
  await makeLayer(planTree(tree, 'packages/x/1'), compressor, sinks);
  await compressor.close();
  store.close();
}
