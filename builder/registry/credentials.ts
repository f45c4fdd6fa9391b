import { join } from 'node:path';
import type { Credential } from './credential.ts';
import { credentialFromFile, type CredentialFile, readCredentialFile } from './credential-file.ts';
import { askHelper } from './credential-helper.ts';

/** The file that docker reads and writes; undefined without a home. */
export function dockerFile(environment: NodeJS.ProcessEnv): string | undefined {
  const { DOCKER_CONFIG: directory, HOME: home } = environment;
  if (directory) return join(directory, 'config.json');
  return home ? join(home, '.docker/config.json') : undefined;
}

/**
 * Where credentials may be, in the order in which they are looked for: docker's file (`$DOCKER_CONFIG` stands
 * in place of the one at home), then `$REGISTRY_AUTH_FILE`, then those of podman.
 */
export function credentialFiles(
  environment: NodeJS.ProcessEnv,
  id: number | undefined = process.getuid?.(),
): readonly string[] {
  const {
    REGISTRY_AUTH_FILE: explicit,
    XDG_RUNTIME_DIR: runtime,
    XDG_CONFIG_HOME: config,
    HOME: home,
  } = environment;
  const configHome = config ?? (home ? join(home, '.config') : undefined);
  return [
    dockerFile(environment),
    explicit,
    runtime ? join(runtime, 'containers/auth.json') : undefined,
    // Where podman and skopeo keep logins for those without a directory of a session, such as root.
    !runtime && id !== undefined ? `/run/containers/${id}/auth.json` : undefined,
    configHome ? join(configHome, 'containers/auth.json') : undefined,
  ].filter((path) => path !== undefined && path !== '') as string[];
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
