import { spawn } from 'node:child_process';
import { Fault } from '../fault.ts';
import { quote } from '../json.ts';
import { type Credential, passwordOrToken } from './credential.ts';
import { redactText } from './redact.ts';

/** A helper that says nothing for so long hangs, in ms: a person may have to unlock a key ring. */
const patience = 120_000;

const longestOutput = 65536;

/**
 * Asks `docker-credential-NAME get` (docker's credential helper protocol). Undefined if it knows nothing of the
 * host. With `missing`, a helper that is not installed is told of there and passed over.
 */
export async function askHelper(
  name: string,
  key: string,
  environment: NodeJS.ProcessEnv,
  missing?: (message: string) => void,
): Promise<Credential | undefined> {
  let output: string;
  try {
    output = await callHelper(name, 'get', key, environment);
  } catch (error) {
    if (error instanceof Fault && error.code === 'NOT_FOUND') {
      if (error.cause === undefined) return undefined;
      if (missing) return void missing(error.message);
    }
    throw error;
  }
  try {
    const { Username: username, Secret: secret } = JSON.parse(output) as Record<string, unknown>;
    if (typeof username === 'string' && typeof secret === 'string') {
      return secret === '' ? undefined : passwordOrToken(username, secret);
    }
  } catch {
    // Said below, without what was read.
  }
  throw new Fault('INPUT', `docker-credential-${name}: its answer for ${quote(key)} cannot be understood`);
}

/**
 * Runs a helper and gives what it prints. Throws NOT_FOUND: with a cause if there is no such program, without
 * one if it has no entry.
 */
export async function callHelper(
  name: string,
  action: 'get' | 'store' | 'erase',
  input: string,
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
    throw new Fault('INPUT', `${quote(name)} is no name of a credential helper`);
  }
  const program = `docker-credential-${name}`;
  const child = spawn(program, [action], {
    env: environment,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // Not the `timeout` of spawn: that one outlives a program that could not be started.
  const timer = setTimeout(() => child.kill(), patience);
  const texts = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (texts.out.length < longestOutput) texts.out += text;
    else child.kill();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    texts.err = (texts.err + text).slice(0, longestOutput);
  });
  // A helper may end without reading.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const ended = new Promise<number | string | null>((resolve, reject) => {
    child.on('error', (cause: NodeJS.ErrnoException) => {
      const code = cause.code === 'ENOENT' ? 'NOT_FOUND' : 'IO';
      const text = code === 'NOT_FOUND' ? 'is not installed' : `cannot be run (${cause.code})`;
      const hint = `install it, or take ${quote(name)} out of the file with your credentials`;
      reject(new Fault(code, `${program} ${text}`, { cause, hint }));
    });
    child.on('close', (status, signal) => resolve(status ?? signal));
  });
  const status = await ended.finally(() => clearTimeout(timer));
  if (status === 0) return texts.out;
  // The words are part of the protocol; some helpers leave out the end.
  if (/credentials not found/i.test(texts.out + texts.err)) {
    throw new Fault('NOT_FOUND', `${program} has no such entry`);
  }
  const said = redactText((texts.err || texts.out).trim());
  throw new Fault('IO', `${program} ${action} ended with ${status}${said === '' ? '' : `: ${said}`}`);
}
