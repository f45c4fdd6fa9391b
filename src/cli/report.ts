import { Fault, type FaultCode } from '../../builder/fault.ts';
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

/** Tells the user what went wrong, in one line and a hint, and gives the exit status. A bug keeps its stack. */
export function report(tool: string, error: unknown): number {
  if (error instanceof Fault) {
    complain(`${tool}: ${error.message}\n`);
    if (error.hint) complain(`${tool}: ${error.hint}\n`);
    return runners.has(tool) ? 125 : status[error.code];
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  complain(`${tool}: this is a bug in ${tool}, please report it: ${text}\n`);
  return runners.has(tool) ? 125 : 1;
}
