import { Fault } from '../../../builder/fault.ts';
import { defaultBudget } from '../../../builder/image/layering.ts';
import type { ImageRequest } from '../../image/build.ts';
import type { LockFile } from '../../image/lock-file.ts';
import type { ImageLock } from '../../image/lock.ts';
import { type LayerPackage, readPackage } from '../../layer/package.ts';
import { bring, publishedOf } from '../../package/elsewhere.ts';
import { parseRequest } from '../../package/relation.ts';
import { choose } from '../../solve/choose.ts';
import type { Wish } from '../../solve/universe.ts';
import type { Context } from '../context.ts';
import { usage } from '../option-value.ts';
import { findIn } from '../repositories.ts';
import { describedAdditions, readAccount, readAdd } from './addition-options.ts';
import type { Described } from './described.ts';
import { type ImageOptions, readEncoding, readNumber, readPairs, readSettings } from './image-options.ts';
import { requireOneMachine } from './one-machine.ts';
import { platformText, readSides, type Side } from './sides.ts';

/**
 * What is to be made, of the options and the file that they name: an image for each platform. Packages are chosen
 * last.
 */
export async function readRequests(
  options: ImageOptions,
  context: Context,
  lock: LockFile | undefined,
  { description: file, wishes: described }: Described,
  onlyDigest = false,
): Promise<readonly ImageRequest[]> {
  const { cwd, env } = context;
  // Twice the same is once: whether an image is about one package must not depend on it.
  const asked = [...new Set([...(file.packages ?? []), ...(options.package ?? [])])];
  if (asked.length === 0) throw usage('no package is asked for', 'name them after -p: -p mksh sbase');
  const all = [...described, ...readWishes(options.package ?? [])];
  const wishes = all.filter(({ text }, at) => all.findIndex((wish) => wish.text === text) === at);
  const added = describedAdditions(file);
  const epoch = env['SOURCE_DATE_EPOCH'];
  const common = {
    asked,
    settings: readSettings(options, file),
    annotations: { ...file.annotations, ...readPairs('--annotation', options.annotation) },
    additions: {
      files: [...added.files, ...options.add.map((text) => readAdd(text, cwd))],
      accounts: [...added.accounts, ...options.account.map(readAccount)],
    },
    budget:
      options.budget === undefined ? (file.budget ?? defaultBudget) : readNumber('--budget', options.budget),
    encoding: options.encoding === undefined ? (file.encoding ?? 'gzip-1') : readEncoding(options.encoding),
    created:
      options.created === undefined
        ? (file.created ?? readNumber('SOURCE_DATE_EPOCH', epoch || '0'))
        : readNumber('--created', options.created),
    machine: process.arch,
  };
  const sides = readSides(options.d, options.platform.length > 0 ? options.platform : (file.platforms ?? []));
  const requests: ImageRequest[] = [];
  for (const side of sides) {
    const locked = lock && lockOf(side, sides, lock);
    const packages = await choosePackages(side, wishes, context, {
      locked,
      // What only tells a digest takes it from records, unless packages have to share a layer.
      layers: (count) => !onlyDigest || count + 2 > common.budget,
    });
    const main = mainOf(wishes, packages);
    requests.push({ ...common, wanted: side.machine, packages, main, ...(locked && { plan: locked.plan }) });
  }
  return requests;
}

async function choosePackages(
  { words, machine }: Side,
  wishes: readonly Wish[],
  context: Context,
  options: { readonly locked: ImageLock | undefined; readonly layers: (count: number) => boolean },
): Promise<readonly LayerPackage[]> {
  const { locked, layers } = options;
  const exact = locked?.packages.map(({ name, version }) => `${name},${version}`);
  const chosen = await findIn(
    words,
    context,
    (repositories) => {
      const found = choose(repositories, exact ? readWishes(exact) : wishes);
      if (!exact) requireOneMachine(repositories, found);
      return found;
    },
    { locked: locked?.packages, architecture: machine?.name },
  );
  if (layers(chosen.length)) await bring(chosen, 'layer');
  return chosen.map((each) => {
    const published = publishedOf(each);
    return Object.assign(readPackage(each), published && { published });
  });
}

/** The package that is asked for, if it is the only one. */
function mainOf(
  [wish, another]: readonly Wish[],
  packages: readonly LayerPackage[],
): LayerPackage | undefined {
  const [alternative, other] = another ? [] : (wish?.alternatives ?? []);
  return other ? undefined : packages.find(({ name }) => name === alternative?.name);
}

/** The image in the lock that a side is to be; one whose platform is not said is what the others are not. */
function lockOf({ machine }: Side, sides: readonly Side[], { images }: LockFile): ImageLock {
  const said = new Set(sides.flatMap((side) => (side.machine ? [platformText(side.machine)] : [])));
  const fitting = machine
    ? images.filter(({ platform }) => platform === platformText(machine))
    : images.filter(({ platform }) => !said.has(platform));
  const [only, ...more] = fitting;
  if (only && more.length === 0 && images.length === sides.length) return only;
  throw new Fault('INPUT', `the lock is of ${images.map(({ platform }) => platform).join(' and ')}`, {
    hint: 'name the repository of each: -d x86_64=DIR -d aarch64=DIR',
  });
}

const readWishes = (words: readonly string[]): readonly Wish[] =>
  words.map((word) => Object.assign(parseRequest(word, '-p'), { from: `-p ${word}` }));
