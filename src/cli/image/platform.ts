import type { Platform } from '../../../builder/descriptor.ts';
import { quote } from '../../package/name.ts';
import { usage } from '../option-value.ts';

/** What is written after `--platform` where images may be anybody's. Throws USAGE. */
export function readPlatform(text: string): Platform {
  const [os = '', architecture = '', variant, ...more] = text.split('/');
  if (os === '' || architecture === '' || variant === '' || more.length > 0) {
    throw usage(`--platform ${quote(text)} is no platform`, 'write OS/ARCH or OS/ARCH/VARIANT: linux/arm64');
  }
  return { os, architecture, ...(variant !== undefined && { variant }) };
}
