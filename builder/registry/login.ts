import { mkdir, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { asFault, Fault } from '../fault.ts';
import { canonicalJson, member, members, optional } from '../json.ts';
import { replaceFile, syncDirectory, writeAll } from '../store/files.ts';
import type { Credential } from './credential.ts';
import { type CredentialFile, normaliseKey, readCredentialFile } from './credential-file.ts';
import { callHelper } from './credential-helper.ts';
import { loginFile } from './credentials.ts';
import { canonicalHost, credentialKey } from './host.ts';
import { problemFault, readProblem } from './problem.ts';
import { Registry } from './registry.ts';
import { discard } from './request.ts';
import type { RegistrySettings } from './settings.ts';

/** Where credentials are written to: the file that is named, or the one that {@link loginFile} finds. */
export type KeepOptions = { readonly environment: NodeJS.ProcessEnv; readonly file?: string };

/**
 * Throws NETWORK unless the registry accepts the credential. It is asked what everybody may ask who has logged
 * in (distribution-spec, end-1).
 */
export async function tryLogin(
  host: string,
  credential: Credential,
  settings: RegistrySettings,
): Promise<void> {
  const registry = new Registry(host, { ...settings, credential: async () => credential });
  try {
    const answer = await registry.send({ doing: 'logging in', method: 'GET', to: '', scopes: [] });
    if (answer.status !== 200) {
      const { message } = problemFault(await readProblem(answer), answer.about, registry.host);
      throw new Fault('NETWORK', message, { hint: 'the user name or the password is wrong' });
    }
    await discard(answer);
  } finally {
    registry.close();
  }
}

/** The file, and the helper that has the secret in place of it. */
export type Kept = { readonly path: string; readonly helper: string | undefined };

/**
 * Keeps a credential as docker does: with the helper that the file names for the host, or for all, else in the
 * file itself, which only its owner can read. What else is in the file stays as it is.
 */
export async function keepLogin(host: string, credential: Credential, options: KeepOptions): Promise<Kept> {
  const { path, file } = await openFile(host, options);
  const key = credentialKey(host);
  const helper = helperOf(file, host);
  if (helper !== undefined) {
    const [username, secret] =
      credential.kind === 'password'
        ? [credential.username, credential.password]
        : ['<token>', credential.token];
    const input = canonicalJson({ ServerURL: key, Username: username, Secret: secret }).toString();
    await callHelper(helper, 'store', input, options.environment);
  }
  const entry = helper === undefined ? entryOf(credential) : {};
  await writeFile(path, file, { ...without(file, host), [key]: entry });
  return { path, helper };
}

/** The inverse of {@link keepLogin}. Undefined if there was nothing to forget. */
export async function forgetLogin(host: string, options: KeepOptions): Promise<Kept | undefined> {
  const { path, file } = await openFile(host, options);
  const helper = helperOf(file, host);
  if (helper !== undefined) {
    try {
      await callHelper(helper, 'erase', credentialKey(host), options.environment);
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'NOT_FOUND' || error.cause !== undefined) throw error;
    }
  }
  const left = without(file, host);
  const found = Object.keys(left).length < Object.keys(authsOf(file)).length;
  if (found) await writeFile(path, file, left);
  return found ? { path, helper } : undefined;
}

async function openFile(host: string, { environment, file }: KeepOptions) {
  const path = file ?? (await loginFile(host, environment));
  if (path === undefined) {
    throw new Fault('INPUT', 'there is no home to keep credentials in', {
      hint: 'set DOCKER_CONFIG to a directory, or name a file',
    });
  }
  const empty: CredentialFile = { value: {}, document: path, path: '' };
  return { path, file: (await readCredentialFile(path)) ?? empty };
}

const authsOf = (file: CredentialFile) => optional(member(file, 'auths'), members) ?? {};

/** The entries of all other hosts; one of a repository below the host is another one. */
const without = (file: CredentialFile, host: string): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(authsOf(file)).filter(([key]) => normaliseKey(key) !== canonicalHost(host)),
  );

function helperOf(file: CredentialFile, host: string): string | undefined {
  const helpers = optional(member(file, 'credHelpers'), members) ?? {};
  const own = Object.entries(helpers).find(([key]) => normaliseKey(key) === canonicalHost(host))?.[1];
  return [own, member(file, 'credsStore').value].find(
    (name): name is string => typeof name === 'string' && name !== '',
  );
}

function entryOf(credential: Credential): Readonly<Record<string, string>> {
  if (credential.kind === 'identity') return { identitytoken: credential.token };
  if (credential.kind === 'registry') return { registrytoken: credential.token };
  const { username, password } = credential;
  if (/[:\0]/.test(username) || username === '') {
    throw new Fault('INPUT', 'a user name is not empty and has no colon');
  }
  return { auth: Buffer.from(`${username}:${password}`).toString('base64') };
}

/** Other members keep their order and their values; a link to the file stays one. */
async function writeFile(
  path: string,
  file: CredentialFile,
  auths: Readonly<Record<string, unknown>>,
): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const target = await realpath(path).catch(() => path);
    const text = `${JSON.stringify({ ...members(file), auths }, undefined, '\t')}\n`;
    await replaceFile(dirname(target), 0o600, async (handle) => {
      await writeAll(handle, Buffer.from(text));
      return target;
    });
    await syncDirectory(dirname(target));
  } catch (error) {
    throw asFault(error, `writing credentials to ${path}`);
  }
}
