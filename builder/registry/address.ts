import { BlockList, isIP } from 'node:net';

/** Where a host is, as far as its name tells: a name that is no address literal is public. */
export type Reach = 'loopback' | 'private' | 'forbidden' | 'public';

const subnets: Readonly<Record<Exclude<Reach, 'public'>, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'],
  // Nothing that a registry names is there, but the metadata services of clouds are.
  forbidden: ['0.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3', '::/128', 'fe80::/10', 'ff00::/8'],
};

/** Made when an address is to be judged: the pattern of IPv6 alone takes a tenth of a start to compile. */
const lists = new Map<Reach, BlockList>();

function listOf(reach: Exclude<Reach, 'public'>): BlockList {
  const list = lists.get(reach) ?? blockList(subnets[reach]);
  lists.set(reach, list);
  return list;
}

function blockList(of: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of of) {
    const [network = '', bits] = subnet.split('/');
    list.addSubnet(network, Number(bits), isIP(network) === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}

/** Of a URL's `hostname`. IPv4 in IPv6 counts as IPv4. */
export function reachOf(hostname: string): Reach {
  const name = hostname.toLowerCase().replace(/\.$/, '');
  if (name === 'localhost' || name.endsWith('.localhost')) return 'loopback';
  // As URLs write it: whatever is neither in brackets nor all digits and dots is a name.
  if (!/^(\[.*\]|[\d.]+)$/.test(name)) return 'public';
  if (name.startsWith('127.')) return isIP(name) === 4 ? 'loopback' : 'public';
  const bare = name.replace(/^\[(.*)\]$/, '$1');
  const version = isIP(bare);
  if (version === 0) return 'public';
  for (const reach of ['loopback', 'private', 'forbidden'] as const) {
    if (listOf(reach).check(bare, version === 6 ? 'ipv6' : 'ipv4')) return reach;
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
