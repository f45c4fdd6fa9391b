import type { FileChange } from '../../../builder/image/layer-files.ts';
import type { Build, PackageChange } from '../../image/diff.ts';
import type { Reason } from '../../image/reason.ts';
import { display } from '../../package/name.ts';

/** A package that changed: what it was and is, why, and its files. */
export function packageLines(change: PackageChange, most: number): readonly string[] {
  const { name, before, after, reasons, files } = change;
  const sign = before ? (after ? '~' : '-') : '+';
  const builds = [before, after].flatMap((build) => (build ? [build] : []));
  const [first, second] = builds;
  const both = first && second && first.version === second.version ? [first.version] : builds.map(versionOf);
  return [
    `${sign} ${name} ${both.join(' -> ')}\n`,
    ...reasons.map((reason) => `    ${reasonText(reason, after !== undefined)}\n`),
    ...fileLines(files, most),
  ];
}

const versionOf = ({ version }: Build): string => version;

function reasonText(reason: Reason, isThere: boolean): string {
  switch (reason.reason) {
    case 'version':
      return `another version: ${reason.before} -> ${reason.after}`;
    case 'source':
      return `another source: ${named(reason.before)} -> ${named(reason.after)}`;
    case 'dependency':
      return `built with another ${reason.name}: ${dependency(reason)}`;
    case 'control':
      return `its control says something else: ${reason.fields.map(display).join(', ')}`;
    case 'origin':
      return `another origin: ${reason.before} -> ${reason.after}`;
    case 'recipe':
      return 'its recipe, its archives or the compiler of the machine changed';
    case 'not reproducible':
      return 'nothing that decides its build changed: it is not reproducible';
    case 'needed':
      return reason.by.length === 0
        ? `it ${isThere ? 'is' : 'was'} asked for itself`
        : `needed by ${reason.by.join(', ')}`;
    case 'unknown':
      return {
        both: 'nobody knows why: neither has a record of its build',
        before: 'nobody knows why: the one before has no record of its build',
        after: 'nobody knows why: the one after has no record of its build',
      }[reason.of];
  }
}

const named = ({ name, version }: { readonly name: string; readonly version: string }) =>
  `${name} ${version}`;

/** Two builds of one version are told apart by their diffIDs. */
function dependency({ before, after }: Extract<Reason, { reason: 'dependency' }>): string {
  const builds = before?.version === after?.version;
  const show = (each: typeof before) => {
    if (!each) return 'none';
    return builds ? `${each.version} (${each.diffID?.slice(7, 19) ?? 'unknown'})` : each.version;
  };
  return `${show(before)} -> ${show(after)}`;
}

/** The first so many files, and how many more there are. */
export function fileLines(files: readonly FileChange[], most: number): readonly string[] {
  const signs = { added: '+', removed: '-', changed: '~' } as const;
  const lines = files.slice(0, most).map(({ path, change, what }) => {
    const which = what.length === 0 ? '' : `: ${what.join(', ')}`;
    return `    ${signs[change]} ${display(path)}${which}\n`;
  });
  const more = files.length - lines.length;
  return more > 0 ? [...lines, `    and ${more} more files; --files shows them\n`] : lines;
}
