import { resolve } from 'node:path';
import { Fault } from '../../../builder/fault.ts';
import type { Account } from '../../image/account.ts';
import type { Added, Additions } from '../../image/settings-layer.ts';
import { quote } from '../../package/name.ts';
import { usage } from '../option-value.ts';
import type { Description } from './description.ts';

/** `PATH=SOURCE[,mode=MODE][,owner=UID:GID]`, relative to `cwd`. Throws USAGE. */
export function readAdd(text: string, cwd: string): Added {
  const [, path = '', host = '', more = ''] =
    /^(\/[^=]*)=(.+?)((?:,(?:mode|owner)=[^,]*)*)$/s.exec(text) ?? [];
  if (host === '') {
    throw usage(
      `--add ${quote(text)} adds nothing`,
      'write --add /bin/hello=./hello; the path in the image first',
    );
  }
  const given: { mode?: number; uid?: number; gid?: number } = {};
  for (const word of more.split(',').slice(1)) {
    const owner = /^owner=(\d+):(\d+)$/.exec(word);
    const mode = /^mode=([0-7]{3,4})$/.exec(word)?.[1];
    if (owner) Object.assign(given, { uid: Number(owner[1]), gid: Number(owner[2]) });
    else if (mode !== undefined) given.mode = Number.parseInt(mode, 8);
    else throw usage(`--add: ${quote(word)} cannot be read`, 'write mode=0755 or owner=1000:1000');
  }
  return { path: checkPath(path), content: { host: resolve(cwd, host) }, ...given };
}

/** `NAME:UID[:GID[:HOME[:SHELL]]]`. Throws USAGE. */
export function readAccount(text: string): Account {
  const [name = '', uid = '', gid = uid, home = '/', shell = '/bin/sh', ...more] = text.split(':');
  if (more.length > 0 || ![uid, gid].every((id) => /^\d+$/.test(id))) {
    throw usage(
      `--account ${quote(text)} is no account`,
      'write NAME:UID:GID:HOME:SHELL, all but the first two optional',
    );
  }
  return { name, uid: Number(uid), gid: Number(gid), home, shell };
}

/** Those of the description. Throws USAGE. */
export const describedAdditions = ({ files = [], accounts = [] }: Description): Additions => ({
  files: files.map(({ path, source, text, mode, uid, gid }, at): Added => ({
    path: checkPath(path, ['files', String(at), 'path']),
    content: source === undefined ? (text === undefined ? 'directory' : { text }) : { host: source },
    mode: mode === undefined ? undefined : Number.parseInt(mode, 8),
    uid,
    gid,
  })),
  accounts: accounts.map(({ name, uid, gid = uid, home = '/', shell = '/bin/sh' }) => ({
    name,
    uid,
    gid,
    home,
    shell,
  })),
});

function checkPath(path: string, field: readonly string[] = []): string {
  const names = path.replace(/\/+$/, '').split('/').slice(1);
  const bad = names.some((name) => name === '' || name === '.' || name === '..' || name.includes('\0'));
  if (names.length > 0 && path.startsWith('/') && !bad) return names.join('/');
  const hint = 'write an absolute path without . and ..';
  throw new Fault('USAGE', `${quote(path)} is no path in an image`, { hint, field });
}
