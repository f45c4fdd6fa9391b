import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { promisify } from 'node:util';
import { Fault } from '../../builder/fault.ts';
import { hostPath } from '../run/host.ts';

const run = promisify(execFile);

/** The machine's C compiler, as the host view shows it. */
export type HostCompiler = {
  /** What it builds for, as it says itself: `x86_64-linux-gnu`. */
  readonly triple: string;
  /** A digest of everything of it that decides what comes out. */
  readonly identity: string;
};

/** What is asked for by `-print-prog-name` and by `-print-file-name`: programs, start files, libraries. */
const programs = ['cc1', 'collect2', 'as', 'ld'];
const files = [
  'crt1.o',
  'crti.o',
  'crtn.o',
  'crtbeginT.o',
  'crtend.o',
  'libgcc.a',
  'libgcc_eh.a',
  'libc.a',
  'libc.so.6',
];

/** Throws NOT_FOUND if the machine has no compiler. */
export async function hostCompiler(): Promise<HostCompiler> {
  let triple: string;
  try {
    triple = await ask('-dumpmachine');
  } catch (error) {
    throw new Fault('NOT_FOUND', 'this machine has no C compiler called cc', {
      hint: 'install one; on Debian and Ubuntu: apt-get install gcc libc6-dev make',
      cause: error,
    });
  }
  const found = await Promise.all([
    which('cc'),
    ...programs.map(async (name) => which(await ask(`-print-prog-name=${name}`))),
    ...files.map(async (name) => ask(`-print-file-name=${name}`)),
  ]);
  const digests = await Promise.all(found.map(digestOfFile));
  const names = ['cc', ...programs, ...files];
  const identity = names.map((name, at) => `${name} ${digests[at] ?? 'none'}\n`).join('');
  return { triple, identity: createHash('sha256').update(`${triple}\n${identity}`).digest('hex') };
}

async function ask(option: string): Promise<string> {
  const { stdout } = await run('cc', [option], { env: { PATH: hostPath, LC_ALL: 'C' } });
  return stdout.trim();
}

/** The path of a program; one that has a slash is its path. */
async function which(program: string): Promise<string> {
  if (program.includes('/')) return program;
  for (const directory of hostPath.split(':')) {
    const path = await realpath(`${directory}/${program}`).catch(() => undefined);
    if (path !== undefined) return path;
  }
  return program;
}

/** Undefined where there is no such file: the compiler then only gives the name back. */
async function digestOfFile(path: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    const chunks = createReadStream(path, { highWaterMark: 1 << 20 });
    for await (const chunk of chunks as AsyncIterable<Buffer>) hash.update(chunk);
  } catch {
    return undefined;
  }
  return hash.digest('hex');
}
