import { advice } from './advice.ts';
import { checkDigest, type Digest } from './digest.ts';
import { Fault } from './fault.ts';
import { quote } from './json.ts';

/**
 * The name of an image, as distribution-spec and docker write it:
 *
 *     reference  ::= [ host "/" ] name [ ":" tag ] [ "@" digest ]
 *     host       ::= ( label ( "." label )* | "[" IPv6 "]" ) [ ":" port ]
 *     label      ::= [A-Za-z0-9] | [A-Za-z0-9] [A-Za-z0-9-]* [A-Za-z0-9]
 *     name       ::= component ( "/" component )*         at most 255 bytes
 *     component  ::= [a-z0-9]+ ( separator [a-z0-9]+ )*
 *     separator  ::= "." | "_" | "__" | "-"+
 *     tag        ::= [A-Za-z0-9_] [A-Za-z0-9_.-]{0,127}
 *     digest     ::= "sha256:" hex{64}
 *
 * The first component is a host if it has a dot or a colon, is `localhost`, or has an upper case letter.
 */
export type Reference = {
  readonly host?: string | undefined;
  readonly name: string;
  readonly tag?: string | undefined;
  readonly digest?: Digest | undefined;
};

const label = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?';
const component = '[a-z0-9]+(?:(?:\\.|__?|-+)[a-z0-9]+)*';
const hostPattern = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?$`);
const namePattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

export const isTag = (text: string): boolean => tagPattern.test(text);

/**
 * Throws INPUT, without the text, for what seems to have a user before its host, as in `USER:PASSWORD@HOST/NAME`:
 * what is no digest behind an @ may make the rest a password.
 */
export function refuseUser(text: string): void {
  const at = text.indexOf('@');
  if (
    at < 0 ||
    !(text.includes('/', at) || (/:/.test(text.slice(0, at)) && !text.startsWith('sha', at + 1)))
  ) {
    return;
  }
  throw new Fault(
    'INPUT',
    'a name is given with a user, or a password, before its host: that is no place for them',
    {
      hint: advice.noUser(),
    },
  );
}

/** Throws INPUT, naming the part that is wrong, unless `text` is a reference. Adds nothing to it. */
export function parseReference(text: string): Reference {
  refuseUser(text);
  const bad = (what: string, hint: string): never => {
    throw new Fault('INPUT', `${quote(text)} is no name of an image: ${what}`, { hint });
  };
  const [beforeDigest = '', digestText, ...more] = text.split('@');
  if (more.length > 0) bad('it has two @', 'a digest is the last part, behind one @');
  const digest = digestText === undefined ? undefined : checkDigest(digestText, quote(text));
  const slash = beforeDigest.lastIndexOf('/');
  const colon = beforeDigest.indexOf(':', slash + 1);
  const tag = colon < 0 ? undefined : beforeDigest.slice(colon + 1);
  if (tag !== undefined && !isTag(tag)) {
    bad(
      `${quote(tag)} is no tag`,
      'a tag has at most 128 letters, digits and _ . -, and does not start with . or -',
    );
  }
  const path = colon < 0 ? beforeDigest : beforeDigest.slice(0, colon);
  const first = path.slice(0, Math.max(0, path.indexOf('/')));
  const host = /[.:A-Z]|^localhost$/.test(first) ? first : undefined;
  if (host !== undefined && !hostPattern.test(host)) {
    bad(`${quote(host)} is no host`, 'write HOST or HOST:PORT before the first slash');
  }
  const name = host === undefined ? path : path.slice(host.length + 1);
  if (name.length > 255 || !namePattern.test(name)) {
    bad(
      `${quote(name)} is no name`,
      'a name has lower case letters and digits, between them . _ or -, and slashes between its parts',
    );
  }
  return { host, name, tag, digest };
}

/** The inverse of {@link parseReference}. */
export const formatReference = ({ host, name, tag, digest }: Reference): string =>
  `${host === undefined ? '' : `${host}/`}${name}${tag === undefined ? '' : `:${tag}`}${
    digest === undefined ? '' : `@${digest}`
  }`;

/** With the tag `latest` where there is neither tag nor digest. */
export const withTag = (reference: Reference): Reference =>
  reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: 'latest' } : reference;

/**
 * What docker makes of a name: without a host it is on docker.io, there without a slash below `library`, and
 * the tag is `latest` unless it says another. `web` is `docker.io/library/web:latest`.
 */
export function completeReference(reference: Reference): Reference & { readonly host: string } {
  const docker = reference.host === undefined || reference.host === 'index.docker.io';
  const host = docker ? 'docker.io' : (reference.host ?? 'docker.io');
  const short = host === 'docker.io' && !reference.name.includes('/');
  return { ...withTag(reference), host, name: short ? `library/${reference.name}` : reference.name };
}
