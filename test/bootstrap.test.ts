import test from 'ava';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { elfKind } from '../bootstrap/check-packages.ts';
import { type DiaryEntry, readDiary, write } from '../bootstrap/diary.ts';
import { jobsOf } from '../bootstrap/jobs.ts';
import { repositories, steps } from '../bootstrap/stages.ts';
import { diaryTable } from '../bootstrap/table.ts';
import { type Node, planGraph } from '../src/build/graph.ts';
import { candidatesOf, prospects } from '../src/build/prospect.ts';
import { openShelf } from '../src/build/shelf.ts';
import { machineBy } from '../src/package/architecture.ts';
import { parseRequest } from '../src/package/relation.ts';
import type { Candidate } from '../src/package/record.ts';
import { resolve } from '../src/solve/choose.ts';
import { selectDistfiles } from '../src/source/distfile.ts';
import { readDistfiles } from '../src/source/list.ts';
import { root, temporary } from './support/tools.ts';

const machine = machineBy('node', 'x64') ?? raise('no machine');

function raise(message: string): never {
  throw new Error(message);
}

/** The plan of the whole bootstrap on a machine that has nothing, and what each repository holds at its end. */
async function planAll(directory: string) {
  const shelves = new Map<string, Candidate[]>();
  const distfiles = await readDistfiles(join(root, 'distfiles/distfiles.json'));
  const options = {
    root,
    machine,
    compiler: { triple: 'x86_64-linux-gnu', identity: 'none' },
    triple: 'x86_64-linux-musl',
    distfiles,
  };
  const planned = steps.map((step) => {
    const jobs = jobsOf(step, options);
    const graph = planGraph(jobs, {
      machine,
      shelf: openShelf(join(directory, step.shelf), ''),
      from: step.from.map((name) => prospects(shelves.get(name) ?? [])),
      ordered: true,
      tests: step.way === 'roots',
    });
    const made = jobs.flatMap(({ recipe, version }) => candidatesOf(recipe, version, machine));
    shelves.set(step.shelf, [...(shelves.get(step.shelf) ?? []), ...made]);
    return { step, jobs, graph };
  });
  return { planned, shelves, distfiles };
}

const versionIn = ({ roots }: Node, name: string): string | undefined =>
  roots.build.find((each) => each.name === name)?.version;

test('every step can be planned before anything is there, and leads out of the machine', async (t) => {
  const { planned, shelves, distfiles } = await planAll(temporary(t));
  for (const { step, jobs, graph } of planned) {
    t.deepEqual(graph.refused, [], `stage ${step.stage}`);
    t.is(graph.nodes.length, step.sources.length);
    for (const { recipe } of jobs) t.notThrows(() => selectDistfiles(distfiles, recipe.control.sources));
  }
  const nodes = new Map(planned.map(({ step, graph }, at) => [`${step.stage}.${at}`, graph.nodes]));
  const find = (step: string, source: string): Node => {
    const node = nodes.get(step)?.find(({ recipe }) => recipe.control.name === source);
    if (!node) throw new Error(`${step} does not build ${source}`);
    return node;
  };
  // gcc of stage 3 is built once, with the C library and the linker of stage 3, by the compiler of stage 1.
  t.is(versionIn(find('3.4', 'gcc'), 'gcc'), '12.2.0-~~stage1');
  t.regex(versionIn(find('3.4', 'gcc'), 'musl') ?? '', /-~~stage3$/);
  t.regex(versionIn(find('3.4', 'gcc'), 'binutils') ?? '', /-~~stage3$/);
  for (const node of nodes.get('3.5') ?? []) {
    t.is(versionIn(node, 'gcc'), '12.2.0', node.name);
    const names = [...node.roots.unpack, ...node.roots.build].map(({ name }) => name);
    t.false(names.some((name) => name.startsWith('cross-')));
  }
  // What comes last is built with nothing but final packages.
  t.true(find('3.5', 'texinfo').roots.build.every(({ version }) => !version.includes('~~')));
  for (const { roots } of nodes.get('4.6') ?? [])
    t.true([...roots.unpack, ...roots.build].every(({ version }) => !version.includes('~~')));
  // What a test needs is there before, though nothing is built with it.
  t.true(find('4.6', 'nginx').needs.includes('curl 7.88.1'));
  t.false(find('4.6', 'nginx').roots.build.some(({ name }) => name === 'curl'));
  t.true(find('4.6', 'ca-certificates').needs.includes('openssl 3.0.22'));

  const last = shelves.get(repositories.stage3) ?? [];
  t.true(last.every(({ version }) => !version.includes('~~')));
  const alone = prospects(last);
  for (const { name } of last) t.notThrows(() => resolve([alone], [parseRequest(name)]), name);
  const tools = shelves.get(repositories.stage2) ?? [];
  t.true(tools.every(({ version }) => version.includes('-~~stage')));
});

test('the diary keeps what each source took when it was built, and counts what came from the cache', (t) => {
  const file = join(temporary(t), 'below/diary.jsonl');
  t.deepEqual(readDiary(file), []);
  const entry: DiaryEntry = {
    run: 1,
    stage: 1,
    name: 'musl 1.2.3-~~stage1',
    how: 'built',
    seconds: 40.5,
    cpuSeconds: 30.1,
    bytes: 3_600_000,
    packed: 900_000,
  };
  write(file, entry);
  write(file, { run: 1, end: 'done', seconds: 41, ownCpuSeconds: 1, buildCpuSeconds: 30.1 });
  write(file, { ...entry, run: 2, how: 'there', seconds: 0, cpuSeconds: 30.1 });
  writeFileSync(file, '{"run":3,"sta', { flag: 'a' });
  const table = diaryTable(readDiary(file));
  t.true(table.includes('| 1 | musl 1.2.3-~~stage1 | 30 | 41 | 3.60 MB | 900 kB | 1 |\n'), table);
  t.true(table.endsWith('| all | | 30 | | | | |\n'));
});

test('a program that needs an interpreter is told from one that does not', (t) => {
  const directory = temporary(t);
  t.is(elfKind(join(root, 'native/build/lock')), 'static');
  t.is(elfKind('/bin/ls'), 'interpreted');
  const text = join(directory, 'text');
  mkdirSync(directory, { recursive: true });
  writeFileSync(text, '#!/bin/sh\n'.padEnd(100, '\n'));
  t.is(elfKind(text), undefined);
});
