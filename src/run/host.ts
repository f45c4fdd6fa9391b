import { readdirSync, realpathSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
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

const there = (path: string) => statSync(path, { throwIfNoEntry: false });

/**
 * The host's `/usr`, what `/bin /sbin /lib*` are, and from `/etc` what its programs cannot do without. Both
 * layouts are taken: with `/bin` a link into `/usr`, and with directories of their own. `machine` is the root
 * of the host.
 */
export function readHost(machine = '/'): HostLayout {
  const links: { name: string; target: string }[] = [];
  const binds = [{ source: realpathSync(join(machine, 'usr')), target: 'usr', directory: true }];
  const names = readdirSync(machine).filter((name) => hostNames.test(name) && there(join(machine, name)));
  for (const name of names.sort()) {
    const source = realpathSync(join(machine, name));
    const place = relative(realpathSync(machine), source);
    const elsewhere = place.startsWith('usr/') || (place !== name && hostNames.test(place));
    if (elsewhere) links.push({ name, target: place });
    else binds.push({ source, target: name, directory: true });
  }
  for (const name of besides) {
    const source = join(machine, 'etc', name);
    const stats = there(source);
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
