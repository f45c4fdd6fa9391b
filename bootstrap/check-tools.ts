import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../builder/fault.ts';
import type { ProduceSetting } from '../src/build/produce.ts';
import { ensurePrivate } from '../src/run/private.ts';
import { elfKind } from './check-packages.ts';
import { repositories } from './stages.ts';
import type { StepOptions } from './step.ts';

const hello = {
  'hello.c': '#include <stdio.h>\nint main(void) { return puts("hello from C") < 0; }\n',
  'hello.cc': [
    '#include <iostream>',
    '#include <stdexcept>',
    '#include <thread>',
    'int main() {',
    '  try { throw std::runtime_error("hello from C++"); }',
    '  catch (const std::exception &e) { std::thread([&] { std::cout << e.what() << std::endl; }).join(); }',
    '}',
    '',
  ].join('\n'),
};

/** The example of the original: a compiler by two constraints, the rest by resolution; what it makes is static. */
export function checkExample({ root }: StepOptions, { cache }: ProduceSetting): string {
  for (const repository of [repositories.stage2, repositories.stage3]) {
    const work = mkdtempSync(`${workIn(cache)}example-`);
    try {
      for (const [name, text] of Object.entries(hello)) writeFileSync(join(work, name), text);
      const script = 'gcc hello.c && ./a.out && g++ -o b.out hello.cc && ./b.out\n';
      const words = `-d bootstrap/${repository} -p mksh sbase -p musl -p gcc -w`.split(' ');
      const said = run(root, 'bin/withpkgs', [...words, work, '/bin/sh'], script);
      if (said !== 'hello from C\nhello from C++\n')
        throw new Fault('INTEGRITY', `${repository}: ${JSON.stringify(said)}`);
      for (const program of ['a.out', 'b.out']) {
        if (elfKind(join(work, program)) !== 'static')
          throw new Fault('INTEGRITY', `${repository}: ${program} is not static`);
      }
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  return 'withpkgs -p mksh sbase -p musl -p gcc compiles and runs C and C++, static, on stages 2 and 3';
}

/** A second run finds that there is nothing to do, in at most 5 seconds. */
export function checkIdle({ root }: StepOptions): string {
  const start = Date.now();
  const said = run(root, process.execPath, ['bootstrap/bootstrap.ts'], '', 'both');
  const seconds = (Date.now() - start) / 1000;
  if (/: (built|building|taken)/.test(said)) throw new Fault('INTEGRITY', 'a second run builds something');
  if (seconds > 5) throw new Fault('INTEGRITY', `a second run takes ${seconds.toFixed(1)} s`);
  return `a second run does nothing, in ${seconds.toFixed(1)} s`;
}

/** Where directories for checks are made. */
export function workIn(cache: string): string {
  ensurePrivate(cache);
  return `${cache}/`;
}

/** What a program says; throws what it complains of where it fails. */
export function run(
  cwd: string,
  program: string,
  words: readonly string[],
  input: string,
  said = 'stdout',
): string {
  const options = { cwd, input, encoding: 'utf8', maxBuffer: 1e8 } as const;
  const { status, stdout, stderr, error } = spawnSync(program, words, options);
  if (status === 0) return said === 'both' ? stdout + stderr : stdout;
  throw new Fault('BUILD', `${program} ends with ${status ?? error?.message}: ${stderr.trim().slice(-300)}`);
}
