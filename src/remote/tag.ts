import { type Digest, digestOf, hexOf } from '../../builder/digest.ts';
import { type Architecture, isArchitecture } from '../package/architecture.ts';
import { isName, isVersion } from '../package/name.ts';

/** A package in a repository that may hold several architectures. */
export type Subject = {
  readonly name: string;
  readonly version: string;
  readonly architecture: Architecture;
};

/** The tag of the index of all records; none of a package is called so. */
export const indexTag = 'packages';

/** Most characters of a tag (distribution-spec, "Pulling manifests"). */
const longest = 128;

/** What no tag can have, or what separates the parts of ours, and what is written for it. */
const escapes: Readonly<Record<string, string>> = { _: '_u', '+': '_p', '~': '_t', ':': '_c' };
const unescapes: Readonly<Record<string, string>> = { _u: '_', _p: '+', _t: '~', _c: ':' };

const escape = (text: string): string => text.replaceAll(/[_+~:]/g, (character) => escapes[character] ?? '');

/** Undefined for what {@link escape} does not write. */
function unescape(text: string): string | undefined {
  const plain = text.replaceAll(/_[uptc]/g, (pair) => unescapes[pair] ?? '');
  return escape(plain) === text ? plain : undefined;
}

/**
 * The tag that leads to the package as it is now (DESIGN section 4, "Packages in a registry"):
 *
 *     tag    ::= esc(NAME) "__" esc(VERSION) "__" ARCH  |  "x__" hex{64}
 *     build  ::= tag "__" hex{12}
 *
 * The second form, the SHA-256 of the first, where `build` would be longer than a tag may be.
 */
export function packageTag({ name, version, architecture }: Subject): string {
  const plain = `${escape(name)}__${escape(version)}__${architecture}`;
  return buildTag(plain, digestOf('')).length <= longest ? plain : `x__${hexOf(digestOf(plain))}`;
}

/** Hex digits that tell builds of a package apart. */
export const buildOf = (diffID: Digest): string => hexOf(diffID).slice(0, 12);

/** The tag that leads to one build, now and always. `tag` is that of the package. */
export const buildTag = (tag: string, diffID: Digest): string => `${tag}__${buildOf(diffID)}`;

export type ParsedTag = {
  /** The tag that leads to the package as it is now. */
  readonly tag: string;
  /** Of the tag of one build. */
  readonly build: string | undefined;
  /** Undefined where the tag holds only a hash of it. */
  readonly subject: Subject | undefined;
};

/** What one of our tags means; undefined for everybody else's. */
export function parseTag(text: string): ParsedTag | undefined {
  const [, hashed, hashedBuild] = /^(x__[0-9a-f]{64})(?:__([0-9a-f]{12}))?$/.exec(text) ?? [];
  if (hashed !== undefined) return { tag: hashed, build: hashedBuild, subject: undefined };
  const [name = '', version = '', architecture = '', build, ...more] = text.split('__');
  const subject = subjectOf(unescape(name), unescape(version), architecture);
  if (!subject || more.length > 0 || (build !== undefined && !/^[0-9a-f]{12}$/.test(build))) return undefined;
  const tag = packageTag(subject);
  // A long one has another tag, and a second way to say the same would be one too many.
  if (text !== (build === undefined ? tag : `${tag}__${build}`)) return undefined;
  return { tag, build, subject };
}

function subjectOf(
  name: string | undefined,
  version: string | undefined,
  architecture: string,
): Subject | undefined {
  if (name === undefined || !isName(name) || version === undefined || !isVersion(version)) return undefined;
  return isArchitecture(architecture) ? { name, version, architecture } : undefined;
}
