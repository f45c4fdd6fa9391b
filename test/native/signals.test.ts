import test from 'ava';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { readHost } from '../../src/run/host.ts';
import {
  callers,
  helperWords,
  makePlace,
  probeInside,
  runAs,
  writeProfile,
  type Caller,
} from '../support/sandbox.ts';
import { isRoot, output, root as checkout } from '../support/tools.ts';

const place = makePlace();
test.after.always(() => rmSync(place.base, { recursive: true, force: true }));

type Shown = { readonly shown: string; readonly missed: string | null; readonly status: number | null };

let marks = 0;
const newMark = () => `mark-${process.pid}-${marks++}`;

/** Processes that have this word in their command line. */
function marked(mark: string): string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'latin1').includes(mark);
    } catch {
      return false; // It ended in between.
    }
  });
}

function endAll(mark: string): void {
  for (const pid of marked(mark)) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // The end of another one was its end, too.
    }
  }
}

async function until(condition: () => boolean, seconds = 20): Promise<boolean> {
  for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
    if (condition()) return true;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return condition();
}

type Started = {
  readonly child: ChildProcess;
  readonly text: () => string;
  readonly ended: Promise<number | null>;
};

function startAs(caller: Caller, words: readonly string[]): Started {
  const [program = '', ...args] = words;
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {},
    detached: true,
    ...caller.ids,
  });
  let shown = '';
  child.stdout?.on('data', (data: Buffer) => (shown += data.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { child, text: () => shown, ended };
}

/** What a terminal shows: `steps` as test/support/terminal.py takes them. */
function onTerminal(
  caller: Caller,
  steps: readonly (readonly [string, string])[],
  words: readonly string[],
): Shown {
  const became =
    caller.ids === undefined
      ? []
      : [
          '/usr/bin/setpriv',
          '--reuid',
          `${caller.ids.uid}`,
          '--regid',
          `${caller.ids.gid}`,
          '--clear-groups',
        ];
  const args = [
    join(checkout, 'test/support/terminal.py'),
    JSON.stringify(steps.map((step) => [...step, 'cooked'])),
    ...became,
    ...words,
  ];
  return JSON.parse(output('python3', args, { env: { ENV: '', TERM: 'dumb' } })) as Shown;
}

const quoted = (words: readonly string[]) => words.map((word) => `'${word}'`).join(' ');
const shell = ['/bin/sh', '-i'];
const interrupt = '\u0003';
const suspend = '\u001a';

/** What dash and others show before a command. */
const inner = '$ ';

for (const caller of callers) {
  const outer = caller.ids === undefined && isRoot ? '# ' : '$ ';
  const as = (title: string) => `${title} (${caller.name})`;
  const words = (command: readonly string[], more: readonly string[] = []) =>
    helperWords(place, more, ['probe', ...command]);

  test.serial(as('every signal is passed on, once'), async (t) => {
    const names = [
      'SIGTERM',
      'SIGINT',
      'SIGHUP',
      'SIGQUIT',
      'SIGUSR1',
      'SIGUSR2',
      'SIGALRM',
      'SIGWINCH',
      'SIGCONT',
      'SIGTSTP',
      'SIGPIPE',
    ] as const;
    for (const name of names) {
      const { child, text, ended } = startAs(caller, words(['hear', `${constants.signals[name]}`]));
      t.true(await until(() => text() === 'ready\n'), name);
      child.kill(name);
      t.is(await ended, 0, name);
      t.is(text(), `ready\nsignal ${constants.signals[name]}\n`);
    }
  });

  test.serial(as('a signal that the command does not catch ends it, and the helper says so'), async (t) => {
    for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1'] as const) {
      const mark = newMark();
      const { child, text, ended } = startAs(caller, words(['sleep', '300', mark]));
      t.true(await until(() => text() === 'ready\n'));
      child.kill(name);
      t.is(await ended, 128 + constants.signals[name], name);
      t.deepEqual(marked(mark), []);
    }
  });

  test.serial(as('what the command leaves behind ends with it, at once'), (t) => {
    for (let turn = 0; turn < 5; turn++) {
      const mark = newMark();
      t.is(probeInside(place, caller, ['abandon', '300', mark]).status, 0);
      t.deepEqual(marked(mark), []);
    }
    // Control: alone, it stays.
    const mark = newMark();
    runAs(caller, [place.probe, 'abandon', '300', mark]);
    t.is(marked(mark).length, 1);
    endAll(mark);
  });

  test.serial(as('a helper that is killed takes everything along, at any moment'), async (t) => {
    for (let turn = 0; turn < 60; turn++) {
      const mark = newMark();
      const { child, ended } = startAs(caller, words(['sleep', '300', mark]));
      // Most of it is in the first milliseconds; the last ones run for sure.
      await new Promise((resolve) => setTimeout(resolve, turn < 50 ? turn / 8 : 200));
      child.kill((['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP'] as const)[turn % 4]);
      await ended;
      t.true(await until(() => marked(mark).length === 0), `turn ${turn}`);
    }
  });

  test.serial(as('a thousand orphans are reaped'), (t) => {
    t.is(probeInside(place, caller, ['orphans', '1000']).stdout, 'left: none\n');
  });

  test.serial(as('with --die-with-parent it ends with the calling process, and otherwise not'), async (t) => {
    for (const dies of [true, false]) {
      const mark = newMark();
      const script = `${quoted(words(['sleep', '300', mark], dies ? ['--die-with-parent'] : []))} & wait`;
      const { child, text, ended } = startAs(caller, ['/bin/sh', '-c', script]);
      t.true(await until(() => text() === 'ready\n'));
      child.kill('SIGKILL');
      await ended;
      t.is(await until(() => marked(mark).length === 0, dies ? 20 : 0.5), dies);
      endAll(mark);
      t.true(await until(() => marked(mark).length === 0));
    }
  });

  test.serial(as('Ctrl-C reaches the command once, whoever has the terminal'), (t) => {
    const direct = onTerminal(caller, [['ready', interrupt]], words(['hear', '2']));
    t.is(direct.status, 0);
    t.regex(direct.shown, /signal 2\r\n$/);
    // Standard output is no terminal, so the command stays in the background and the caller's job gets the signal.
    const script = `${quoted(words(['hear', '2']))} | (trap '' INT; cat)`;
    const piped = onTerminal(caller, [['ready', interrupt]], ['/bin/sh', '-c', `trap : INT; ${script}`]);
    t.regex(piped.shown, /signal 2\r\n$/);
    t.notRegex(direct.shown + piped.shown, /again/);
    const started: [string, string][] = [
      [outer, `${quoted(words(['sleep', '300']))}\n`],
      ['ready', interrupt],
      [outer, 'echo status $?\n'],
      ['status 130', 'exit\n'],
    ];
    const { shown, missed } = onTerminal(caller, started, shell);
    t.is(missed, null, shown);
  });

  test.serial(as('Ctrl-Z stops the whole job; fg and bg continue it'), (t) => {
    const start = `${quoted(words(['sleep', '1']))}\n`;
    const steps: [string, string][] = [
      [outer, start],
      ['ready', suspend],
      ['Stopped', 'jobs\n'],
      ['Stopped', 'fg; echo status $?\n'],
      ['status 0', start],
      ['ready', suspend],
      ['Stopped', 'bg\n'],
      [outer, 'wait; echo ended $?\n'],
      ['ended 0', 'exit\n'],
    ];
    const { shown, missed } = onTerminal(caller, steps, shell);
    t.is(missed, null, shown);
  });

  test.serial(as('the terminal comes back to the caller, also to a script without job control'), (t) => {
    const script = `${quoted(words(['sleep', '0.1']))}; echo ov''er; read line; echo "read $line"`;
    const { shown, missed } = onTerminal(
      caller,
      [
        ['over', 'text\n'],
        ['read text', ''],
      ],
      ['/bin/sh', '-c', script],
    );
    t.is(missed, null, shown);
  });

  test.serial(as('a shell inside has job control'), (t) => {
    const host = readHost();
    const profile = join(place.base, `host-${caller.name.length}`);
    writeProfile(profile);
    const more = ['--profile', profile, '--setenv', 'PATH=/usr/bin:/bin', '--setenv', 'TERM=dumb'];
    for (const { name, target } of host.links) symlinkSync(target, join(profile, name));
    for (const { source, target, directory } of host.binds) {
      mkdirSync(dirname(join(profile, target)), { recursive: true });
      if (directory) mkdirSync(join(profile, target), { recursive: true });
      else writeFileSync(join(profile, target), '');
      more.push('--bind', source, target);
    }
    const command = [...helperWords(place, more, ['/bin/sh', '-i'])];
    // Without another process: one that a shell is just making may be stopped, and the shell with it.
    const job = `sh -c 'echo re""ady; read line; echo got $line'\n`;
    const session: [string, string][] = [
      [inner, job],
      ['ready', interrupt],
      [inner, 'echo status $?\n'],
      ['status 130', job],
      ['ready', suspend],
      ['Stopped', 'fg\n'],
      ['sh -c', 'words\n'],
      ['got words', 'echo do""ne\n'],
    ];
    const { shown, missed } = onTerminal(
      caller,
      [
        [outer, `${quoted(command)}\n`],
        ...session,
        ['done', 'kill -STOP $$\n'],
        ['Stopped', 'fg\n'],
        ['fg', '\n'],
        [inner, 'exit 3\n'],
        [outer, 'echo status $?\n'],
        ['status 3', 'exit\n'],
      ],
      shell,
    );
    t.is(missed, null, shown);
    t.notRegex(shown, /can't access tty|Cannot set tty/);
    // As the first process of the session, without a shell around it: there is nobody to stop for.
    const alone = onTerminal(caller, [...session, ['done', 'exit 4\n']], command);
    t.is(alone.missed, null, alone.shown);
    t.is(alone.status, 4);
  });

  test.serial(as('a command in a pipeline gets the terminal when it wants to read from it'), (t) => {
    const script = `${quoted(words(['read-line']))} | cat`;
    const { shown, missed } = onTerminal(
      caller,
      [
        [outer, `${script}\n`],
        ['ready', 'words\n'],
        ['heard words', 'exit\n'],
      ],
      shell,
    );
    t.is(missed, null, shown);
  });
}
