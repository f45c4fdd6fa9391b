import { type Violation, validate } from '../../../builder/image/validate.ts';
import type { Damage } from '../../../builder/store/check.ts';
import { faultsOfKept } from '../../layer/kept-packages.ts';
import type { Context } from '../context.ts';
import { namedImages, withStore } from './store.ts';

/** `hurts`: names of images, and of packages that the store keeps. */
export type Problem = Violation & { readonly hurts?: readonly string[] };

/** What is wrong with images and packages of which every blob is whole: those that no damage hurts. */
export const violationsOf = (context: Context, damages: readonly Damage[]): Promise<readonly Problem[]> =>
  withStore(context, async (store) => {
    const hurt = new Set(damages.flatMap(({ hurts }) => hurts));
    const seen = new Map<string, Promise<readonly Violation[]>>();
    const found = new Map<string, Problem>();
    for (const { name, descriptor } of await namedImages(store)) {
      if (hurt.has(name)) continue;
      for (const { subject, message } of await validate(store, descriptor, { content: true, seen })) {
        const key = `${subject} ${message}`;
        found.set(key, { subject, message, hurts: [...(found.get(key)?.hurts ?? []), name] });
      }
    }
    return [...found.values(), ...(await faultsOfKept(store, (name) => hurt.has(name)))];
  });
