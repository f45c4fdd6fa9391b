import { Fault } from '../../builder/fault.ts';

const namePattern = /^[a-z0-9][a-z0-9+.-]{0,63}$/;
const versionPattern = /^[0-9A-Za-z][0-9A-Za-z.+~:-]{0,127}$/;

export const isName = (text: string): boolean => namePattern.test(text);
export const isVersion = (text: string): boolean => versionPattern.test(text);

/** Throws INPUT unless `text` is a package name: `[a-z0-9][a-z0-9+.-]*`, at most 64 bytes. */
export function checkName(text: string, where: string): string {
  if (isName(text)) return text;
  throw new Fault('INPUT', `${where}: ${quote(text)} is no package name`, {
    hint: 'a name is a lower case letter or digit, then such or + . -, at most 64 in all',
  });
}

/** Throws INPUT unless `text` is a version: `[0-9A-Za-z][0-9A-Za-z.+~:-]*`, at most 128 bytes. */
export function checkVersion(text: string, where: string): string {
  if (isVersion(text)) return text;
  throw new Fault('INPUT', `${where}: ${quote(text)} is no version`, {
    hint: 'a version starts with a letter or digit; then letters, digits and . + ~ : -, at most 128 in all',
  });
}

/** What comes from a file or a command line, made safe to print: quoted, control characters escaped. */
export const quote = (text: string): string => JSON.stringify(text);

/** The version as a directory name: make and search paths split at the colon of an epoch. */
export const versionInPath = (version: string): string => version.replaceAll(':', '_');

/** The inverse of {@link versionInPath}; `_` is not allowed in versions, so it is exact. */
export const versionFromPath = (directory: string): string => directory.replaceAll('_', ':');

/** Where a package is in every root: `packages/NAME/VERSION`, without a leading slash. */
export const packagePath = (name: string, version: string): string =>
  `packages/${name}/${versionInPath(version)}`;
