import type { Descriptor } from '../../../builder/descriptor.ts';
import type { Digest } from '../../../builder/digest.ts';
import { hasChildren } from '../../../builder/manifest.ts';
import type { CopyEvent } from '../../../builder/store/copy.ts';
import { formatSize } from '../progress.ts';

/** How far one blob is. */
export type Transfer = {
  readonly descriptor: Descriptor;
  /** Undefined until something of it is on its way. */
  readonly bytes: number | undefined;
  /** What became of it: it was there, moved, or the other side took it from elsewhere. */
  readonly end?: 'exists' | 'moved' | 'mounted';
};

/** What is known of all blobs of one transfer, by digest, in the order in which they came up. */
export type Transfers = Map<Digest, Transfer>;

/** Takes in what happened, and gives the blob as it is now. */
export function note(transfers: Transfers, event: CopyEvent): Transfer {
  const { descriptor } = event;
  const before = transfers.get(descriptor.digest) ?? { descriptor, bytes: undefined };
  const now = after(before, event);
  transfers.set(descriptor.digest, now);
  return now;
}

function after(before: Transfer, event: CopyEvent): Transfer {
  const { descriptor } = before;
  switch (event.type) {
    case 'begin':
      return { descriptor, bytes: event.from };
    case 'bytes':
      return { ...before, bytes: (before.bytes ?? 0) + event.bytes };
    case 'exists':
      return { ...before, end: 'exists' };
    case 'end':
      // Documents are sent from memory, and never mounted.
      return {
        ...before,
        end: before.bytes === undefined && !hasChildren(descriptor) ? 'mounted' : 'moved',
      };
  }
}

export const shortDigest = ({ digest }: Descriptor): string => digest.slice('sha256:'.length).slice(0, 12);

const ends = { exists: 'there already', mounted: 'taken over from another repository' } as const;

/** One line of text for a blob that is done. `moved` says in which direction: sent or fetched. */
export const doneLine = ({ descriptor, end }: Transfer, moved: string): string =>
  `${shortDigest(descriptor)}  ${formatSize(descriptor.size).padStart(8)}  ${
    end === 'exists' || end === 'mounted' ? ends[end] : moved
  }`;

/**
 * What a terminal of that size shows: a bar for each blob under way, as many as there is room for, and a line
 * for all.
 */
export function bars(transfers: Transfers, columns: number, rows: number): readonly string[] {
  const all = [...transfers.values()];
  const active = all.filter(({ bytes, end }) => bytes !== undefined && end === undefined);
  const shown = active.slice(0, Math.max(1, Math.min(rows - 2, 16)));
  const width = Math.max(5, Math.min(40, columns - 40));
  const lines = shown.map(({ descriptor, bytes = 0 }) => {
    const part = descriptor.size === 0 ? 1 : Math.min(1, bytes / descriptor.size);
    const full = Math.floor(part * width);
    const bar = `${'#'.repeat(full)}${'-'.repeat(width - full)}`;
    return `${shortDigest(descriptor)}  [${bar}] ${formatSize(bytes)} of ${formatSize(descriptor.size)}`;
  });
  const done = all.filter(({ end }) => end !== undefined).length;
  const moved = all.reduce((sum, { bytes = 0 }) => sum + bytes, 0);
  const more = active.length - shown.length;
  const rest = more > 0 ? `, ${more} more under way` : '';
  return [...lines, `${done} of ${all.length} done, ${formatSize(moved)}${rest}`].map((line) =>
    line.slice(0, Math.max(20, columns - 1)),
  );
}
