import { join, resolve } from 'node:path';
import { defaultBudget } from '../../../builder/image/layering.ts';
import type { ImageRequest } from '../../image/build.ts';
import type { ImageLock } from '../../image/lock.ts';
import { readPackage } from '../../layer/package.ts';
import { bring } from '../../package/elsewhere.ts';
import { parseRequest } from '../../package/relation.ts';
import { choose } from '../../solve/choose.ts';
import type { Wish } from '../../solve/universe.ts';
import type { Context } from '../context.ts';
import { usage } from '../option-value.ts';
import { findIn } from '../repositories.ts';
import { describedAdditions, readAccount, readAdd } from './addition-options.ts';
import type { Description } from './description.ts';
import { type ImageOptions, readEncoding, readNumber, readPairs, readSettings } from './image-options.ts';

/** What is to be made, of the options and the file that they name; packages are chosen last. */
export async function readRequest(
  options: ImageOptions,
  context: Context,
  lock: ImageLock | undefined,
  onlyDigest = false,
): Promise<ImageRequest> {
  const { cwd, env } = context;
  const file = await readFile(options, context);
  const wishes = readWishes([...(file.packages ?? []), ...(options.package ?? [])]);
  const described = describedAdditions(file);
  const epoch = env['SOURCE_DATE_EPOCH'];
  const request = {
    settings: readSettings(options, file),
    annotations: { ...file.annotations, ...readPairs('--annotation', options.annotation) },
    additions: {
      files: [...described.files, ...options.add.map((text) => readAdd(text, cwd))],
      accounts: [...described.accounts, ...options.account.map(readAccount)],
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
  const exact = lock?.packages.map(({ name, version }) => `${name},${version}`);
  const chosen = await findIn(
    options.d,
    context,
    (repositories) => choose(repositories, exact ? readWishes(exact) : wishes),
    { locked: lock?.packages },
  );
  // What only tells a digest takes it from records, unless packages have to share a layer.
  if (!onlyDigest || chosen.length + 2 > request.budget) await bring(chosen, 'layer');
  const packages = chosen.map(readPackage);
  const [wish, another] = wishes;
  const [alternative, other] = another ? [] : (wish?.alternatives ?? []);
  const main = other ? undefined : packages.find(({ name }) => name === alternative?.name);
  return { ...request, packages, main, ...(lock && { plan: lock.plan }) };
}

/** What reads it is loaded only here: it is large. */
async function readFile({ file }: ImageOptions, { cwd, places }: Context): Promise<Description> {
  if (file === undefined) return {};
  const { readDescription } = await import('./description.ts');
  return readDescription(resolve(cwd, file), join(places.root, 'docs/image.schema.json'));
}

function readWishes(words: readonly string[]): readonly Wish[] {
  if (words.length === 0) throw usage('no package is asked for', 'name them after -p: -p mksh sbase');
  return words.map((word) => Object.assign(parseRequest(word, '-p'), { from: `-p ${word}` }));
}
