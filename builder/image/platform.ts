import type { Platform } from '../descriptor.ts';

/** `linux/amd64`, `linux/arm/v7` */
export const platformName = ({ os, architecture, variant }: Platform): string =>
  [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');

/** Whether they are the same; `arm64` is `arm64/v8`, as it is for every engine. */
export const isPlatform = (a: Platform, b: Platform): boolean => comparable(a) === comparable(b);

const comparable = (platform: Platform): string => {
  const name = platformName(platform);
  return name.endsWith('/arm64/v8') ? name.slice(0, -'/v8'.length) : name;
};

/** Of an image that this machine can run, in OCI's words for Node's. */
export function hostPlatform(): Platform {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  return { os: 'linux', architecture };
}
