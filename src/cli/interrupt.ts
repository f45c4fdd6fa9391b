import { constants } from 'node:os';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs `work` with a signal that aborts at the first Ctrl-C, SIGTERM or SIGHUP, so that it can leave things in
 * order, and gives 128 + n then (or its own status, if it got through all the same). A second Ctrl-C ends the
 * process at once.
 */
export async function interruptible(work: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const controller = new AbortController();
  let status = 0;
  const stop = (name: (typeof signals)[number]): void => {
    for (const each of signals) process.removeListener(each, stop);
    status = 128 + constants.signals[name];
    controller.abort();
  };
  for (const each of signals) process.on(each, stop);
  try {
    return await work(controller.signal);
  } catch (error) {
    if (status !== 0 && error === controller.signal.reason) return status;
    throw error;
  } finally {
    for (const each of signals) process.removeListener(each, stop);
  }
}
