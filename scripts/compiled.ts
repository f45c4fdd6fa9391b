import type { OutputFile } from 'esbuild';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';

type Made = Pick<OutputFile, 'path' | 'contents'>;

/**
 * A tool as three files, so that it need not be compiled at each start, which is a quarter of what a short call costs
 * (26 of 106 ms of an image of 100 known packages, measured): the program, what V8 made of it, and an entry at `path`
 * that runs the one with the help of the other. V8 takes that for a hint: where it is of another Node, processor or
 * program, or is not there, the program is compiled as ever.
 */
export function compiled({ path, contents }: Made): readonly Made[] {
  const text = Buffer.from(contents).toString('utf8');
  // Read as Latin-1 in the entry, which takes no time.
  if (Buffer.byteLength(text) !== text.length) throw new Error(`${path} is not plain ASCII`);
  const program = `(function (exports, require, module) {${text}\n})`;
  const hash = createHash('sha256').update(program).digest('hex').slice(0, 8);
  const name = `chunk/${path.slice(dirname(path).length + 1).replace(/\.cjs$/, '')}-${hash}`;
  const at = (file: string) => join(dirname(path), file);
  return [
    { path: at(`${name}.js`), contents: Buffer.from(program) },
    { path: at(cacheOf(name)), contents: compile(program) },
    { path, contents: Buffer.from(entryOf(name)) },
  ];
}

const cacheOf = (name: string): string => `${name}-${process.arch}-${process.version}.cache`;

/** All functions, not only those that run at once: which a call needs is not known here. */
function compile(program: string): Buffer {
  setFlagsFromString('--no-lazy');
  const script = new Script(program);
  // V8 takes only what was made with the flags that it has.
  setFlagsFromString('--lazy');
  return script.createCachedData();
}

const entryOf = (name: string): string => `'use strict';
const { readFileSync } = require('node:fs');
const { Script } = require('node:vm');
const file = __dirname + '/${name}.js';
let cachedData;
try {
  cachedData = readFileSync(__dirname + '/${name}-' + process.arch + '-' + process.version + '.cache');
} catch {}
const script = new Script(readFileSync(file, 'latin1'), { filename: file, cachedData });
script.runInThisContext()(exports, require, module);
`;
