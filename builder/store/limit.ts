/** Runs what it is given, but never more than `size` at once; the others wait in order. */
export type Limit = <T>(task: () => Promise<T>) => Promise<T>;

export function limit(size: number): Limit {
  const waiting: (() => void)[] = [];
  let free = size;
  return async (task) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}
