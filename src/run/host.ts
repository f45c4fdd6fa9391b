import { lstatSync, readdirSync, realpathSync } from 'node:fs';
import { digestOf, hexOf } from '../../builder/digest.ts';
import { cachedProfile } from './cache.ts';
import { commonEntries, type ProfileEntry } from './entry.ts';
import { mountEntries } from './profile.ts';
import { type Bind, packageBinds, type PlainPackage, type Root } from './root.ts';

/** How the programs and libraries of a machine are laid out, as far as a root can show them. */
export type HostLayout = {
  /** Names of the host's root that lead into another one, and where to: `bin` to `usr/bin`. */
  readonly links: readonly { readonly name: string; readonly target: string }[];
  readonly binds: readonly (Bind & { readonly directory: boolean })[];
};

/** Where programs are in the host view. What an administrator put there by hand comes last. */
export const hostPath = '/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/bin';

const hostNames = /^(bin|sbin|lib|lib32|lib64|libx32)$/;
const besides = ['alternatives', 'ld.so.cache'];

/**
 * The host's `/usr`, what `/bin /sbin /lib*` are, and from `/etc` what its programs cannot do without. Both
 * layouts are taken: with `/bin` a link into `/usr`, and with directories of their own.
 */
export function readHost(): HostLayout {
  const links: { name: string; target: string }[] = [];
  const binds = [{ source: realpathSync('/usr'), target: 'usr', directory: true }];
  for (const name of readdirSync('/').sort()) {
    if (!hostNames.test(name)) continue;
    const source = realpathSync(`/${name}`);
    const inside = source.startsWith('/usr/') || hostNames.test(source.slice(1));
    if (source !== `/${name}` && inside) links.push({ name, target: source.slice(1) });
    else binds.push({ source, target: name, directory: true });
  }
  for (const name of besides) {
    const source = `/etc/${name}`;
    const stats = lstatSync(source, { throwIfNoEntry: false });
    if (stats) binds.push({ source, target: `etc/${name}`, directory: stats.isDirectory() });
  }
  return { links, binds };
}

/**
 * The profile of the host view (DESIGN section 5): the same root, but with the host's programs in the place of
 * packages'. Packages are mounted and not linked.
 */
export function hostEntries(host: HostLayout, packages: readonly PlainPackage[]): ProfileEntry[] {
  const places = host.binds.map(({ target, directory }): ProfileEntry =>
    directory ? { kind: 'directory', path: target, mode: 0o755 } : { kind: 'file', path: target, text: '' },
  );
  const links = host.links.map(({ name, target }): ProfileEntry => ({ kind: 'link', path: name, target }));
  return [...commonEntries, ...places, ...links, ...mountEntries(packages)];
}

/** A root with the host's own compiler, for builds before there is a package of one. */
export function hostView(profiles: string, packages: readonly PlainPackage[], host = readHost()): Root {
  const entries = hostEntries(host, packages);
  const key = hexOf(digestOf(JSON.stringify(['host view', entries])));
  const profile = cachedProfile(profiles, key, () => entries);
  const binds = host.binds.map(({ source, target }) => ({ source, target }));
  return { profile, binds: [...binds, ...packageBinds(packages)] };
}
