import { parse } from 'ssri';
import { Fault } from '../../builder/fault.ts';
import { checkName, checkVersion, isName, isVersion, quote } from '../package/name.ts';

/** A distribution's source package that carries the same bytes, as `apt-get source PACKAGE=VERSION` names it. */
export type SourcePackage = { readonly package: string; readonly version: string };

/** One source archive, known by what it contains: where it comes from does not matter. */
export type Distfile = {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** Subresource Integrity, `sha512-BASE64`. */
  readonly integrity: string;
  /** Public addresses, the first tried first. */
  readonly urls: readonly string[];
  readonly source?: SourcePackage;
};

const namePattern = /^[A-Za-z0-9][A-Za-z0-9+._~-]{0,199}$/;
const integrityPattern = /^sha512-[A-Za-z0-9+/]{86}==$/;

/** A file name that is safe below any directory and in any URL; names ending in `.part` are for what is not whole. */
export const isDistfileName = (text: string): boolean => namePattern.test(text) && !text.endsWith('.part');

/** The list of archives (`distfiles/distfiles.json`), by name. Throws INPUT naming `where` and the entry. */
export function parseDistfiles(text: string, where: string): ReadonlyMap<string, Distfile> {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch (error) {
    throw new Fault('INPUT', `${where}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  const entries = isObject(root) ? root['distfiles'] : undefined;
  if (!Array.isArray(entries)) throw new Fault('INPUT', `${where}: there is no list "distfiles"`);
  const list = new Map<string, Distfile>();
  for (const [index, entry] of entries.entries()) {
    const distfile = checkDistfile(entry, `${where}: distfile ${index + 1}`);
    if (list.has(distfile.name)) throw new Fault('INPUT', `${where}: ${distfile.name} is listed twice`);
    list.set(distfile.name, distfile);
  }
  return list;
}

/** The list as text, sorted by name: it has one form. */
export function formatDistfiles(list: Iterable<Distfile>): string {
  const entries = [...list].sort((a, b) => (a.name < b.name ? -1 : 1));
  const distfiles = entries.map(({ name, size, integrity, urls, source }) =>
    source ? { name, size, integrity, urls, source } : { name, size, integrity, urls },
  );
  return `${JSON.stringify({ distfiles }, null, 2)}\n`.replaceAll(/^ *"urls": \[\n[^\]]*\],?$/gm, shorten);
}

/** A list goes on one line where it fits, as the formatter of the sources would have it. */
function shorten(list: string): string {
  const line = list
    .replaceAll(/\n\s*/g, ' ')
    .replace('[ ', '[')
    .replace(' ]', ']')
    .replace(/^ */, ' '.repeat(6));
  return line.length <= 110 ? line : list;
}

/** `PACKAGE=VERSION`, as apt-get writes it. Throws USAGE. */
export function parseSource(text: string, option: string): SourcePackage {
  const [, name = '', version = ''] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
  if (isName(name) && isVersion(version)) return { package: name, version };
  throw new Fault('USAGE', `${option}: ${quote(text)} is no source package`, {
    hint: `write PACKAGE=VERSION, for example ${option} musl=1.2.3-1`,
  });
}

/** The entries called `names`, each once. Throws NOT_FOUND for a name that is not listed, and says which `source` wants it. */
export function selectDistfiles(
  list: ReadonlyMap<string, Distfile>,
  names: Iterable<string>,
  source?: string,
): Distfile[] {
  const of = source === undefined ? '' : ` (Sources of ${source})`;
  return [...new Set(names)].map((name) => {
    const distfile = list.get(name);
    if (distfile) return distfile;
    throw new Fault('NOT_FOUND', `no distfile is called ${quote(name)}${of}`, {
      hint: 'pkgfetch --list prints the names; pkgfetch --add FILE adds one',
    });
  });
}

function checkDistfile(entry: unknown, where: string): Distfile {
  if (!isObject(entry)) throw new Fault('INPUT', `${where}: this is no object`);
  const { name, size, integrity, urls, source } = entry;
  if (typeof name !== 'string' || !isDistfileName(name)) {
    throw new Fault('INPUT', `${where}: ${JSON.stringify(name)} is no file name`, {
      hint: 'a name is letters, digits and + . _ ~ -, starts with a letter or digit and does not end in .part',
    });
  }
  const place = `${where} (${name})`;
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw new Fault('INPUT', `${place}: "size" is no number of bytes`);
  }
  if (typeof integrity !== 'string' || !integrityPattern.test(integrity)) {
    throw new Fault('INPUT', `${place}: "integrity" is no sha512 of the form sha512-BASE64`);
  }
  parse(integrity, { single: true, strict: true });
  if (!Array.isArray(urls)) throw new Fault('INPUT', `${place}: "urls" is no list`);
  const checked = {
    name,
    size,
    integrity,
    urls: urls.map((url: unknown) => checkUrl(url, place).href),
  };
  if (source === undefined) return checked;
  if (!isObject(source) || typeof source['package'] !== 'string' || typeof source['version'] !== 'string') {
    throw new Fault('INPUT', `${place}: "source" has no "package" and "version"`);
  }
  return {
    ...checked,
    source: {
      package: checkName(source['package'], place),
      version: checkVersion(source['version'], place),
    },
  };
}

/**
 * An address that bytes may be fetched from: https, or http of this machine itself, and nothing secret in it.
 * Throws INPUT naming `where`.
 */
export function checkUrl(text: unknown, where: string): URL {
  const url = typeof text === 'string' ? URL.parse(text) : null;
  if (!url) throw new Fault('INPUT', `${where}: ${JSON.stringify(text)} is no URL`);
  if (url.username || url.password) {
    throw new Fault('INPUT', `${where}: the URL of ${url.hostname} carries a name or password`, {
      hint: 'sources are public; take the part before the @ out of the URL',
    });
  }
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) {
    throw new Fault('INPUT', `${where}: ${quote(url.href)} is not https`, {
      hint: 'only https is used; plain http only for this machine itself (127.0.0.1, [::1], localhost)',
    });
  }
  return url;
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
