import test, { type ExecutionContext } from 'ava';
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { output, root as checkout, run, temporary } from '../support/tools.ts';

const lock = join(checkout, 'native/build/lock');

test.before(() => {
  output('make', ['-s', '-C', join(checkout, 'native'), 'lock']);
});

type Holder = {
  readonly child: ChildProcessWithoutNullStreams;
  readonly held: Promise<void>;
  readonly ended: Promise<number | null>;
};

/** Resolves `held` once the program says that it has the lock; it holds it until its input is closed. */
function hold(t: ExecutionContext, args: readonly string[]): Holder {
  const child = spawn(lock, args, { stdio: 'pipe' });
  t.teardown(() => child.kill('SIGKILL'));
  const held = new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { child, held, ended };
}

const isBusy = (file: string, ...more: string[]) => run(lock, ['--nonblock', ...more, file]).status === 75;

test('one holds it, others wait or are told', async (t) => {
  const file = join(temporary(t), 'lock');
  const first = hold(t, [file]);
  await first.held;
  t.true(existsSync(file));
  const told = run(lock, ['--nonblock', file]);
  t.deepEqual([told.status, told.stdout], [75, '']);
  t.is(told.stderr, `lock: ${file}: somebody else holds it\n`);
  t.true(isBusy(file, '--shared'));
  const second = hold(t, [file]);
  let early = true;
  const waited = second.held.then(() => t.false(early));
  await new Promise((resolve) => setTimeout(resolve, 50));
  early = false;
  first.child.stdin.end();
  t.is(await first.ended, 0);
  await waited;
  t.true(isBusy(file));
  second.child.stdin.end();
  t.is(await second.ended, 0);
  t.false(isBusy(file));
});

test('shared locks go together and keep an exclusive one out', async (t) => {
  const file = join(temporary(t), 'lock');
  const holders = [hold(t, ['--shared', file]), hold(t, ['--shared', file])];
  await Promise.all(holders.map(({ held }) => held));
  t.true(isBusy(file));
  t.false(isBusy(file, '--shared'));
  for (const { child, ended } of holders) {
    t.true(isBusy(file));
    child.stdin.end();
    await ended;
  }
  t.false(isBusy(file));
});

test('a holder, or one who waits, that is killed lets go, and so does one whose caller goes away', async (t) => {
  const file = join(temporary(t), 'lock');
  const first = hold(t, [file]);
  await first.held;
  const waiting = hold(t, [file]);
  const gone = hold(t, [file]);
  gone.child.stdin.end();
  t.is(await gone.ended, 0);
  t.is(gone.child.stdout.read(), null);
  waiting.child.kill('SIGKILL');
  await waiting.ended;
  first.child.kill('SIGKILL');
  await first.ended;
  const next = hold(t, [file]);
  await next.held;
  next.child.stdin.end();
  await next.ended;
  t.false(isBusy(file));
});

test('a directory and a file that cannot be written can be locked, and are not changed', (t) => {
  const base = temporary(t);
  const file = join(base, 'file');
  writeFileSync(file, 'content');
  chmodSync(file, 0o444);
  mkdirSync(join(base, 'directory'));
  for (const path of [file, join(base, 'directory')])
    t.deepEqual(run(lock, [path], { input: '' }).stdout, 'ok\n');
  t.is(readFileSync(file, 'utf8'), 'content');
});

test('what cannot be locked is one line and status 1; wrong words are 2', (t) => {
  const base = temporary(t);
  const missing = run(lock, [join(base, 'no/file')], { input: '' });
  t.is(missing.status, 1);
  t.regex(missing.stderr, /^lock: opening [^\n]*no\/file: No such file or directory\n$/);
  for (const words of [[], ['a', 'b'], ['--sharde', 'a'], ['--nonblock']])
    t.is(run(lock, words, { input: '' }).status, 2);
  t.is(run(lock, ['--help']).status, 0);
  // The file must not become its input.
  t.is(run('/bin/sh', ['-c', `exec "$0" "$1" <&-`, lock, join(base, 'closed')]).status, 1);
});
