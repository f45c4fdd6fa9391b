import { hexOf } from '../../builder/digest.ts';
import type { Image, ImageLayer } from '../../builder/image/image.ts';
import { isName, isVersion } from '../package/name.ts';
import { packageKey } from '../layer/package-artifact.ts';
import type { LayerPackage } from '../layer/package.ts';
import type { KnownLayer } from '../layer/workshop.ts';

/** On the descriptor of a layer that several packages share: which builds they are. */
export const packagesAnnotation = 'static-distro.packages';

export const annotationOf = (members: readonly (readonly [LayerPackage, KnownLayer])[]): string =>
  members.map(([each, layer]) => packageKey(each, layer)).join(', ');

/** A package in an image, and in which of its layers it is. */
export type Contained = {
  readonly name: string;
  readonly version: string;
  /** The start of its diffID, 12 hex digits; undefined where the image does not tell. */
  readonly build: string | undefined;
  readonly layer: ImageLayer;
};

/**
 * The packages of an image that we made, in the order of its layers, by name. A layer's history names them, and an
 * annotation their builds where they share it. Empty for anybody else's image.
 */
export function contentsOf({ layers }: Image): ReadonlyMap<string, Contained> {
  const found = new Map<string, Contained>();
  for (const layer of layers) {
    const titles = (layer.descriptor.annotations?.[packagesAnnotation] ?? layer.history ?? '').split(', ');
    for (const title of titles) {
      const [name = '', version = '', told, ...more] = title.split(' ');
      if (!isName(name) || !isVersion(version) || more.length > 0) continue;
      const own = titles.length === 1 ? hexOf(layer.diffID).slice(0, 12) : undefined;
      found.set(name, { name, version, build: told ?? own, layer });
    }
  }
  return found;
}

/** As the store's index of packages calls it. */
export const keyOf = ({ name, version, build }: Contained): string =>
  [name, version, ...(build === undefined ? [] : [build])].join(' ');
