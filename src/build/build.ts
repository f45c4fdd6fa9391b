import type { Recipe } from '../source/recipe.ts';
import { explain, type FailedEvent, type FailureSetting } from './failure.ts';
import { type Finding, findingText } from './finding.ts';
import { type Log, openLog } from './log.ts';
import { makeOutput, placeInputs } from './place.ts';
import { type JobPool, seated } from './job-pool.ts';
import { filesOf } from './key.ts';
import { openIn, removeIn } from './remove.ts';
import type { BuildRoot } from './root.ts';
import { type Phase, runScript, scriptCall, type ScriptSetting } from './script.ts';
import { linkLogName } from './variables.ts';
import { withWorkplace, type WorkplaceOptions } from './workplace.ts';

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
  /** Where `build.sh` has its processes from. */
  readonly pool: JobPool;
  readonly roots: { readonly unpack: BuildRoot; readonly build: BuildRoot };
  /** Paths of the distfiles, if it is unpacked. */
  readonly distfiles: readonly string[];
  /** Hears when the sources are unpacked; false: there is no need to build, and the build ends there. */
  readonly unpacked?: (work: string) => Promise<boolean>;
};

/** What a build took, and where its log is. `result` is missing where it ended after unpacking. */
export type Built<T> = { readonly result: T | undefined; readonly log: string; readonly cpuSeconds: number };

/** What is the same for all builds of one run of a tool. */
export type BuildSetting = Pick<WorkplaceOptions, 'from' | 'cache' | 'lock' | 'guarded' | 'owner'> &
  ScriptSetting &
  Pick<FailureSetting, 'keep'> & {
    /** The directory of logs. */
    readonly logs: string;
    /** What a log's name has at its end beside the version's, if anything. */
    readonly logKind?: string;
    readonly listen: (event: BuildEvent) => void;
  };

export type BuildEvent =
  | { readonly event: 'phase'; readonly phase: Phase | 'pack' }
  | { readonly event: 'output'; readonly chunk: Buffer }
  /** Something about the packages that keeps nobody from publishing them. */
  | { readonly event: 'finding'; readonly finding: Finding }
  | FailedEvent;

/** What was built, for who takes it. */
export type Taking = {
  readonly work: string;
  /** What the scripts took. */
  readonly cpuSeconds: number;
  readonly log: Log;
  /** Writes what is found to the log, and says what is not refused; that is thrown. */
  readonly tell: (finding: Finding) => void;
};

/**
 * Runs the scripts of a recipe in a work directory, as the user of the root and without network, then `take` on
 * the work directory, in which no process of the build is left. Gives what `take` gave, and the log's path.
 * Where a script fails, or `take` finds that its output cannot be a package, the work directory stays to be looked
 * at. Throws BUILD, or what `take` throws; SANDBOX where there can be no root; the signal's reason.
 */
export async function build<T>(
  request: BuildRequest,
  setting: BuildSetting,
  take: (taking: Taking) => T | Promise<T>,
): Promise<Built<T>> {
  const { recipe, version, work } = request;
  const { name } = recipe.control;
  // Scripts may write to the work directory, and the recipe is what all builds to come are made of.
  const guarded = [...setting.guarded, recipe.directory];
  return await withWorkplace({ ...setting, guarded, directory: work, name, version }, async (place) => {
    const log = openLog(setting.logs, name, version, setting.logKind);
    const course: Course = { request, setting, work: place.path, log, cpuSeconds: 0 };
    try {
      const whole = await runScripts(course);
      const { cpuSeconds } = course;
      const tell = (finding: Finding): void => {
        log.note(`${findingText(finding)} (${finding.hint})`);
        if (!finding.refused) setting.listen({ event: 'finding', finding });
      };
      const result = whole ? await take({ work: place.path, cpuSeconds, log, tell }) : undefined;
      return { result, log: log.path, cpuSeconds };
    } catch (error) {
      const { phase = 'unpack', call } = course;
      throw await explain(error, { name, version, phase, place, log, call }, setting);
    } finally {
      log.end();
    }
  });
}

type Course = {
  readonly request: BuildRequest;
  readonly setting: BuildSetting;
  readonly work: string;
  readonly log: Log;
  cpuSeconds: number;
  /** The last script, and how it was called. */
  phase?: Phase;
  call?: ReturnType<typeof scriptCall>;
};

/** False if it ended after unpacking because that was all that was needed. */
async function runScripts(course: Course): Promise<boolean> {
  const { request, work } = course;
  const { recipe, output } = request;
  placeInputs(work, filesOf(recipe, 'build'), request.unpack ? request.distfiles : []);
  if (request.unpack) await runPart('unpack', course);
  if (request.unpacked && !(await request.unpacked(work))) return false;
  if (!request.build) return true;
  for (const name of [output, linkLogName]) await removeIn(work, name);
  makeOutput(work, output);
  await runPart('build', course);
  for (const name of [output, linkLogName]) await openIn(work, name);
  return true;
}

async function runPart(phase: 'unpack' | 'build', course: Course): Promise<void> {
  const { request, setting, work, log } = course;
  const { listen } = setting;
  const script = { ...request, phase, root: request.roots[phase], work };
  course.phase = phase;
  course.call = scriptCall(script, setting);
  listen({ event: 'phase', phase });
  const seat = phase === 'build' ? await request.pool.enter(work) : undefined;
  try {
    await runScript(script, seat ? seated(course.call) : course.call, setting, {
      log,
      heard: (chunk) => listen({ event: 'output', chunk }),
      spent: (seconds) => void (course.cpuSeconds += seconds),
    });
  } finally {
    seat?.leave();
  }
}
