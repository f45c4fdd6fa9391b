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
  /** Hears everything that the command says, as it says it; where it says no, that was too much. */
  readonly listen: (chunk: Buffer) => boolean;
  readonly limits?: Limits;
  /** Another caller of the helper than usual. */
  readonly caller?: Caller;
  /** Hears how many CPU seconds the command and all that it started took. */
  readonly spent?: (seconds: number) => void;
};

/** A program with its arguments that becomes the helper, and the environment of both, which no command sees. */
export type Caller = { readonly through: readonly string[]; readonly env: Readonly<Record<string, string>> };

/** In seconds: how long a command may take in all, and how long it may say nothing. `Infinity` for no limit. */
export type Limits = { readonly timeout: number; readonly idle: number };

/** What a command was ended for: a limit, or that it said too much. */
export type Exceeded = keyof Limits | 'said';

/** How a command ended: its exit status, 128 + n for a signal, and what it was ended for. */
export type Ended = { readonly status: number; readonly exceeded?: Exceeded };

/** How long a command that is to end may tidy up, in ms. */
const grace = 3000;

/**
 * Runs a command in its root to the end of its last process: the helper does not come back before all that the
 * command has started are dead. An abort ends the command and throws the signal's reason; so does a limit, which
 * is told instead. Throws SANDBOX where the root cannot be made.
 */
export async function runPhase(
  call: Call,
  { helper, signal, listen, spent, limits, caller = { through: [], env: {} } }: PhaseOptions,
): Promise<Ended> {
  signal?.throwIfAborted();
  checkHelper(helper);
  const [program = helper, ...args] = [
    ...caller.through,
    helper,
    ...helperArguments({ ...call, dieWithParent: true }),
  ];
  // In a group of its own: Ctrl-C reaches us alone, and we end it in order.
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...caller.env },
    detached: true,
  });
  let said = '';
  let exceeded: Exceeded | undefined;
  let killing: NodeJS.Timeout | undefined;
  const stop = (): void => {
    child.kill('SIGTERM');
    killing ??= setTimeout(() => child.kill('SIGKILL'), grace);
  };
  const end = (why: Exceeded): void => {
    exceeded ??= why;
    stop();
  };
  const watch = watchLimits(limits, end);
  const hear = (chunk: Buffer): void => {
    said = (said + chunk.toString('latin1')).slice(-4096);
    watch.heard();
    if (!listen(chunk)) end('said');
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  child.once('exit', () => spent?.(reapedSeconds()));
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  signal?.addEventListener('abort', stop);
  try {
    const [code, killed] = await closed;
    signal?.throwIfAborted();
    if (exceeded) return { status: code ?? 1, exceeded };
    if (killed) return { status: 128 + constants.signals[killed] };
    const reason = code === 125 ? reasonIn(said, call.name) : undefined;
    if (reason !== undefined) throw new Fault('SANDBOX', reason, { hint: doctor });
    return { status: code ?? 1 };
  } finally {
    signal?.removeEventListener('abort', stop);
    watch.end();
    clearTimeout(killing);
  }
}

/** Longer than this no timer waits, in ms; nor does any build. */
const longestWait = 2 ** 31 - 1;

/** Calls `stop` once, when a limit is exceeded. */
function watchLimits(
  { timeout, idle }: Limits = { timeout: Infinity, idle: Infinity },
  stop: (limit: keyof Limits) => void,
): { heard(): void; end(): void } {
  let last = performance.now();
  let silence: NodeJS.Timeout | undefined;
  const total = setTimeout(() => stop('timeout'), Math.min(timeout * 1000, longestWait));
  const listen = (wait: number): void => {
    silence = setTimeout(
      () => {
        const left = idle * 1000 - (performance.now() - last);
        if (left > 0) listen(left);
        else stop('idle');
      },
      Math.min(Math.ceil(wait), longestWait),
    );
  };
  listen(idle * 1000);
  return {
    heard: () => void (last = performance.now()),
    end() {
      clearTimeout(total);
      clearTimeout(silence);
    },
  };
}

const doctor = 'withenv --doctor says what this machine lacks';

/** The helper's own line, which starts with the name that it was given; a command may end with 125 too. */
function reasonIn(said: string, name: string): string | undefined {
  const lines = said.split('\n').reverse();
  const line = lines.find((text) => text.startsWith(`${name}: `));
  return line === undefined ? undefined : JSON.stringify(line.slice(name.length + 2)).slice(1, -1);
}
