import { circleFault, circleIn, circlesIn } from './circle.ts';

/** Something to do, and the names of what has to be done before; names that no task has count as done. */
export type Task = {
  readonly name: string;
  readonly needs: readonly string[];
  /** How long it may take, in any unit. */
  readonly weight?: number;
};

export type ScheduleOptions = {
  /** How many tasks may run at once. */
  readonly slots: number;
  /** Goes on with what does not need a task that failed. */
  readonly keepGoing?: boolean;
  /** Nothing is started after it. */
  readonly signal?: AbortSignal | undefined;
};

/** How it went, by name. */
export type Outcome = {
  readonly failed: ReadonlyMap<string, unknown>;
  /** Not started: the tasks that they needed and that failed or were not started themselves, or none. */
  readonly skipped: ReadonlyMap<string, readonly string[]>;
};

/**
 * Runs tasks, each as soon as what it needs is done; of several, the one with the longest way to the end before it,
 * then the one named first. After a failure nothing is started, but what runs is waited for: its work would be lost.
 *
 * Throws UNSATISFIABLE, naming a circle of needs.
 */
export async function schedule<T extends Task>(
  tasks: readonly T[],
  { slots, keepGoing = false, signal }: ScheduleOptions,
  run: (task: T) => Promise<void>,
): Promise<Outcome> {
  const [circle] = circlesIn(tasks);
  if (circle) throw circleFault(circleIn(tasks, circle));
  const ways = waysToTheEnd(tasks);
  const waiting = new Map(tasks.map((task) => [task.name, task]));
  const running = new Map<string, Promise<void>>();
  const failed = new Map<string, unknown>();
  const skipped = new Map<string, readonly string[]>();
  const lost = (name: string) => failed.has(name) || skipped.has(name);
  const next = (): T | undefined => {
    if (signal?.aborted || (failed.size > 0 && !keepGoing)) return undefined;
    return [...waiting.values()]
      .filter(({ needs }) => needs.every((name) => !waiting.has(name) && !running.has(name)))
      .sort((a, b) => (ways.get(b.name) ?? 0) - (ways.get(a.name) ?? 0))[0];
  };
  const skip = (): void => {
    for (let before = -1; before !== skipped.size;) {
      before = skipped.size;
      for (const { name, needs } of waiting.values()) {
        const missing = needs.filter(lost);
        if (missing.length === 0) continue;
        skipped.set(name, missing);
        waiting.delete(name);
      }
    }
  };
  for (;;) {
    skip();
    for (let task = next(); task && running.size < slots; task = next()) {
      const { name } = task;
      waiting.delete(name);
      const done = run(task)
        .catch((error: unknown) => void failed.set(name, error))
        .finally(() => running.delete(name));
      running.set(name, done);
    }
    if (running.size === 0) break;
    await Promise.race(running.values());
  }
  for (const name of waiting.keys()) skipped.set(name, []);
  return { failed, skipped };
}

/** For each task the weight of it and of the heaviest chain of tasks that wait for it. There must be no circle. */
export function waysToTheEnd(tasks: readonly Task[]): ReadonlyMap<string, number> {
  const users = new Map<string, string[]>();
  for (const { name, needs } of tasks) {
    for (const need of needs) users.set(need, [...(users.get(need) ?? []), name]);
  }
  const weights = new Map(tasks.map(({ name, weight }) => [name, weight ?? 1]));
  const ways = new Map<string, number>();
  const visit = (name: string): number => {
    const known = ways.get(name);
    if (known !== undefined) return known;
    const longest = Math.max(0, ...(users.get(name) ?? []).map(visit));
    const way = longest + (weights.get(name) ?? 0);
    ways.set(name, way);
    return way;
  };
  for (const { name } of tasks) visit(name);
  return ways;
}
