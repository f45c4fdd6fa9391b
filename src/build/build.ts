import { Fault } from '../../builder/fault.ts';
import { quote } from '../package/name.ts';
import type { Recipe } from '../source/recipe.ts';
import { removeIn } from './remove.ts';
import { type Log, openLog } from './log.ts';
import { type PhaseOptions, runPhase } from './phase.ts';
import { makeOutput, placeInputs } from './place.ts';
import type { BuildRoot } from './root.ts';
import { type Machines, scriptEnvironment, workPath } from './variables.ts';
import { withWorkplace, type Workplace, type WorkplaceOptions } from './workplace.ts';

/** What is to be built, and how far. */
export type BuildRequest = {
  readonly recipe: Recipe;
  /** With `-v` and `-V` applied. */
  readonly version: string;
  readonly unpack: boolean;
  readonly build: boolean;
  /** The user's own work directory. */
  readonly work: string | undefined;
  /** A name in the work directory, where `build.sh` installs to. */
  readonly output: string;
  readonly jobs: number;
  readonly roots: { readonly unpack: BuildRoot; readonly build: BuildRoot };
  /** Paths of the distfiles, if it is unpacked. */
  readonly distfiles: readonly string[];
  /** Hears when the sources are unpacked; false: there is no need to build, and the build ends there. */
  readonly unpacked?: (work: string) => Promise<boolean>;
};

/** What a build took, and where its log is. `result` is missing where it ended after unpacking. */
export type Built<T> = { readonly result: T | undefined; readonly log: string; readonly cpuSeconds: number };

/** What is the same for all builds of one run of a tool. */
export type BuildSetting = Pick<WorkplaceOptions, 'from' | 'cache' | 'lock' | 'guarded'> & {
  /** What the helper's messages begin with. */
  readonly tool: string;
  readonly helper: string;
  /** The directory of logs. */
  readonly logs: string;
  readonly machines: Machines;
  readonly signal: AbortSignal | undefined;
  readonly listen: (event: BuildEvent) => void;
};

export type BuildEvent =
  | { readonly event: 'phase'; readonly phase: 'unpack' | 'build' | 'pack' }
  | { readonly event: 'output'; readonly chunk: Buffer }
  /** A failure that the user can look into; what is thrown says in one line what it was. */
  | {
      readonly event: 'failed';
      readonly lines: readonly string[];
      readonly log: string;
      readonly kept: string;
    };

/** How many lines of the log a failure shows. */
const shownLines = 20;

/**
 * Runs the scripts of a recipe in a work directory, as the user of the root and without network, then `take` on
 * the work directory, in which no process of the build is left. Gives what `take` gave, and the log's path.
 * Where a script fails, or `take` finds that its output cannot be a package, the work directory stays to be looked
 * at. Throws BUILD, or what `take` throws; SANDBOX where there can be no root; the signal's reason.
 */
export async function build<T>(
  request: BuildRequest,
  setting: BuildSetting,
  take: (work: string, cpuSeconds: number) => T | Promise<T>,
): Promise<Built<T>> {
  const { recipe, version, work } = request;
  const { name } = recipe.control;
  return await withWorkplace({ ...setting, directory: work, name, version }, async (place) => {
    const log = openLog(setting.logs, name, version);
    try {
      let cpuSeconds = 0;
      const spent = (seconds: number): void => void (cpuSeconds += seconds);
      const whole = await runScripts(request, setting, place.path, log, spent);
      const result = whole ? await take(place.path, cpuSeconds) : undefined;
      await log.end();
      return { result, log: log.path, cpuSeconds };
    } catch (error) {
      await log.end();
      throw await explain(error, place, log, setting);
    }
  });
}

/** False if it ended after unpacking because that was all that was needed. */
async function runScripts(
  request: BuildRequest,
  setting: BuildSetting,
  work: string,
  log: Log,
  spent: (seconds: number) => void,
): Promise<boolean> {
  const { recipe, output } = request;
  placeInputs(work, recipe.files, request.unpack ? request.distfiles : []);
  if (request.unpack) await runScript('unpack', request, setting, work, log, spent);
  if (request.unpacked && !(await request.unpacked(work))) return false;
  if (!request.build) return true;
  await removeIn(work, output);
  makeOutput(work, output);
  await runScript('build', request, setting, work, log, spent);
  return true;
}

async function runScript(
  phase: 'unpack' | 'build',
  request: BuildRequest,
  setting: BuildSetting,
  work: string,
  log: Log,
  spent: (seconds: number) => void,
): Promise<void> {
  const { recipe, version } = request;
  const root = request.roots[phase];
  const { name } = recipe.control;
  const { listen } = setting;
  listen({ event: 'phase', phase });
  log.write(`== ${name} ${version}: ${phase}.sh\n`);
  const options: PhaseOptions = {
    helper: setting.helper,
    signal: setting.signal,
    spent,
    listen(chunk) {
      log.write(chunk);
      listen({ event: 'output', chunk });
    },
  };
  const status = await runPhase(
    {
      name: setting.tool,
      root: root.root,
      shares: [{ source: work, target: workPath.slice(1), writable: true }],
      directory: workPath,
      environment: scriptEnvironment({
        name,
        sourceVersion: recipe.control.version,
        version,
        output: request.output,
        machines: setting.machines,
        jobs: request.jobs,
        path: root.path,
        compiler: root.compiler,
      }),
      command: ['/bin/sh', `${phase}.sh`],
    },
    options,
  );
  if (status === 0) return;
  const how = status > 128 ? `was killed by signal ${status - 128}` : `ended with status ${status}`;
  log.write(`== ${phase}.sh ${how}\n`);
  throw new Fault('BUILD', `${name} ${version}: ${phase}.sh ${how}`);
}

/** Adds to a failure where its traces are. */
async function explain(
  error: unknown,
  place: Workplace,
  log: Log,
  { listen, signal }: BuildSetting,
): Promise<unknown> {
  // A build that was stopped because another one failed has not failed itself.
  if (error === signal?.reason) return error;
  if (!(error instanceof Fault) || (error.code !== 'BUILD' && error.code !== 'UNSAFE')) return error;
  const kept = await place.keep();
  listen({ event: 'failed', lines: log.tail(shownLines), log: log.path, kept });
  const places = `log: ${quote(log.path)}; work directory: ${quote(kept)}`;
  const hint = error.hint === undefined ? places : `${error.hint}; ${places}`;
  return new Fault(error.code, error.message, { hint, cause: error });
}
