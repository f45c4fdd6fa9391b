import { Fault } from '../../builder/fault.ts';
import { complain } from './context.ts';

/** Asks on the terminal; undefined where standard input is none. With `hidden` nothing of what is typed is shown. */
export async function prompt(question: string, hidden = false): Promise<string | undefined> {
  const { stdin } = process;
  if (!stdin.isTTY) return undefined;
  complain(question);
  if (hidden) stdin.setRawMode(true);
  try {
    return await readAnswer(stdin, hidden);
  } finally {
    if (hidden) {
      stdin.setRawMode(false);
      complain('\n');
    }
    stdin.pause();
  }
}

const interrupt = '\x03';
const endOfInput = '\x04';
const backspaces: ReadonlySet<string> = new Set(['\x7f', '\b']);

/** Up to the end of the line. In raw mode the terminal leaves it to us what keys do. */
async function readAnswer(stdin: NodeJS.ReadStream, raw: boolean): Promise<string> {
  let answer = '';
  stdin.setEncoding('utf8');
  for await (const chunk of stdin.iterator({ destroyOnReturn: false }) as AsyncIterable<string>) {
    for (const character of chunk) {
      if (character === '\n' || character === '\r') return answer;
      if (raw && (character === interrupt || character === endOfInput)) {
        throw new Fault('INPUT', 'nothing was entered');
      }
      answer = raw && backspaces.has(character) ? answer.slice(0, -1) : answer + character;
    }
  }
  return answer;
}

/** All of standard input, at most `limit` bytes. Throws INPUT if there are more. */
export async function readInput(what: string, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw new Fault('INPUT', `${what} on standard input is longer than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
