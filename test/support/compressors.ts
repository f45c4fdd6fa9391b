import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { digestOf, hexOf } from '../../builder/digest.ts';
import { output, root, tool } from './tools.ts';

const native = join(root, 'native');
const archives = ['libdeflate_1.14.orig.tar.gz', 'libzstd_1.5.4+dfsg2.orig.tar.xz'];

/** The compressor of layers, made of its sources by another compiler; once for this user, compiler and sources. */
export function compressorBy(compiler: string, flags: string): string {
  const sources = ['compress', 'sha256'].flatMap((part) =>
    readdirSync(join(native, part))
      .toSorted()
      .map((name) => `${part}/${name}`),
  );
  const texts = [...sources, 'compress.mk', 'Makefile'].map((name) =>
    readFileSync(join(native, name), 'utf8'),
  );
  const key = hexOf(digestOf(JSON.stringify([compiler, output(compiler, ['--version']), flags, texts])));
  const directory = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'static-distro-test');
  const program = join(directory, `compress-${key.slice(0, 32)}`);
  if (existsSync(program)) return program;
  mkdirSync(directory, { recursive: true });
  const work = mkdtempSync(join(directory, 'new-'));
  try {
    output(tool('pkgfetch'), ['-q', '-d', work, ...archives]);
    const settings = [
      `CC=${compiler}`,
      `COMPRESS_CFLAGS=${flags}`,
      `BUILD=${work}/build`,
      `DISTFILES=${work}`,
    ];
    output('make', ['-s', '-C', native, 'compress', ...settings], { timeout: 600_000 });
    renameSync(join(work, 'build/compress'), program);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return program;
}
