import type { Workshops } from '../layer/workshop.ts';
import type { Repository } from '../package/repository.ts';
import type { Distfile } from '../source/distfile.ts';
import type { BuildEvent, BuildRequest, BuildSetting } from './build.ts';
import type { Difference } from './difference.ts';
import type { JobPool } from './job-pool.ts';
import { type BuildKeys, keysOf } from './keys.ts';
import { findBy } from './known.ts';
import { make } from './make.ts';
import type { Plan, PlanRequest } from './plan.ts';
import type { BuiltPackage, Results } from './results.ts';
import type { Shelf } from './shelf.ts';

/** What is to be made of a recipe, how far, and where it goes. */
export type ProduceRequest = PlanRequest &
  Pick<BuildRequest, 'unpack' | 'build' | 'work' | 'output' | 'jobs'> & {
    /** Whether packages are made of what was built, and published; the last step of all. */
    readonly pack: boolean;
    readonly shelf: Shelf;
    /** The pool of processes of all builds; without, `jobs` of its own. */
    readonly pool?: JobPool;
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
  | {
      readonly event: 'needed';
      readonly before: boolean;
      readonly why: readonly Difference[];
      /** Because it was asked for. */
      readonly again: boolean;
    }
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

export type Work = {
  readonly request: ProduceRequest;
  readonly setting: ProduceSetting;
  readonly plan: Plan;
  readonly keys: BuildKeys;
  readonly listen: Listen;
  /** Whether it is looked up what comes out, before it is built. */
  readonly looks: boolean;
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
  const whole = isWhole(request);
  const work: Work = { request, setting, plan, keys, listen, looks: whole && !request.again };
  if (!whole) return await make(work);
  const found = await find(work);
  if (found) return found;
  const unpacked = setting.results.unpacked(keys.unpack.hex);
  const { hex } = unpacked === undefined ? keys.unpack : keys.build(unpacked);
  const waiting = (): void => listen({ event: 'waiting' });
  return await setting.results.exclusively(hex, { signal: setting.signal, waiting }, async () => {
    return (await find(work)) ?? (await make(work));
  });
}

const isWhole = ({ unpack, build, pack, work }: ProduceRequest): boolean =>
  unpack && build && pack && work === undefined;

/** What is on the shelf or in the cache, with the key that unpacking as before gives. */
async function find(work: Work): Promise<Produced | undefined> {
  const { results } = work.setting;
  const unpacked = work.looks ? results.unpacked(work.keys.unpack.hex) : undefined;
  if (unpacked === undefined) return undefined;
  return await findBy(work, work.keys.build(unpacked));
}
