import { scanLinks } from '../package/links.ts';
import type { PackageIdentity, PackageRecord } from '../package/record.ts';
import type { Distfile } from '../source/distfile.ts';
import { build, type BuildRequest, type BuildSetting } from './build.ts';
import { pack, type PackedPackage } from './pack.ts';
import type { Plan, PlanRequest } from './plan.ts';
import { hostBuildRoot, packageBuildRoot } from './root.ts';
import type { Shelf } from './shelf.ts';

/** What is to be made of a recipe, how far, and where it goes. */
export type ProduceRequest = PlanRequest &
  Pick<BuildRequest, 'unpack' | 'build' | 'work' | 'output' | 'jobs'> & {
    /** Whether packages are made of what was built, and published; the last step of all. */
    readonly pack: boolean;
    readonly shelf: Shelf;
  };

export type ProduceSetting = Omit<BuildSetting, 'listen' | 'machines'> & {
  /** The cache of profiles. */
  readonly profiles: string;
  /** Brings distfiles and gives their paths. */
  readonly fetch: (list: ReadonlyMap<string, Distfile>, names: readonly string[]) => Promise<string[]>;
};

/** What came of a request. */
export type Produced = {
  /** As they were published; none if the request ends before. */
  readonly packages: readonly {
    readonly name: string;
    readonly version: string;
    readonly tree: string;
    /** Of its files. */
    readonly bytes: number;
  }[];
  readonly log: string;
};

/**
 * Builds a recipe as planned and publishes its packages on the shelf, all of them or none. Throws what
 * {@link build}, {@link pack} and publishing throw.
 */
export async function produce(
  request: ProduceRequest,
  setting: ProduceSetting,
  plan: Plan,
  listen: BuildSetting['listen'],
): Promise<Produced> {
  const { distfiles, shelf, recipe } = request;
  const paths = request.unpack ? await setting.fetch(distfiles, recipe.control.sources) : [];
  const makeRoot = plan.view === 'host' ? hostBuildRoot : packageBuildRoot;
  const roots = {
    unpack: makeRoot(setting.profiles, plan.unpack),
    build: makeRoot(setting.profiles, plan.build),
  };
  const guarded = [...setting.guarded, shelf.directory];
  const { result, log } = await build(
    { ...request, roots, distfiles: paths },
    { ...setting, guarded, machines: plan.machines, listen },
    async (work) => {
      if (!request.pack) return [];
      listen({ event: 'phase', phase: 'pack' });
      return await publishOutput(work, request, plan);
    },
  );
  return { packages: result, log };
}

async function publishOutput(
  work: string,
  { recipe, version, machine, output, shelf }: ProduceRequest,
  plan: Plan,
): Promise<Produced['packages']> {
  const { control } = recipe;
  const sizes = new Map<string, number>();
  const finish = ({ name, version, tree, control: text, bytes }: PackedPackage) => {
    sizes.set(name, bytes);
    const record: PackageRecord = {
      format: 1,
      control: text,
      ...(plan.origin === undefined ? {} : { origin: plan.origin }),
      source: { name: control.name, version: control.version },
      buildKey: plan.key,
      builtFrom: builtFrom(plan),
      links: scanLinks(tree, text),
    };
    return { name, version, tree, record };
  };
  const options = { source: control, version, architecture: machine.name };
  const published = await shelf.put((staging) =>
    pack(work, output, { ...options, staging }).map((packed) => finish(packed)),
  );
  return published.map(({ name, version, tree }) => ({ name, version, tree, bytes: sizes.get(name) ?? 0 }));
}

/** Every package that was in one of the roots, once, by name and version. */
function builtFrom({ unpack, build }: Plan): PackageIdentity[] {
  const packages = new Map([...unpack, ...build].map((each) => [`${each.name} ${each.version}`, each]));
  return [...packages]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { name, version }]) => ({ name, version }));
}
