import { canonicalHost } from '../../../builder/registry/host.ts';
import { parseReference } from '../../../builder/reference.ts';
import { quote } from '../../package/name.ts';
import { usage } from '../option-value.ts';
import type { FarReference } from './registry-options.ts';

/**
 * Where else an image may be had, in the order in which to ask, by `$STATIC_DISTRO_MIRRORS`: words `HOST=PLACE`, PLACE
 * being HOST[:PORT][/PREFIX]. With `docker.io=localhost:5000/hub`, docker.io/library/busybox is also
 * localhost:5000/hub/library/busybox. Throws USAGE for what is no such word.
 */
export function mirrorsOf(from: FarReference, env: NodeJS.ProcessEnv): readonly FarReference[] {
  const text = env['STATIC_DISTRO_MIRRORS'] ?? '';
  if (text.includes('@')) {
    throw usage(
      '$STATIC_DISTRO_MIRRORS: no user goes into a name',
      'leave it out, and log in: pkgimage login',
    );
  }
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  return words.flatMap((word) => {
    const [of = '', place = '', ...more] = word.split('=');
    if (of === '' || place === '' || more.length > 0) throw wrong(word);
    if (canonicalHost(of) !== canonicalHost(from.host)) return [];
    const { host, name } = parseReference(`${place.replace(/\/$/, '')}/${from.name}`);
    if (host === undefined) throw wrong(word);
    return [{ ...from, host, name }];
  });
}

const wrong = (word: string) =>
  usage(
    `$STATIC_DISTRO_MIRRORS: ${quote(word)} names no mirror`,
    'write HOST=MIRROR, such as docker.io=localhost:5000',
  );
