import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { asFault, Fault } from '../fault.ts';
import { quote } from '../json.ts';

/** Takes bytes, and is done when they have been passed on. */
export type Write = (bytes: Uint8Array) => Promise<void>;

export type ProgramOptions = {
  /** Writes the program's standard input; the end of the input is the end of this. */
  readonly input?: (write: Write) => Promise<void>;
  /** Reads its standard output as it comes; otherwise it is in the result. */
  readonly output?: (chunks: AsyncIterable<Uint8Array>) => Promise<void>;
};

/**
 * Runs a program of an engine to its end, and gives its standard output. Throws NOT_FOUND if it is not installed,
 * IO with the last line of its complaint if it fails.
 */
export async function runProgram(
  command: readonly string[],
  { input, output }: ProgramOptions = {},
): Promise<string> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const started = once(child, 'spawn');
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  closed.catch(() => undefined);
  // A program that ends without reading its input says why by its status.
  child.stdin.on('error', () => undefined);
  let complaint = '';
  child.stderr
    .setEncoding('utf8')
    .on('data', (text: string) => (complaint = (complaint + text).slice(-4000)));
  try {
    await started;
  } catch (error) {
    // Not allowed is also what a search path with a directory of somebody else's ends in.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EACCES') throw asFault(error, `running ${program}`);
    throw new Fault('NOT_FOUND', `${program} is not installed`, { cause: error });
  }
  let stdout = '';
  const collect = async (chunks: AsyncIterable<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of chunks) stdout += decoder.decode(chunk, { stream: true });
  };
  const write: Write = (bytes) =>
    new Promise((resolve, reject) => {
      child.stdin.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  const work = Promise.all([
    (output ?? collect)(child.stdout),
    (async () => {
      await input?.(write);
      child.stdin.end();
    })(),
  ]);
  const failure = await work.then(
    () => undefined,
    (error: unknown) => {
      // Output that ends too early is explained by how the program ends. Otherwise the failure is ours, and the
      // program would wait for the rest.
      const theirs = child.stdout.readableEnded || isBrokenPipe(error);
      if (!theirs) child.kill();
      return { error, theirs };
    },
  );
  const [status, signal] = await closed;
  if (failure && !(failure.theirs && status !== 0)) throw failure.error;
  if (status === 0 && !failure) return stdout;
  const line = complaint.trim().split('\n').at(-1) || `it ended with ${signal ?? `status ${status}`}`;
  throw new Fault('IO', `${command.slice(0, 4).join(' ')}: ${quote(line)}`, {
    hint: `${program} itself says so; is it running, and may you use it?`,
  });
}

const isBrokenPipe = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED');
