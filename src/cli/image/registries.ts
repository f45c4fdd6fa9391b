/**
 * Everything of pkgimage that talks to registries. It is a bundle of its own (scripts/build.ts): to be loaded by
 * `import()` only, and only by what needs it.
 */
import type { Descriptor } from '../../../builder/descriptor.ts';
import { passwordOrToken } from '../../../builder/registry/credential.ts';
import { findCredential } from '../../../builder/registry/credentials.ts';
import { canonicalHost } from '../../../builder/registry/host.ts';
import { forgetLogin, keepLogin, tryLogin } from '../../../builder/registry/login.ts';
import { pull, type PullOptions } from '../../../builder/registry/pull.ts';
import { Registry } from '../../../builder/registry/registry.ts';
import { openRepository, type Repository } from '../../../builder/registry/repository.ts';
import type { Access } from '../../../builder/registry/scope.ts';
import type { RegistryEvent, RegistrySettings } from '../../../builder/registry/settings.ts';
import { Fault } from '../../../builder/fault.ts';
import type { BlobStore } from '../../../builder/store/store.ts';
import { quote } from '../../package/name.ts';
import { holdersOf } from '../../remote/holders.ts';
import { ensurePrivate } from '../../run/private.ts';
import { complain, type Context } from '../context.ts';
import { userAgent } from '../version.ts';
import { isInsecure } from './insecure.ts';
import { mirrorsOf } from './mirrors.ts';
import {
  type FarReference,
  inDirectory,
  readChunk,
  type RegistryOptions,
  type TransferArguments,
} from './registry-options.ts';

export { alsoTags } from './also-tags.ts';
export { push } from '../../../builder/registry/push.ts';

export type Registries = {
  readonly repository: (at: FarReference, access: Access, mountFrom?: readonly string[]) => Repository;
};

/** Runs `act` with clients of registries, one a host, that are closed at the end. */
export async function withRegistries<T>(
  context: Context,
  options: TransferArguments,
  report: (event: RegistryEvent) => void,
  act: (registries: Registries) => Promise<T>,
): Promise<T> {
  const clients = new Map<string, Registry>();
  const client = (host: string): Registry => {
    const key = canonicalHost(host);
    const known = clients.get(key) ?? new Registry(host, settingsOf(context, host, options, report));
    clients.set(key, known);
    return known;
  };
  try {
    return await act({
      repository({ host, name }, access, mountFrom = []) {
        const sources = access === 'push' ? mountSources(context, host, mountFrom) : () => [];
        return openRepository(client(host), name, { access, sources });
      },
    });
  } finally {
    for (const each of clients.values()) each.close();
  }
}

/** What a registry's client takes from the surroundings of a tool. */
export function settingsOf(
  context: Context,
  host: string,
  { insecure, authfile, certDir, chunk }: TransferArguments,
  report: (event: RegistryEvent) => void,
): RegistrySettings {
  const { uploads } = context.places.cache;
  ensurePrivate(uploads);
  const authFile = inDirectory(context, authfile);
  const certificates = inDirectory(context, certDir);
  return {
    environment: context.env,
    userAgent: userAgent(context),
    sessions: uploads,
    report,
    insecure: insecure ?? isInsecure(host, context.env),
    ...(authFile !== undefined && { authFile }),
    ...(certificates !== undefined && { certificates: [certificates] }),
    ...(chunk !== undefined && { chunk: readChunk(chunk) }),
  };
}

/** The repositories that are named, then those that are known to have it: packages were taken from there, or put. */
function mountSources(
  { places }: Context,
  host: string,
  named: readonly string[],
): (descriptor: Descriptor) => readonly string[] {
  let holders: ReturnType<typeof holdersOf> | undefined;
  return (descriptor) => {
    holders ??= holdersOf(places.cache.indexes, host);
    return [...new Set([...holders(descriptor), ...named])];
  };
}

/**
 * Fetches an image from the first mirror that gives it whole, or from where it is called to be. What a mirror gave
 * before it failed is kept, as all is checked by digest. Throws what the registry itself is the reason of.
 */
export async function pullFrom(
  context: Context,
  registries: Registries,
  from: FarReference,
  store: BlobStore,
  options: PullOptions,
): Promise<Descriptor> {
  const reference = from.digest ?? from.tag ?? 'latest';
  for (const mirror of mirrorsOf(from, context.env)) {
    try {
      return await pull(registries.repository(mirror, 'pull'), reference, store, options);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      complain(`${context.tool}: the mirror is passed over: ${error.message}\n`);
    }
  }
  return pull(registries.repository(from, 'pull'), reference, store, options);
}

export type Login = { readonly username: string; readonly password: string };

/** Tries the password and keeps it; gives in words where. Throws NETWORK if the registry does not want it. */
export async function logIn(
  context: Context,
  host: string,
  { username, password }: Login,
  options: RegistryOptions,
  report: (event: RegistryEvent) => void,
): Promise<string> {
  const credential = passwordOrToken(username, password);
  await tryLogin(host, credential, settingsOf(context, host, options, report));
  const { path, helper } = await keepLogin(host, credential, keepOptions(context, options.authfile));
  return helper === undefined ? `in ${quote(path)}, as plain text for you alone` : `by ${quote(helper)}`;
}

/** The file in which there was something to forget, and the one that still has something. */
export async function logOut(
  context: Context,
  host: string,
  authfile: string | undefined,
): Promise<{ readonly forgotten: string | undefined; readonly left: string | undefined }> {
  const forgotten = (await forgetLogin(host, keepOptions(context, authfile)))?.path;
  let left: string | undefined;
  if (authfile === undefined) {
    await findCredential(host, undefined, context.env, { found: (path) => (left = path) });
  }
  return { forgotten, left };
}

function keepOptions(context: Context, authfile: string | undefined) {
  const file = inDirectory(context, authfile);
  return { environment: context.env, ...(file !== undefined && { file }) };
}
