import type { Fault } from '../fault.ts';
import { isLost, isPermanent, isSilence } from './network-fault.ts';
import { reasonOf } from './problem.ts';
import { type Answer, discard } from './request.ts';
import { backOff, retryAfter, type RetryPolicy } from './retry.ts';

export type Persistence = {
  readonly policy: RetryPolicy;
  /** At most so many tries; the policy's own number without it. */
  readonly attempts?: number | undefined;
  /** A lost connection that another try does not mend. */
  readonly final: (fault: Fault) => boolean;
  /** The host is in trouble. If `last`, nobody tries again, but others should know. */
  readonly busy: (milliseconds: number, reason: string, last: boolean) => Promise<void> | void;
  /** There was no answer. */
  readonly lost: (milliseconds: number, reason: string) => Promise<void>;
};

/**
 * Asks until there is an answer that says something: the last one if the host stays in trouble, or wants more
 * patience than the policy has. Throws what the last try threw.
 */
export async function persist(
  { policy, attempts = policy.attempts, final, busy, lost }: Persistence,
  attempt: () => Promise<Answer>,
): Promise<Answer> {
  let silences = 0;
  for (let failures = 0; ; failures++) {
    const last = failures + 1 >= attempts;
    const time = backOff(policy, failures, Math.random());
    try {
      const answer = await attempt();
      if (!policy.statuses.includes(answer.status)) return answer;
      const asked = retryAfter(answer.headers, Date.now()) ?? 0;
      if (asked > policy.patience) return answer;
      await busy(Math.max(asked, time), `status ${answer.status}`, last);
      if (last) return answer;
      await discard(answer);
    } catch (error) {
      if (!isLost(error) || isPermanent(error) || final(error) || last) throw error;
      if (isSilence(error) && ++silences >= policy.silences) throw error;
      await lost(time, reasonOf(error));
    }
  }
}
