/** Reads never wait for writes: the body of an upload may come from a read of the same host. */
export type Kind = 'read' | 'write';

/**
 * How fast one host is spoken to, by everybody in this process: a window of requests that may be under way,
 * which grows while all goes well and halves when the host complains, and one time before which nothing is
 * sent at all. Light requests go before heavy ones.
 */
export type Pace = {
  /** Runs the task in its turn. A turn ends when the task does, so a task must not wait for another turn of its kind. */
  run<T>(kind: Kind, weight: number, task: () => Promise<T>): Promise<T>;
  /** The host has answered as it should. */
  well(): void;
  /** The host is overloaded: nobody asks it anything for so many milliseconds. */
  slow(milliseconds: number): void;
};

export type PaceOptions = {
  /** Requests under way at the start, and at most. */
  readonly start: number;
  readonly most: number;
};

export const defaultPace: PaceOptions = { start: 6, most: 32 };

type Waiter = { readonly weight: number; readonly go: () => void };

export function makePace({ start, most }: PaceOptions): Pace {
  const active = { read: 0, write: 0 };
  const waiting: { readonly [kind in Kind]: Waiter[] } = { read: [], write: [] };
  let window = start;
  let good = 0;
  let closedUntil = 0;
  let timer: NodeJS.Timeout | undefined;

  const next = (): void => {
    const wait = closedUntil - performance.now();
    if (wait > 0) {
      timer ??= setTimeout(() => {
        timer = undefined;
        next();
      }, wait);
      return;
    }
    for (const kind of ['read', 'write'] as const) {
      while (active[kind] < window && waiting[kind].length > 0) {
        const lightest = Math.min(...waiting[kind].map(({ weight }) => weight));
        const at = waiting[kind].findIndex(({ weight }) => weight === lightest);
        active[kind] += 1;
        for (const { go } of waiting[kind].splice(at, 1)) go();
      }
    }
  };

  return {
    async run(kind, weight, task) {
      await new Promise<void>((go) => {
        waiting[kind].push({ weight, go });
        next();
      });
      try {
        return await task();
      } finally {
        active[kind] -= 1;
        next();
      }
    },
    well() {
      good += 1;
      if (good < window || window >= most) return;
      good = 0;
      window += 1;
    },
    slow(milliseconds) {
      good = 0;
      window = Math.max(1, Math.floor(window / 2));
      closedUntil = Math.max(closedUntil, performance.now() + milliseconds);
    },
  };
}
