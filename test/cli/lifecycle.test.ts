import test from 'ava';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { output, quickstart, root, temporary, tool } from '../support/tools.ts';

type Outcome = {
  readonly sent: Readonly<Record<string, number>>;
  readonly ended: Readonly<Record<string, number>>;
  readonly survivors: readonly string[];
};

const seed = Number(process.env['STATIC_DISTRO_SEED'] ?? Date.now() % 1_000_000);
/** Only those of ours: tests that run beside this one start engines, which mount. */
const mounts = (...places: readonly string[]) =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => places.some((place) => line.includes(place)))
    .toSorted();

function kill(
  count: number,
  longest: number,
  command: readonly string[],
  env: Record<string, string>,
): Outcome {
  const args = [join(root, 'test/support/killer.py'), `${count}`, `${longest}`, `${seed}`, ...command];
  return JSON.parse(output('python3', args, { env, timeout: 500_000 })) as Outcome;
}

const finished = /^[0-9a-f]{64}$/;

/** Every path below a directory that is not part of a finished profile. */
const unfinished = (directory: string): string[] =>
  existsSync(directory) ? readdirSync(directory).filter((name) => !finished.test(name)) : [];

test.serial('withpkgs killed at 200 random moments leaves no process, no mount and no file', (t) => {
  const home = temporary(t);
  const env = { STATIC_DISTRO_HOME: home };
  const withpkgs = [tool('withpkgs'), '-d', quickstart, '-p', 'mksh', 'sbase', '--'];
  const before = { mounts: mounts(root, home), temporary: readdirSync(tmpdir()).length };
  t.log(`seed ${seed}`);

  // Half of the time the profile is not there yet, so that its making is what gets killed.
  const script = 'sleep 300 & (setsid sleep 300 </dev/null >/dev/null 2>&1 &) ; sleep 300';
  const cold = ['sh', '-c', `rm -rf "${home}/cache/profiles"; exec "$@"`, 'sh'];
  const outcomes = [
    kill(100, 0.12, [...withpkgs, 'sh', '-c', script], env),
    kill(100, 0.12, [...cold, ...withpkgs, 'sh', '-c', script], env),
  ];

  for (const { sent, survivors } of outcomes) {
    t.deepEqual(survivors, []);
    t.true((sent['SIGTERM'] ?? 0) > 0 && (sent['SIGKILL'] ?? 0) > 0 && (sent['SIGINT'] ?? 0) > 0);
  }
  t.deepEqual(mounts(root, home), before.mounts);
  const profiles = join(home, 'cache/profiles');
  t.true(unfinished(profiles).length <= 1, `left behind: ${unfinished(profiles).join(' ')}`);

  for (const name of existsSync(profiles) ? readdirSync(profiles) : []) {
    if (finished.test(name)) output('rm', ['-rf', join(profiles, name)]);
  }
  output(tool('withpkgs'), [...withpkgs.slice(1), 'true'], { env });
  t.deepEqual(unfinished(profiles), [], 'the next run removes what a killed one left');
});
