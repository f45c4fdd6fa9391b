import { canonicalHost } from '../../../builder/registry/host.ts';
import { parseReference } from '../../../builder/reference.ts';
import { quote } from '../../package/name.ts';
import { usage } from '../option-value.ts';

/**
 * Whether `$STATIC_DISTRO_INSECURE`, words `HOST[:PORT]`, names the host: what `--insecure` is for one call, for tools
 * that have no such option and for one host alone. Throws USAGE for what is no such word.
 */
export function isInsecure(host: string, env: NodeJS.ProcessEnv): boolean {
  const words = (env['STATIC_DISTRO_INSECURE'] ?? '').split(/[\s,]+/).filter((word) => word !== '');
  return words.map(readWord).includes(canonicalHost(host));
}

function readWord(word: string): string {
  if (/^[^@/]+$/.test(word)) {
    const { host } = parseReference(`${word}/name`);
    if (host !== undefined) return canonicalHost(host);
  }
  throw usage(
    // There may be a password in front of an @.
    `$STATIC_DISTRO_INSECURE: ${word.includes('@') ? 'a user' : quote(word)} is no host of a registry`,
    'write HOST or HOST:PORT, such as registry.lan:5000',
  );
}
