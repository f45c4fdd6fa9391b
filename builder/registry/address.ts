import { BlockList, isIP } from 'node:net';

/** Where a host is, as far as its name tells: a name that is no address literal is public. */
export type Reach = 'loopback' | 'private' | 'forbidden' | 'public';

const ranges: Readonly<Record<Exclude<Reach, 'public'>, BlockList>> = {
  loopback: blockList(['127.0.0.0/8', '::1/128']),
  private: blockList(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7']),
  // Nothing that a registry names is there, but the metadata services of clouds are.
  forbidden: blockList(['0.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3', '::/128', 'fe80::/10', 'ff00::/8']),
};

function blockList(subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [network = '', bits] = subnet.split('/');
    list.addSubnet(network, Number(bits), isIP(network) === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}

/** Of a URL's `hostname`. IPv4 in IPv6 counts as IPv4. */
export function reachOf(hostname: string): Reach {
  const name = hostname.toLowerCase().replace(/\.$/, '');
  if (name === 'localhost' || name.endsWith('.localhost')) return 'loopback';
  const bare = name.replace(/^\[(.*)\]$/, '$1');
  const version = isIP(bare);
  if (version === 0) return 'public';
  for (const reach of ['loopback', 'private', 'forbidden'] as const) {
    if (ranges[reach].check(bare, version === 6 ? 'ipv6' : 'ipv4')) return reach;
  }
  return 'public';
}

/**
 * Whether a registry may send its client to that address: not from the internet into the client's own network,
 * nor to plain http unless the registry itself is spoken to in plain http.
 */
export function mayLead(from: URL, to: URL): boolean {
  if (to.protocol !== 'https:' && !(to.protocol === 'http:' && from.protocol === 'http:')) return false;
  if (to.hostname === from.hostname) return true;
  const reach = reachOf(to.hostname);
  return reach === 'public' || (reach !== 'forbidden' && reach === reachOf(from.hostname));
}
