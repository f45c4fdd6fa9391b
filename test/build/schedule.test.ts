import test from 'ava';
import * as fc from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '../../builder/fault.ts';
import { schedule } from '../../src/build/schedule.ts';

const machine = { slots: 2, processors: 4 };

test('all processors for what can run alone, shares for what runs together', async (t) => {
  const tasks = [
    { name: 'base', needs: [] },
    { name: 'a', needs: ['base'] },
    { name: 'b', needs: ['base'] },
    { name: 'c', needs: ['base'] },
  ];
  const jobs: Record<string, number> = {};
  await schedule(tasks, machine, async ({ name }, count) => {
    jobs[name] = count;
    await sleep(1);
  });
  t.deepEqual(jobs, { base: 4, a: 2, b: 2, c: 2 });
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
      await schedule(tasks.toReversed(), { slots, processors: slots }, async ({ name, needs }) => {
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

test('after a failure nothing is started, what runs is waited for, and the first failure is thrown', async (t) => {
  const started: string[] = [];
  const ended: string[] = [];
  const tasks = ['slow', 'bad', 'never'].map((name) => ({ name, needs: [] }));
  const error = await t.throwsAsync(
    schedule(tasks, machine, async ({ name }) => {
      started.push(name);
      await sleep(name === 'slow' ? 30 : 1);
      if (name === 'bad') throw new Error('broken');
      ended.push(name);
    }),
  );
  t.is(error.message, 'broken');
  t.deepEqual([started, ended], [['slow', 'bad'], ['slow']]);
});

test('a circle is named', async (t) => {
  const tasks = [
    { name: 'a', needs: [] },
    { name: 'b', needs: ['a', 'd'] },
    { name: 'c', needs: ['b'] },
    { name: 'd', needs: ['c'] },
  ];
  const error = await t.throwsAsync(
    schedule(tasks, machine, () => Promise.resolve()),
    { instanceOf: Fault },
  );
  t.regex(error.message, /circle: b needs d needs c needs b$/);
});

test('a name that is no task counts as done', async (t) => {
  let ran = 0;
  await schedule([{ name: 'a', needs: ['elsewhere'] }], machine, () => {
    ran += 1;
    return Promise.resolve();
  });
  t.is(ran, 1);
});
