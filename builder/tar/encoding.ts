import { Buffer } from 'node:buffer';
import { mediaTypes } from '../descriptor.ts';
import { blockSize, encodeHeader } from './header.ts';

/** How the bytes of a layer are stored. The number of a compressed one stands for its bytes: others, other number. */
export type Encoding = Compressed | 'none';
export type Compressed = 'gzip-1' | 'zstd-1';

export const mediaTypeOf: Readonly<Record<Encoding, string>> = {
  'gzip-1': mediaTypes.layerGzip,
  'zstd-1': mediaTypes.layerZstd,
  none: mediaTypes.layer,
};

/** The directory that every package layer starts with. */
export const sharedDirectory = 'packages';

/**
 * The first bytes of a package layer: the entry of {@link sharedDirectory}. Constant in every encoding, so that
 * the segments of recorded blobs can be cut out and put together; the tests compress it again.
 */
export const head: Readonly<Record<Encoding, Buffer>> = {
  none: encodeHeader({ path: Buffer.from(sharedDirectory), type: 'directory', mode: 0o755, uid: 0, gid: 0 }),
  'gzip-1': Buffer.from(
    'H4sIAAAAAAAA/ytITM5OTE8t1megHTAwMDAwNzUF0wYGBug0hG1kZGZsamQMZhsaGhgaMSiYMtABlBaXJBYxGBgwUAjQPTdEAADj+tQp' +
      'AAIAAA==',
    'base64',
  ),
  'zstd-1': Buffer.from(
    'KLUv/WQAAX0CANQCcGFja2FnZXMvADAwMDA3NTUwMDAAMDIyNjM1MjMxMTAxMgAgNXVzdGFyADAwDQABBAUmiPUBrOlgrgQAMMTBKmb4UH1g' +
      'BQDHymVuAki5qF3R',
    'base64',
  ),
};

/** The last bytes of every layer: the two zero blocks that end an archive. */
export const tail: Readonly<Record<Encoding, Buffer>> = {
  none: Buffer.alloc(2 * blockSize),
  'gzip-1': Buffer.from('H4sIAAAAAAAA/2MYBaNgFIxYAAAur7XvAAQAAA==', 'base64'),
  'zstd-1': Buffer.from('KLUv/WQAA00AABAAAAEA+yuABc2shfA=', 'base64'),
};
