import { keepPackages } from '../layer/package-artifact.ts';
import { packageLayer, planPackage } from '../layer/package-layer.ts';
import { readPackage } from '../layer/package.ts';
import type { Workshop, Workshops } from '../layer/workshop.ts';
import { parseBinaryControl } from '../package/binary-control.ts';
import type { FinishedPackage } from '../package/incoming.ts';
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
  /** Where the layers of finished packages are made and kept. */
  readonly workshops: Workshops;
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
  if (request.pack) setting.workshops.require();
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
      return await publishOutput(work, request, plan, setting.workshops);
    },
  );
  return { packages: result ?? [], log };
}

async function publishOutput(
  work: string,
  { recipe, version, machine, output, shelf }: ProduceRequest,
  plan: Plan,
  workshops: Workshops,
): Promise<Produced['packages']> {
  const { control } = recipe;
  const sizes = new Map<string, number>();
  const published = await shelf.put((staging) =>
    workshops.use(async (workshop) => {
      const options = { source: control, version, architecture: machine.name, staging };
      const common = {
        format: 1,
        ...(plan.origin === undefined ? {} : { origin: plan.origin }),
        source: { name: control.name, version: control.version },
        buildKey: plan.key,
        builtFrom: await builtFrom(plan, workshop),
      } as const;
      const finished: FinishedPackage[] = [];
      for (const each of pack(work, output, options)) {
        sizes.set(each.name, each.bytes);
        finished.push(await finish(each, common, workshop));
      }
      await keepPackages(
        workshop,
        new Map(finished.flatMap((each) => (each.record.layer ? [[each, each.record.layer]] : []))),
      );
      return finished;
    }),
  );
  return published.map(({ name, version, tree }) => ({ name, version, tree, bytes: sizes.get(name) ?? 0 }));
}

/** The layer is made here, once: what is recorded of it is all that images need to know. */
async function finish(
  { name, version, tree, control: text }: PackedPackage,
  common: Omit<PackageRecord, 'control' | 'links' | 'layer'>,
  workshop: Workshop,
): Promise<FinishedPackage> {
  const control = parseBinaryControl(text, `${tree}/control`);
  const layer = await workshop.make(planPackage({ name, version, tree, control }));
  return { name, version, tree, record: { ...common, control: text, links: scanLinks(tree, text), layer } };
}

/** Every package that was in one of the roots, once, by name and version, and what was in it. */
async function builtFrom({ unpack, build }: Plan, workshop: Workshop): Promise<PackageIdentity[]> {
  const packages = new Map([...unpack, ...build].map((each) => [`${each.name} ${each.version}`, each]));
  const found: PackageIdentity[] = [];
  for (const [, each] of [...packages].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { diffID } = await packageLayer(workshop, readPackage(each));
    found.push({ name: each.name, version: each.version, diffID });
  }
  return found;
}
