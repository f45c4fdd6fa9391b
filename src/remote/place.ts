import type { Digest } from '../../builder/digest.ts';
import { Fault } from '../../builder/fault.ts';
import { quote } from '../../builder/json.ts';
import { completeReference, parseReference } from '../../builder/reference.ts';

/** Where packages are in a registry; with a digest, those of one index and no others. */
export type RegistryPlace = {
  readonly host: string;
  readonly name: string;
  readonly index: Digest | undefined;
};

/** `HOST/NAME[@sha256:…]`, with or without `registry:` before it. Throws INPUT, and USAGE for a tag. */
export function parseRegistryPlace(text: string): RegistryPlace {
  const plain = text.replace(/^registry:/, '');
  const reference = parseReference(plain);
  if (reference.host === undefined) {
    throw new Fault('USAGE', `${quote(text)} names no registry`, {
      hint: 'write registry:HOST/NAME, such as registry:localhost:5000/packages',
    });
  }
  if (reference.tag !== undefined) {
    throw new Fault(
      'USAGE',
      `${quote(text)} has a tag, but tags of a repository of packages are the packages`,
      {
        hint: 'leave it out; one state of the repository is named by @sha256:…, as pkgrepo index prints it',
      },
    );
  }
  const { host, name } = completeReference(reference);
  return { host, name, index: reference.digest };
}

/** As it is written after `-d`. */
export const registryLabel = ({ host, name, index }: RegistryPlace): string =>
  `registry:${host}/${name}${index === undefined ? '' : `@${index}`}`;
