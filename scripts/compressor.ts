import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { digestOf } from '../builder/digest.ts';
import { complain, type Context, places } from '../src/cli/context.ts';
import { fetchOptions } from '../src/cli/fetch-options.ts';
import { report } from '../src/cli/report.ts';
import { runPhase } from '../src/build/phase.ts';
import { ensurePrivate } from '../src/run/private.ts';
import { hostPath, hostView } from '../src/run/host.ts';
import { fetchDistfiles } from '../src/source/fetch.ts';
import { readDistfiles } from '../src/source/list.ts';

/**
 * Builds the compressor of layers, native/build/compress, out of the pinned sources of libdeflate and zstd. Those
 * are other people's build, so it runs inside the helper, in a work directory of its own, and only the program
 * comes back.
 */
const root = dirname(import.meta.dirname);
const native = join(root, 'native');
const program = join(native, 'build/compress');
const stamp = `${program}.key`;
const parts = ['Makefile', 'compress.mk', 'compress', 'sha256'];
const archives = ['libdeflate_1.14.orig.tar.gz', 'libzstd_1.5.4+dfsg2.orig.tar.xz'];

const context: Context = {
  tool: 'compressor',
  args: [],
  env: process.env,
  cwd: process.cwd(),
  places: places(root, process.env),
  terminal: false,
};

async function main(): Promise<void> {
  const sources = parts.flatMap((part) => filesOf(join(native, part)));
  const key = digestOf(sources.map((path) => readFileSync(path, 'utf8')).join('\0'));
  if (existsSync(program) && existsSync(stamp) && readFileSync(stamp, 'utf8') === key) return;

  complain('compressor: building it from the sources of libdeflate and zstd\n');
  const { cache, helper, distfileList } = context.places;
  const distfiles = await fetchDistfiles(await readDistfiles(distfileList), archives, fetchOptions(context));
  ensurePrivate(dirname(cache.work));
  ensurePrivate(cache.work);
  const work = mkdtempSync(join(cache.work, 'compressor-'));
  try {
    for (const name of parts) cpSync(join(native, name), join(work, name), { recursive: true });
    for (const path of distfiles) cpSync(path, join(work, basename(path)));
    let log = '';
    const { status } = await runPhase(
      {
        name: 'compressor',
        root: hostView(cache.profiles, []),
        shares: [{ source: work, target: 'work', writable: true }],
        directory: '/work',
        environment: { PATH: hostPath, HOME: '/tmp', LC_ALL: 'C', TZ: 'UTC0' },
        command: ['make', '-s', '-j2', 'compress', 'DISTFILES=/work'],
      },
      { helper, signal: undefined, listen: (chunk) => (log += chunk.toString()) !== '' },
    );
    if (status !== 0) throw new Error(`make ended with ${status}:\n${log}`);
    cpSync(join(work, 'build/compress'), `${program}.${process.pid}`);
    renameSync(`${program}.${process.pid}`, program);
    writeFileSync(stamp, key);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The file itself, or those in the directory. */
function filesOf(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .toSorted()
    .map((name) => join(path, name));
}

try {
  await main();
} catch (error) {
  process.exitCode = report('compressor', error);
}
