import { quote } from '../../package/name.ts';
import { usage } from '../option-value.ts';

/**
 * The tags that go along with one that is a version: `1.2.3` also is `1.2` and `1`, `v1.2.3` also `v1.2` and
 * `v1`; below 1.0 no major version, of which nothing is promised (semver.org, 4), and with a pre-release none at all.
 * Not those that a newer version `there` has, so that an old line can be mended. Throws USAGE for what is no version.
 */
export async function alsoTags(
  tag: string | undefined,
  there: () => Promise<readonly string[]>,
): Promise<readonly string[]> {
  // Loaded only here: it costs every start of a tool that loads it.
  const { default: semver } = await import('semver');
  const prefix = tag?.startsWith('v') ? 'v' : '';
  const version = semver.parse(tag?.slice(prefix.length) ?? '');
  if (!version || version.build.length > 0) {
    throw usage(
      `--also-tag: the tag ${quote(tag ?? '')} is no version`,
      'write one of three numbers, such as HOST/NAME:1.2.3',
    );
  }
  if (version.prerelease.length > 0) return [];
  const { major, minor } = version;
  const others = (await there())
    .filter((other) => other.startsWith(prefix))
    .map((other) => semver.parse(other.slice(prefix.length)))
    .filter((other) => other !== null && other.prerelease.length === 0 && semver.gt(other, version));
  const series = [
    { tag: `${prefix}${major}.${minor}`, newer: others.some((o) => o?.major === major && o.minor === minor) },
    { tag: `${prefix}${major}`, newer: others.some((o) => o?.major === major) },
  ];
  return series.filter(({ newer }, at) => !newer && (at === 0 || major > 0)).map((each) => each.tag);
}
