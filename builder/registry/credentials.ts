import { basename, join } from 'node:path';
import type { Credential } from './credential.ts';
import {
  credentialFromFile,
  type CredentialFile,
  knowsHost,
  legacyName,
  podmanDirectory,
  readCredentialFile,
} from './credential-file.ts';
import { askHelper } from './credential-helper.ts';

/**
 * Where credentials may be, in the order in which they are looked for, which is podman's (containers-auth.json(5)): its
 * own file, in whose place `$REGISTRY_AUTH_FILE` stands, else `$DOCKER_CONFIG/config.json`; its file for good; docker's;
 * docker's of old. Docker looks at its own alone, so that who uses nothing but docker has the same order.
 */
export function credentialFiles(
  environment: NodeJS.ProcessEnv,
  id: number | undefined = process.getuid?.(),
): readonly string[] {
  const { XDG_RUNTIME_DIR: runtime, XDG_CONFIG_HOME: config, HOME: home } = environment;
  const configHome = config ?? (home ? join(home, '.config') : undefined);
  const found = [
    namedFile(environment) ?? podmanFile(runtime, id),
    configHome ? join(configHome, 'containers/auth.json') : undefined,
    dockerFile(environment),
    home ? join(home, legacyName) : undefined,
  ];
  return [...new Set(found.filter((path) => path !== undefined))];
}

/** The file that docker reads and writes; undefined without a home. */
function dockerFile({ DOCKER_CONFIG: directory, HOME: home }: NodeJS.ProcessEnv): string | undefined {
  if (directory) return join(directory, 'config.json');
  return home ? join(home, '.docker/config.json') : undefined;
}

/** The one that the environment names. */
function namedFile({ REGISTRY_AUTH_FILE: file, DOCKER_CONFIG: directory }: NodeJS.ProcessEnv) {
  if (file) return file;
  return directory ? join(directory, 'config.json') : undefined;
}

/** Without a directory of a session, as for root, podman and skopeo have another place. */
function podmanFile(runtime: string | undefined, id: number | undefined): string | undefined {
  if (runtime) return join(runtime, 'containers/auth.json');
  return id === undefined ? undefined : `${podmanDirectory}/${id}/auth.json`;
}

/**
 * The file that a login to a host belongs in: the one that the environment names; else the first that has something for
 * the host, as any other would not be found before that; else docker's. Undefined: there is no home to have it in.
 */
export async function loginFile(host: string, environment: NodeJS.ProcessEnv): Promise<string | undefined> {
  const named = namedFile(environment);
  if (named !== undefined) return named;
  for (const path of credentialFiles(environment)) {
    if (basename(path) === legacyName) continue;
    const file = await readCredentialFile(path);
    if (file && knowsHost(file, host)) return path;
  }
  return dockerFile(environment);
}

export type FindOptions = {
  /** Look nowhere but in this file. */
  readonly file?: string;
  /** For a helper of the whole file (`credsStore`) that is not installed. */
  readonly warn?: (message: string) => void;
  /** Told where it was found. */
  readonly found?: (path: string, credential: Credential) => void;
};

/**
 * The credential for a repository: out of the first file that has one; in a file the helper of the host comes
 * before the helper of the file, that before what is written in it, and there the longest part of
 * `HOST/NAME` that has an entry. Undefined: be nobody. Throws INPUT for a file that cannot be understood.
 */
export async function findCredential(
  host: string,
  name: string | undefined,
  environment: NodeJS.ProcessEnv,
  options: FindOptions = {},
): Promise<Credential | undefined> {
  for (const path of options.file === undefined ? credentialFiles(environment) : [options.file]) {
    const file = await readCredentialFile(path);
    const found = file && (await lookIn(file, path, host, name, environment, options));
    if (!found) continue;
    options.found?.(path, found);
    return found;
  }
  return undefined;
}

async function lookIn(
  file: CredentialFile,
  path: string,
  host: string,
  name: string | undefined,
  environment: NodeJS.ProcessEnv,
  { warn }: FindOptions,
): Promise<Credential | undefined> {
  const { helper, written } = credentialFromFile(file, path, host, name);
  for (const { program, key, optional } of helper) {
    const found = await askHelper(
      program,
      key,
      environment,
      optional ? (warn ?? (() => undefined)) : undefined,
    );
    if (found) return found;
  }
  return written;
}
