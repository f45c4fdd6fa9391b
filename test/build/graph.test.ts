import test from 'ava';
import * as fc from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '../../builder/fault.ts';
import { schedule } from '../../src/build/schedule.ts';

const two = { slots: 2 };

test('what most waits for comes first, then what is named first', async (t) => {
  const tasks = [
    { name: 'short', needs: [], weight: 1 },
    { name: 'long', needs: [], weight: 2 },
    { name: 'base', needs: [], weight: 1 },
    { name: 'top', needs: ['base'], weight: 5 },
    { name: 'other', needs: [], weight: 1 },
  ];
  const started: string[] = [];
  await schedule(tasks, { slots: 1 }, async ({ name }) => {
    started.push(name);
    await sleep(0);
  });
  t.deepEqual(started, ['base', 'top', 'long', 'short', 'other']);
});

test('any graph without a circle: each task once, after what it needs, never more than the slots', async (t) => {
  const graph = fc.array(fc.array(fc.nat({ max: 8 }), { maxLength: 4 }), { minLength: 1, maxLength: 9 });
  const slots = fc.integer({ min: 1, max: 4 });
  await fc.assert(
    fc.asyncProperty(graph, slots, async (edges, slots) => {
      // Each needs only such as come before it; the order of the list is another one.
      const tasks = edges.map((needs, at) => ({
        name: `${at}`,
        needs: needs.filter((need) => need < at).map(String),
      }));
      const done: string[] = [];
      let running = 0;
      await schedule(tasks.toReversed(), { slots }, async ({ name, needs }) => {
        running += 1;
        if (running > slots) throw new Error('too many');
        if (!needs.every((need) => done.includes(need))) throw new Error(`${name} was too early`);
        await sleep(0);
        running -= 1;
        done.push(name);
      });
      return done.toSorted().join(' ') === tasks.map(({ name }) => name).join(' ');
    }),
    { numRuns: 60 },
  );
  t.pass();
});

test('after a failure nothing is started, and what runs is waited for', async (t) => {
  const started: string[] = [];
  const ended: string[] = [];
  const tasks = ['slow', 'bad', 'never'].map((name) => ({ name, needs: [] }));
  const { failed, skipped } = await schedule(tasks, two, async ({ name }) => {
    started.push(name);
    await sleep(name === 'slow' ? 30 : 1);
    if (name === 'bad') throw new Error('broken');
    ended.push(name);
  });
  t.deepEqual([...failed.keys()], ['bad']);
  t.deepEqual([...skipped], [['never', []]]);
  t.deepEqual([started, ended], [['slow', 'bad'], ['slow']]);
});

test('with keepGoing all is done that does not need what failed', async (t) => {
  const tasks = [
    { name: 'bad', needs: [] },
    { name: 'user', needs: ['bad', 'good'] },
    { name: 'usersuser', needs: ['user'] },
    { name: 'good', needs: [] },
    { name: 'last', needs: ['good'] },
  ];
  const ended: string[] = [];
  const { failed, skipped } = await schedule(tasks, { slots: 2, keepGoing: true }, async ({ name }) => {
    await sleep(1);
    if (name === 'bad') throw new Error('broken');
    ended.push(name);
  });
  t.deepEqual([...failed.keys()], ['bad']);
  t.deepEqual(
    [...skipped],
    [
      ['user', ['bad']],
      ['usersuser', ['user']],
    ],
  );
  t.deepEqual(ended, ['good', 'last']);
});

test('a circle is named in full', async (t) => {
  const tasks = [
    { name: 'a', needs: [] },
    { name: 'b', needs: ['a', 'd'] },
    { name: 'c', needs: ['b'] },
    { name: 'd', needs: ['c'] },
  ];
  const error = await t.throwsAsync(
    schedule(tasks, two, () => Promise.resolve()),
    { instanceOf: Fault },
  );
  t.regex(error.message, /circle: b needs d needs c needs b$/);
});

test('a name that is no task counts as done', async (t) => {
  let ran = 0;
  await schedule([{ name: 'a', needs: ['elsewhere'] }], two, () => {
    ran += 1;
    return Promise.resolve();
  });
  t.is(ran, 1);
});
