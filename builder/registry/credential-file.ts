import { access, constants, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { asFault, Fault } from '../fault.ts';
import { type Field, member, members, optional, parseJson, string } from '../json.ts';
import { type Credential, passwordOrToken } from './credential.ts';
import { canonicalHost, credentialKey } from './host.ts';

/** docker's `config.json`, which podman's `auth.json` has the form of. Only what we know is looked into. */
export type CredentialFile = Field;

/** docker's file of before 2015, which podman still reads: nothing but the member `auths` of today's. */
export const legacyName = '.dockercfg';

/** A program to ask, under which key; `optional` if its absence is no reason to stop. */
export type Helper = { readonly program: string; readonly key: string; readonly optional: boolean };

/** Where a session has no directory. Root's podman makes it for root alone, and then no other user has a file in it. */
export const podmanDirectory = '/run/containers';

/** Undefined if there is no such file. */
export async function readCredentialFile(path: string): Promise<CredentialFile | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (code === 'EACCES' && path.startsWith(`${podmanDirectory}/`) && (await isClosed(podmanDirectory)))
      return undefined;
    throw asFault(error, `reading credentials from ${path}`);
  }
  if (bytes.length === 0) return { value: {}, document: path, path: '' };
  try {
    const file = parseJson(bytes, path);
    const value = members(file);
    return basename(path) === legacyName ? { value: { auths: value }, document: path, path: '' } : file;
  } catch {
    // Neither the parser's message nor the value may be shown: there may be a password in it.
    throw new Fault('INPUT', `${path}: is no JSON object`, {
      hint: 'repair it, or remove it and log in again',
    });
  }
}

const isClosed = (directory: string): Promise<boolean> =>
  access(directory, constants.X_OK).then(
    () => false,
    () => true,
  );

/** What the file has for a repository. */
export function credentialFromFile(
  file: CredentialFile,
  path: string,
  host: string,
  name: string | undefined,
): { readonly helper: readonly Helper[]; readonly written: Credential | undefined } {
  const keys = keysFor(host, name);
  const helpers = optional(member(file, 'credHelpers'), members) ?? {};
  const own = pick(helpers, keys);
  const store = member(file, 'credsStore').value;
  const key = credentialKey(host);
  return {
    helper: [
      ...(typeof own?.value === 'string' && own.value !== ''
        ? [{ program: own.value, key, optional: false }]
        : []),
      ...(typeof store === 'string' && store !== '' ? [{ program: store, key, optional: true }] : []),
    ],
    written: readEntry(optional(member(file, 'auths'), members) ?? {}, keys, path),
  };
}

/** Whether the file has something for the host as a whole, a helper of its own included. */
export function knowsHost(file: CredentialFile, host: string): boolean {
  const has = (name: string) =>
    pick(optional(member(file, name), members) ?? {}, [canonicalHost(host)]) !== undefined;
  return has('credHelpers') || has('auths');
}

/** From the most to the least special: `HOST/A/B`, `HOST/A`, `HOST`. */
function keysFor(host: string, name: string | undefined): readonly string[] {
  const parts = name === undefined ? [] : name.split('/');
  const base = canonicalHost(host);
  return [...parts.map((_, at) => [base, ...parts.slice(0, parts.length - at)].join('/')), base];
}

/** docker writes a host as `https://HOST/v1/` too; podman writes `HOST/NAME`. */
export function normaliseKey(key: string): string {
  const bare = /^https?:\/\//.test(key) ? key.replace(/^https?:\/\/([^/]*).*$/, '$1') : key;
  const [host = '', ...path] = bare.replace(/\/+$/, '').split('/');
  return [canonicalHost(host), ...path].join('/');
}

function pick(
  map: Readonly<Record<string, unknown>>,
  keys: readonly string[],
): { readonly key: string; readonly value: unknown } | undefined {
  for (const wanted of keys) {
    const names = Object.keys(map).filter((name) => normaliseKey(name) === wanted);
    // Of several spellings the one that docker itself would use, then the plain one.
    const key = [credentialKey(wanted), wanted, ...names].find((name) => names.includes(name));
    if (key !== undefined) return { key, value: map[key] };
  }
  return undefined;
}

function readEntry(
  auths: Readonly<Record<string, unknown>>,
  keys: readonly string[],
  path: string,
): Credential | undefined {
  for (let at = 0; at < keys.length; at++) {
    const found = pick(auths, keys.slice(at, at + 1));
    const credential = found && decodeEntry(found.value, `${path}: auths of ${found.key}`);
    if (credential) return credential;
  }
  return undefined;
}

function decodeEntry(value: unknown, where: string): Credential | undefined {
  const entry: Field = { value, document: where, path: '' };
  const text = (name: string): string => {
    const field = member(entry, name);
    if (field.value !== undefined && field.value !== null && typeof field.value !== 'string') {
      throw new Fault('INPUT', `${where}: ${name} is no text`, { hint: 'log in again' });
    }
    return optional(field, string) ?? '';
  };
  if (text('identitytoken') !== '') return { kind: 'identity', token: text('identitytoken') };
  if (text('registrytoken') !== '') return { kind: 'registry', token: text('registrytoken') };
  if (text('auth') !== '') return decodeAuth(text('auth'), where);
  const username = text('username');
  return username === '' ? undefined : { kind: 'password', username, password: text('password') };
}

/** Base64 of `USER:PASSWORD`. */
function decodeAuth(auth: string, where: string): Credential {
  // docker pads with NUL.
  const text = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '');
  const colon = text.indexOf(':');
  if (!/^[A-Za-z0-9+/_-]+=*$/.test(auth.trim()) || colon <= 0) {
    throw new Fault('INPUT', `${where}: is no base64 of user:password`, { hint: 'log in again' });
  }
  return passwordOrToken(text.slice(0, colon), text.slice(colon + 1));
}
