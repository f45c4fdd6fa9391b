import { Buffer } from 'node:buffer';
import { Fault } from '../../builder/fault.ts';
import { checkPath, checkTarget, showPath } from '../../builder/tar/path.ts';
import { quote } from '../package/name.ts';
import type { SourceControl } from '../package/source-control.ts';
import type { ReadTree, Trait, TreeEntry } from './collection.ts';
import { leadsOutside, pathKey } from './escape.ts';
import type { Finding } from './finding.ts';

const setId = 0o6000;

/** What of a recipe decides what its packages may be. */
export type Allowed = Pick<SourceControl, 'allow'>;

/**
 * Everything that is wrong with what a build installed for one package. `home` is where roots show it, `label`
 * what it is called.
 */
export function inspect(tree: ReadTree, home: string, label: string, { allow }: Allowed): Finding[] {
  const links = new Map(
    tree.entries.map((entry) => [
      pathKey(entry.path),
      entry.kind === 'symlink' ? { target: entry.target } : undefined,
    ]),
  );
  const find = (refused: boolean, path: Buffer, what: string, hint: string): Finding => ({
    refused,
    label,
    path,
    what,
    hint,
  });
  const findings = tree.entries.flatMap((entry) => {
    const { path } = entry;
    const why = unfit(entry, home, links, label);
    if (why) return [find(true, path, ...why)];
    const left = leftover(entry);
    return left ? [find(false, path, ...left)] : [];
  });
  const traits = tree.traits.flatMap((trait) => {
    const why = suspicious(trait);
    return why && !allow.includes(why.allowance) ? [find(true, trait.path, why.what, why.hint)] : [];
  });
  return [...findings, ...traits];
}

/** What no package can hold: what it is, and what to do. */
function unfit(
  entry: TreeEntry,
  home: string,
  links: Parameters<typeof leadsOutside>[0],
  label: string,
): readonly [what: string, hint: string] | undefined {
  const { kind, path } = entry;
  try {
    checkPath(path, label);
    if (kind === 'symlink') checkTarget(entry.target, path, label);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return ['has a name or a target that layers cannot hold: no .wh., none over 255 bytes', 'rename it'];
  }
  if (path.equals(controlName)) {
    return [
      'is installed by the build, and pkgbuild writes that itself',
      'install it below share, or not at all',
    ];
  }
  if (kind === 'special') return [`is a ${entry.type}, which a package cannot hold`, 'do not install it'];
  if (kind === 'file' && (entry.mode & setId) !== 0) {
    const mode = (entry.mode & 0o7777).toString(8);
    const field = `Mode: ${pathKey(path)} ${mode}`;
    return [
      'has a set-id bit, which no tree carries',
      `chmod it in build.sh, and if it is meant write ${quote(field)}`,
    ];
  }
  if (kind === 'symlink' && leadsOutside(links, pathKey(path), home)) {
    return [
      `is a link to ${showPath(entry.target)}, outside of the package`,
      'link inside of PKG_DIR; what belongs elsewhere in a root is named by the field Link',
    ];
  }
  return undefined;
}

const controlName = Buffer.from('control');

/** What serves nobody in a root, and differs from build to build or holds paths. */
function leftover({ kind, path }: TreeEntry): readonly [what: string, hint: string] | undefined {
  if (kind === 'directory') return undefined;
  const text = pathKey(path);
  if (text.endsWith('.la'))
    return ['is of libtool, which static programs do not need', 'remove it in build.sh'];
  if (text === 'share/info/dir') return ['is an index that every package brings', 'remove it in build.sh'];
  if (/\/(perllocal\.pod|\.packlist)$/.test(text))
    return ['tells when and where it was installed', 'remove it in build.sh'];
  return undefined;
}

function suspicious({ kind, text }: Trait) {
  if (kind === 'interpreter' || kind === 'needed') {
    return {
      allowance: 'dynamic',
      what: `is no static program: it needs ${quote(text)}`,
      hint: 'link with -static (or -static-pie); if it has to be so, write in the control file: Allow: dynamic',
    } as const;
  }
  if (kind !== 'build-path') return undefined;
  return {
    allowance: 'build-path',
    what: `has a path of the work directory in it: ${quote(text)}`,
    hint: 'build with relative paths, without -g, or with -ffile-prefix-map; if it does no harm, write in the control file: Allow: build-path',
  } as const;
}
