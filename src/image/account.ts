import { Fault } from '../../builder/fault.ts';
import { file } from '../../builder/tar/arrange.ts';
import type { Entry } from '../../builder/tar/entry.ts';
import { quote } from '../package/name.ts';
import type { ProfileEntry } from '../run/entry.ts';

/** A user, and the group of the same name. */
export type Account = {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
};

/** `/etc/passwd` and `/etc/group` with more in them. Throws INPUT for what they cannot hold, or hold already. */
export function accountEntries(
  profile: readonly ProfileEntry[],
  accounts: readonly Account[],
): readonly Entry[] {
  if (accounts.length === 0) return [];
  const names = new Set(['root', 'user', 'nobody']);
  for (const [at, account] of accounts.entries()) {
    const { name } = account;
    const wrong = wrongField(account);
    if (wrong || names.has(name)) {
      throw new Fault('INPUT', `the account ${quote(name)} ${wrong ? 'cannot be made' : 'exists already'}`, {
        hint: 'a name of lower case letters, digits, _ and -; numbers; absolute paths without a colon',
        field: ['accounts', String(at), wrong ?? 'name'],
      });
    }
    names.add(name);
  }
  const sorted = accounts.toSorted((a, b) => a.uid - b.uid || (a.name < b.name ? -1 : 1));
  const text = (path: string) => {
    const entry = profile.find((each) => each.path === path);
    return entry?.kind === 'file' ? entry.text : '';
  };
  const users = sorted.map(
    ({ name, uid, gid, home, shell }) => `${name}:x:${uid}:${gid}:${name}:${home}:${shell}\n`,
  );
  const groups = sorted.map(({ name, gid }) => `${name}:x:${gid}:\n`);
  return [
    file('etc/passwd', text('etc/passwd') + users.join('')),
    file('etc/group', text('etc/group') + groups.join('')),
  ];
}

const isID = (id: number): boolean => Number.isInteger(id) && id >= 0 && id < 2 ** 32 - 1;
const isPlace = (path: string): boolean => /^\/[^:\n\0]*$/.test(path);

function wrongField({ name, uid, gid, home, shell }: Account): keyof Account | undefined {
  if (!/^[a-z_][a-z0-9_-]{0,31}$/.test(name)) return 'name';
  if (!isID(uid)) return 'uid';
  if (!isID(gid)) return 'gid';
  if (!isPlace(home)) return 'home';
  return isPlace(shell) ? undefined : 'shell';
}
