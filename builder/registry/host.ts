import { reachOf } from './address.ts';

/** Docker Hub: in names, as its API, and as the key of its credentials. */
const hub = { name: 'docker.io', api: 'registry-1.docker.io', key: 'https://index.docker.io/v1/' } as const;

const hubNames: ReadonlySet<string> = new Set([hub.name, hub.api, 'index.docker.io']);

/** A host as it stands in names, with the aliases of Docker Hub made one. */
export const canonicalHost = (host: string): string => {
  const lower = host.toLowerCase();
  return hubNames.has(lower) ? hub.name : lower;
};

/** Where the API of the host is: `HOST[:PORT]`. */
export const apiHost = (host: string): string =>
  canonicalHost(host) === hub.name ? hub.api : canonicalHost(host);

/** What docker's credential helpers and files call the host. */
export const credentialKey = (host: string): string =>
  canonicalHost(host) === hub.name ? hub.key : canonicalHost(host);

/**
 * The schemes to try, in this order. Plain http is never tried unless the host is this machine or the user has
 * asked for it.
 */
export function schemesFor(host: string, insecure: boolean): readonly ('http' | 'https')[] {
  const { hostname } = new URL(`https://${apiHost(host)}`);
  if (reachOf(hostname) === 'loopback') return ['http', 'https'];
  return insecure ? ['https', 'http'] : ['https'];
}
