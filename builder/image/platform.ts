import type { Platform } from '../descriptor.ts';

/** `linux/amd64`, `linux/arm/v7` */
export const platformName = ({ os, architecture, variant }: Platform): string =>
  [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');

/** Of an image that this machine can run, in OCI's words for Node's. */
export function hostPlatform(): Platform {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  return { os: 'linux', architecture };
}
