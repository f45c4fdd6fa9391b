import { join } from 'node:path';
import { output } from './tools.ts';

export type Certificate = { readonly key: string; readonly cert: string };

/** A certificate for this machine that vouches for itself, as two files in the directory. */
export function makeCertificate(directory: string): Certificate {
  const key = join(directory, 'server.key');
  const cert = join(directory, 'server.crt');
  const words = 'req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost'.split(' ');
  const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', cert];
  output('openssl', [...words, ...names]);
  return { key, cert };
}
