import { Fault } from '../fault.ts';

/**
 * The proxy that the environment names for an address, as Node takes it; `NO_PROXY` lists hosts that go without.
 * Throws INPUT for a value that Node would pass over, so that nothing goes
 * around a proxy that somebody wants; the value is not told, as it may hold a password.
 */
export function proxyFor(url: URL, environment: NodeJS.ProcessEnv): URL | undefined {
  const variable = variableFor(url, environment);
  if (variable === undefined || isExempt(url, environment['no_proxy'] || environment['NO_PROXY'] || '')) {
    return undefined;
  }
  const proxy = URL.parse(environment[variable] ?? '');
  if (proxy && /^https?:$/.test(proxy.protocol) && proxy.hostname !== '') return proxy;
  throw new Fault('INPUT', `$${variable} names no proxy that can be used`, {
    hint: 'write http://HOST:PORT; no other kind is known, such as socks5',
  });
}

/** Whether the environment names a proxy for such an address, be it exempt or not. */
export const mayNeedProxy = (url: URL, environment: NodeJS.ProcessEnv): boolean =>
  variableFor(url, environment) !== undefined;

/** The one that is set; that of lower case comes first. */
function variableFor({ protocol }: URL, environment: NodeJS.ProcessEnv): string | undefined {
  const name = protocol === 'https:' ? 'https_proxy' : 'http_proxy';
  return [name, name.toUpperCase()].find((each) => environment[each]);
}

/** Where in doubt, exempt: then Node decides by itself. */
function isExempt({ hostname, host }: URL, list: string): boolean {
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((word) => word !== '')
    .some((word) => {
      if (word === '*' || word === host || word === hostname || /^[\d.]+-[\d.]+$/.test(word)) return true;
      const suffix = word.replace(/^\*?\.?/, '.').replace(/:\d+$/, '');
      return `.${hostname}`.endsWith(suffix);
    });
}
