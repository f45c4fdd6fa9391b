import { Fault } from '../../builder/fault.ts';
import { quote } from '../../builder/json.ts';

export { quote };

const namePattern = /^[a-z0-9][a-z0-9+.-]{0,63}$/;
const virtualPattern = /^[a-z0-9][A-Za-z0-9+._-]*(?:[:/][A-Za-z0-9][A-Za-z0-9+._-]*)*$/;
const versionPattern = /^(?:[0-9]+:[0-9A-Za-z][0-9A-Za-z.+~:-]*|[0-9A-Za-z][0-9A-Za-z.+~-]*)$/;

export const isName = (text: string): boolean => namePattern.test(text);

/**
 * Whether `text` may stand in Provides and in what refers to it: a package name, or one that no package can
 * have (`cmd:awk`, `pc/zlib`). At most 128 bytes. Never part of a path before {@link isName} has seen it.
 */
export const isVirtualName = (text: string): boolean => text.length <= 128 && virtualPattern.test(text);

/**
 * Whether `text` is `[epoch:]upstream[-revision]` over `[0-9A-Za-z.+~:-]`, starting with a letter or digit, at
 * most 128 bytes. Where there is a colon the epoch is a number, and nothing is empty: what `dpkg` cannot order
 * (`a:1`, `1:`, `1-`) is no version.
 */
export const isVersion = (text: string): boolean =>
  text.length <= 128 && versionPattern.test(text) && !text.endsWith('-');

/** Throws INPUT unless `text` is a package name: `[a-z0-9][a-z0-9+.-]*`, at most 64 bytes. */
export function checkName(text: string, where: string): string {
  if (isName(text)) return text;
  throw new Fault('INPUT', `${where}: ${quote(text)} is no package name`, { hint: nameHint });
}

/** Throws INPUT unless `text` is a version, see {@link isVersion}. */
export function checkVersion(text: string, where: string): string {
  if (isVersion(text)) return text;
  throw new Fault('INPUT', `${where}: ${quote(text)} is no version`, { hint: versionHint });
}

export const nameHint = 'a name is a lower case letter or digit, then such or + . -, at most 64 in all';
export const versionHint =
  'a version is [EPOCH:]UPSTREAM[-REVISION], the epoch a number; it starts with a letter or digit, ' +
  'then come letters, digits and . + ~ : -, at most 128 in all';

/** A path as it is if every character of it can be seen, else quoted. For where quotes would be noise. */
export const display = (text: string): string =>
  /^[!#-&(-[\]-~\p{L}\p{N}]+$/u.test(text) ? text : quote(text);

/** The version as a directory name: make and search paths split at the colon of an epoch. */
export const versionInPath = (version: string): string => version.replaceAll(':', '_');

/** The inverse of {@link versionInPath}; `_` is not allowed in versions, so it is exact. */
export const versionFromPath = (directory: string): string => directory.replaceAll('_', ':');

/** Where a package is in every root: `packages/NAME/VERSION`, without a leading slash. */
export const packagePath = (name: string, version: string): string =>
  `packages/${name}/${versionInPath(version)}`;
