import type { Descriptor } from '../descriptor.ts';
import { Fault } from '../fault.ts';
import { quote } from '../json.ts';
import type { Named } from '../store/store.ts';

/** The one with that name, or the only one. Throws NOT_FOUND, INPUT, and says what there is. */
export function chooseImage(images: readonly Named[], name: string | undefined, where: string): Descriptor {
  const found = name === undefined ? images : images.filter((image) => sameName(image.name, name));
  const [only] = found;
  if (only && new Set(found.map(({ descriptor }) => descriptor.digest)).size === 1) return only.descriptor;
  const names = images.map((image) => quote(image.name)).join(', ');
  if (name === undefined && only) {
    throw new Fault('INPUT', `${where}: there are several images`, {
      hint: `say which behind a colon: ${names}`,
    });
  }
  const what = name === undefined ? 'no image' : `no image called ${quote(name)}`;
  throw new Fault(
    'NOT_FOUND',
    `${where}: there is ${what}`,
    names === '' ? {} : { hint: `there are ${names}` },
  );
}

/** `web` is also `web:latest`, as tools differ in what they write down. */
const sameName = (there: string, wanted: string): boolean => there === wanted || there === `${wanted}:latest`;
