import type { Digest } from '../../builder/digest.ts';
import type { FinishedPackage } from '../package/incoming.ts';
import { build, type Taking } from './build.ts';
import { finish } from './finish.ts';
import { JobPool } from './job-pool.ts';
import type { Key } from './key.ts';
import { findBy, produced, remember } from './known.ts';
import type { Produced, Work } from './produce.ts';
import { lastBuildOf, reasons } from './reasons.ts';
import { rootsOf } from './root.ts';
import { testPackages } from './test.ts';
import { workDigest } from './work-digest.ts';

/** What becomes known while a build runs. */
type Course = {
  readonly started: number;
  unpacked?: Digest;
  key?: Key;
  /** Where it turned out after unpacking that nothing had to be built. */
  found?: Produced;
};

/** Builds, and publishes if it goes so far. */
export async function make(work: Work): Promise<Produced> {
  const { request, setting, plan, keys, listen } = work;
  const { distfiles, shelf, recipe } = request;
  const course: Course = { started: Date.now() };
  const last = setting.results.last(lastBuildOf(request, plan.views.build));
  listen({
    event: 'needed',
    before: last !== undefined,
    why: reasons(recipe, keys, last, setting.results),
    again: request.again ?? false,
  });
  if (request.pack) await shelf.require();
  const paths = request.unpack ? await setting.fetch(distfiles, recipe.control.sources) : [];
  const guarded = [...setting.guarded, shelf.directory];
  await plan.bring?.();
  try {
    const { result, log, cpuSeconds } = await build(
      {
        ...request,
        roots: rootsOf(plan, setting.profiles),
        distfiles: paths,
        pool: request.pool ?? new JobPool(request.jobs),
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

/** Once the sources are there the key is known. False if what it gives is known too, and published. */
async function learn(work: Work, course: Course, directory: string): Promise<boolean> {
  const { request, keys } = work;
  // The user's sources, which no key tells of.
  if (!request.unpack) return true;
  course.unpacked = await workDigest(directory, course.started);
  course.key = keys.build(course.unpacked);
  if (!work.looks) return true;
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
  const { collector, signal } = setting;
  listen({ event: 'phase', phase: 'pack' });
  let bytes: TakenOver['bytes'] = new Map();
  const published = await request.shelf.put((staging) =>
    setting.workshops.use(async (workshop) => {
      const provenance = { builtFrom: keys.builtFrom, buildKey: key?.hex };
      const places = { staging, workshop, collector, tell, signal };
      const finished = await finish(taking.work, request, plan, provenance, places);
      ({ bytes } = finished);
      const output = { packages: finished.packages, cpuSeconds, seconds: (Date.now() - started) / 1000 };
      // Before it is looked at: what is refused need not be built again when it is accepted after all.
      if (key && request.work === undefined) {
        if (setting.results.keepBuilt(key, output)) listen({ event: 'different', what: 'built' });
        remember(work, key, output);
      }
      request.accept?.(finished.packages, plan.origin);
      await testPackages(work, finished.packages);
      return finished.packages;
    }),
  );
  return { published, bytes };
}
