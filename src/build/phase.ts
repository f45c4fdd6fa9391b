import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { Fault } from '../../builder/fault.ts';
import { type Call, helperArguments } from '../run/command.ts';
import { checkHelper } from '../run/enter.ts';
import { reapedSeconds } from './cpu.ts';

export type PhaseOptions = {
  readonly helper: string;
  readonly signal: AbortSignal | undefined;
  /** Hears everything that the command says, as it says it. */
  readonly listen: (chunk: Buffer) => void;
  /** Hears how many CPU seconds the command and all that it started took. */
  readonly spent?: (seconds: number) => void;
};

/** How long a command that is to end may tidy up, in ms. */
const grace = 3000;

/**
 * Runs a command in its root to the end of its last process: the helper does not come back before all that the
 * command has started are dead. Gives the exit status, 128 + n for a signal. An abort ends the command and
 * throws the signal's reason. Throws SANDBOX where the root cannot be made.
 */
export async function runPhase(call: Call, { helper, signal, listen, spent }: PhaseOptions): Promise<number> {
  signal?.throwIfAborted();
  checkHelper(helper);
  // In a group of its own: Ctrl-C reaches us alone, and we end it in order.
  const child = spawn(helper, helperArguments({ ...call, dieWithParent: true }), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {},
    detached: true,
  });
  let said = '';
  const hear = (chunk: Buffer): void => {
    said = (said + chunk.toString('latin1')).slice(-4096);
    listen(chunk);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  child.once('exit', () => spent?.(reapedSeconds()));
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  let killing: NodeJS.Timeout | undefined;
  const stop = (): void => {
    child.kill('SIGTERM');
    killing = setTimeout(() => child.kill('SIGKILL'), grace);
  };
  signal?.addEventListener('abort', stop);
  try {
    const [code, killed] = await closed;
    signal?.throwIfAborted();
    if (killed) return 128 + constants.signals[killed];
    const reason = code === 125 ? reasonIn(said, call.name) : undefined;
    if (reason !== undefined) throw new Fault('SANDBOX', reason, { hint: doctor });
    return code ?? 1;
  } finally {
    signal?.removeEventListener('abort', stop);
    clearTimeout(killing);
  }
}

const doctor = 'withenv --doctor says what this machine lacks';

/** The helper's own line, which starts with the name that it was given; a command may end with 125 too. */
function reasonIn(said: string, name: string): string | undefined {
  const lines = said.split('\n').reverse();
  const line = lines.find((text) => text.startsWith(`${name}: `));
  return line === undefined ? undefined : JSON.stringify(line.slice(name.length + 2)).slice(1, -1);
}
