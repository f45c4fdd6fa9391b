import { isDigest } from '../../../builder/digest.ts';
import { diffFiles, type FileChange, filesOf } from '../../../builder/image/layer-files.ts';
import type { FileStore } from '../../../builder/store/file-store.ts';
import type { Assessment } from '../../build/assess.ts';
import type { Difference } from '../../build/difference.ts';
import { keptLayer } from '../../layer/kept-layer.ts';
import { display, quote } from '../../package/name.ts';

/** One line of a plan. */
export function planLine(each: Assessment): string {
  const why = reasonOf(each);
  return `${each.state.padEnd(7)} ${each.name}${why === '' ? '' : `: ${why}`}\n`;
}

function reasonOf(each: Assessment): string {
  if (each.state === 'open') return `known when ${each.awaits.join(', ')} is built`;
  return each.state === 'build' ? whyBuilt(each) : '';
}

/** Why something is built, in a few words. */
export function whyBuilt({ before, why }: Pick<Assessment, 'before' | 'why'>): string {
  if (!before) return 'not built before';
  const [first, ...others] = why;
  if (!first) return 'its result is no longer in the cache';
  return `${short(first)}${others.length > 0 ? `, and ${others.length} more` : ''}`;
}

/** A difference, and of a package with other bytes the files that are other, as far as both layers are stored. */
export type Explained = Difference & { readonly files?: readonly FileChange[] };

/** Says of packages in a root which of their files are others. */
export async function explainInputs(
  { why }: Pick<Assessment, 'why'>,
  store: FileStore,
): Promise<readonly Explained[]> {
  const found: Explained[] = [];
  for (const each of why) {
    const files = each.what === 'input' ? await filesBetween(each, store) : undefined;
    found.push(files ? { ...each, files } : each);
  }
  return found;
}

async function filesBetween(
  { name, before = '', after = '' }: Difference,
  store: FileStore,
): Promise<readonly FileChange[] | undefined> {
  const layers = [];
  for (const text of [before, after]) {
    const [of = '', diffID = ''] = text.split(' ');
    const descriptor = await keptLayer(store, { name, version: of, diffID });
    if (!descriptor) return undefined;
    layers.push(
      await filesOf(store, {
        descriptor,
        diffID: isDigest(diffID) ? diffID : descriptor.digest,
        history: name,
      }),
    );
  }
  const [old, now] = layers;
  return old && now ? diffFiles(old, now) : undefined;
}

/** So many files of a package are named. */
const few = 10;

/** All that is known of why a node is built, on lines of its own. */
export function explanation(each: Assessment, why: readonly Explained[]): string {
  const lines = why.flatMap((difference) => [
    `  ${long(difference)}\n`,
    ...lineOf(difference),
    ...filesOfInput(difference),
  ]);
  return `${planLine(each)}${lines.join('')}`;
}

const show = (sign: string, text: string | undefined): string[] =>
  text === undefined ? [] : [`    ${sign} ${quote(text)}\n`];

const lineOf = ({ line }: Explained): string[] => {
  if (!line) return [];
  return [`    line ${line.number}:\n`, ...show('-', line.before), ...show('+', line.after)];
};

const filesOfInput = ({ files = [] }: Explained): string[] => {
  const signs = { added: '+', removed: '-', changed: '~' } as const;
  const lines = files.slice(0, few).map(({ path, change }) => `    ${signs[change]} ${display(path)}\n`);
  return files.length > few ? [...lines, `    and ${files.length - few} more files\n`] : lines;
};

const whats = {
  file: (name: string) => `${display(name)} of the recipe`,
  distfile: (name: string) => `the archive ${display(name)}`,
  input: (name: string) => display(name),
  unpacked: () => 'what was unpacked',
  compiler: () => "the machine's compiler",
  other: (name: string) => `${display(name)} of the key`,
} as const;

/** An input is its version, diffID and priority. */
const version = (text: string): string => text.split(' ')[0] ?? '';

function short({ what, name, before, after }: Difference): string {
  const subject = whats[what](name);
  if (before === undefined) return `${subject} is new`;
  if (after === undefined) return `${subject} is gone`;
  if (what === 'input' && version(before) !== version(after))
    return `${subject} is ${version(after)}, was ${version(before)}`;
  return `${subject} ${what === 'input' ? 'has other bytes' : 'is another'}`;
}

function long(difference: Difference): string {
  const { before, after } = difference;
  const values = [
    ...(after === undefined ? [] : [after]),
    ...(before === undefined ? [] : [`was ${before}`]),
  ];
  return `${short(difference)}: ${values.map((value) => value.replaceAll(/[^\x20-\x7e]/g, '?')).join(', ')}`;
}
