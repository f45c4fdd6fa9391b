import type { Digest } from '../../builder/digest.ts';
import type { Workshops } from '../layer/workshop.ts';
import type { FinishedPackage } from '../package/incoming.ts';
import type { PackageRecord } from '../package/record.ts';
import type { Repository } from '../package/repository.ts';
import type { ChosenPackage } from '../run/chosen.ts';
import type { Distfile } from '../source/distfile.ts';
import { build, type BuildEvent, type BuildRequest, type BuildSetting, type Taking } from './build.ts';
import type { Difference } from './difference.ts';
import { finish, keepLayers } from './finish.ts';
import type { Key } from './key.ts';
import { type BuildKeys, keysOf } from './keys.ts';
import type { Plan, PlanRequest } from './plan.ts';
import { lastBuildOf, reasons } from './reasons.ts';
import { restore } from './restore.ts';
import type { BuiltPackage, Output, Results } from './results.ts';
import { hostBuildRoot, packageBuildRoot } from './root.ts';
import type { Shelf } from './shelf.ts';
import { testPackages } from './test.ts';
import { workDigest } from './work-digest.ts';

/** What is to be made of a recipe, how far, and where it goes. */
export type ProduceRequest = PlanRequest &
  Pick<BuildRequest, 'unpack' | 'build' | 'work' | 'output' | 'jobs'> & {
    /** Whether packages are made of what was built, and published; the last step of all. */
    readonly pack: boolean;
    readonly shelf: Shelf;
    /** Builds even if it is known what comes out. */
    readonly again?: boolean;
    /** Runs the recipe's test before it is published; what that needs to run is taken from here. */
    readonly test?: readonly Repository[];
    /** Looks at packages before they are published, and throws if they must not be. */
    readonly accept?: (packages: readonly BuiltPackage[], origin: Plan['origin']) => void;
  };

export type ProduceSetting = Omit<BuildSetting, 'listen' | 'machines'> & {
  /** The cache of profiles. */
  readonly profiles: string;
  /** The program `native/collect`. */
  readonly collector: string;
  /** Where the layers of finished packages are made and kept. */
  readonly workshops: Workshops;
  /** The cache of builds. */
  readonly results: Results;
  /** Brings distfiles and gives their paths. */
  readonly fetch: (list: ReadonlyMap<string, Distfile>, names: readonly string[]) => Promise<string[]>;
};

export type ProduceEvent =
  | BuildEvent
  /** It has to be built. `before`: whether it was, so that `why` says what is other. */
  | { readonly event: 'needed'; readonly before: boolean; readonly why: readonly Difference[] }
  /** Somebody else builds the same, and is waited for. */
  | { readonly event: 'waiting' }
  /** Built or unpacked again from the same, and something else came out than before. */
  | { readonly event: 'different'; readonly what: 'unpacked' | 'built' };

/** What came of a request. */
export type Produced = {
  /** Whether it was built, taken out of the cache of builds, or there already. */
  readonly how: 'built' | 'restored' | 'there';
  /** As they were published; none if the request ends before. */
  readonly packages: readonly (BuiltPackage & {
    readonly tree: string;
    /** Of its files; of its layer where it was not built. */
    readonly bytes: number;
  })[];
  /** Where it was built. */
  readonly log: string | undefined;
  readonly origin: Plan['origin'];
  /** What it took to build it, now or before. */
  readonly cpuSeconds: number;
};

type Listen = (event: ProduceEvent) => void;

type Work = {
  readonly request: ProduceRequest;
  readonly setting: ProduceSetting;
  readonly plan: Plan;
  readonly keys: BuildKeys;
  readonly listen: Listen;
};

/**
 * Sees to it that the packages of a recipe, built as planned, are on the shelf, all of them or none: they are
 * left there, taken out of the cache, or built. Only what starts from nothing and goes to the end is looked up:
 * a work directory that stays is wanted for what is in it. Of several that want the same at once, in any process,
 * one builds it. Throws what {@link build}, packing and publishing throw.
 */
export async function produce(
  request: ProduceRequest,
  setting: ProduceSetting,
  plan: Plan,
  listen: Listen,
): Promise<Produced> {
  if (request.pack) setting.workshops.require();
  const keys = await keysOf(request, plan, setting.workshops);
  const work: Work = { request, setting, plan, keys, listen };
  if (!isWhole(request)) return await run(work);
  const found = request.again ? undefined : await find(work);
  if (found) return found;
  const unpacked = setting.results.unpacked(keys.unpack.hex);
  const { hex } = unpacked === undefined ? keys.unpack : keys.build(unpacked);
  const waiting = (): void => listen({ event: 'waiting' });
  return await setting.results.exclusively(hex, { signal: setting.signal, waiting }, async () => {
    const meanwhile = request.again ? undefined : await find(work);
    return meanwhile ?? (await run(work));
  });
}

const isWhole = ({ unpack, build, pack, work }: ProduceRequest): boolean =>
  unpack && build && pack && work === undefined;

/** What is on the shelf or in the cache, with the key that unpacking as before gives. */
async function find(work: Work): Promise<Produced | undefined> {
  const { results } = work.setting;
  const unpacked = results.unpacked(work.keys.unpack.hex);
  if (unpacked === undefined) return undefined;
  return await findBy(work, work.keys.build(unpacked));
}

async function findBy(work: Work, key: Key): Promise<Produced | undefined> {
  const outputs = work.setting.results.built(key.hex);
  const shelved = onShelf(work.request, key.hex);
  if (shelved) {
    work.request.accept?.(shelved, work.plan.origin);
    return produced(work, 'there', shelved, outputs[0]?.cpuSeconds ?? 0);
  }
  for (const output of outputs) {
    const taken = await takeOut(work, output);
    if (!taken) continue;
    remember(work, key, output);
    return taken;
  }
  return undefined;
}

type Shelved = BuiltPackage & { readonly tree: string; readonly record: PackageRecord };

/** The packages of the recipe, if all are on the shelf as the build with this key makes them. */
export function onShelf(
  { recipe, version, shelf }: Pick<ProduceRequest, 'recipe' | 'version' | 'shelf'>,
  key: string,
): readonly Shelved[] | undefined {
  const found = recipe.control.packages.map(({ name }) => shelf.find(name, version));
  const whole = found.filter((each) => each?.record.buildKey === key);
  return whole.length === found.length ? (whole as Shelved[]) : undefined;
}

/** Publishes what a build gave before; undefined if its layers are gone. */
async function takeOut(work: Work, output: Output): Promise<Produced | undefined> {
  const { request, setting, plan } = work;
  request.accept?.(output.packages, plan.origin);
  let whole = true;
  const published = await request.shelf.put((staging) =>
    setting.workshops.use(async (workshop) => {
      const restored = await restore(output.packages, { staging, workshop });
      if (restored) await keepLayers(workshop, restored);
      whole = restored !== undefined;
      return restored ?? [];
    }),
  );
  return whole ? produced(work, 'restored', published, output.cpuSeconds) : undefined;
}

/** What becomes known while a build runs. */
type Course = {
  readonly started: number;
  unpacked?: Digest;
  key?: Key;
  /** Where it turned out after unpacking that nothing had to be built. */
  found?: Produced;
};

/** Builds, and publishes if it goes so far. */
async function run(work: Work): Promise<Produced> {
  const { request, setting, plan, keys, listen } = work;
  const { distfiles, shelf, recipe } = request;
  const course: Course = { started: Date.now() };
  const last = setting.results.last(lastBuildOf(request, plan.views.build));
  listen({ event: 'needed', before: last !== undefined, why: reasons(keys, last, setting.results) });
  const paths = request.unpack ? await setting.fetch(distfiles, recipe.control.sources) : [];
  const guarded = [...setting.guarded, shelf.directory];
  try {
    const { result, log, cpuSeconds } = await build(
      {
        ...request,
        roots: rootsOf(plan, setting.profiles),
        distfiles: paths,
        unpacked: (directory) => learn(work, course, directory),
      },
      { ...setting, guarded, machines: plan.machines, listen },
      (taking) => (request.pack ? takeOver(work, course, taking) : undefined),
    );
    if (course.found) return course.found;
    return produced(work, 'built', result?.published ?? [], cpuSeconds, { bytes: result?.bytes, log });
  } finally {
    // Not before the build has ended: who waits for it by the key of unpacking must find what was built, too.
    const { unpacked } = course;
    const fresh = unpacked !== undefined && request.work === undefined;
    if (fresh && setting.results.keepUnpacked(keys.unpack, unpacked))
      listen({ event: 'different', what: 'unpacked' });
  }
}

/** The roots of a plan's scripts. */
export function rootsOf(
  { views, unpack, build: packages, compiler }: Plan,
  profiles: string,
): BuildRequest['roots'] {
  const cc = compiler?.name || undefined;
  const make = (view: Plan['views']['build'], chosen: readonly ChosenPackage[]) =>
    view === 'host' ? hostBuildRoot(profiles, chosen, cc) : packageBuildRoot(profiles, chosen);
  return { unpack: make(views.unpack, unpack), build: make(views.build, packages) };
}

/** Once the sources are there the key is known. False if what it gives is known too, and published. */
async function learn(work: Work, course: Course, directory: string): Promise<boolean> {
  const { request, keys } = work;
  // The user's sources, which no key tells of.
  if (!request.unpack) return true;
  course.unpacked = await workDigest(directory, course.started);
  course.key = keys.build(course.unpacked);
  if (!isWhole(request) || request.again) return true;
  const found = await findBy(work, course.key);
  if (found) course.found = found;
  return found === undefined;
}

type TakenOver = {
  readonly published: readonly FinishedPackage[];
  readonly bytes: ReadonlyMap<string, number>;
};

/** Makes packages of what was built, keeps them in the cache, and publishes them. */
async function takeOver(work: Work, { key, started }: Course, taking: Taking): Promise<TakenOver> {
  const { request, setting, plan, keys, listen } = work;
  const { cpuSeconds, tell } = taking;
  const { collector, profiles, signal } = setting;
  listen({ event: 'phase', phase: 'pack' });
  let bytes: TakenOver['bytes'] = new Map();
  const published = await request.shelf.put((staging) =>
    setting.workshops.use(async (workshop) => {
      const provenance = { builtFrom: keys.builtFrom, buildKey: key?.hex };
      const places = { staging, workshop, collector, tell, signal };
      const finished = await finish(taking.work, request, plan, provenance, places);
      ({ bytes } = finished);
      if (request.test) {
        const view = plan.views.build;
        const test = { ...request, packages: finished.packages, view, repositories: request.test, profiles };
        await testPackages(test, { ...setting, machines: plan.machines, listen }, taking);
      }
      const output = { packages: finished.packages, cpuSeconds, seconds: (Date.now() - started) / 1000 };
      // Before it is looked at: what is refused need not be built again when it is accepted after all.
      if (key && request.work === undefined) {
        if (setting.results.keepBuilt(key, output)) listen({ event: 'different', what: 'built' });
        remember(work, key, output);
      }
      request.accept?.(finished.packages, plan.origin);
      return finished.packages;
    }),
  );
  return { published, bytes };
}

/** For what plans and explains the next build of this version. */
function remember({ request, setting, plan, keys }: Work, key: Key, { cpuSeconds, seconds }: Output): void {
  setting.results.keepLast(lastBuildOf(request, plan.views.build), {
    unpack: keys.unpack.hex,
    build: key.hex,
    cpuSeconds,
    seconds,
  });
}

function produced(
  { plan }: Work,
  how: Produced['how'],
  packages: readonly (BuiltPackage & { readonly tree: string })[],
  cpuSeconds: number,
  { bytes, log }: { readonly bytes?: ReadonlyMap<string, number> | undefined; readonly log?: string } = {},
): Produced {
  return {
    how,
    packages: packages.map(({ name, version, tree, record }) => ({
      name,
      version,
      tree,
      record,
      bytes: bytes?.get(name) ?? record.layer?.size ?? 0,
    })),
    log,
    origin: plan.origin,
    cpuSeconds,
  };
}
