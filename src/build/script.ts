import { chmodSync, statSync } from 'node:fs';
import { Fault } from '../../builder/fault.ts';
import { formatDuration } from '../package/duration.ts';
import type { Call } from '../run/command.ts';
import type { Recipe } from '../source/recipe.ts';
import { fullDisk } from './disk.ts';
import { type Log, mostBytes } from './log.ts';
import { type Caller, type Exceeded, type Limits, runPhase } from './phase.ts';
import type { BuildRoot } from './root.ts';
import { type Machines, scriptEnvironment, workPath } from './variables.ts';

/** A script of a recipe, each with a root of its own. */
export type Phase = 'unpack' | 'build' | 'test';

/** How scripts are run, the same for all builds of one run of a tool. */
export type ScriptSetting = {
  /** What the helper's messages begin with. */
  readonly tool: string;
  readonly helper: string;
  readonly machines: Machines;
  readonly signal: AbortSignal | undefined;
  /** Those of the user, before those of the recipe. */
  readonly limits?: Partial<Limits>;
  readonly caller?: Caller;
};

export type Script = {
  readonly phase: Phase;
  readonly recipe: Recipe;
  readonly version: string;
  /** A name in the work directory, where `build.sh` installs to. */
  readonly output: string;
  readonly jobs: number;
  readonly root: BuildRoot;
  readonly work: string;
};

/** Where nobody says otherwise, in seconds: a compiler on a slow machine takes hours, and says something meanwhile. */
const usual: Limits = { timeout: 12 * 3600, idle: 3600 };

/** How many lines of its end tell what a script failed of. */
const telling = 50;

/** What the helper is asked for to run a script. */
export const scriptCall = (
  script: Script,
  { tool, machines }: Pick<ScriptSetting, 'tool' | 'machines'>,
): Call => {
  const { phase, recipe, version, output, jobs, root, work } = script;
  const { name, version: sourceVersion } = recipe.control;
  return {
    name: tool,
    root: root.root,
    shares: [{ source: work, target: workPath.slice(1), writable: true }],
    directory: workPath,
    environment: scriptEnvironment({
      name,
      sourceVersion,
      version,
      output,
      machines,
      jobs,
      path: root.path,
      compiler: root.compiler,
    }),
    command: ['/bin/sh', `${phase}.sh`],
  };
};

/**
 * Runs a script to its end, into the log. Throws BUILD where it fails, takes longer than it may, says nothing for
 * longer than it may, says more than a log holds, or fills the disk; SANDBOX; the signal's reason.
 */
export async function runScript(
  script: Script,
  call: Call,
  setting: ScriptSetting,
  { log, heard, spent }: { log: Log; heard: (chunk: Buffer) => void; spent: (seconds: number) => void },
): Promise<void> {
  const { phase, recipe, version, work } = script;
  const title = `${recipe.control.name} ${version}`;
  const { helper, signal, caller } = setting;
  const timeout = setting.limits?.timeout ?? recipe.control.timeout ?? usual.timeout;
  const limits = { timeout, idle: setting.limits?.idle ?? usual.idle };
  log.note(`${title}: ${phase}.sh`);
  const { status, exceeded } = await runPhase(call, {
    helper,
    signal,
    spent,
    limits,
    ...(caller ? { caller } : {}),
    listen(chunk) {
      log.write(chunk);
      heard(chunk);
      return !log.full;
    },
  }).finally(() => reopen(work));
  if (status === 0 && !exceeded) return;
  const [how, hint] = exceeded ? overdue(exceeded, limits) : [endOf(status), undefined];
  const disk = exceeded ? undefined : fullDisk(work, log.tail(telling));
  const what = `${phase}.sh ${how}${disk ? `: ${disk.what}` : ''}`;
  log.note(what);
  const advice = disk?.hint ?? hint;
  throw new Fault('BUILD', `${title}: ${what}`, advice === undefined ? {} : { hint: advice });
}

/** A script can shut its work directory even to us, whose it is where root does not build. */
function reopen(work: string): void {
  const { mode } = statSync(work);
  if ((mode & 0o700) !== 0o700) chmodSync(work, (mode & 0o777) | 0o700);
}

const endOf = (status: number): string =>
  status > 128 ? `was killed by signal ${status - 128}` : `ended with status ${status}`;

function overdue(limit: Exceeded, { timeout, idle }: Limits): readonly [how: string, hint: string] {
  if (limit === 'timeout') {
    return [
      `took longer than ${formatDuration(timeout)} and was ended`,
      'if it needs longer: Timeout in its control file, or --timeout',
    ];
  }
  if (limit === 'said') {
    return [
      `said more than ${mostBytes >> 20} MiB and was ended`,
      'it says the same without end, or should say less, or to a file',
    ];
  }
  return [
    `said nothing for ${formatDuration(idle)} and was ended`,
    'it hangs, or waits for input, which no build has; if it only is slow: --idle-timeout',
  ];
}
