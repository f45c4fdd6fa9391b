import { Fault, type FaultCode } from '../../builder/fault.ts';
import { advise } from './advise.ts';
import { complain } from './context.ts';

const status: Record<FaultCode, 1 | 2> = {
  USAGE: 2,
  INPUT: 2,
  UNSATISFIABLE: 1,
  NOT_FOUND: 1,
  INTEGRITY: 1,
  UNSAFE: 1,
  SANDBOX: 1,
  BUILD: 1,
  NETWORK: 1,
  BUSY: 1,
  IO: 1,
};

/** The tools whose status is the command's own, so that every failure of ours has one of its own. */
const runners = new Set(['withpkgs', 'withenv']);

/**
 * Tells the user what went wrong, in one line and a hint, and gives the exit status. A bug keeps its stack. With `json`
 * it is one object in one line: `code`, a Fault's or `BUG`, `message`, and `hint` if there is one.
 */
export function report(tool: string, error: unknown, json = false): number {
  const { code, message, hint } = describe(tool, error);
  if (json) complain(`${JSON.stringify({ code, message, ...(hint ? { hint } : {}) })}\n`);
  else {
    complain(`${tool}: ${message}\n`);
    if (hint) complain(`${tool}: ${hint}\n`);
  }
  if (runners.has(tool)) return 125;
  return code === 'BUG' ? 1 : status[code];
}

type Description = {
  readonly code: FaultCode | 'BUG';
  readonly message: string;
  readonly hint?: string | undefined;
};

function describe(tool: string, error: unknown): Description {
  if (error instanceof Fault) {
    const { code, message, hint } = error;
    return { code, message, hint: hint === undefined ? undefined : advise(hint) };
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: 'BUG', message: `this is a bug in ${tool}, please report it: ${text}` };
}

/** Whether failures are to be told as JSON, though the words may be the very thing that is wrong. */
export function asksForJson(tool: string, words: readonly string[]): boolean {
  const end = words.findIndex((word) => word === '--' || (runners.has(tool) && /^\.{0,2}\//.test(word)));
  const own = end < 0 ? words : words.slice(0, end);
  // Runners have JSON for their plan alone: what else has the word is the command's, or wrong.
  return own.includes('--json') && (!runners.has(tool) || own.includes('--dry-run'));
}
