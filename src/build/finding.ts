import type { Buffer } from 'node:buffer';
import { showPath } from '../../builder/tar/path.ts';

/** Something about a package that was built: `refused` keeps it from being published. */
export type Finding = {
  readonly refused: boolean;
  /** The package, as `NAME VERSION`. */
  readonly label: string;
  readonly path: Buffer | undefined;
  /** What it is, after the path. */
  readonly what: string;
  /** What to do. */
  readonly hint: string;
};

export const findingText = ({ label, path, what }: Finding): string =>
  path === undefined ? `${label}: ${what}` : `${label}: ${showPath(path)} ${what}`;
