import { Fault } from '../../builder/fault.ts';

/** Something to do, and the names of what has to be done before. */
export type Task = { readonly name: string; readonly needs: readonly string[] };

export type ScheduleOptions = {
  /** How many tasks may run at once. */
  readonly slots: number;
  /** How many of the machine's processors there are to share. */
  readonly processors: number;
};

/**
 * Runs tasks, each as soon as what it needs is done, those that are named first before others. `run` gets the
 * task and how many processes it may use: all that is left where little can run at once. After the first failure
 * nothing is started; it is thrown when what runs has ended. Names that no task has count as done.
 *
 * Throws INPUT, naming a circle of needs.
 */
export async function schedule<T extends Task>(
  tasks: readonly T[],
  { slots, processors }: ScheduleOptions,
  run: (task: T, jobs: number) => Promise<void>,
): Promise<void> {
  const waiting = new Map(tasks.map((task) => [task.name, task]));
  const running = new Map<string, Promise<void>>();
  const failures: unknown[] = [];
  const ready = (): T[] =>
    [...waiting.values()].filter(({ needs }) =>
      needs.every((name) => !waiting.has(name) && !running.has(name)),
    );
  while (waiting.size > 0 || running.size > 0) {
    const next = failures.length === 0 ? ready() : [];
    const count = Math.min(slots, running.size + next.length);
    for (const task of next.slice(0, slots - running.size)) {
      waiting.delete(task.name);
      const done = run(task, Math.max(1, Math.floor(processors / count)))
        .catch((error: unknown) => void failures.push(error))
        .finally(() => running.delete(task.name));
      running.set(task.name, done);
    }
    if (running.size === 0) break;
    await Promise.race(running.values());
  }
  if (failures.length > 0) throw failures[0];
  if (waiting.size > 0) throw circle(waiting);
}

function circle(waiting: ReadonlyMap<string, Task>): Fault {
  const path: string[] = [];
  let at = [...waiting.keys()][0];
  while (at !== undefined && !path.includes(at)) {
    path.push(at);
    at = waiting.get(at)?.needs.find((name) => waiting.has(name));
  }
  const names = [...path.slice(path.indexOf(at ?? '')), at].join(' needs ');
  return new Fault('INPUT', `builds need each other in a circle: ${names}`, {
    hint: 'one of them has to be built without the other first',
  });
}
