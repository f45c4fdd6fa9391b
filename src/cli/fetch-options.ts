import { dirname, join } from 'node:path';
import { ensurePrivate } from '../run/private.ts';
import type { FetchOptions } from '../source/fetch.ts';
import type { Context } from './context.ts';

/**
 * How distfiles are fetched unless the user says otherwise: into the user's cache, from the mirror of the
 * environment, the machine's package manager and the list's URLs. Proxies are the environment's (HTTPS_PROXY,
 * NO_PROXY); setting them concerns the whole process.
 */
export function fetchOptions({ env, places }: Context): FetchOptions {
  process.getBuiltinModule('node:http').setGlobalProxyFromEnv(env);
  return {
    directory: places.cache.distfiles,
    mirror: env['STATIC_DISTRO_MIRROR'],
    apt: { directory: join(dirname(places.cache.distfiles), 'apt'), env, ensure: ensurePrivate },
  };
}
