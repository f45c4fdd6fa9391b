import { Fault } from '../../builder/fault.ts';
import { runConfig } from '../../builder/image/settings.ts';
import { quote } from '../package/name.ts';
import type { ProfileEntry } from '../run/entry.ts';
import { accountEntries } from './account.ts';
import type { ImageRequest } from './build.ts';
import { profileOf } from './profile-layer.ts';

/**
 * Throws INPUT, before anything is made, for settings with which no engine starts an image: those of which the
 * builder knows, and a user or group by a name that is in neither `/etc/passwd` and `/etc/group` of the profile nor
 * the accounts. What a file brings that takes the place of these is not looked into.
 */
export function requireRunnable({ settings, packages, additions }: ImageRequest): void {
  runConfig(settings);
  const { accounts, files } = additions;
  // What is wrong with the accounts themselves comes first.
  accountEntries([], accounts);
  const [user = '0', group = '0'] = (settings.user ?? '').split(':');
  for (const [name, path, kind] of [
    [user, 'etc/passwd', 'user'],
    [group, 'etc/group', 'group'],
  ] as const) {
    if (/^\d*$/.test(name) || files.some((file) => file.path === path || file.path === 'etc')) continue;
    const known = namesIn(path, profileOf(packages)).concat(accounts.map((account) => account.name));
    if (known.includes(name)) continue;
    throw new Fault(
      'INPUT',
      `user: ${quote(settings.user ?? '')} cannot be used: there is no ${kind} ${quote(name)}`,
      {
        hint: `there are ${known.join(', ')}; --account NAME:UID makes another one`,
        field: ['user'],
      },
    );
  }
}

function namesIn(path: string, profile: readonly ProfileEntry[]): readonly string[] {
  const entry = profile.find((each) => each.path === path);
  if (entry?.kind !== 'file') return [];
  return entry.text.split('\n').flatMap((line) => (line === '' ? [] : [line.replace(/:.*/, '')]));
}
