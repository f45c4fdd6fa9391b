import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A source package of a made archive; a file without bytes is in the index but cannot be had. */
export type MadeSource = {
  readonly name: string;
  readonly version: string;
  readonly files: readonly { readonly name: string; readonly bytes: Buffer; readonly missing?: boolean }[];
};

/**
 * Makes a Debian archive below `directory` (https://wiki.debian.org/DebianRepository/Format, a flat one) and a
 * configuration by which apt uses it and nothing of the machine. Gives the environment that selects it.
 */
export function makeDebianArchive(
  directory: string,
  sources: readonly MadeSource[],
  style: 'one-line' | 'deb822' = 'one-line',
): NodeJS.ProcessEnv {
  const archive = join(directory, 'archive');
  const configuration = join(directory, 'etc');
  mkdirSync(join(configuration, 'parts'), { recursive: true });
  chmodSync(directory, 0o755);
  mkdirSync(archive, { recursive: true });
  const index = sources.map((source) => paragraph(source, archive)).join('\n');
  writeFileSync(join(archive, 'Sources'), index);
  const line = `${sha256(Buffer.from(index))} ${Buffer.byteLength(index)} Sources`;
  writeFileSync(
    join(archive, 'Release'),
    `Origin: test\nSuite: test\nDate: Sat, 01 Jan 2022 00:00:00 UTC\nSHA256:\n ${line}\n`,
  );
  // Packages only, as most machines have it: source packages are what has to be asked for.
  if (style === 'one-line') {
    writeFileSync(join(configuration, 'sources.list'), `deb [trusted=yes] file:${archive} ./\n`);
  } else {
    writeFileSync(
      join(configuration, 'parts/test.sources'),
      `# a comment\nTypes: deb\nURIs: file:${archive}\nSuites: ./\nTrusted: yes\n\nTypes: deb\nEnabled: no\nURIs: file:/nowhere\nSuites: ./\n`,
    );
  }
  const file = join(configuration, 'apt.conf');
  writeFileSync(
    file,
    `Dir::Etc::SourceList "${configuration}/sources.list";\nDir::Etc::SourceParts "${configuration}/parts";\n`,
  );
  return { ...process.env, APT_CONFIG: file };
}

function paragraph({ name, version, files }: MadeSource, archive: string): string {
  for (const file of files) if (!file.missing) writeFileSync(join(archive, file.name), file.bytes);
  const list = (hash: (bytes: Buffer) => string): string =>
    files.map((file) => ` ${hash(file.bytes)} ${file.bytes.length} ${file.name}\n`).join('');
  return (
    `Package: ${name}\nFormat: 3.0 (quilt)\nBinary: ${name}\nArchitecture: any\nVersion: ${version}\n` +
    `Maintainer: Nobody <nobody@example.org>\nDirectory: .\nFiles:\n${list(md5)}Checksums-Sha256:\n${list(sha256)}`
  );
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const md5 = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex');
