import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asFault } from '../fault.ts';

/** What TLS shall go by with one host; nothing at all is Node's own list of authorities. */
export type Trust = {
  readonly ca?: readonly (string | Buffer)[];
  readonly cert?: readonly Buffer[];
  readonly key?: readonly Buffer[];
  readonly rejectUnauthorized?: boolean;
  readonly minVersion?: 'TLSv1.2';
};

/** Where podman and docker look for certificates of single hosts, the user's first. */
export const certificateDirectories = (environment: NodeJS.ProcessEnv): readonly string[] => {
  const home = environment['HOME'];
  const config = environment['XDG_CONFIG_HOME'] ?? (home ? join(home, '.config') : undefined);
  const own = config ? [join(config, 'containers/certs.d')] : [];
  return [...own, '/etc/containers/certs.d', '/etc/docker/certs.d'];
};

/**
 * `DIR/HOST[:PORT]` of the first directory that has it: `*.crt` are authorities beside the usual ones,
 * `NAME.cert` with `NAME.key` is a certificate of ours.
 */
export async function readTrust(directories: readonly string[], host: string): Promise<Trust> {
  for (const directory of directories) {
    const place = join(directory, host);
    let names: string[];
    try {
      names = (await readdir(place)).sort();
    } catch (error) {
      if (['ENOENT', 'ENOTDIR', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) continue;
      throw asFault(error, `reading ${place}`);
    }
    const read = (end: string) =>
      Promise.all(names.filter((name) => name.endsWith(end)).map((name) => readFile(join(place, name))));
    try {
      const [ca, cert, key] = await Promise.all([read('.crt'), read('.cert'), read('.key')]);
      return {
        minVersion: 'TLSv1.2',
        ...(ca.length > 0 && { ca: [...usualAuthorities('default'), ...ca] }),
        ...(cert.length > 0 && { cert, key }),
      };
    } catch (error) {
      throw asFault(error, `reading the certificates in ${place}`);
    }
  }
  return { minVersion: 'TLSv1.2' };
}

function usualAuthorities(type: 'default' | 'system'): readonly string[] {
  return process.getBuiltinModule('node:tls').getCACertificates(type);
}

/** With the authorities of the system, which are read only when Node's own were not enough. */
export const withSystemAuthorities = (trust: Trust): Trust => ({
  ...trust,
  ca: [...(trust.ca ?? usualAuthorities('default')), ...usualAuthorities('system')],
});

/** For a host of which the user has said that whoever answers is right. */
export const withoutVerification = (trust: Trust): Trust => ({ ...trust, rejectUnauthorized: false });
